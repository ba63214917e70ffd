"""What a schedule's target is, and which API call it means: templated targets and universal ones.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-templated.html,
https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-universal.html,
https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import botocore.validate

from ... import moto_bridge
from ...service import Caller, NotSimulated, ServiceError
from ..targets import Delivery, deliver
from .model import Schedule, invalid

if TYPE_CHECKING:
    from botocore.model import OperationModel, Shape

    from ...world import World

_ARN = re.compile(r"arn:aws[a-z-]*:([a-z0-9-]+):([a-z0-9-]*):(\d{12})?:.+")
_UNIVERSAL = re.compile(r"arn:aws[a-z-]*:scheduler:::aws-sdk:([a-zA-Z0-9]+):([a-zA-Z0-9]+)")

TEMPLATED = ("events", "kinesis", "lambda", "sns", "sqs", "states")
_WELL_FORMED_JSON = ("events", "lambda", "states")
_PARAMETERS = {
    "EventBridgeParameters": "events",
    "KinesisParameters": "kinesis",
    "SqsParameters": "sqs",
}
_REFUSED_PARAMETERS = (
    "EcsParameters",
    "EventBridgePutEventsV2Parameters",
    "EventBridgePutRawEventsParameters",
    "SageMakerPipelineParameters",
)

SDK_NAMES = {
    "cloudwatchlogs": "logs",
    "eventbridge": "events",
    "sfn": "stepfunctions",
}
"""The AWS SDK for Java's names of services, which universal targets use, where boto3 has another."""

_READ_ONLY = re.compile(
    r"get|describe|list|poll|receive|search|scan|query|select|read|lookup|discover|validate|batchGet|"
    r"batchDescribe|batchRead|transactGet|adminGet|adminList|testMigration|retrieve|testConnection|"
    r"translateDocument|isAuthorized|invokeModel"
)


@dataclasses.dataclass(frozen=True, slots=True)
class Invocation:
    """One invocation of a schedule: what its input may name. ``attempt`` counts from 1."""

    schedule: Schedule
    scheduled: str
    execution: str
    attempt: int


def check_target(world: World, target: Mapping[str, Any]) -> None:
    """Raises ValidationException for what AWS refuses, NotSimulated for what only we do."""
    for name in _REFUSED_PARAMETERS:
        if target.get(name):
            raise NotSimulated(f"NotSimulated: Target.{name} of a schedule")
    arn = target["Arn"]
    if universal := _UNIVERSAL.fullmatch(arn):
        _check_universal(world, arn, universal[1], universal[2], target.get("Input"))
        return
    found = _ARN.fullmatch(arn)
    if found is None or (found[1] == "events" and ":event-bus/" not in arn):
        raise invalid("Provided Arn is not in correct format.")
    service = found[1]
    if service not in TEMPLATED:
        raise NotSimulated(f"NotSimulated: {arn} as the target of a schedule")
    for name, owner in _PARAMETERS.items():
        if target.get(name) and owner != service:
            raise invalid(f"{name} is not supported for target {arn}.")
    if service == "events" and not target.get("EventBridgeParameters"):
        raise invalid("EventBridgeParameters is required for an EventBridge PutEvents target.")
    if service == "kinesis" and not target.get("KinesisParameters"):
        raise invalid("KinesisParameters is required for a Kinesis PutRecord target.")
    group = (target.get("SqsParameters") or {}).get("MessageGroupId")
    if service == "sqs" and arn.endswith(".fifo") and not group:
        raise invalid("MessageGroupId is required for an SQS FIFO queue target.")
    if service in _WELL_FORMED_JSON and "Input" in target and _parsed(target["Input"]) is None:
        raise invalid("Input must be a valid JSON.")


def _check_universal(world: World, arn: str, sdk_name: str, action: str, given: str | None) -> None:
    if _READ_ONLY.match(action):
        raise invalid(
            f"{arn} is not supported: EventBridge Scheduler does not support read-only API actions."
        )
    service = SDK_NAMES.get(sdk_name.lower(), sdk_name.lower())
    if service in world.services:
        operation = _operation(world, service, action)
        world.services[service].operation(operation.name)
    elif service in moto_bridge.ANSWERED:
        _operation(world, service, action)
    else:
        raise NotSimulated(f"NotSimulated: {arn} as the target of a schedule")
    if given is not None and not isinstance(_parsed(given), dict):
        raise invalid("Input must be a valid JSON object.")


def _operation(world: World, service: str, action: str) -> OperationModel:
    model = world.client(service, internal=True).meta.service_model
    name = action[:1].upper() + action[1:]
    if name not in model.operation_names:
        raise invalid(f"{action} is not a valid action of {service}.")
    return model.operation_model(name)


def filled(text: str, invocation: Invocation) -> str:
    """The input with Scheduler's context attributes in place of their names."""
    if "<aws.scheduler." not in text:
        return text
    values = {
        "schedule-arn": invocation.schedule.arn,
        "scheduled-time": invocation.scheduled,
        "execution-id": invocation.execution,
        "attempt-number": str(invocation.attempt),
    }
    for name, value in values.items():
        text = text.replace(f"<aws.scheduler.{name}>", value)
    return text


def payload(invocation: Invocation, account: str) -> str:
    """What the target gets: the input, or a notification if the schedule has none."""
    schedule = invocation.schedule
    given = schedule.request["Target"].get("Input")
    if given is not None:
        return filled(given, invocation)
    if _UNIVERSAL.fullmatch(schedule.request["Target"]["Arn"]):
        return "{}"
    return json.dumps(
        {
            "version": "0",
            "id": str(uuid.UUID(hashlib.sha256(invocation.execution.encode()).hexdigest()[:32], version=4)),
            "detail-type": "Scheduled Event",
            "source": "aws.scheduler",
            "account": account,
            "time": invocation.scheduled,
            "region": schedule.region,
            "resources": [schedule.arn],
            "detail": "{}",
        },
        separators=(",", ":"),
    )


def invoke(world: World, target: Mapping[str, Any], body: str, caller: Caller, region: str) -> None:
    """Make the target's API call, from inside a task. Raises ServiceError as the API does."""
    arn = target["Arn"]
    if universal := _UNIVERSAL.fullmatch(arn):
        service = SDK_NAMES.get(universal[1].lower(), universal[1].lower())
        operation = _operation(world, service, universal[2])
        params = _params(operation, json.loads(body))
        world.call(service, operation.name, params, caller, region=region)
        return
    if arn.split(":", 3)[2] == "events":
        named = target["EventBridgeParameters"]
        entry = {
            "Source": named["Source"],
            "DetailType": named["DetailType"],
            "Detail": body,
            "EventBusName": arn,
        }
        answer = world.call("events", "PutEvents", {"Entries": [entry]}, caller, region=arn.split(":")[3])
        for result in answer.get("Entries", ()):
            if "ErrorCode" in result:
                raise ServiceError(result["ErrorCode"], result.get("ErrorMessage", ""))
        return
    delivery = Delivery(
        arn,
        body,
        caller,
        message_group_id=(target.get("SqsParameters") or {}).get("MessageGroupId", ""),
        partition_key=(target.get("KinesisParameters") or {}).get("PartitionKey", ""),
    )
    deliver(world, delivery)


def _params(operation: OperationModel, given: dict[str, Any]) -> dict[str, Any]:
    """A universal target's input as the API's parameters. Raises the ValidationException of the API."""
    shape = operation.input_shape
    if shape is None:
        return {}
    params: dict[str, Any] = _typed(given, shape)
    report = botocore.validate.ParamValidator().validate(params, shape)
    if report.has_errors():
        raise ServiceError("ValidationException", report.generate_report())
    return params


def _typed(value: Any, shape: Shape) -> Any:
    """JSON in the types of a shape: blobs are text here; a member's first letter may be of either case."""
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict):
        members = shape.members
        result = {}
        for name, item in value.items():
            known = name if name in members else name[:1].swapcase() + name[1:]
            result[known] = _typed(item, members[known]) if known in members else item
        return result
    if kind == "list" and isinstance(value, list):
        return [_typed(item, shape.member) for item in value]
    if kind == "map" and isinstance(value, dict):
        return {name: _typed(item, shape.value) for name, item in value.items()}
    if kind == "blob" and isinstance(value, str):
        return value.encode()
    if kind == "blob" and isinstance(value, dict | list):
        return json.dumps(value, separators=(",", ":")).encode()
    return value


def _parsed(text: str) -> Any:
    """JSON, or None if it is not (a bare ``null`` counts as none, too)."""
    try:
        return json.loads(text)
    except ValueError:
        return None
