"""A pipe's calls of its target: one call for a batch, by the target's batch API where it has one.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-batching-concurrency.html and
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-event-target.html. Functions and state
machines get the whole batch as an array, also of one.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ...service import Caller, ServiceError
from ..eventbridge.model import Event as BusEvent
from ..eventbridge.model import Target
from ..eventbridge.retries import RetryPolicy
from ..targets import queue_url
from .model import TARGET_PARAMETERS, Pipe, service_of
from .transform import Event, as_array, parameter

if TYPE_CHECKING:
    from ...world import World


@dataclasses.dataclass(frozen=True, slots=True)
class Shipment:
    """A batch at the target's door: each event, and the text that the target's template made of it."""

    pipe: Pipe
    events: list[Event]
    texts: list[str]
    caller: Caller

    @property
    def target(self) -> str:
        return str(self.pipe.request["Target"])

    @property
    def parameters(self) -> dict[str, Any]:
        given = self.pipe.request.get("TargetParameters") or {}
        return given.get(TARGET_PARAMETERS.get(service_of(self.target), "")) or {}


@dataclasses.dataclass(frozen=True, slots=True)
class Result:
    """``failed`` are positions in the batch; ``answer`` is what a function or an execution returned."""

    failed: list[int]
    answer: bytes = b""
    code: str = ""


def ship(world: World, shipment: Shipment) -> Result:
    """Call the target, from inside a task. Raises ServiceError if all of it has failed."""
    return _SHIPPERS[service_of(shipment.target)](world, shipment)


def call_function(world: World, arn: str, payload: str, caller: Caller, *, wait: bool = True) -> bytes:
    """Invoke, and return the answer (nothing, if it is not waited for). A function's error is an error."""
    params = {
        "FunctionName": arn,
        "InvocationType": "RequestResponse" if wait else "Event",
        "Payload": payload.encode(),
    }
    answer = world.call("lambda", "Invoke", params, caller, region=_region(arn))
    if answer.get("FunctionError"):
        raise ServiceError("FunctionError", _read(answer.get("Payload")).decode(errors="replace"))
    return _read(answer.get("Payload")) if wait else b""


def call_express(world: World, arn: str, payload: str, caller: Caller) -> bytes:
    """StartSyncExecution; an execution that does not succeed is an error."""
    params = {"stateMachineArn": arn, "input": payload}
    answer = world.call("stepfunctions", "StartSyncExecution", params, caller, region=_region(arn))
    if answer.get("status") != "SUCCEEDED":
        raise ServiceError(answer.get("error") or str(answer.get("status")), answer.get("cause") or "")
    return str(answer.get("output") or "").encode()


def call_destination(
    world: World, arn: str, given: dict[str, Any] | None, event: Event, text: str, caller: Caller
) -> bytes:
    """One request to an API destination, in its turn; returns the body of the answer.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/pipes-enrichment.html
    """
    target = Target({"Arn": arn, "HttpParameters": given or {}}, RetryPolicy())
    turn = world.events.turn(arn)
    if turn > world.kernel.now:
        world.kernel.sleep(turn - world.kernel.now)
    fields = event.decoded if isinstance(event.decoded, dict) else {}
    envelope = BusEvent(fields, world.kernel.now, caller.trace)
    return world.events.invoke_destination(target, envelope, text, caller, world).body.encode()


def _destination(world: World, shipment: Shipment) -> Result:
    """An enrichment may have answered several events: one request each."""
    for event, text in zip(shipment.events, shipment.texts, strict=True):
        call_destination(world, shipment.target, shipment.parameters, event, text, shipment.caller)
    return Result([])


def _function(world: World, shipment: Shipment) -> Result:
    wait = shipment.parameters.get("InvocationType", "REQUEST_RESPONSE") == "REQUEST_RESPONSE"
    payload = as_array(shipment.texts)
    return Result([], call_function(world, shipment.target, payload, shipment.caller, wait=wait))


def _state_machine(world: World, shipment: Shipment) -> Result:
    payload = as_array(shipment.texts)
    if shipment.parameters.get("InvocationType", "REQUEST_RESPONSE") == "REQUEST_RESPONSE":
        return Result([], call_express(world, shipment.target, payload, shipment.caller))
    params = {"stateMachineArn": shipment.target, "input": payload}
    world.call("stepfunctions", "StartExecution", params, shipment.caller, region=_region(shipment.target))
    return Result([])


def _queue(world: World, shipment: Shipment) -> Result:
    given = shipment.parameters
    entries = []
    for position, (event, text) in enumerate(zip(shipment.events, shipment.texts, strict=True)):
        entry: dict[str, Any] = {"Id": str(position), "MessageBody": text}
        for name in ("MessageGroupId", "MessageDeduplicationId"):
            if given.get(name):
                entry[name] = parameter(given[name], event)
        entries.append(entry)
    params = {"QueueUrl": queue_url(shipment.target), "Entries": entries}
    answer = world.call("sqs", "SendMessageBatch", params, shipment.caller, region=_region(shipment.target))
    return _by_id(answer)


def _topic(world: World, shipment: Shipment) -> Result:
    entries = [{"Id": str(position), "Message": text} for position, text in enumerate(shipment.texts)]
    params = {"TopicArn": shipment.target, "PublishBatchRequestEntries": entries}
    answer = world.call("sns", "PublishBatch", params, shipment.caller, region=_region(shipment.target))
    return _by_id(answer)


def _bus(world: World, shipment: Shipment) -> Result:
    """Without Source and DetailType: ``Pipe NAME``, ``Event from aws:sqs``."""
    given = shipment.parameters
    entries = []
    for event, text in zip(shipment.events, shipment.texts, strict=True):
        kind = shipment.pipe.source_service
        entry: dict[str, Any] = {
            "EventBusName": shipment.target,
            "Source": parameter(given.get("Source") or f"Pipe {shipment.pipe.name}", event),
            "DetailType": parameter(given.get("DetailType") or f"Event from aws:{kind}", event),
            "Detail": text,
        }
        if given.get("Resources"):
            entry["Resources"] = [parameter(resource, event) for resource in given["Resources"]]
        if given.get("Time"):
            entry["Time"] = _time(parameter(given["Time"], event))
        entries.append(entry)
    params = {"Entries": entries}
    answer = world.call("events", "PutEvents", params, shipment.caller, region=_region(shipment.target))
    return _in_order(answer.get("Entries", []))


def _stream(world: World, shipment: Shipment) -> Result:
    key = shipment.parameters.get("PartitionKey") or ""
    records = [
        {"Data": text.encode(), "PartitionKey": parameter(key, event)}
        for event, text in zip(shipment.events, shipment.texts, strict=True)
    ]
    params = {"StreamARN": shipment.target, "Records": records}
    answer = world.call("kinesis", "PutRecords", params, shipment.caller, region=_region(shipment.target))
    return _in_order(answer.get("Records", []))


def _log_group(world: World, shipment: Shipment) -> Result:
    """The stream is made if it is not there; the time of an event is now, or what ``Timestamp`` points to."""
    given = shipment.parameters
    group = shipment.target.split(":log-group:")[1].removesuffix(":*")
    now = world.kernel.now // 1000
    by_stream: dict[str, list[dict[str, Any]]] = {}
    for event, text in zip(shipment.events, shipment.texts, strict=True):
        stream = parameter(given.get("LogStreamName") or shipment.pipe.name, event)
        at = parameter(given.get("Timestamp") or "", event)
        time = int(at) if at.isdigit() else now
        by_stream.setdefault(stream, []).append({"timestamp": time, "message": text})
    region = _region(shipment.target)
    for stream, lines in by_stream.items():
        named = {"logGroupName": group, "logStreamName": stream}
        try:
            world.call("logs", "CreateLogStream", named, shipment.caller, region=region)
        except ServiceError as error:
            if error.code != "ResourceAlreadyExistsException":
                raise
        lines.sort(key=lambda line: int(line["timestamp"]))
        params = {**named, "logEvents": lines}
        world.call("logs", "PutLogEvents", params, shipment.caller, region=region)
    return Result([])


_SHIPPERS: dict[str, Callable[[World, Shipment], Result]] = {
    "api-destination": _destination,
    "event-bus": _bus,
    "kinesis": _stream,
    "lambda": _function,
    "logs": _log_group,
    "sns": _topic,
    "sqs": _queue,
    "states": _state_machine,
}


def _by_id(answer: dict[str, Any]) -> Result:
    failed = answer.get("Failed") or []
    return Result(sorted(int(entry["Id"]) for entry in failed), code=failed[0]["Code"] if failed else "")


def _in_order(results: list[dict[str, Any]]) -> Result:
    failed = [position for position, result in enumerate(results) if result.get("ErrorCode")]
    return Result(failed, code=results[failed[0]]["ErrorCode"] if failed else "")


def _time(text: str) -> Any:
    """An event's time: ISO 8601, or seconds or milliseconds since the epoch."""
    if text.isdigit():
        number = int(text)
        return number / 1000 if number > 100_000_000_000 else number
    return text


def _read(payload: Any) -> bytes:
    if hasattr(payload, "read"):
        return bytes(payload.read())
    return payload if isinstance(payload, bytes) else json.dumps(payload).encode() if payload else b""


def _region(arn: str) -> str | None:
    return arn.split(":", 5)[3] or None
