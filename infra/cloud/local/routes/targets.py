"""Hand a payload to a target by its ARN, as the API call that AWS makes for it: one place for every route.

EventBridge rules, Scheduler, Pipes, S3 notifications, SNS subscriptions and Lambda's destinations all end
here. The caller says with which right: as a role, or as a principal that the target's own policy must allow.
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..service import Caller, NotSimulated

if TYPE_CHECKING:
    from ..world import World


@dataclasses.dataclass(frozen=True, slots=True)
class Delivery:
    """``body`` is what the target gets; the rest is what only some kinds of target use."""

    arn: str
    body: str
    caller: Caller
    message_group_id: str = ""
    deduplication_id: str = ""
    message_attributes: dict[str, Any] | None = None
    partition_key: str = ""
    subject: str = ""
    execution_name: str = ""


def deliver(world: World, delivery: Delivery) -> dict[str, Any]:
    """Make the call, from inside a task; returns its answer. Raises ServiceError as the target's API does."""
    service = delivery.arn.split(":", 3)[2]
    call = _CALLS.get(service)
    if call is None:
        raise NotSimulated(
            f"NotSimulated: {delivery.arn} as a target - the local cloud does not deliver to it"
        )
    api, operation, params = call(delivery)
    region = delivery.arn.split(":", 5)[3]
    return world.call(api, operation, params, delivery.caller, region=region or None)


Made = tuple[str, str, dict[str, Any]]
"""boto3's service name, the operation, its parameters."""


def _function(delivery: Delivery) -> Made:
    params = {"FunctionName": delivery.arn, "InvocationType": "Event", "Payload": delivery.body.encode()}
    return "lambda", "Invoke", params


def _queue(delivery: Delivery) -> Made:
    params = {"QueueUrl": queue_url(delivery.arn), "MessageBody": delivery.body}
    return "sqs", "SendMessage", _message(params, delivery)


def _topic(delivery: Delivery) -> Made:
    params = {"TopicArn": delivery.arn, "Message": delivery.body}
    if delivery.subject:
        params["Subject"] = delivery.subject
    return "sns", "Publish", _message(params, delivery)


def _message(params: dict[str, Any], delivery: Delivery) -> dict[str, Any]:
    """What queues and topics name alike."""
    if delivery.message_group_id:
        params["MessageGroupId"] = delivery.message_group_id
    if delivery.deduplication_id:
        params["MessageDeduplicationId"] = delivery.deduplication_id
    if delivery.message_attributes:
        params["MessageAttributes"] = delivery.message_attributes
    return params


def _state_machine(delivery: Delivery) -> Made:
    params: dict[str, Any] = {"stateMachineArn": delivery.arn, "input": delivery.body}
    if delivery.execution_name:
        params["name"] = delivery.execution_name
    return "stepfunctions", "StartExecution", params


def _stream(delivery: Delivery) -> Made:
    params = {
        "StreamARN": delivery.arn,
        "Data": delivery.body.encode(),
        "PartitionKey": delivery.partition_key,
    }
    return "kinesis", "PutRecord", params


_CALLS: dict[str, Callable[[Delivery], Made]] = {
    "kinesis": _stream,
    "lambda": _function,
    "sns": _topic,
    "sqs": _queue,
    "states": _state_machine,
}


def queue_url(arn: str) -> str:
    """A queue's URL, as SQS answers it, from its ARN."""
    _, _, _, region, account, name = arn.split(":", 5)
    return f"https://sqs.{region}.amazonaws.com/{account}/{name}"
