"""AWS::ApiGateway: REST APIs and their resources.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_ApiGateway.html
"""

from __future__ import annotations

import json
from typing import Any

from .base import Context, Outcome, Provider, changed, picked
from .schema import (
    BOOLEAN,
    INTEGER,
    JSON,
    STRING,
    STRING_MAP,
    STRINGS,
    accepts,
    optional,
    required,
    struct,
)

GONE = ("NotFoundException",)


class RestApi(Provider):
    type = "AWS::ApiGateway::RestApi"
    properties = accepts(
        ApiKeySourceType=optional(STRING),
        BinaryMediaTypes=optional(STRINGS),
        Body=optional(JSON),
        BodyS3Location=optional(struct(Bucket=STRING, ETag=STRING, Key=STRING, Version=STRING)),
        Description=optional(STRING),
        DisableExecuteApiEndpoint=optional(BOOLEAN),
        EndpointConfiguration=optional(struct(IpAddressType=STRING, Types=STRINGS, VpcEndpointIds=STRINGS)),
        FailOnWarnings=optional(BOOLEAN),
        MinimumCompressionSize=optional(INTEGER),
        Mode=optional(STRING),
        Name=optional(STRING),
        Parameters=optional(STRING_MAP),
        Policy=optional(JSON),
    )
    attributes = ("RestApiId", "RootResourceId")
    missing = GONE

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        body = _body(ctx, props)
        name = props.get("Name") or ((body or {}).get("info") or {}).get("title") or ctx.name()
        params: dict[str, Any] = {
            "name": name,
            **picked(
                props,
                description="Description",
                apiKeySource="ApiKeySourceType",
                binaryMediaTypes="BinaryMediaTypes",
                disableExecuteApiEndpoint="DisableExecuteApiEndpoint",
                minimumCompressionSize="MinimumCompressionSize",
            ),
        }
        endpoint = _endpoint(props)
        if endpoint:
            params["endpointConfiguration"] = endpoint
        if "Policy" in props:
            params["policy"] = json.dumps(props["Policy"])
        made = ctx.call("apigateway", "CreateRestApi", params)
        ctx.created(made["id"])
        self._import(ctx, made["id"], props, body, name)
        return Outcome(made["id"], {"RestApiId": made["id"], "RootResourceId": made["rootResourceId"]})

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        body = _body(ctx, new)
        if body is not None and (old.get("Body") != new.get("Body") or "BodyS3Location" in new):
            self._import(ctx, physical_id, new, body, new.get("Name"))
        operations = []
        names = {"Name": "name", "Description": "description", "ApiKeySourceType": "apiKeySource"}
        names |= {"MinimumCompressionSize": "minimumCompressionSize"}
        names |= {"DisableExecuteApiEndpoint": "disableExecuteApiEndpoint"}
        for name in changed(old, new):
            if name in names:
                operations.append(replace_operation(f"/{names[name]}", new.get(name)))
            elif name == "Policy":
                operations.append(replace_operation("/policy", json.dumps(new[name]) if name in new else ""))
            elif name == "BinaryMediaTypes":
                before, after = set(old.get(name, ())), set(new.get(name, ()))
                for op, kinds in (("remove", before - after), ("add", after - before)):
                    operations += [
                        {"op": op, "path": f"/binaryMediaTypes/{escaped(kind)}"} for kind in sorted(kinds)
                    ]
            elif name == "EndpointConfiguration":
                wanted = _endpoint(new) or {"types": ["EDGE"]}
                operations.append(replace_operation("/endpointConfiguration/types/0", wanted["types"][0]))
        params: dict[str, Any] = {"restApiId": physical_id, "patchOperations": operations}
        shown = ctx.call("apigateway", "UpdateRestApi", params)
        return Outcome(physical_id, {"RestApiId": physical_id, "RootResourceId": shown["rootResourceId"]})

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        ctx.call("apigateway", "DeleteRestApi", {"restApiId": physical_id})

    @staticmethod
    def _import(
        ctx: Context, api: str, props: dict[str, Any], body: dict[str, Any] | None, name: str | None
    ) -> None:
        """The document overwrites what the API has, but for the name that the template gives."""
        if body is None:
            return
        if name:
            body = {**body, "info": {**(body.get("info") or {}), "title": name}}
        params = {
            "restApiId": api,
            "mode": props.get("Mode", "overwrite"),
            "failOnWarnings": props.get("FailOnWarnings", False),
            "body": json.dumps(body, default=str).encode(),
            "parameters": {
                key: value for key, value in (props.get("Parameters") or {}).items() if key == "basepath"
            },
        }
        shown = ctx.call("apigateway", "PutRestApi", params)
        lost = [
            kind
            for kind in props.get("BinaryMediaTypes", ())
            if kind not in shown.get("binaryMediaTypes", ())
        ]
        if lost:
            operations = [{"op": "add", "path": f"/binaryMediaTypes/{escaped(kind)}"} for kind in lost]
            ctx.call("apigateway", "UpdateRestApi", {"restApiId": api, "patchOperations": operations})


def _endpoint(props: dict[str, Any]) -> dict[str, Any]:
    """SAM says the type in an import's parameter."""
    given = props.get("EndpointConfiguration") or {}
    endpoint = picked(given, types="Types", ipAddressType="IpAddressType", vpcEndpointIds="VpcEndpointIds")
    kind = (props.get("Parameters") or {}).get("endpointConfigurationTypes")
    if kind and "types" not in endpoint:
        endpoint["types"] = [kind]
    return endpoint


def _body(ctx: Context, props: dict[str, Any]) -> dict[str, Any] | None:
    if "BodyS3Location" in props:
        from ...routes.apigateway.openapi import read  # a heavy module, needed by few templates

        place = props["BodyS3Location"]
        params = {"Bucket": place["Bucket"], "Key": place["Key"]}
        if "Version" in place:
            params["VersionId"] = place["Version"]
        return read(ctx.call("s3", "GetObject", params)["Body"])
    body: dict[str, Any] | None = props.get("Body")
    return body


def replace_operation(path: str, value: Any) -> dict[str, Any]:
    text = "" if value is None else "true" if value is True else "false" if value is False else str(value)
    return {"op": "replace", "path": path, "value": text}


def escaped(part: str) -> str:
    return part.replace("~", "~0").replace("/", "~1")


class Resource(Provider):
    type = "AWS::ApiGateway::Resource"
    properties = accepts(
        ParentId=required(STRING, replaces=True),
        PathPart=required(STRING, replaces=True),
        RestApiId=required(STRING, replaces=True),
    )
    attributes = ("ResourceId",)
    missing = GONE

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        params = {
            "restApiId": props["RestApiId"],
            "parentId": props["ParentId"],
            "pathPart": props["PathPart"],
        }
        made = ctx.call("apigateway", "CreateResource", params)["id"]
        return Outcome(made, {"ResourceId": made})

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        return Outcome(physical_id, {"ResourceId": physical_id})

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        params = {"restApiId": props["RestApiId"], "resourceId": physical_id}
        ctx.call("apigateway", "DeleteResource", params)


PROVIDERS: tuple[type[Provider], ...] = (RestApi, Resource)
