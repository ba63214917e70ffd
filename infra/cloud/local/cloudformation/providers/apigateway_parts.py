"""AWS::ApiGateway: what methods refer to, and the account.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_ApiGateway.html
"""

from __future__ import annotations

import json
from typing import Any

from .apigateway import GONE
from .base import Context, Outcome, Provider, changed, picked
from .schema import BOOLEAN, INTEGER, JSON, STRING, STRING_MAP, STRINGS, accepts, optional, replaces, required


class Authorizer(Provider):
    type = "AWS::ApiGateway::Authorizer"
    properties = accepts(
        AuthType=optional(STRING),
        AuthorizerCredentials=optional(STRING),
        AuthorizerResultTtlInSeconds=optional(INTEGER),
        AuthorizerUri=optional(STRING),
        IdentitySource=optional(STRING),
        IdentityValidationExpression=optional(STRING),
        Name=required(STRING),
        ProviderARNs=optional(STRINGS),
        RestApiId=required(STRING, replaces=True),
        Type=required(STRING, replaces=True),
    )
    attributes = ("AuthorizerId",)
    missing = GONE

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        params = picked(props, **_AUTHORIZER, restApiId="RestApiId", type="Type", providerARNs="ProviderARNs")
        made = ctx.call("apigateway", "CreateAuthorizer", params)["id"]
        return Outcome(made, {"AuthorizerId": made})

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        names = {prop: field for field, prop in _AUTHORIZER.items()}
        params = {"restApiId": new["RestApiId"], "authorizerId": physical_id}
        before, after = (set(each.get("ProviderARNs") or ()) for each in (old, new))
        pools = [
            {"op": op, "path": "/providerARNs", "value": arn}
            for op, arns in (("add", after - before), ("remove", before - after))
            for arn in sorted(arns)
        ]
        if pools:
            ctx.call("apigateway", "UpdateAuthorizer", {**params, "patchOperations": pools})
        _update(ctx, "UpdateAuthorizer", params, names, old, new)
        return Outcome(physical_id, {"AuthorizerId": physical_id})

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        params = {"restApiId": props["RestApiId"], "authorizerId": physical_id}
        ctx.call("apigateway", "DeleteAuthorizer", params)


_AUTHORIZER = {
    "name": "Name",
    "authType": "AuthType",
    "authorizerUri": "AuthorizerUri",
    "authorizerCredentials": "AuthorizerCredentials",
    "identitySource": "IdentitySource",
    "identityValidationExpression": "IdentityValidationExpression",
    "authorizerResultTtlInSeconds": "AuthorizerResultTtlInSeconds",
}


class Model(Provider):
    type = "AWS::ApiGateway::Model"
    properties = accepts(
        ContentType=replaces(STRING),
        Description=optional(STRING),
        Name=replaces(STRING),
        RestApiId=required(STRING, replaces=True),
        Schema=optional(JSON),
    )
    named_by = "Name"
    missing = GONE

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        name = props.get("Name") or ctx.name().replace("-", "")
        params = {
            "name": name,
            "contentType": props.get("ContentType", "application/json"),
            "schema": json.dumps(props.get("Schema", {})),
            **picked(props, restApiId="RestApiId", description="Description"),
        }
        ctx.call("apigateway", "CreateModel", params)
        return Outcome(name)

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        before = {**old, "Schema": json.dumps(old.get("Schema", {}))}
        after = {**new, "Schema": json.dumps(new.get("Schema", {}))}
        params = {"restApiId": new["RestApiId"], "modelName": physical_id}
        _update(ctx, "UpdateModel", params, {"Schema": "schema", "Description": "description"}, before, after)
        return Outcome(physical_id)

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        params = {"restApiId": props["RestApiId"], "modelName": physical_id}
        ctx.call("apigateway", "DeleteModel", params)


class RequestValidator(Provider):
    type = "AWS::ApiGateway::RequestValidator"
    properties = accepts(
        Name=replaces(STRING),
        RestApiId=required(STRING, replaces=True),
        ValidateRequestBody=optional(BOOLEAN),
        ValidateRequestParameters=optional(BOOLEAN),
    )
    attributes = ("RequestValidatorId",)
    missing = GONE

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        params = picked(
            props,
            restApiId="RestApiId",
            name="Name",
            validateRequestBody="ValidateRequestBody",
            validateRequestParameters="ValidateRequestParameters",
        )
        made = ctx.call("apigateway", "CreateRequestValidator", params)["id"]
        return Outcome(made, {"RequestValidatorId": made})

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        names = {
            "ValidateRequestBody": "validateRequestBody",
            "ValidateRequestParameters": "validateRequestParameters",
        }
        params = {"restApiId": new["RestApiId"], "requestValidatorId": physical_id}
        _update(ctx, "UpdateRequestValidator", params, names, old, new)
        return Outcome(physical_id, {"RequestValidatorId": physical_id})

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        params = {"restApiId": props["RestApiId"], "requestValidatorId": physical_id}
        ctx.call("apigateway", "DeleteRequestValidator", params)


class GatewayResponse(Provider):
    type = "AWS::ApiGateway::GatewayResponse"
    properties = accepts(
        ResponseParameters=optional(STRING_MAP),
        ResponseTemplates=optional(STRING_MAP),
        ResponseType=required(STRING, replaces=True),
        RestApiId=required(STRING, replaces=True),
        StatusCode=optional(STRING),
    )
    attributes = ("Id",)
    missing = GONE

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        params = picked(
            props,
            restApiId="RestApiId",
            responseType="ResponseType",
            statusCode="StatusCode",
            responseParameters="ResponseParameters",
            responseTemplates="ResponseTemplates",
        )
        ctx.call("apigateway", "PutGatewayResponse", params)
        identifier = f"{props['RestApiId']}|{props['ResponseType']}"
        return Outcome(identifier, {"Id": identifier})

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        return self.create(ctx, new)

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        params = picked(props, restApiId="RestApiId", responseType="ResponseType")
        ctx.call("apigateway", "DeleteGatewayResponse", params)


class Account(Provider):
    """The account's role for logs. Deleting it leaves the role as it is, as on AWS."""

    type = "AWS::ApiGateway::Account"
    properties = accepts(CloudWatchRoleArn=optional(STRING))
    attributes = ("Id",)

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        self._set(ctx, props)
        identifier = ctx.name()
        return Outcome(identifier, {"Id": identifier})

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        self._set(ctx, new)
        return Outcome(physical_id, {"Id": physical_id})

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        return None

    @staticmethod
    def _set(ctx: Context, props: dict[str, Any]) -> None:
        if "CloudWatchRoleArn" in props:
            value = props["CloudWatchRoleArn"]
            operations = [{"op": "replace", "path": "/cloudwatchRoleArn", "value": value}]
            ctx.call("apigateway", "UpdateAccount", {"patchOperations": operations})


def _update(
    ctx: Context,
    operation: str,
    params: dict[str, Any],
    names: dict[str, str],
    old: dict[str, Any],
    new: dict[str, Any],
) -> None:
    """Replace the fields (``names``: property -> field) that differ."""
    operations = []
    for name in changed(old, new):
        if name in names:
            value = new.get(name)
            text = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
            operations.append({"op": "replace", "path": f"/{names[name]}", "value": text})
    if operations:
        ctx.call("apigateway", operation, {**params, "patchOperations": operations})


PROVIDERS: tuple[type[Provider], ...] = (
    Authorizer,
    Model,
    RequestValidator,
    GatewayResponse,
    Account,
)
