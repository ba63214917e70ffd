"""Deployment groups: how the deployments of an application go, and what stops them.

https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_DeploymentGroupInfo.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..service import Call, NotSimulated, ServiceError
from .applications import Store
from .model import Deployment, Group
from .paging import page, tags
from .traffic import ALL_AT_ONCE

_STYLE = {"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"}
_OTHER_PLATFORMS = (
    "ec2TagFilters",
    "onPremisesInstanceTagFilters",
    "autoScalingGroups",
    "ec2TagSet",
    "ecsServices",
    "onPremisesTagSet",
    "loadBalancerInfo",
    "blueGreenDeploymentConfiguration",
)
"""What of a deployment group belongs to EC2 and ECS."""
_KEPT = ("triggerConfigurations", "alarmConfiguration", "autoRollbackConfiguration", "deploymentStyle")
MAX_ALARMS = 10


class Groups(Store):
    """Deployment groups, and the tags of them and of applications."""

    def CreateDeploymentGroup(self, call: Call) -> dict[str, Any]:
        params = call.params
        application = self.application(params["applicationName"])
        name = params["deploymentGroupName"]
        if (application.name, name) in self.groups:
            raise ServiceError(
                "DeploymentGroupAlreadyExistsException", f"Deployment group already exists: {name}"
            )
        given = {
            "deploymentConfigName": params.get("deploymentConfigName", ALL_AT_ONCE),
            "serviceRoleArn": params["serviceRoleArn"],
            **{key: params[key] for key in _KEPT if key in params},
        }
        group = Group(self.new_id(), name, application, given, tags(params.get("tags")))
        self._check_group(group, params)
        self.groups[application.name, name] = group
        return {"deploymentGroupId": group.id}

    def UpdateDeploymentGroup(self, call: Call) -> dict[str, Any]:
        params = call.params
        group = self.group(params["applicationName"], params["currentDeploymentGroupName"])
        fields = ("deploymentConfigName", "serviceRoleArn", *_KEPT)
        given = {**group.given, **{key: params[key] for key in fields if key in params}}
        new_name = params.get("newDeploymentGroupName") or group.name
        if new_name != group.name and (group.application.name, new_name) in self.groups:
            raise ServiceError(
                "DeploymentGroupAlreadyExistsException", f"Deployment group already exists: {new_name}"
            )
        self._check_group(Group(group.id, new_name, group.application, given), params)
        del self.groups[group.application.name, group.name]
        group.name, group.given = new_name, given
        self.groups[group.application.name, new_name] = group
        return {"hooksNotCleanedUp": []}

    def _check_group(self, group: Group, params: Mapping[str, Any]) -> None:
        for key in _OTHER_PLATFORMS:
            if params.get(key):
                raise NotSimulated(
                    f"NotSimulated: deployment group with {key} - only groups for Lambda functions are"
                )
        self.config(group.config)
        style = group.given.get("deploymentStyle") or _STYLE
        if style != _STYLE:
            raise ServiceError(
                "InvalidDeploymentStyleException",
                "For a Lambda deployment group, deploymentType must be BLUE_GREEN and deploymentOption "
                f"WITH_TRAFFIC_CONTROL, not {style.get('deploymentType')}, {style.get('deploymentOption')}",
            )
        check_alarms(group.given.get("alarmConfiguration") or {})
        check_rollback(group.given.get("autoRollbackConfiguration") or {})
        arn = group.arn(self.world.region, self.world.account)
        if not self.world.identity.may_assume(group.role, "codedeploy.amazonaws.com", arn):
            raise ServiceError(
                "InvalidRoleException",
                f"AWS CodeDeploy does not have the permissions required to assume the role {group.role}.",
            )

    def GetDeploymentGroup(self, call: Call) -> dict[str, Any]:
        group = self.group(call.params["applicationName"], call.params["deploymentGroupName"])
        return {"deploymentGroupInfo": self._shown_group(group)}

    def BatchGetDeploymentGroups(self, call: Call) -> dict[str, Any]:
        application = call.params["applicationName"]
        found = [self.group(application, name) for name in call.params["deploymentGroupNames"]]
        return {"deploymentGroupsInfo": [self._shown_group(each) for each in found], "errorMessage": ""}

    def ListDeploymentGroups(self, call: Call) -> dict[str, Any]:
        application = self.application(call.params["applicationName"])
        names = [name for owner, name in self.groups if owner == application.name]
        answer = page(names, "deploymentGroups", call.params)
        return {"applicationName": application.name, **answer}

    def DeleteDeploymentGroup(self, call: Call) -> dict[str, Any]:
        self.application(call.params["applicationName"])
        self.groups.pop((call.params["applicationName"], call.params["deploymentGroupName"]), None)
        return {"hooksNotCleanedUp": []}

    def _shown_group(self, group: Group) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "applicationName": group.application.name,
            "deploymentGroupId": group.id,
            "deploymentGroupName": group.name,
            "ec2TagFilters": [],
            "onPremisesInstanceTagFilters": [],
            "autoScalingGroups": [],
            "triggerConfigurations": [],
            "deploymentStyle": dict(_STYLE),
            "outdatedInstancesStrategy": "UPDATE",
            "computePlatform": group.application.platform,
            "terminationHookEnabled": False,
            **group.given,
        }
        made = [each for each in self.deployments.values() if each.group is group]
        if made:
            shown["targetRevision"] = without_content(made[-1].revision)
            shown["lastAttemptedDeployment"] = self._last(made[-1])
        succeeded = [each for each in made if each.status == "Succeeded"]
        if succeeded:
            shown["lastSuccessfulDeployment"] = self._last(succeeded[-1])
        return shown

    def _last(self, deployment: Deployment) -> dict[str, Any]:
        return {
            "deploymentId": deployment.id,
            "status": deployment.status,
            "createTime": self.when(deployment.created),
            **({"endTime": self.when(deployment.completed)} if deployment.completed else {}),
        }

    # -- tags ----------------------------------------------------------------------------------------

    def TagResource(self, call: Call) -> dict[str, Any]:
        self._tagged(call.params["ResourceArn"]).update(tags(call.params["Tags"]))
        return {}

    def UntagResource(self, call: Call) -> dict[str, Any]:
        found = self._tagged(call.params["ResourceArn"])
        for key in call.params["TagKeys"]:
            found.pop(key, None)
        return {}

    def ListTagsForResource(self, call: Call) -> dict[str, Any]:
        found = self._tagged(call.params["ResourceArn"])
        return {"Tags": [{"Key": key, "Value": value} for key, value in found.items()]}

    def _tagged(self, arn: str) -> dict[str, str]:
        kind, _, name = arn.split(":", 5)[-1].partition(":")
        if kind == "deploymentgroup":
            return self.group(*name.split("/", 1)).tags
        return self.application(name).tags


def check_alarms(given: Mapping[str, Any]) -> None:
    """https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_AlarmConfiguration.html"""
    alarms = given.get("alarms") or []
    if len(alarms) > MAX_ALARMS:
        raise ServiceError(
            "AlarmsLimitExceededException",
            f"The maximum number of alarms for a deployment group ({MAX_ALARMS}) was exceeded: {len(alarms)}",
        )
    if given.get("enabled") and not alarms:
        raise ServiceError(
            "InvalidAlarmConfigException", "alarmConfiguration is enabled, but its alarms name no alarm"
        )


def check_rollback(given: Mapping[str, Any]) -> None:
    """https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_AutoRollbackConfiguration.html"""
    if given.get("enabled") and not given.get("events"):
        raise ServiceError(
            "InvalidAutoRollbackConfigException",
            "autoRollbackConfiguration is enabled, but its events are empty: DEPLOYMENT_FAILURE, "
            "DEPLOYMENT_STOP_ON_ALARM, DEPLOYMENT_STOP_ON_REQUEST",
        )


def without_content(revision: Mapping[str, Any]) -> dict[str, Any]:
    """A revision as it is shown: an AppSpec by its hash only."""
    shown = dict(revision)
    for kind in ("appSpecContent", "string"):
        if kind in shown:
            shown[kind] = {"sha256": shown[kind]["sha256"]}
    return shown
