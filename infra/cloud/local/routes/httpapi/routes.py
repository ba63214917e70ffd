"""Routes and integrations of an HTTP API.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations.html
"""

from __future__ import annotations

from typing import Any

from ...service import Call, NotSimulated
from .mapping import check_request, check_response
from .matching import RouteKeyError, parse
from .model import Api, Shown, bad, conflict
from .resources import Resources, merged, refuse, settings
from .subtypes import SUBTYPES, check_subtype

LONGEST = 30_000
"""Milliseconds that an integration may take; also the default."""
_WEBSOCKET_ONLY = (
    "ContentHandlingStrategy", "PassthroughBehavior", "RequestTemplates", "TemplateSelectionExpression",
)  # fmt: skip
_OTHER_SUBTYPES = (
    "AppConfig-GetConfiguration", "SQS-DeleteMessage", "SQS-PurgeQueue", "SQS-ReceiveMessage",
)  # fmt: skip
"""https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-aws-services-reference.html"""


class Routes(Resources):
    def deployed(self, api: Api) -> None:
        raise NotImplementedError  # Stages does

    # -- integrations ----------------------------------------------------------------------------

    def CreateIntegration(self, call: Call) -> dict[str, Any]:
        return {"$status": 201, **self.add_integration(self.api(call), settings(call.params))}

    def add_integration(self, api: Api, given: dict[str, Any]) -> Shown:
        if "PayloadFormatVersion" not in given:
            raise bad("PayloadFormatVersion is a required parameter for integration")
        shown: Shown = {
            "ConnectionType": "INTERNET",
            "IntegrationId": self.new_id(7),
            "TimeoutInMillis": LONGEST,
            **merged({}, given),
        }
        if given["IntegrationType"] == "AWS_PROXY" and "IntegrationSubtype" not in given:
            shown.setdefault("IntegrationMethod", "POST")
        check_integration(shown)
        api.current.integrations[shown["IntegrationId"]] = shown
        return shown

    def GetIntegration(self, call: Call) -> dict[str, Any]:
        return dict(self.found(self.api(call).current.integrations, call, "Integration"))

    def GetIntegrations(self, call: Call) -> dict[str, Any]:
        return self.page(list(self.api(call).current.integrations.values()), call)

    def UpdateIntegration(self, call: Call) -> dict[str, Any]:
        api = self.api(call)
        new = merged(self.found(api.current.integrations, call, "Integration"), settings(call.params))
        check_integration(new)
        api.current.integrations[new["IntegrationId"]] = new
        self.deployed(api)
        return dict(new)

    def DeleteIntegration(self, call: Call) -> dict[str, Any]:
        api = self.api(call)
        identifier = self.found(api.current.integrations, call, "Integration")["IntegrationId"]
        target = f"integrations/{identifier}"
        if any(route.get("Target") == target for route in api.current.routes.values()):
            raise conflict(f"Cannot delete Integration {identifier}. It is the target of a route")
        del api.current.integrations[identifier]
        return {"$status": 204}

    # -- routes ----------------------------------------------------------------------------------

    def CreateRoute(self, call: Call) -> dict[str, Any]:
        return {"$status": 201, **self.add_route(self.api(call), settings(call.params))}

    def add_route(self, api: Api, given: dict[str, Any]) -> Shown:
        shown: Shown = {
            "ApiKeyRequired": False,
            "AuthorizationType": "NONE",
            "RouteId": self.new_id(7),
            **given,
        }
        self._check_route(api, shown)
        api.current.routes[shown["RouteId"]] = shown
        self.deployed(api)
        return shown

    def GetRoute(self, call: Call) -> dict[str, Any]:
        return dict(self.found(self.api(call).current.routes, call, "Route"))

    def GetRoutes(self, call: Call) -> dict[str, Any]:
        return self.page(list(self.api(call).current.routes.values()), call)

    def UpdateRoute(self, call: Call) -> dict[str, Any]:
        api = self.api(call)
        given = settings(call.params)
        new = merged(self.found(api.current.routes, call, "Route"), given)
        if (
            "AuthorizationType" not in given
            and new["AuthorizationType"] == "NONE"
            and given.get("AuthorizerId")
        ):
            raise bad("An authorizer can only be set together with the authorization type")
        self._check_route(api, new)
        api.current.routes[new["RouteId"]] = new
        self.deployed(api)
        return dict(new)

    def DeleteRoute(self, call: Call) -> dict[str, Any]:
        api = self.api(call)
        del api.current.routes[self.found(api.current.routes, call, "Route")["RouteId"]]
        self.deployed(api)
        return {"$status": 204}

    def _check_route(self, api: Api, given: Shown) -> None:
        refuse(given, "ApiKeyRequired", "ModelSelectionExpression", "RequestModels", "RequestParameters")
        refuse(given, "RouteResponseSelectionExpression")
        key = given["RouteKey"]
        try:
            parse(key)
        except RouteKeyError as error:
            raise bad(str(error)) from None
        others = (each for each in api.current.routes.values() if each["RouteId"] != given["RouteId"])
        if any(each["RouteKey"] == key for each in others):
            raise conflict(f"Route with key {key} already exists for this API")
        kind = given["AuthorizationType"]
        authorizer = api.current.authorizers.get(given.get("AuthorizerId", ""))
        if kind in ("JWT", "CUSTOM"):
            wanted = "JWT" if kind == "JWT" else "REQUEST"
            if authorizer is None or authorizer["AuthorizerType"] != wanted:
                raise bad(
                    f"Invalid authorizer ID specified. Setting the authorization type to {kind} requires a "
                    f"valid {'JWT ' if kind == 'JWT' else ''}authorizer."
                )
        if given.get("AuthorizationScopes") and kind != "JWT":
            raise bad("AuthorizationScopes are only supported for JWT authorization")
        target = given.get("Target", "")
        if target and target.removeprefix("integrations/") not in api.current.integrations:
            raise bad(f"Invalid Target specified: {target}")


def check_integration(given: Shown) -> None:
    """Is it one that HTTP APIs have, with what it needs? Raises BadRequestException, NotSimulated."""
    kind, uri = given["IntegrationType"], given.get("IntegrationUri", "")
    refuse(given, *_WEBSOCKET_ONLY)
    if kind not in ("AWS_PROXY", "HTTP_PROXY"):
        raise bad(f"Integration type {kind} is not supported for HTTP protocol APIs")
    if given["ConnectionType"] == "VPC_LINK":
        raise NotSimulated("NotSimulated: apigatewayv2 ConnectionType VPC_LINK - there are no VPCs here")
    if not 50 <= given["TimeoutInMillis"] <= LONGEST:
        raise bad(f"Timeout should be between 50 ms and {LONGEST} ms")
    if given["PayloadFormatVersion"] not in ("1.0", "2.0"):
        raise bad("Invalid payload format version. Supported values are 1.0 and 2.0")
    subtype = given.get("IntegrationSubtype")
    if subtype is not None:
        if kind != "AWS_PROXY" or subtype not in (*SUBTYPES, *_OTHER_SUBTYPES):
            raise bad(f"Invalid integration subtype {subtype} for integration type {kind}")
        if subtype not in SUBTYPES:
            raise NotSimulated(
                f"NotSimulated: IntegrationSubtype {subtype} - accepted are {', '.join(sorted(SUBTYPES))}"
            )
        check_subtype(given)
        return
    if kind == "AWS_PROXY" and ":lambda:" not in uri:
        raise bad("Invalid integration URI: a Lambda function's ARN is needed for AWS_PROXY")
    if kind == "HTTP_PROXY":
        if not uri.startswith(("http://", "https://")):
            raise bad("Invalid HTTP endpoint specified for URI")
        if not given.get("IntegrationMethod"):
            raise bad("HttpMethod is a required parameter for HTTP_PROXY integrations")
        if given["PayloadFormatVersion"] != "1.0":
            raise bad("HTTP_PROXY integrations only support payload format version 1.0")
    check_request(given.get("RequestParameters") or {})
    check_response(given.get("ResponseParameters") or {})
