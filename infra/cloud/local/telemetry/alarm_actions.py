"""What an alarm does when its state changes: a message to SNS topics, an event to functions and EventBridge.

A topic's default policy lets the alarms of its own account in; a function's resource policy must allow
lambda.alarms.cloudwatch.amazonaws.com:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-actions-Lambda.html. The default bus
gets every change of state, whatever the alarm's actions are, and every change of a configuration:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html. Actions of
other services are named in the journal (``actions`` of ``cloudwatch.alarm``).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ..routes.targets import Delivery, deliver
from ..service import Caller, ServiceError
from .alarm_messages import (
    alarm_data,
    configuration_change,
    configuration_of,
    function_event,
    region_name,
    topic_message,
)
from .alarm_states import Change, Stated

if TYPE_CHECKING:
    from ..world import World

_PRINCIPALS = {"lambda": "lambda.alarms.cloudwatch.amazonaws.com", "sns": "cloudwatch.amazonaws.com"}
_DENIED = {"lambda": "lambda:InvokeFunction", "sns": "SNS:Publish"}


class AlarmActions:
    """Delivers. One attempt for each action; its outcome is a ``cloudwatch.delivery`` entry."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.arns = f"arn:aws:cloudwatch:{world.region}:{world.account}:alarm:"
        """What every alarm's ARN begins with."""

    def announce(self, alarm: Stated, before: Change) -> str:
        """The event of a change of state; returns the trace that it begins."""
        world, trace, arn = self._world, self._world.new_trace(), self.arns + alarm.name
        world.events.emit(
            "aws.cloudwatch",
            "CloudWatch Alarm State Change",
            alarm_data(alarm, before, arn),
            resources=[arn],
            trace=trace,
        )
        return trace

    def configured(self, operation: str, alarm: Stated, previous: dict[str, Any] | None = None) -> None:
        """The event of a change of the configuration, if the default bus has any rule to look at it.

        ``operation``: create, update, delete; ``previous`` is ``configuration`` before an update.
        """
        world, arn = self._world, self.arns + alarm.name
        bus = world.events.find("default", world.region, world.account)
        if bus is None or not bus.rules:
            return
        detail = configuration_change(operation, alarm, previous, arn)
        world.events.emit(
            "aws.cloudwatch",
            "CloudWatch Alarm Configuration Change",
            detail,
            resources=[arn],
            trace=world.new_trace(),
        )

    def configuration(self, alarm: Stated) -> dict[str, Any]:
        return configuration_of(alarm, self.arns + alarm.name)

    def perform(self, alarm: Stated, before: Change, trace: str) -> list[str]:
        """Start the actions that are simulated, each in a task of its own; return the others."""
        world, left, arn = self._world, [], self.arns + alarm.name
        for action in alarm.wanted_actions():
            service = action.split(":", 3)[2]
            if service not in _PRINCIPALS:
                scaled = service == "autoscaling" and world.application_autoscaling.scaler.alarmed(
                    action, alarm
                )
                if not scaled:
                    left.append(action)
                continue
            subject = ""
            if service == "sns":
                body = topic_message(alarm, before, arn, world.region, world.account)
                subject = f'{alarm.state}: "{alarm.name}" in {region_name(world.region)}'[:100]
            else:
                body = function_event(alarm, before, arn, world.region, world.account)
            caller = Caller(
                "service",
                "cloudwatch",
                principal=_PRINCIPALS[service],
                source_arn=arn,
                source_account=world.account,
                trace=trace,
            )
            delivery = Delivery(action, json.dumps(body, separators=(",", ":")), caller, subject=subject)
            world.kernel.spawn(
                self._deliver, arn, delivery, alarm.updated_at, name="cloudwatch.action", context=caller
            )
        return left

    def repeat(self, alarm: Stated, values: list[float]) -> None:
        """An alarm keeps its state on other data: only scaling policies are called again.

        https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html
        """
        for action in alarm.wanted_actions():
            if action.startswith("arn:aws:autoscaling:"):
                self._world.application_autoscaling.scaler.alarmed(action, alarm, values)

    def _deliver(self, arn: str, delivery: Delivery, changed_at: int) -> None:
        world, outcome, identifier, problem = self._world, "ok", "", ""
        try:
            identifier = deliver(world, delivery).get("MessageId", "")
        except ServiceError as error:
            outcome, problem = error.code, error.message
            if error.code.startswith("KMS"):
                problem = (
                    "CloudWatch Alarms does not have authorization to access the SNS topic encryption key."
                )
            elif error.status == 403 or error.code == "AuthorizationError":
                denied = _DENIED[delivery.arn.split(":", 3)[2]]
                problem = (
                    f"CloudWatch Alarms is not authorized to perform: {denied} on resource: {delivery.arn} "
                    f"because no resource-based policy allows the {denied} action"
                )
        data: dict[str, Any] = {"to": delivery.arn, "id": identifier, "attempt": 1, "changed": changed_at}
        data["published"] = delivery.body
        if problem:
            data["error"] = problem
        world.journal.record(
            "cloudwatch.delivery",
            arn,
            actor="cloudwatch",
            outcome=outcome,
            trace=delivery.caller.trace,
            data=data,
        )
