"""AWS::ApiGateway: deployments and stages.

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
    STRING_MAP,
    accepts,
    list_of,
    optional,
    replaces,
    required,
    struct,
)

_METHOD_SETTING = struct(
    CacheDataEncrypted=BOOLEAN,
    CacheTtlInSeconds=INTEGER,
    CachingEnabled=BOOLEAN,
    DataTraceEnabled=BOOLEAN,
    HttpMethod=STRING,
    LoggingLevel=STRING,
    MetricsEnabled=BOOLEAN,
    ResourcePath=STRING,
    ThrottlingBurstLimit=INTEGER,
    ThrottlingRateLimit=NUMBER,
)
_CANARY = struct(
    DeploymentId=STRING, PercentTraffic=NUMBER, StageVariableOverrides=STRING_MAP, UseStageCache=BOOLEAN
)
_OWN_CANARY = struct(PercentTraffic=NUMBER, StageVariableOverrides=STRING_MAP, UseStageCache=BOOLEAN)
_ACCESS_LOG = struct(DestinationArn=STRING, Format=STRING)


class Deployment(Provider):
    type = "AWS::ApiGateway::Deployment"
    properties = accepts(
        DeploymentCanarySettings=optional(_OWN_CANARY),
        Description=optional(STRING),
        RestApiId=required(STRING, replaces=True),
        StageDescription=optional(
            struct(
                AccessLogSetting=_ACCESS_LOG,
                CacheClusterEnabled=BOOLEAN,
                CacheClusterSize=STRING,
                CacheDataEncrypted=BOOLEAN,
                CacheTtlInSeconds=INTEGER,
                CachingEnabled=BOOLEAN,
                CanarySetting=_OWN_CANARY,
                DataTraceEnabled=BOOLEAN,
                Description=STRING,
                LoggingLevel=STRING,
                MethodSettings=list_of(_METHOD_SETTING),
                MetricsEnabled=BOOLEAN,
                ThrottlingBurstLimit=INTEGER,
                ThrottlingRateLimit=NUMBER,
                TracingEnabled=BOOLEAN,
                Variables=STRING_MAP,
            )
        ),
        StageName=optional(STRING),
    )
    attributes = ("DeploymentId",)
    missing = GONE

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        stage = props.get("StageDescription") or {}
        params = {
            **picked(props, restApiId="RestApiId", description="Description", stageName="StageName"),
            **picked(
                stage,
                stageDescription="Description",
                variables="Variables",
                tracingEnabled="TracingEnabled",
                cacheClusterEnabled="CacheClusterEnabled",
                cacheClusterSize="CacheClusterSize",
            ),
        }
        given = props.get("DeploymentCanarySettings")
        if given:
            params["canarySettings"] = picked(
                given,
                percentTraffic="PercentTraffic",
                stageVariableOverrides="StageVariableOverrides",
                useStageCache="UseStageCache",
            )
        made = ctx.call("apigateway", "CreateDeployment", params)["id"]
        ctx.created(made)
        if "StageName" in props:
            update_stage(ctx, props["RestApiId"], props["StageName"], {}, _settings_of(stage))
        return Outcome(made, {"DeploymentId": made})

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        """Another StageName makes that stage of the same snapshot."""
        operations = [replace_operation("/description", new.get("Description"))]
        params: dict[str, Any] = {"restApiId": new["RestApiId"], "deploymentId": physical_id}
        ctx.call("apigateway", "UpdateDeployment", {**params, "patchOperations": operations})
        if new.get("StageName") and new["StageName"] != old.get("StageName"):
            ctx.call("apigateway", "CreateStage", {**params, "stageName": new["StageName"]})
        if new.get("StageName"):
            before = _settings_of(old.get("StageDescription") or {})
            after = _settings_of(new.get("StageDescription") or {})
            update_stage(ctx, new["RestApiId"], new["StageName"], before, after)
        return Outcome(physical_id, {"DeploymentId": physical_id})

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        """A stage that the deployment made goes with it."""
        params = {"restApiId": props["RestApiId"]}
        if "StageName" in props:
            stages = ctx.call("apigateway", "GetStages", {**params, "deploymentId": physical_id})["item"]
            if any(stage["stageName"] == props["StageName"] for stage in stages):
                ctx.call("apigateway", "DeleteStage", {**params, "stageName": props["StageName"]})
        ctx.call("apigateway", "DeleteDeployment", {**params, "deploymentId": physical_id})


def _settings_of(description: dict[str, Any]) -> dict[str, Any]:
    """A StageDescription's settings, those for all methods among them, in the properties of a Stage."""
    names = (
        "CacheDataEncrypted",
        "CacheTtlInSeconds",
        "CachingEnabled",
        "DataTraceEnabled",
        "LoggingLevel",
        "MetricsEnabled",
        "ThrottlingBurstLimit",
        "ThrottlingRateLimit",
    )
    every = {name: description[name] for name in names if name in description}
    settings = [*([{"HttpMethod": "*", "ResourcePath": "/*", **every}] if every else [])]
    found = picked(description, "AccessLogSetting", "CanarySetting", "Variables")
    return {**found, "MethodSettings": [*settings, *description.get("MethodSettings", ())]}


class Stage(Provider):
    type = "AWS::ApiGateway::Stage"
    properties = accepts(
        AccessLogSetting=optional(_ACCESS_LOG),
        CacheClusterEnabled=optional(BOOLEAN),
        CacheClusterSize=optional(STRING),
        CanarySetting=optional(_CANARY),
        DeploymentId=required(STRING),
        Description=optional(STRING),
        DocumentationVersion=optional(STRING),
        MethodSettings=optional(list_of(_METHOD_SETTING)),
        RestApiId=required(STRING, replaces=True),
        StageName=replaces(STRING),
        TracingEnabled=optional(BOOLEAN),
        Variables=optional(STRING_MAP),
    )
    named_by = "StageName"
    missing = GONE

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        name = props.get("StageName") or ctx.name().replace("-", "_")
        params = {
            "stageName": name,
            **picked(
                props,
                restApiId="RestApiId",
                deploymentId="DeploymentId",
                description="Description",
                documentationVersion="DocumentationVersion",
                cacheClusterEnabled="CacheClusterEnabled",
                cacheClusterSize="CacheClusterSize",
                tracingEnabled="TracingEnabled",
                variables="Variables",
            ),
        }
        ctx.call("apigateway", "CreateStage", params)
        ctx.created(name)
        settings = picked(props, "AccessLogSetting", "CanarySetting", "MethodSettings")
        update_stage(ctx, props["RestApiId"], name, {}, settings)
        return Outcome(name)

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        update_stage(ctx, new["RestApiId"], physical_id, old, new)
        return Outcome(physical_id)

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        params = {"restApiId": props["RestApiId"], "stageName": physical_id}
        ctx.call("apigateway", "DeleteStage", params)


_SETTINGS = {
    "CacheDataEncrypted": "caching/dataEncrypted",
    "CacheTtlInSeconds": "caching/ttlInSeconds",
    "CachingEnabled": "caching/enabled",
    "DataTraceEnabled": "logging/dataTrace",
    "LoggingLevel": "logging/loglevel",
    "MetricsEnabled": "metrics/enabled",
    "ThrottlingBurstLimit": "throttling/burstLimit",
    "ThrottlingRateLimit": "throttling/rateLimit",
}


def update_stage(ctx: Context, api: str, name: str, old: dict[str, Any], new: dict[str, Any]) -> None:
    """Bring a stage from the one set of properties to the other."""
    operations: list[dict[str, Any]] = []
    for property_name, path in (
        ("DeploymentId", "/deploymentId"),
        ("Description", "/description"),
        ("CacheClusterEnabled", "/cacheClusterEnabled"),
        ("CacheClusterSize", "/cacheClusterSize"),
        ("TracingEnabled", "/tracingEnabled"),
    ):
        if old.get(property_name) != new.get(property_name):
            operations.append(replace_operation(path, new.get(property_name)))
    before, after = old.get("Variables") or {}, new.get("Variables") or {}
    for key in changed(before, after):
        path = f"/variables/{escaped(key)}"
        operations.append(
            replace_operation(path, after[key]) if key in after else {"op": "remove", "path": path}
        )
    operations += _canary_operations(old.get("CanarySetting"), new.get("CanarySetting"))
    if old.get("AccessLogSetting") != new.get("AccessLogSetting"):
        log = new.get("AccessLogSetting")
        if log is None:
            operations.append({"op": "remove", "path": "/accessLogSettings"})
        for key, field in (("DestinationArn", "destinationArn"), ("Format", "format")):
            if log is not None and key in log:
                operations.append(replace_operation(f"/accessLogSettings/{field}", log[key]))
    if old.get("MethodSettings") != new.get("MethodSettings"):
        kept = {_place(setting) for setting in new.get("MethodSettings") or ()}
        for setting in old.get("MethodSettings") or ():
            if _place(setting) not in kept:
                operations.append({"op": "remove", "path": f"/{_place(setting)}"})
        for setting in new.get("MethodSettings") or ():
            operations += [
                replace_operation(f"/{_place(setting)}/{_SETTINGS[key]}", value)
                for key, value in setting.items()
                if key in _SETTINGS
            ]
    if operations:
        params = {"restApiId": api, "stageName": name, "patchOperations": operations}
        ctx.call("apigateway", "UpdateStage", params)


def _canary_operations(old: dict[str, Any] | None, new: dict[str, Any] | None) -> list[dict[str, Any]]:
    """A canary anew: what it no longer names is not kept."""
    if old == new:
        return []
    operations: list[dict[str, Any]] = [{"op": "remove", "path": "/canarySettings"}] if old else []
    for name, value in (new or {}).items():
        path = f"/canarySettings/{name[0].lower()}{name[1:]}"
        if name == "StageVariableOverrides":
            operations += [replace_operation(f"{path}/{escaped(key)}", each) for key, each in value.items()]
        else:
            operations.append(replace_operation(path, value))
    return operations


def _place(setting: dict[str, Any]) -> str:
    """``~1pets~1{id}/GET``; ``*/*`` for all methods, which templates write as ``/*`` and ``*``."""
    path = setting.get("ResourcePath", "/*")
    shown = "*" if path in ("/*", "*") else escaped(path.replace("~1", "/"))
    return f"{shown}/{setting.get('HttpMethod', '*')}"


PROVIDERS: tuple[type[Provider], ...] = (Deployment, Stage)
