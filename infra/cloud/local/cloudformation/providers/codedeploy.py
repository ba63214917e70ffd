"""AWS::CodeDeploy: applications, deployment groups and configurations for Lambda; an alias's traffic shift.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_CodeDeploy.html
"""

from __future__ import annotations

import json
from typing import Any, ClassVar

from .base import Context, HandlerFailure, Outcome, Provider
from .schema import BOOLEAN, INTEGER, STRING, STRINGS, accepts, list_of, optional, replaces, required, struct


def _lower(value: Any) -> Any:
    """CodeDeploy's API writes the names of members with a small letter."""
    if isinstance(value, dict):
        return {
            name[0].lower() + name[1:]: item if name == "Tags" else _lower(item)
            for name, item in value.items()
        }
    return [_lower(item) for item in value] if isinstance(value, list) else value


class Application(Provider):
    type = "AWS::CodeDeploy::Application"
    properties = accepts(ApplicationName=replaces(STRING), ComputePlatform=replaces(STRING))
    named_by = "ApplicationName"

    def refused(self, props: dict[str, Any]) -> list[str]:
        platform = props.get("ComputePlatform", "Server")
        return [] if platform == "Lambda" else [f"{self.type}.ComputePlatform {platform}"]

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        name = props.get("ApplicationName") or ctx.name(100)
        params = {"applicationName": name, "computePlatform": props.get("ComputePlatform", "Server")}
        ctx.call("codedeploy", "CreateApplication", params)
        return Outcome(name)

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        return Outcome(physical_id)

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        ctx.call("codedeploy", "DeleteApplication", {"applicationName": physical_id})


class DeploymentGroup(Provider):
    type = "AWS::CodeDeploy::DeploymentGroup"
    properties = accepts(
        AlarmConfiguration=optional(
            struct(Alarms=list_of(struct(Name=STRING)), Enabled=BOOLEAN, IgnorePollAlarmFailure=BOOLEAN)
        ),
        ApplicationName=required(STRING, replaces=True),
        AutoRollbackConfiguration=optional(struct(Enabled=BOOLEAN, Events=STRINGS)),
        DeploymentConfigName=optional(STRING),
        DeploymentGroupName=replaces(STRING),
        DeploymentStyle=optional(struct(DeploymentOption=STRING, DeploymentType=STRING)),
        ServiceRoleArn=required(STRING),
        TriggerConfigurations=optional(
            list_of(struct(TriggerEvents=STRINGS, TriggerName=STRING, TriggerTargetArn=STRING))
        ),
    )
    named_by = "DeploymentGroupName"
    missing = ("ApplicationDoesNotExistException",)
    _removed: ClassVar[tuple[tuple[str, Any], ...]] = (
        ("AlarmConfiguration", {"enabled": False, "alarms": []}),
        ("AutoRollbackConfiguration", {"enabled": False, "events": []}),
        ("TriggerConfigurations", []),
    )
    """What a setting becomes when its property is removed from the template."""

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        name = props.get("DeploymentGroupName") or ctx.name(100)
        ctx.call("codedeploy", "CreateDeploymentGroup", {**_lower(props), "deploymentGroupName": name})
        return Outcome(name)

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        kept = ("deploymentGroupName", "tags")  # UpdateDeploymentGroup takes no tags
        params = {name: value for name, value in _lower(new).items() if name not in kept}
        for name, value in self._removed:
            if name in old and name not in new:
                params[name[0].lower() + name[1:]] = value
        params["currentDeploymentGroupName"] = physical_id
        ctx.call("codedeploy", "UpdateDeploymentGroup", params)
        return Outcome(physical_id)

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        params = {"applicationName": props["ApplicationName"], "deploymentGroupName": physical_id}
        ctx.call("codedeploy", "DeleteDeploymentGroup", params)


class DeploymentConfig(Provider):
    type = "AWS::CodeDeploy::DeploymentConfig"
    properties = accepts(
        ComputePlatform=replaces(STRING),
        DeploymentConfigName=replaces(STRING),
        TrafficRoutingConfig=replaces(
            struct(
                _required=("Type",),
                TimeBasedCanary=struct(
                    _required=("CanaryInterval", "CanaryPercentage"),
                    CanaryInterval=INTEGER,
                    CanaryPercentage=INTEGER,
                ),
                TimeBasedLinear=struct(
                    _required=("LinearInterval", "LinearPercentage"),
                    LinearInterval=INTEGER,
                    LinearPercentage=INTEGER,
                ),
                Type=STRING,
            )
        ),
    )
    named_by = "DeploymentConfigName"

    def refused(self, props: dict[str, Any]) -> list[str]:
        platform = props.get("ComputePlatform", "Server")
        return [] if platform == "Lambda" else [f"{self.type}.ComputePlatform {platform}"]

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        name = props.get("DeploymentConfigName") or ctx.name(100)
        ctx.call("codedeploy", "CreateDeploymentConfig", {**_lower(props), "deploymentConfigName": name})
        return Outcome(name)

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        return Outcome(physical_id)

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        ctx.call("codedeploy", "DeleteDeploymentConfig", {"deploymentConfigName": physical_id})


def shift_traffic(ctx: Context, policy: dict[str, Any], before: str, props: dict[str, Any]) -> None:
    """Move an alias to its new version by a deployment; raise HandlerFailure if that does not succeed.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-updatepolicy.html
    (CodeDeployLambdaAliasUpdate). The events and the reason of the failure are as recorded from AWS in
    August 2026: tests/conformance/codedeploy.json.
    """
    name = props["FunctionName"].rpartition(":function:")[2]
    values = {"Name": name, "Alias": props["Name"], "CurrentVersion": before}
    values["TargetVersion"] = props["FunctionVersion"]
    body: dict[str, Any] = {
        "version": "0.0",
        "Resources": [{name: {"Type": "AWS::Lambda::Function", "Properties": values}}],
    }
    hooks = [
        {hook: policy[f"{hook}Hook"]}
        for hook in ("BeforeAllowTraffic", "AfterAllowTraffic")
        if policy.get(f"{hook}Hook")
    ]
    if hooks:
        body["Hooks"] = hooks
    params = {
        "applicationName": policy["ApplicationName"],
        "deploymentGroupName": policy["DeploymentGroupName"],
        "revision": {"revisionType": "String", "string": {"content": json.dumps(body)}},
    }
    identifier = ctx.call("codedeploy", "CreateDeployment", params)["deploymentId"]
    ctx.progress(f"CodeDeploy deployment started: {identifier}")
    ctx.world.codedeploy.wait(identifier)
    info = ctx.call("codedeploy", "GetDeployment", {"deploymentId": identifier})["deploymentInfo"]
    undone = info.get("rollbackInfo", {}).get("rollbackDeploymentId")
    if undone:
        ctx.progress(f"CodeDeploy rollback deployment started: {undone}")
    if info["status"] != "Succeeded":
        raise HandlerFailure(f"{identifier} failed. {info.get('errorInformation', {}).get('message', '')}")


PROVIDERS: tuple[type[Provider], ...] = (Application, DeploymentGroup, DeploymentConfig)
