"""AWS::AppConfig: applications, environments, configuration profiles, versions, strategies, deployments.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_AppConfig.html. A deployment is
complete when AppConfig has completed it, with its growth and bake time; rolled back, it has failed.
"""

from __future__ import annotations

from typing import Any

from ...service import ServiceError
from .base import Context, Outcome, Provider, picked
from .schema import (
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

_GONE = ("ResourceNotFoundException",)


class _Named(Provider):
    """What is made, updated and deleted by calls of the same form, under an id of its own."""

    kind = ""
    id_parameter = ""
    attribute = ""
    missing = _GONE

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        made = ctx.call("appconfig", f"Create{self.kind}", picked(props, *self.properties))
        return self._outcome(made["Id"])

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        changeable = [name for name, each in self.properties.items() if not each.replaces]
        params = {**self._key(physical_id, new), **picked(new, *changeable)}
        if "Description" in old and "Description" not in new:
            params["Description"] = ""
        ctx.call("appconfig", f"Update{self.kind}", params)
        return self._outcome(physical_id)

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        ctx.call("appconfig", f"Delete{self.kind}", self._key(physical_id, props))

    def _key(self, physical_id: str, props: dict[str, Any]) -> dict[str, Any]:
        key = {self.id_parameter: physical_id}
        return key if self.id_parameter == "ApplicationId" else {**picked(props, "ApplicationId"), **key}

    def _outcome(self, identifier: str) -> Outcome:
        return Outcome(identifier, {self.attribute: identifier})


class Application(_Named):
    type = "AWS::AppConfig::Application"
    kind = "Application"
    id_parameter = attribute = "ApplicationId"
    properties = accepts(Description=optional(STRING), Name=required(STRING))
    attributes = ("ApplicationId",)


class Environment(_Named):
    type = "AWS::AppConfig::Environment"
    kind = "Environment"
    id_parameter = attribute = "EnvironmentId"
    properties = accepts(
        ApplicationId=required(STRING, replaces=True),
        Description=optional(STRING),
        Monitors=optional(list_of(struct(_required=("AlarmArn",), AlarmArn=STRING, AlarmRoleArn=STRING))),
        Name=required(STRING),
    )
    attributes = ("EnvironmentId",)


class ConfigurationProfile(_Named):
    type = "AWS::AppConfig::ConfigurationProfile"
    kind = "ConfigurationProfile"
    id_parameter = attribute = "ConfigurationProfileId"
    properties = accepts(
        ApplicationId=required(STRING, replaces=True),
        Description=optional(STRING),
        LocationUri=required(STRING, replaces=True),
        Name=required(STRING),
        RetrievalRoleArn=optional(STRING),
        Type=replaces(STRING),
        Validators=optional(list_of(struct(Content=STRING, Type=STRING))),
    )
    attributes = ("ConfigurationProfileId",)


class DeploymentStrategy(_Named):
    type = "AWS::AppConfig::DeploymentStrategy"
    kind = "DeploymentStrategy"
    id_parameter = "DeploymentStrategyId"
    attribute = "Id"
    properties = accepts(
        DeploymentDurationInMinutes=required(NUMBER),
        Description=optional(STRING),
        FinalBakeTimeInMinutes=optional(NUMBER),
        GrowthFactor=required(NUMBER),
        GrowthType=optional(STRING),
        Name=required(STRING, replaces=True),
        ReplicateTo=required(STRING, replaces=True),
    )
    attributes = ("Id",)

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        return super().create(ctx, _whole(props))

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        return super().update(ctx, physical_id, old, _whole(new))


def _whole(props: dict[str, Any]) -> dict[str, Any]:
    minutes = ("DeploymentDurationInMinutes", "FinalBakeTimeInMinutes")
    return {**props, **{name: int(props[name]) for name in minutes if name in props}}


class HostedConfigurationVersion(Provider):
    type = "AWS::AppConfig::HostedConfigurationVersion"
    properties = accepts(
        ApplicationId=required(STRING, replaces=True),
        ConfigurationProfileId=required(STRING, replaces=True),
        Content=required(STRING, replaces=True),
        ContentType=required(STRING, replaces=True),
        Description=replaces(STRING),
        LatestVersionNumber=replaces(INTEGER),
        VersionLabel=replaces(STRING),
    )
    attributes = ("VersionNumber",)
    missing = _GONE

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        params = {**picked(props, *self.properties), "Content": props["Content"].encode()}
        number = str(ctx.call("appconfig", "CreateHostedConfigurationVersion", params)["VersionNumber"])
        return Outcome(number, {"VersionNumber": number})

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        key = {**picked(props, "ApplicationId", "ConfigurationProfileId"), "VersionNumber": int(physical_id)}
        ctx.call("appconfig", "DeleteHostedConfigurationVersion", key)


class Deployment(Provider):
    type = "AWS::AppConfig::Deployment"
    properties = accepts(
        ApplicationId=required(STRING, replaces=True),
        ConfigurationProfileId=required(STRING, replaces=True),
        ConfigurationVersion=required(STRING, replaces=True),
        DeploymentStrategyId=required(STRING, replaces=True),
        Description=replaces(STRING),
        EnvironmentId=required(STRING, replaces=True),
    )
    attributes = ("DeploymentNumber", "State")
    missing = _GONE

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        started = ctx.call("appconfig", "StartDeployment", picked(props, *self.properties))
        number = started["DeploymentNumber"]
        ctx.created(str(number))
        key = (started["ApplicationId"], started["EnvironmentId"])
        deployment = ctx.world.appconfig.deployment(ctx.region, *key, number)
        deployment.done.wait()
        if deployment.state != "COMPLETE":
            said = next(
                each["Description"] for each in deployment.log if each["EventType"].endswith("STARTED")
            )
            raise ServiceError(
                "NotStabilized", f"Deployment {number} ended in the state {deployment.state}: {said}"
            )
        return Outcome(str(number), {"DeploymentNumber": str(number), "State": deployment.state})

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        """A deployment is a fact: it stays until its environment is deleted."""


class ExtensionAssociation(Provider):
    type = "AWS::AppConfig::ExtensionAssociation"
    properties = accepts(
        ExtensionIdentifier=replaces(STRING),
        ExtensionVersionNumber=replaces(INTEGER),
        Parameters=replaces(STRING_MAP),
        ResourceIdentifier=replaces(STRING),
    )
    attributes = ("Arn", "ExtensionArn", "Id", "ResourceArn")
    missing = _GONE

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        made = ctx.call("appconfig", "CreateExtensionAssociation", picked(props, *self.properties))
        return Outcome(made["Id"], {name: made[name] for name in self.attributes})

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        ctx.call("appconfig", "DeleteExtensionAssociation", {"ExtensionAssociationId": physical_id})


PROVIDERS: tuple[type[Provider], ...] = (
    Application,
    Environment,
    ConfigurationProfile,
    DeploymentStrategy,
    HostedConfigurationVersion,
    Deployment,
    ExtensionAssociation,
)
