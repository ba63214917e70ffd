"""What a deployment tells: events on the default bus, and messages to the triggers' SNS topics.

https://docs.aws.amazon.com/eventbridge/latest/userguide/event-types.html and
https://docs.aws.amazon.com/codedeploy/latest/userguide/monitoring-sns-event-notifications-json-format.html.
Messages are as recorded from AWS (tests/conformance/codedeploy_messages.json): DeploymentStart brings
CREATED, DeploymentRollback brings IN_PROGRESS of the deployment that rolls back.
"""

from __future__ import annotations

import datetime
import json
from typing import TYPE_CHECKING, Any

from ..routes.targets import Delivery, deliver
from ..service import Caller, ServiceError
from .model import Deployment

if TYPE_CHECKING:
    from ..world import World

_STATES = {"InProgress": "START", "Succeeded": "SUCCESS", "Failed": "FAILURE", "Stopped": "STOP"}
_TRIGGERS = {
    "Created": ("DeploymentStart", "CREATED"),
    "Succeeded": ("DeploymentSuccess", "SUCCEEDED"),
    "Failed": ("DeploymentFailure", "FAILED"),
    "Stopped": ("DeploymentStop", "STOPPED"),
}


def tell(world: World, deployment: Deployment, trace: str) -> None:
    """Tell of the status that a deployment has now got. Never waits."""
    group = deployment.group
    arn = group.arn(world.region, world.account)
    application = f"arn:aws:codedeploy:{world.region}:{world.account}:application:{group.application.name}"
    if deployment.status in _STATES:
        world.events.emit(
            "aws.codedeploy",
            "CodeDeploy Deployment State-change Notification",
            {
                "region": world.region,
                "deploymentId": deployment.id,
                "instanceGroupId": group.id,
                "deploymentGroup": group.name,
                "state": _STATES[deployment.status],
                "application": group.application.name,
            },
            resources=[application, arn],
            trace=trace,
        )
    event, status = _TRIGGERS.get(deployment.status, ("", ""))
    if deployment.status == "InProgress" and deployment.rolls_back:
        event, status = "DeploymentRollback", "IN_PROGRESS"
    caller = Caller("service", "codedeploy", role=group.role, trace=trace)
    for trigger in group.given.get("triggerConfigurations") or []:
        if event and event in trigger["triggerEvents"]:
            subject, message = told(world, deployment, trigger["triggerName"], status)
            delivery = Delivery(trigger["triggerTargetArn"], message, caller, subject=subject)
            world.kernel.spawn(_deliver, world, arn, delivery, name="codedeploy.trigger", context=caller)


def _deliver(world: World, group: str, delivery: Delivery) -> None:
    """One attempt. A role without sns:Publish loses the message, as on AWS; the deployment goes on."""
    outcome = "ok"
    try:
        deliver(world, delivery)
    except ServiceError as error:
        outcome = error.code
    world.journal.record(
        "codedeploy.delivery",
        group,
        actor="codedeploy",
        outcome=outcome,
        trace=delivery.caller.trace,
        data={"to": delivery.arn},
    )


def told(world: World, deployment: Deployment, trigger: str, status: str) -> tuple[str, str]:
    """Subject and message of a trigger."""
    application = deployment.group.application.name
    subject = f"{status}: AWS CodeDeploy {deployment.id} in {world.region} to {application}"
    return subject[:100], json.dumps(_body(world, deployment, trigger, status), separators=(",", ":"))


def _body(world: World, deployment: Deployment, trigger: str, status: str) -> dict[str, Any]:
    completed = world.datetime(deployment.completed) if deployment.completed else None
    body: dict[str, Any] = {
        "region": world.region,
        "accountId": world.account,
        "eventTriggerName": trigger,
        "applicationName": deployment.group.application.name,
        "deploymentId": deployment.id,
        "deploymentGroupName": deployment.group.name,
        "createTime": _time(world.datetime(deployment.created)),
        "completeTime": _time(completed) if completed else None,
    }
    if completed:
        counts = dict.fromkeys(("Succeeded", "Failed", "Skipped", "InProgress", "Pending"), 0)
        counts["Succeeded" if deployment.status == "Succeeded" else "Failed"] = 1
        body["deploymentOverview"] = json.dumps(counts, separators=(",", ":"))
    body["status"] = status
    if deployment.error:
        error = {"ErrorCode": deployment.error["code"], "ErrorMessage": deployment.error["message"]}
        body["errorInformation"] = json.dumps(error, separators=(",", ":"))
    if deployment.rollback_info or deployment.error:
        info = {name[0].upper() + name[1:]: value for name, value in deployment.rollback_info.items()}
        body["rollbackInformation"] = json.dumps(dict(sorted(info.items())), separators=(",", ":"))
    return body


def _time(moment: datetime.datetime) -> str:
    """``Fri Oct 14 08:46:19 UTC 2022``"""
    return f"{moment:%a %b} {moment:%d %H:%M:%S} UTC {moment:%Y}"
