"""AWS::ApiGateway::Method: a method with its integration and the responses of both.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-method.html
"""

from __future__ import annotations

from typing import Any

from .apigateway import GONE
from .base import Context, Outcome, Provider, picked
from .schema import (
    BOOLEAN,
    INTEGER,
    STRING,
    STRING_MAP,
    STRINGS,
    Shape,
    accepts,
    list_of,
    optional,
    required,
    struct,
)

_BOOLEAN_MAP = Shape("map", BOOLEAN)
_INTEGRATION_RESPONSE = struct(
    _required=("StatusCode",),
    ContentHandling=STRING,
    ResponseParameters=STRING_MAP,
    ResponseTemplates=STRING_MAP,
    SelectionPattern=STRING,
    StatusCode=STRING,
)
_INTEGRATION = struct(
    CacheKeyParameters=STRINGS,
    CacheNamespace=STRING,
    ConnectionId=STRING,
    ConnectionType=STRING,
    ContentHandling=STRING,
    Credentials=STRING,
    IntegrationHttpMethod=STRING,
    IntegrationResponses=list_of(_INTEGRATION_RESPONSE),
    PassthroughBehavior=STRING,
    RequestParameters=STRING_MAP,
    RequestTemplates=STRING_MAP,
    ResponseTransferMode=STRING,
    TimeoutInMillis=INTEGER,
    Type=STRING,
    Uri=STRING,
)
_METHOD_RESPONSE = struct(
    _required=("StatusCode",),
    ResponseModels=STRING_MAP,
    ResponseParameters=_BOOLEAN_MAP,
    StatusCode=STRING,
)


class Method(Provider):
    type = "AWS::ApiGateway::Method"
    properties = accepts(
        ApiKeyRequired=optional(BOOLEAN),
        AuthorizationScopes=optional(STRINGS),
        AuthorizationType=optional(STRING),
        AuthorizerId=optional(STRING),
        HttpMethod=required(STRING, replaces=True),
        Integration=optional(_INTEGRATION),
        MethodResponses=optional(list_of(_METHOD_RESPONSE)),
        OperationName=optional(STRING),
        RequestModels=optional(STRING_MAP),
        RequestParameters=optional(_BOOLEAN_MAP),
        RequestValidatorId=optional(STRING),
        ResourceId=required(STRING, replaces=True),
        RestApiId=required(STRING, replaces=True),
    )
    missing = GONE

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        where = self._where(props)
        ctx.call(
            "apigateway",
            "PutMethod",
            {
                **where,
                "authorizationType": props.get("AuthorizationType", "NONE"),
                **picked(
                    props,
                    apiKeyRequired="ApiKeyRequired",
                    authorizationScopes="AuthorizationScopes",
                    authorizerId="AuthorizerId",
                    operationName="OperationName",
                    requestModels="RequestModels",
                    requestParameters="RequestParameters",
                    requestValidatorId="RequestValidatorId",
                ),
            },
        )
        identifier = "|".join((props["RestApiId"], props["ResourceId"], props["HttpMethod"]))
        ctx.created(identifier)
        for response in props.get("MethodResponses", ()):
            params = picked(
                response,
                statusCode="StatusCode",
                responseModels="ResponseModels",
                responseParameters="ResponseParameters",
            )
            ctx.call("apigateway", "PutMethodResponse", {**where, **params})
        integration = props.get("Integration")
        if integration:
            self._integrate(ctx, where, integration)
        return Outcome(identifier)

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        """What is live is a deployment's snapshot, so nobody sees that it is made anew."""
        self.delete(ctx, physical_id, old)
        return self.create(ctx, new)

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        ctx.call("apigateway", "DeleteMethod", self._where(props))

    @staticmethod
    def _where(props: dict[str, Any]) -> dict[str, Any]:
        return picked(props, restApiId="RestApiId", resourceId="ResourceId", httpMethod="HttpMethod")

    @staticmethod
    def _integrate(ctx: Context, where: dict[str, Any], integration: dict[str, Any]) -> None:
        params = picked(
            integration,
            type="Type",
            integrationHttpMethod="IntegrationHttpMethod",
            uri="Uri",
            connectionType="ConnectionType",
            connectionId="ConnectionId",
            credentials="Credentials",
            requestParameters="RequestParameters",
            requestTemplates="RequestTemplates",
            passthroughBehavior="PassthroughBehavior",
            cacheNamespace="CacheNamespace",
            cacheKeyParameters="CacheKeyParameters",
            contentHandling="ContentHandling",
            timeoutInMillis="TimeoutInMillis",
            responseTransferMode="ResponseTransferMode",
        )
        ctx.call("apigateway", "PutIntegration", {**where, **params})
        for response in integration.get("IntegrationResponses", ()):
            params = picked(
                response,
                statusCode="StatusCode",
                selectionPattern="SelectionPattern",
                responseParameters="ResponseParameters",
                responseTemplates="ResponseTemplates",
                contentHandling="ContentHandling",
            )
            ctx.call("apigateway", "PutIntegrationResponse", {**where, **params})


PROVIDERS: tuple[type[Provider], ...] = (Method,)
