"""Extensions that AWS wrote: news of deployments to EventBridge, a topic or a queue.

https://docs.aws.amazon.com/appconfig/latest/userguide/working-with-appconfig-extensions-about-predefined.html:
each is told of the start, the completion and the roll-back of a deployment, if it is associated with the
application, the environment or the configuration profile. Extensions of one's own are not simulated.
"""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

from ...routes.targets import Delivery, deliver
from ...service import Caller, NotSimulated, ServiceError
from .model import Application, Deployment, Environment, bad

if TYPE_CHECKING:
    from ...world import World

_PREFIX = "AWS.AppConfig.DeploymentNotificationsTo"
AUTHORED = {f"{_PREFIX}EventBridge": "", f"{_PREFIX}Sns": "topicArn", f"{_PREFIX}Sqs": "queueArn"}
"""Each with the parameter that it needs."""

POINTS = {
    "Start": "OnDeploymentStart",
    "Complete": "OnDeploymentComplete",
    "Rollback": "OnDeploymentRolledBack",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Association:
    id: str
    arn: str
    extension: str
    resource: str
    parameters: dict[str, str]

    def shown(self) -> dict[str, Any]:
        return {
            "Id": self.id,
            "Arn": self.arn,
            "ExtensionArn": self.extension,
            "ResourceArn": self.resource,
            "Parameters": self.parameters,
            "ExtensionVersionNumber": 1,
        }


def authored(identifier: str, parameters: dict[str, str]) -> str:
    """The extension of that name or ARN. Raises NotSimulated, BadRequestException."""
    name = identifier.partition("/")[2].partition("/")[0] if identifier.startswith("arn:") else identifier
    if name not in AUTHORED:
        raise NotSimulated(
            f"NotSimulated: the AppConfig extension {identifier} - simulated are {', '.join(AUTHORED)}"
        )
    needed = AUTHORED[name]
    if needed and needed not in parameters:
        raise bad(f"The parameter {needed} is required by the extension {name}.")
    return name


def tell(
    world: World,
    association: Association,
    point: str,
    invocation: str,
    application: Application,
    environment: Environment,
    deployment: Deployment,
    region: str,
) -> None:
    """``point`` is a key of POINTS. Starts a task where a call is to be made; never waits."""
    detail: dict[str, Any] = {
        "InvocationId": invocation,
        "Parameters": association.parameters,
        "Type": POINTS[point],
        "Application": {"Id": application.id, "Name": application.name},
        "Environment": {"Id": environment.id, "Name": environment.name},
        "ConfigurationProfile": {"Id": deployment.profile.id, "Name": deployment.profile.name},
    }
    needed = AUTHORED[association.extension.rpartition("/")[2]]
    if not needed:
        detail.update(DeploymentNumber=deployment.number, ConfigurationVersion=deployment.version)
        world.events.emit(
            "aws.appconfig",
            f"On Deployment {point}",
            detail,
            resources=[association.arn],
            region=region,
            trace=deployment.trace,
        )
        return
    detail.update(
        Description=deployment.description,
        DeploymentNumber=str(deployment.number),
        ConfigurationVersion=deployment.version,
    )
    caller = Caller(
        "service",
        "appconfig",
        principal="appconfig.amazonaws.com",
        source_arn=association.arn,
        source_account=world.account,
        trace=deployment.trace,
    )
    attributes = {"MessageType": {"DataType": "String", "StringValue": POINTS[point]}}
    body = json.dumps(detail, separators=(",", ":"))
    delivery = Delivery(association.parameters[needed], body, caller, message_attributes=attributes)
    world.kernel.spawn(_deliver, world, association.arn, delivery, name="appconfig.extension", context=caller)


def _deliver(world: World, arn: str, delivery: Delivery) -> None:
    outcome = "ok"
    try:
        deliver(world, delivery)
    except ServiceError as error:
        outcome = error.code
    data = {"to": delivery.arn, "id": arn, "attempt": 1}
    trace = delivery.caller.trace
    world.journal.record(
        "appconfig.delivery", arn, actor="appconfig", outcome=outcome, trace=trace, data=data
    )
