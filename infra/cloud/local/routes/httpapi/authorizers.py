"""Authorizers of an HTTP API: JWT, and Lambda functions (REQUEST).

https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-authorizers.html
"""

from __future__ import annotations

from typing import Any

from ...service import Call
from .model import Api, Shown, bad, conflict
from .resources import merged, refuse, settings
from .routes import Routes


class Authorizers(Routes):
    def CreateAuthorizer(self, call: Call) -> dict[str, Any]:
        return {"$status": 201, **self.add_authorizer(self.api(call), settings(call.params))}

    def add_authorizer(self, api: Api, given: dict[str, Any]) -> Shown:
        refuse(given, "IdentityValidationExpression")
        if any(each["Name"] == given["Name"] for each in api.current.authorizers.values()):
            raise conflict(f"Authorizer with name {given['Name']} already exists for this API")
        check_authorizer(given)
        shown: Shown = {"AuthorizerId": self.new_id(6), **given}
        if given["AuthorizerType"] == "REQUEST":
            shown.setdefault("EnableSimpleResponses", False)
            shown.setdefault("AuthorizerResultTtlInSeconds", 0)
        api.current.authorizers[shown["AuthorizerId"]] = shown
        return shown

    def GetAuthorizer(self, call: Call) -> dict[str, Any]:
        return dict(self.found(self.api(call).current.authorizers, call, "Authorizer"))

    def GetAuthorizers(self, call: Call) -> dict[str, Any]:
        return self.page(list(self.api(call).current.authorizers.values()), call)

    def UpdateAuthorizer(self, call: Call) -> dict[str, Any]:
        api = self.api(call)
        old = self.found(api.current.authorizers, call, "Authorizer")
        new = merged(old, settings(call.params))
        check_authorizer(new)
        api.current.authorizers[new["AuthorizerId"]] = new
        api.authorizations.clear()
        self.deployed(api)
        return dict(new)

    def DeleteAuthorizer(self, call: Call) -> dict[str, Any]:
        api = self.api(call)
        shown = self.found(api.current.authorizers, call, "Authorizer")
        used = [
            r["RouteKey"]
            for r in api.current.routes.values()
            if r.get("AuthorizerId") == shown["AuthorizerId"]
        ]
        if used:
            raise conflict(f"Cannot delete authorizer '{shown['Name']}', is referenced in route: {used[0]}")
        del api.current.authorizers[shown["AuthorizerId"]]
        self.deployed(api)
        return {"$status": 204}


def check_authorizer(given: dict[str, Any]) -> None:
    """What an authorizer of its type must have, and may not."""
    if given["AuthorizerType"] == "JWT":
        jwt = given.get("JwtConfiguration") or {}
        if not jwt.get("Issuer"):
            raise bad("Issuer is a required parameter for JWT authorizer")
        if not jwt["Issuer"].startswith("https://"):
            raise bad("Invalid issuer: " + jwt["Issuer"] + ". Issuer must be an https URL")
        if not jwt.get("Audience"):
            raise bad("Audience is a required parameter for JWT authorizer")
        if len(given.get("IdentitySource") or ()) != 1:
            raise bad("JWT authorizers require exactly one identity source")
        return
    if not given.get("AuthorizerUri"):
        raise bad("AuthorizerUri is a required parameter for REQUEST authorizer")
    version = given.get("AuthorizerPayloadFormatVersion")
    if version not in ("1.0", "2.0"):
        raise bad("AuthorizerPayloadFormatVersion is a required parameter for REQUEST authorizer. Supported "
                  "values are 1.0 and 2.0")  # fmt: skip
    if given.get("EnableSimpleResponses") and version == "1.0":
        raise bad("EnableSimpleResponses is only supported with AuthorizerPayloadFormatVersion 2.0")
    ttl = given.get("AuthorizerResultTtlInSeconds", 0)
    if not 0 <= ttl <= 3600:
        raise bad("AuthorizerResultTtlInSeconds must be between 0 and 3600")
    if ttl and not given.get("IdentitySource"):
        raise bad("IdentitySource is required when caching is enabled")
