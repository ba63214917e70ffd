"""APIs: create (also from a target or an OpenAPI document), change, delete.

https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis.html
"""

from __future__ import annotations

from typing import Any

from ...service import Call, NotSimulated
from .model import Api, Shown, bad
from .resources import merged, refuse
from .stages import Stages

_OWN = ("CredentialsArn", "RouteKey", "Target", "Body", "BasePath", "FailOnWarnings")


class Apis(Stages):
    def CreateApi(self, call: Call) -> dict[str, Any]:
        params = call.params
        if params["ProtocolType"] == "WEBSOCKET":
            raise NotSimulated(
                "NotSimulated: apigatewayv2 ProtocolType WEBSOCKET - the local cloud has HTTP APIs"
            )
        if params["ProtocolType"] != "HTTP":
            raise bad("Invalid protocol specified. Must be one of [HTTP, WEBSOCKET]")
        api = self.make_api(params)
        if params.get("Target"):
            self._quick_create(api, params)
        return {"$status": 201, **api.shown}

    def make_api(self, params: dict[str, Any]) -> Api:
        refuse(params, "DisableSchemaValidation")
        check_cors(params.get("CorsConfiguration"))
        identifier = self.new_id(10)
        shown: Shown = {
            "ApiEndpoint": f"https://{identifier}.execute-api.{self.world.region}.amazonaws.com",
            "ApiId": identifier,
            "ApiKeySelectionExpression": "$request.header.x-api-key",
            "CreatedDate": self.now(),
            "DisableExecuteApiEndpoint": False,
            "IpAddressType": "ipv4",
            "RouteSelectionExpression": "$request.method $request.path",
            "Tags": {},
            **{name: value for name, value in params.items() if name not in _OWN},
        }
        api = self.apis[identifier] = Api(identifier, shown)
        api.current.cors = shown.get("CorsConfiguration")
        self.opened(api)
        return api

    def opened(self, api: Api) -> None:
        raise NotImplementedError  # HttpApis answers requests from now on

    def closed(self, api: Api) -> None:
        raise NotImplementedError

    def _quick_create(self, api: Api, params: dict[str, Any]) -> None:
        """One integration, one route that catches all, and a stage that deploys by itself."""
        target = params["Target"]
        url = target.startswith("http")
        made: dict[str, Any] = {
            "IntegrationType": "HTTP_PROXY" if url else "AWS_PROXY",
            "IntegrationUri": target,
            "PayloadFormatVersion": "1.0" if url else "2.0",
            "ApiGatewayManaged": True,
        }
        if url:
            made["IntegrationMethod"] = "ANY"
        if params.get("CredentialsArn"):
            made["CredentialsArn"] = params["CredentialsArn"]
        integration = self.add_integration(api, made)
        route = {"RouteKey": params.get("RouteKey") or "$default", "ApiGatewayManaged": True}
        self.add_route(api, {**route, "Target": f"integrations/{integration['IntegrationId']}"})
        self.add_stage(api, {"StageName": "$default", "AutoDeploy": True, "ApiGatewayManaged": True})

    def GetApi(self, call: Call) -> dict[str, Any]:
        return dict(self.api(call).shown)

    def GetApis(self, call: Call) -> dict[str, Any]:
        return self.page([api.shown for api in self.apis.values()], call)

    def UpdateApi(self, call: Call) -> dict[str, Any]:
        api = self.api(call)
        given = {name: value for name, value in call.params.items() if name not in ("ApiId", *_OWN)}
        check_cors(given.get("CorsConfiguration"))
        api.shown = merged(api.shown, given)
        api.current.cors = api.shown.get("CorsConfiguration")
        self.deployed(api)
        return dict(api.shown)

    def DeleteCorsConfiguration(self, call: Call) -> dict[str, Any]:
        api = self.api(call)
        api.shown.pop("CorsConfiguration", None)
        api.current.cors = None
        self.deployed(api)
        return {"$status": 204}

    def DeleteApi(self, call: Call) -> dict[str, Any]:
        api = self.api(call)
        self.closed(api)
        del self.apis[api.id]
        return {"$status": 204}


def check_cors(cors: dict[str, Any] | None) -> None:
    """https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html"""
    if cors and cors.get("AllowCredentials") and "*" in cors.get("AllowOrigins", ()):
        raise bad("AllowCredentials cannot be set to true when AllowOrigins is set to *")
