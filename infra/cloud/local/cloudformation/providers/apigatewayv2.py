"""AWS::ApiGatewayV2: HTTP APIs.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_ApiGatewayV2.html
"""

from __future__ import annotations

import json
from typing import Any, ClassVar

from .base import Context, Outcome, Provider, picked
from .schema import (
    BOOLEAN,
    CORS,
    INTEGER,
    JSON,
    NUMBER,
    STRING,
    STRING_MAP,
    STRINGS,
    Shape,
    accepts,
    optional,
    replaces,
    required,
    struct,
)

_GONE = ("NotFoundException",)
_SERVICE = "apigatewayv2"
_ROUTE_SETTINGS = struct(
    DetailedMetricsEnabled=BOOLEAN,
    LoggingLevel=STRING,
    DataTraceEnabled=BOOLEAN,
    ThrottlingBurstLimit=INTEGER,
    ThrottlingRateLimit=NUMBER,
)


class Api(Provider):
    """From its own properties, or from an OpenAPI document in ``Body``."""

    type = "AWS::ApiGatewayV2::Api"
    properties = accepts(
        Body=optional(JSON),
        CorsConfiguration=optional(CORS),
        CredentialsArn=optional(STRING),
        Description=optional(STRING),
        DisableExecuteApiEndpoint=optional(BOOLEAN),
        FailOnWarnings=optional(BOOLEAN),
        IpAddressType=optional(STRING),
        Name=optional(STRING),
        ProtocolType=replaces(STRING),
        RouteKey=optional(STRING),
        Tags=optional(STRING_MAP),
        Target=optional(STRING),
        Version=optional(STRING),
    )
    attributes = ("ApiEndpoint", "ApiId")
    missing = _GONE
    _own = (
        "CorsConfiguration",
        "Description",
        "DisableExecuteApiEndpoint",
        "IpAddressType",
        "Name",
        "Version",
    )

    def refused(self, props: dict[str, Any]) -> list[str]:
        websocket = props.get("ProtocolType") == "WEBSOCKET"
        return ["property AWS::ApiGatewayV2::Api.ProtocolType WEBSOCKET"] if websocket else []

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        if "Body" in props:
            made = ctx.call(_SERVICE, "ImportApi", {"Body": json.dumps(props["Body"])})
            ctx.created(made["ApiId"])
            return self.update(ctx, made["ApiId"], {}, {**props, "Body": None})
        names = [name for name in self.properties if name not in ("Body", "FailOnWarnings")]
        return self._outcome(ctx.call(_SERVICE, "CreateApi", picked(props, *names)))

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        body = new.get("Body")
        if body is not None:
            ctx.call(_SERVICE, "ReimportApi", {"ApiId": physical_id, "Body": json.dumps(body)})
        if "CorsConfiguration" in old and "CorsConfiguration" not in new and body is None:
            ctx.call(_SERVICE, "DeleteCorsConfiguration", {"ApiId": physical_id})
        return self._outcome(
            ctx.call(_SERVICE, "UpdateApi", {"ApiId": physical_id, **picked(new, *self._own)})
        )

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        ctx.call(_SERVICE, "DeleteApi", {"ApiId": physical_id})

    @staticmethod
    def _outcome(made: dict[str, Any]) -> Outcome:
        return Outcome(made["ApiId"], picked(made, "ApiEndpoint", "ApiId"))


class _Part(Provider):
    """What belongs to an API: ``kind`` is the name in its operations, ``id`` the parameter with its id."""

    kind: ClassVar[str] = ""
    id: ClassVar[str] = ""
    missing = _GONE

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        return self._outcome(ctx.call(_SERVICE, f"Create{self.kind}", self.params(props)))

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        params = {**self.params(new), self.id: physical_id}
        return self._outcome(ctx.call(_SERVICE, f"Update{self.kind}", params))

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        ctx.call(_SERVICE, f"Delete{self.kind}", {"ApiId": props["ApiId"], self.id: physical_id})

    def params(self, props: dict[str, Any]) -> dict[str, Any]:
        return picked(props, *self.properties)

    def _outcome(self, made: dict[str, Any]) -> Outcome:
        return Outcome(made[self.id], {self.id: made[self.id]} if self.id in self.attributes else {})


class Route(_Part):
    type = "AWS::ApiGatewayV2::Route"
    kind, id = "Route", "RouteId"
    properties = accepts(
        ApiId=required(STRING, replaces=True),
        ApiKeyRequired=optional(BOOLEAN),
        AuthorizationScopes=optional(STRINGS),
        AuthorizationType=optional(STRING),
        AuthorizerId=optional(STRING),
        OperationName=optional(STRING),
        RouteKey=required(STRING),
        Target=optional(STRING),
    )
    attributes = ("RouteId",)


class Integration(_Part):
    type = "AWS::ApiGatewayV2::Integration"
    kind, id = "Integration", "IntegrationId"
    properties = accepts(
        ApiId=required(STRING, replaces=True),
        ConnectionType=optional(STRING),
        CredentialsArn=optional(STRING),
        Description=optional(STRING),
        IntegrationMethod=optional(STRING),
        IntegrationSubtype=optional(STRING),
        IntegrationType=required(STRING),
        IntegrationUri=optional(STRING),
        PayloadFormatVersion=optional(STRING),
        RequestParameters=optional(JSON),
        ResponseParameters=optional(JSON),
        TimeoutInMillis=optional(INTEGER),
    )
    attributes = ("IntegrationId",)

    def params(self, props: dict[str, Any]) -> dict[str, Any]:
        """A template lists a status's mappings as ``{"ResponseParameters": [{Source, Destination}]}``."""
        params = picked(props, *self.properties)
        if "ResponseParameters" in params:
            params["ResponseParameters"] = {
                status: {each["Destination"]: each["Source"] for each in mappings["ResponseParameters"]}
                for status, mappings in params["ResponseParameters"].items()
            }
        return params


class Authorizer(_Part):
    type = "AWS::ApiGatewayV2::Authorizer"
    kind, id = "Authorizer", "AuthorizerId"
    properties = accepts(
        ApiId=required(STRING, replaces=True),
        AuthorizerCredentialsArn=optional(STRING),
        AuthorizerPayloadFormatVersion=optional(STRING),
        AuthorizerResultTtlInSeconds=optional(INTEGER),
        AuthorizerType=required(STRING),
        AuthorizerUri=optional(STRING),
        EnableSimpleResponses=optional(BOOLEAN),
        IdentitySource=optional(STRINGS),
        JwtConfiguration=optional(struct(Audience=STRINGS, Issuer=STRING)),
        Name=required(STRING),
    )
    attributes = ("AuthorizerId",)


class Stage(_Part):
    type = "AWS::ApiGatewayV2::Stage"
    kind, id = "Stage", "StageName"
    properties = accepts(
        AccessLogSettings=optional(struct(DestinationArn=STRING, Format=STRING)),
        ApiId=required(STRING, replaces=True),
        AutoDeploy=optional(BOOLEAN),
        DefaultRouteSettings=optional(_ROUTE_SETTINGS),
        DeploymentId=optional(STRING),
        Description=optional(STRING),
        RouteSettings=optional(Shape("map", _ROUTE_SETTINGS)),
        StageName=required(STRING, replaces=True),
        StageVariables=optional(STRING_MAP),
        Tags=optional(STRING_MAP),
    )

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        if "AccessLogSettings" in old and "AccessLogSettings" not in new:
            ctx.call(_SERVICE, "DeleteAccessLogSettings", {"ApiId": new["ApiId"], "StageName": physical_id})
        gone = {
            name: "" for name in old.get("StageVariables", {}) if name not in new.get("StageVariables", {})
        }
        params = {name: value for name, value in self.params(new).items() if name != "Tags"}
        if gone:
            params["StageVariables"] = {**params.get("StageVariables", {}), **gone}
        return self._outcome(ctx.call(_SERVICE, "UpdateStage", params))


class Deployment(_Part):
    type = "AWS::ApiGatewayV2::Deployment"
    kind, id = "Deployment", "DeploymentId"
    properties = accepts(
        ApiId=required(STRING, replaces=True), Description=optional(STRING), StageName=replaces(STRING)
    )
    attributes = ("DeploymentId",)

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        return Outcome(physical_id, {"DeploymentId": physical_id})


PROVIDERS: tuple[type[Provider], ...] = (Api, Route, Integration, Authorizer, Stage, Deployment)
