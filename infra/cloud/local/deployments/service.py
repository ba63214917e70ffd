"""The service ``codedeploy``, for Lambda: deployments, their targets, the answers of hooks.

EC2, on-premises and ECS are refused by name. https://docs.aws.amazon.com/codedeploy/latest/userguide/
"""

from __future__ import annotations

import string
from typing import TYPE_CHECKING, Any

from ..service import Call, NotSimulated, ServiceError
from .appspec import AppSpec
from .bell import AlarmBell
from .groups import check_alarms, check_rollback, without_content
from .model import Deployment, Group
from .paging import page
from .revisions import Revisions
from .shift import Shifts
from .targets import Targets
from .traffic import ALL_AT_ONCE

if TYPE_CHECKING:
    from ..world import World

_ID = string.ascii_uppercase + string.digits
_OTHER_PLATFORMS = (
    "targetInstances",
    "updateOutdatedInstancesOnly",
    "ignoreApplicationStopFailures",
    "fileExistsBehavior",
    "deploymentMode",
    "ec2DeploymentOptions",
)
BATCH = 25
"""How many BatchGet operations take."""


class CodeDeploy(Targets, Revisions):
    """``wait`` is for CloudFormation, which waits for a deployment without asking again and again."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.bell = AlarmBell(world)
        self._shifts = Shifts(world, lambda name: self.config(name).routing, self._undo)

    def wait(self, identifier: str) -> None:
        """Until the deployment is over, and the one that rolls it back, if there is one."""
        deployment = self.deployment(identifier)
        deployment.over.wait()
        if deployment.rolled_back_by:
            self.deployment(deployment.rolled_back_by).over.wait()

    # -- deployments ---------------------------------------------------------------------------------

    def CreateDeployment(self, call: Call) -> dict[str, Any]:
        params = call.params
        for key in _OTHER_PLATFORMS:
            if params.get(key):
                raise NotSimulated(f"NotSimulated: {key} of a deployment - only deployments for Lambda are")
        self.application(params["applicationName"])
        if not params.get("deploymentGroupName"):
            raise ServiceError(
                "DeploymentGroupNameRequiredException", "The deployment group name is required"
            )
        group = self.group(params["applicationName"], params["deploymentGroupName"])
        config = params.get("deploymentConfigName") or group.config
        self.config(config)
        alarms = params.get("overrideAlarmConfiguration")
        check_alarms(alarms or {})
        check_rollback(params.get("autoRollbackConfiguration") or {})
        spec, revision = self.revision(group, params.get("revision"), call)
        for other in self.deployments.values():
            if other.group is group and other.active:
                raise ServiceError(
                    "DeploymentLimitExceededException",
                    f"The Deployment Group '{group.name}' already has an active Deployment '{other.id}'",
                )
        made = self._new(group, config, spec, revision)
        made.description = params.get("description") or ""
        made.rollback = (
            params.get("autoRollbackConfiguration") or group.given.get("autoRollbackConfiguration") or {}
        )
        made.alarms = alarms or group.given.get("alarmConfiguration") or {}
        made.overridden = alarms is not None
        self._shifts.start(made, call.caller.trace)
        return {"deploymentId": made.id}

    def GetDeployment(self, call: Call) -> dict[str, Any]:
        return {"deploymentInfo": self._shown(self.deployment(call.params["deploymentId"]))}

    def BatchGetDeployments(self, call: Call) -> dict[str, Any]:
        ids = call.params["deploymentIds"]
        if len(ids) > BATCH:
            raise ServiceError(
                "BatchLimitExceededException", f"At most {BATCH} deployment ids, not {len(ids)}, are accepted"
            )
        found = [self.deployments[each] for each in ids if each in self.deployments]
        return {"deploymentsInfo": [self._shown(each) for each in found]}

    def ListDeployments(self, call: Call) -> dict[str, Any]:
        """Newest first."""
        params = call.params
        application, group = params.get("applicationName"), params.get("deploymentGroupName")
        if application and not group:
            raise ServiceError(
                "DeploymentGroupNameRequiredException", "The deployment group name is required"
            )
        if group and not application:
            raise ServiceError("ApplicationNameRequiredException", "The application name is required")
        owner = self.group(application, group) if application and group else None
        span = params.get("createTimeRange") or {}
        statuses = params.get("includeOnlyStatuses")
        ids = [
            each.id
            for each in reversed(self.deployments.values())
            if (owner is None or each.group is owner)
            and (not statuses or each.status in statuses)
            and ("start" not in span or self.when(each.created) >= span["start"])
            and ("end" not in span or self.when(each.created) <= span["end"])
        ]
        return page(ids, "deployments", params)

    def StopDeployment(self, call: Call) -> dict[str, Any]:
        """https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_StopDeployment.html"""
        deployment = self.deployment(call.params["deploymentId"])
        if not deployment.active:
            raise ServiceError(
                "DeploymentAlreadyCompletedException", f"The deployment {deployment.id} is already completed"
            )
        deployment.stop_asked = True
        deployment.roll_back_on_stop = bool(call.params.get("autoRollbackEnabled"))
        deployment.changed.set()
        return {
            "status": "Pending",
            "statusMessage": "No more commands will be scheduled for execution in the deployment instances",
        }

    def ContinueDeployment(self, call: Call) -> dict[str, Any]:
        raise NotSimulated(
            "NotSimulated: codedeploy:ContinueDeployment - it is for deployments to EC2 and ECS that wait to "
            "reroute traffic; one for Lambda never waits"
        )

    def PutLifecycleEventHookExecutionStatus(self, call: Call) -> dict[str, Any]:
        params = call.params
        deployment = self.deployment(params.get("deploymentId", ""))
        status, identifier = params.get("status"), params.get("lifecycleEventHookExecutionId", "")
        if status not in ("Succeeded", "Failed"):
            raise ServiceError(
                "InvalidLifecycleEventHookExecutionStatusException",
                f"The status of a lifecycle event hook must be Succeeded or Failed, not {status}",
            )
        hook = deployment.hook
        if hook is None or hook.id != identifier:
            raise ServiceError(
                "InvalidLifecycleEventHookExecutionIdException",
                f"{identifier} is no execution of a lifecycle event hook of deployment {deployment.id}",
            )
        if hook.status or not deployment.active:
            raise ServiceError(
                "LifecycleEventAlreadyCompletedException",
                "An attempt to return the status of an already completed lifecycle event occurred.",
            )
        hook.status = status
        deployment.changed.set()
        return {"lifecycleEventHookExecutionId": identifier}

    # -- parts ---------------------------------------------------------------------------------------

    def _new(self, group: Group, config: str, spec: AppSpec, revision: dict[str, Any]) -> Deployment:
        rng = self.kernel.rng("codedeploy.deployments")
        identifier = "d-" + "".join(rng.choice(_ID) for _ in range(9))
        made = self.deployments[identifier] = Deployment(
            identifier,
            group,
            config,
            spec,
            revision,
            self.kernel.now,
            self.kernel.event(f"something to heed in deployment {identifier}"),
            self.kernel.event(f"the end of deployment {identifier}"),
            updated=self.kernel.now,
        )
        self.world.identity.deployment_groups[identifier] = group.arn(self.world.region, self.world.account)
        return made

    def _undo(self, failed: Deployment, trace: str) -> None:
        """The deployment that rolls another back: all at once, without hooks and alarms."""
        spec = failed.spec.reversed()
        made = self._new(failed.group, ALL_AT_ONCE, spec, spec.revision())
        made.creator, made.rolls_back = "codeDeployRollback", failed.id
        failed.rolled_back_by = made.id
        self._shifts.start(made, trace)

    def _shown(self, deployment: Deployment) -> dict[str, Any]:
        """https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_DeploymentInfo.html"""
        group = deployment.group
        shown: dict[str, Any] = {
            "applicationName": group.application.name,
            "deploymentGroupName": group.name,
            "deploymentConfigName": deployment.config,
            "deploymentId": deployment.id,
            "revision": without_content(deployment.revision),
            "status": deployment.status,
            "createTime": self.when(deployment.created),
            "creator": deployment.creator,
            "ignoreApplicationStopFailures": False,
            "updateOutdatedInstancesOnly": False,
            "deploymentStyle": {"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"},
            "instanceTerminationWaitTimeStarted": False,
            "fileExistsBehavior": "DISALLOW",
            "deploymentStatusMessages": [],
            "computePlatform": group.application.platform,
        }
        optional: dict[str, Any] = {
            "errorInformation": deployment.error,
            "startTime": deployment.started and self.when(deployment.started),
            "completeTime": deployment.completed and self.when(deployment.completed),
            "description": deployment.description,
            "autoRollbackConfiguration": deployment.rollback,
            "rollbackInfo": deployment.rollback_info,
            "overrideAlarmConfiguration": deployment.alarms if deployment.overridden else None,
        }
        return shown | {name: value for name, value in optional.items() if value}
