"""AWS::ApiGateway: API keys and usage plans.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_ApiGateway.html
"""

from __future__ import annotations

from typing import Any

from .apigateway import GONE, escaped, replace_operation
from .base import Context, Outcome, Provider, changed, picked
from .schema import (
    BOOLEAN,
    INTEGER,
    NUMBER,
    STRING,
    Shape,
    accepts,
    list_of,
    optional,
    replaces,
    required,
    struct,
)

_THROTTLE = struct(BurstLimit=INTEGER, RateLimit=NUMBER)
_API_STAGE = struct(ApiId=STRING, Stage=STRING, Throttle=Shape("map", _THROTTLE))


class ApiKey(Provider):
    """``GenerateDistinctId`` is how it always is: a key's id is not its value."""

    type = "AWS::ApiGateway::ApiKey"
    properties = accepts(
        CustomerId=optional(STRING),
        Description=optional(STRING),
        Enabled=optional(BOOLEAN),
        GenerateDistinctId=replaces(BOOLEAN),
        Name=replaces(STRING),
        StageKeys=optional(list_of(struct(RestApiId=STRING, StageName=STRING))),
        Value=replaces(STRING),
    )
    attributes = ("APIKeyId",)
    named_by = "Name"
    missing = GONE

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        params = {
            "name": props.get("Name") or ctx.name(),
            "enabled": props.get("Enabled", False),
            **picked(
                props,
                customerId="CustomerId",
                description="Description",
                generateDistinctId="GenerateDistinctId",
                value="Value",
            ),
        }
        if props.get("StageKeys"):
            params["stageKeys"] = [
                picked(each, restApiId="RestApiId", stageName="StageName") for each in props["StageKeys"]
            ]
        made = ctx.call("apigateway", "CreateApiKey", params)["id"]
        return Outcome(made, {"APIKeyId": made})

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        operations = [
            replace_operation(f"/{name[0].lower()}{name[1:]}", new.get(name))
            for name in ("CustomerId", "Description", "Enabled")
            if old.get(name) != new.get(name)
        ]
        before, after = _stage_keys(old), _stage_keys(new)
        for op, stages in (("remove", before - after), ("add", after - before)):
            operations += [{"op": op, "path": "/stages", "value": stage} for stage in sorted(stages)]
        if operations:
            params = {"apiKey": physical_id, "patchOperations": operations}
            ctx.call("apigateway", "UpdateApiKey", params)
        return Outcome(physical_id, {"APIKeyId": physical_id})

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        ctx.call("apigateway", "DeleteApiKey", {"apiKey": physical_id})


def _stage_keys(props: dict[str, Any]) -> set[str]:
    return {f"{each['RestApiId']}/{each['StageName']}" for each in props.get("StageKeys") or ()}


class UsagePlan(Provider):
    type = "AWS::ApiGateway::UsagePlan"
    properties = accepts(
        ApiStages=optional(list_of(_API_STAGE)),
        Description=optional(STRING),
        Quota=optional(struct(Limit=INTEGER, Offset=INTEGER, Period=STRING)),
        Throttle=optional(_THROTTLE),
        UsagePlanName=optional(STRING),
    )
    attributes = ("Id",)
    missing = GONE

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        params: dict[str, Any] = {
            "name": props.get("UsagePlanName") or ctx.name(),
            **picked(props, description="Description"),
        }
        if props.get("Throttle"):
            params["throttle"] = _throttle(props["Throttle"])
        if props.get("Quota"):
            params["quota"] = picked(props["Quota"], limit="Limit", offset="Offset", period="Period")
        params["apiStages"] = [_api_stage(each) for each in props.get("ApiStages") or ()]
        made = ctx.call("apigateway", "CreateUsagePlan", params)["id"]
        return Outcome(made, {"Id": made})

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        operations = []
        for name, path in (("UsagePlanName", "/name"), ("Description", "/description")):
            if old.get(name) != new.get(name) and (name in new or name == "Description"):
                operations.append(replace_operation(path, new.get(name)))
        for name in ("Throttle", "Quota"):
            operations += _parts(f"/{name.lower()}", old.get(name), new.get(name))
        before, after = _by_stage(old), _by_stage(new)
        for stage in changed(before, after):
            if stage in before:
                operations.append({"op": "remove", "path": "/apiStages", "value": stage})
            if stage in after:
                operations.append({"op": "add", "path": "/apiStages", "value": stage})
                for method, throttle in (after[stage].get("Throttle") or {}).items():
                    path = f"/apiStages/{escaped(stage)}/throttle/{escaped(method)}"
                    operations += _parts(path, None, throttle)
        if operations:
            params = {"usagePlanId": physical_id, "patchOperations": operations}
            ctx.call("apigateway", "UpdateUsagePlan", params)
        return Outcome(physical_id, {"Id": physical_id})

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        params: dict[str, Any] = {"usagePlanId": physical_id}
        plan = ctx.call("apigateway", "GetUsagePlan", params)
        operations = [
            {"op": "remove", "path": "/apiStages", "value": f"{each['apiId']}:{each['stage']}"}
            for each in plan["apiStages"]
        ]
        if operations:
            ctx.call("apigateway", "UpdateUsagePlan", {**params, "patchOperations": operations})
        ctx.call("apigateway", "DeleteUsagePlan", params)


def _parts(path: str, old: dict[str, Any] | None, new: dict[str, Any] | None) -> list[dict[str, Any]]:
    """The patches that make a throttle or a quota anew."""
    if old == new:
        return []
    removal: list[dict[str, Any]] = [{"op": "remove", "path": path}] if old else []
    return removal + [
        replace_operation(f"{path}/{name[0].lower()}{name[1:]}", value) for name, value in (new or {}).items()
    ]


def _by_stage(props: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {f"{each['ApiId']}:{each['Stage']}": each for each in props.get("ApiStages") or ()}


def _throttle(given: dict[str, Any]) -> dict[str, Any]:
    return picked(given, burstLimit="BurstLimit", rateLimit="RateLimit")


def _api_stage(given: dict[str, Any]) -> dict[str, Any]:
    made = picked(given, apiId="ApiId", stage="Stage")
    if given.get("Throttle"):
        made["throttle"] = {name: _throttle(each) for name, each in given["Throttle"].items()}
    return made


class UsagePlanKey(Provider):
    type = "AWS::ApiGateway::UsagePlanKey"
    properties = accepts(
        KeyId=required(STRING, replaces=True),
        KeyType=required(STRING, replaces=True),
        UsagePlanId=required(STRING, replaces=True),
    )
    attributes = ("Id",)
    missing = GONE

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        params = picked(props, keyId="KeyId", keyType="KeyType", usagePlanId="UsagePlanId")
        ctx.call("apigateway", "CreateUsagePlanKey", params)
        identifier = f"{props['KeyId']}:{props['UsagePlanId']}"
        return Outcome(identifier, {"Id": identifier})

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        return Outcome(physical_id, {"Id": physical_id})

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        params = picked(props, keyId="KeyId", usagePlanId="UsagePlanId")
        ctx.call("apigateway", "DeleteUsagePlanKey", params)


PROVIDERS: tuple[type[Provider], ...] = (ApiKey, UsagePlan, UsagePlanKey)
