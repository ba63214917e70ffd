"""Where the record of an asynchronous invocation goes: on-success and on-failure destinations, dead-letter
queue.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html (destinations and the
record) and https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html#invocation-dlq
(dead-letter queues: the event itself, with the attributes RequestID, ErrorCode, ErrorMessage).

Lambda delivers with the permissions of the function's role, once, and counts a failure
(``DestinationDeliveryFailures``, ``DeadLetterErrors``: journal ``lambda.async.destination`` with its error
code)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..ids import uuid4
from ..routes.targets import Delivery, deliver
from ..service import Caller, ServiceError
from .names import LATEST
from .validation import arn_service

if TYPE_CHECKING:
    from ..world import World
    from .asynchronous import Event
    from .invocation import Invocation
    from .registry import Target

SUCCESS = "Success"
RETRIES_EXHAUSTED = "RetriesExhausted"
EVENT_AGE_EXCEEDED = "EventAgeExceeded"
ZERO_RESERVED = "ZeroReservedConcurrency"
RECURSIVE_LOOP = "RecursiveLoop"
"""An assumption: AWS does not publish what the record says of an event that ended a recursive loop."""

DEAD_LETTER_MESSAGE_LIMIT = 1024
"""ErrorMessage carries the first 1 KB of the error message."""


def invocation_record(
    *,
    timestamp: str,
    request_id: str,
    function_arn: str,
    condition: str,
    attempts: int,
    payload: bytes,
    response: dict[str, Any] | None,
    response_payload: bytes | None,
) -> str:
    """The invocation record, version 1.0, as JSON text. ``function_arn`` is qualified (with ``:$LATEST``
    too)."""
    record: dict[str, Any] = {
        "version": "1.0",
        "timestamp": timestamp,
        "requestContext": {
            "requestId": request_id,
            "functionArn": function_arn,
            "condition": condition,
            "approximateInvokeCount": attempts,
        },
        "requestPayload": json.loads(payload or b"{}"),
    }
    if response is not None:
        record["responseContext"] = response
    if response_payload is not None:
        record["responsePayload"] = _parsed(response_payload)
    return json.dumps(record, separators=(",", ":"), ensure_ascii=False)


def response_context(invocation: Invocation | None, throttled: bool) -> dict[str, Any] | None:
    """What the record says of the last attempt: the function's answer, a refusal (429), or nothing at all."""
    if throttled:
        return {"statusCode": 429}
    if invocation is None:
        return None
    context: dict[str, Any] = {"statusCode": 200, "executedVersion": invocation.executed_version}
    if invocation.function_error is not None:
        context["functionError"] = invocation.function_error
    return context


def dead_letter_attributes(
    request_id: str, condition: str, invocation: Invocation | None, throttled: bool
) -> dict[str, dict[str, str]]:
    """The attributes of a dead-letter message."""
    code = 200
    if throttled:
        code, message = 429, "Rate Exceeded."
    elif condition == ZERO_RESERVED:
        code, message = (
            429,
            "Function not invoked. Function is configured with zero reserved concurrent executions",
        )
    elif invocation is None:
        code, message = 429, "The event was in the queue for too long."
    else:
        answer = _parsed(invocation.payload)
        message = str(answer.get("errorMessage", "")) if isinstance(answer, dict) else ""
    message = message.encode()[:DEAD_LETTER_MESSAGE_LIMIT].decode(errors="ignore")
    attributes = {
        "RequestID": {"DataType": "String", "StringValue": request_id},
        "ErrorCode": {"DataType": "Number", "StringValue": str(code)},
    }
    if message:  # SQS refuses an empty attribute
        attributes["ErrorMessage"] = {"DataType": "String", "StringValue": message}
    return attributes


class Destinations:
    """Delivers records as the function's role. Call it from a task: a delivery takes an API call's time."""

    def __init__(self, world: World) -> None:
        self._world = world

    def deliver(self, event: Event, target: Target, role: str, to: str, body: str, condition: str) -> None:
        """The record of an invocation, in the form that the destination takes."""
        function = f"{target.function.arn}:{target.qualifier or LATEST}"
        caller = _caller(event, role)
        service = arn_service(to)
        if service == "events":
            outcome = self._attempt(self._put_event, to, function, body, condition, caller)
        elif service == "s3":
            outcome = self._attempt(self._put_object, to, target.function.name, body, caller)
        else:
            outcome = self._attempt(deliver, self._world, Delivery(to, body, caller))
        self._note(event, "destination", to, outcome)

    def bury(self, event: Event, role: str, to: str, body: str, attributes: dict[str, Any]) -> None:
        """The event itself, to the function's dead-letter queue or topic."""
        delivery = Delivery(to, body, _caller(event, role), message_attributes=attributes)
        self._note(event, "dead-letter queue", to, self._attempt(deliver, self._world, delivery))

    def _put_event(self, bus: str, function: str, record: str, condition: str, caller: Caller) -> None:
        """https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html"""
        result = "Success" if condition == SUCCESS else "Failure"
        entry = {
            "EventBusName": bus,
            "Source": "lambda",
            "DetailType": f"Lambda Function Invocation Result - {result}",
            "Resources": [bus, function],
            "Detail": record,
        }
        region = bus.split(":")[3]
        answer = self._world.call("events", "PutEvents", {"Entries": [entry]}, caller, region=region)
        if answer["FailedEntryCount"]:
            failed = answer["Entries"][0]
            raise ServiceError(failed["ErrorCode"], failed["ErrorMessage"])

    def _put_object(self, bucket: str, function: str, record: str, caller: Caller) -> None:
        """The key's form is documented on the page above, "S3 destinations"."""
        now = self._world.datetime()
        number = uuid4(self._world.kernel.rng("lambda.destinations"))
        key = f"aws/lambda/async/{function}/{now:%Y/%m/%d}/{now:%Y-%m-%dT%H.%M.%S}-{number}"
        params = {"Bucket": bucket.rpartition(":")[2], "Key": key, "Body": record.encode()}
        self._world.call("s3", "PutObject", params, caller)

    @staticmethod
    def _attempt(call: Callable[..., Any], *args: Any) -> str:
        try:
            call(*args)
        except ServiceError as error:
            return error.code
        return "ok"

    def _note(self, event: Event, reason: str, to: str, outcome: str) -> None:
        self._world.journal.record(
            "lambda.async.destination",
            event.function,
            actor="lambda",
            outcome=outcome,
            trace=event.trace,
            data={"request_id": event.request_id, "attempt": event.attempts, "reason": reason, "to": to},
        )


def _caller(event: Event, role: str) -> Caller:
    return Caller("service", "lambda", role=role, invocation=event.request_id, trace=event.trace)


def _parsed(payload: bytes) -> Any:
    try:
        return json.loads(payload)
    except ValueError:
        return payload.decode(errors="replace")
