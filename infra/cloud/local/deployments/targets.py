"""The one target of a deployment for Lambda, with its lifecycle events.

https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_LambdaTarget.html
"""

from __future__ import annotations

from typing import Any

from ..service import Call, ServiceError
from .groups import Groups
from .model import Deployment
from .paging import page


class Targets(Groups):
    """GetDeploymentTarget, BatchGetDeploymentTargets, ListDeploymentTargets."""

    def GetDeploymentTarget(self, call: Call) -> dict[str, Any]:
        deployment = self.deployment(call.params["deploymentId"])
        return {"deploymentTarget": self._target(deployment, call.params["targetId"])}

    def BatchGetDeploymentTargets(self, call: Call) -> dict[str, Any]:
        deployment = self.deployment(call.params["deploymentId"])
        return {"deploymentTargets": [self._target(deployment, each) for each in call.params["targetIds"]]}

    def ListDeploymentTargets(self, call: Call) -> dict[str, Any]:
        deployment = self.deployment(call.params["deploymentId"])
        wanted = (call.params.get("targetFilters") or {}).get("TargetStatus")
        ids = [deployment.spec.target_id] if not wanted or _target_status(deployment) in wanted else []
        return page(ids, "targetIds", call.params)

    def _target(self, deployment: Deployment, identifier: str) -> dict[str, Any]:
        spec = deployment.spec
        if identifier != spec.target_id:
            raise ServiceError(
                "DeploymentTargetDoesNotExistException",
                f"Deployment {deployment.id} has the target {spec.target_id}, not {identifier}",
            )
        events = []
        for phase in deployment.phases:
            shown: dict[str, Any] = {"lifecycleEventName": phase.name, "status": phase.status}
            if phase.started:
                shown["startTime"] = self.when(phase.started)
            if phase.ended:
                shown["endTime"] = self.when(phase.ended)
            if phase.message:
                shown["diagnostics"] = {"errorCode": "UnknownError", "message": phase.message}
            events.append(shown)
        target = {
            "deploymentId": deployment.id,
            "targetId": identifier,
            "targetArn": f"{self.world.functions.function_arn(spec.function)}:{spec.alias}",
            "status": _target_status(deployment),
            "lastUpdatedAt": self.when(deployment.updated),
            "lifecycleEvents": events,
            "lambdaFunctionInfo": {
                "functionName": spec.function,
                "functionAlias": spec.alias,
                "currentVersion": spec.current,
                "targetVersion": spec.target,
                "targetVersionWeight": deployment.weight,
            },
        }
        return {"deploymentTargetType": "LambdaTarget", "lambdaTarget": target}


def _target_status(deployment: Deployment) -> str:
    if deployment.status in ("InProgress", "Succeeded", "Failed"):
        return deployment.status
    return "Failed" if deployment.status == "Stopped" else "Pending"
