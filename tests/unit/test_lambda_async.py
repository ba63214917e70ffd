"""Asynchronous invocation: retries, back-off, maximum age, destinations, dead-letter queue."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from infra.cloud.local.functions.asynchronous import backoff, next_step
from infra.cloud.local.kernel import SECOND
from infra.cloud.local.service import ServiceError

from .lambda_fakes import ROLE, T0, FakeWorld, HandlerError

ARN = "arn:aws:lambda:us-east-1:123456789012:function:worker"
QUEUE = "arn:aws:sqs:us-east-1:123456789012:records"
URL = "https://sqs.us-east-1.amazonaws.com/123456789012/records"


def fail(payload: bytes) -> Any:
    raise HandlerError("no luck")


def send(world: FakeWorld, payload: bytes = b'{"order": 1}', name: str = "worker") -> str:
    answer = world.do("Invoke", FunctionName=name, InvocationType="Event", Payload=payload)
    assert answer == {"StatusCode": 202, "Payload": b""}
    return str(list(world.journal.select("lambda.async.queued"))[-1].data["request_id"])


def messages(world: FakeWorld) -> list[dict[str, Any]]:
    return [params for service, _, params, _ in world.calls if service == "sqs"]


def test_the_interval_grows_from_a_second_to_five_minutes() -> None:
    assert [backoff(n, 0.0) // SECOND for n in (1, 2, 3, 9, 10, 500)] == [1, 2, 4, 256, 300, 300]
    assert [backoff(n, 1.0) / SECOND for n in (1, 2, 10)] == [0.5, 1, 150]


def test_what_follows_a_function_error() -> None:
    day = 86_400 * SECOND
    assert next_step(1, 2, 0, day) == ("retry", 60 * SECOND)
    assert next_step(2, 2, 0, day) == ("retry", 120 * SECOND)
    assert next_step(3, 2, 0, day) == ("RetriesExhausted", 0)
    assert next_step(1, 0, 0, day) == ("RetriesExhausted", 0)
    assert next_step(1, 2, 1, 60 * SECOND) == ("EventAgeExceeded", 0)


def test_a_function_error_is_retried_after_one_minute_and_after_two_more() -> None:
    world = FakeWorld()
    world.create()
    world.behaviour = fail
    request = send(world)
    world.kernel.settle()
    assert [
        (at, what, data.get("attempt"), data.get("reason"))
        for at, what, _, data in world.facts(
            "lambda.async.queued", "lambda.invocation", "lambda.async.retry", "lambda.async.dropped"
        )
    ] == [
        (0.0, "lambda.async.queued", 0, ""),
        (0.001, "lambda.invocation", None, None),
        (0.001, "lambda.async.retry", 1, "ValueError"),
        (60.002, "lambda.invocation", None, None),
        (60.002, "lambda.async.retry", 2, "ValueError"),
        (180.003, "lambda.invocation", None, None),
        (180.003, "lambda.async.dropped", 3, "RetriesExhausted"),
    ]
    runs = [entry.data for entry in world.journal.select("lambda.invocation")]
    assert {data["request_id"] for data in runs} == {request}
    assert {data["invoked_by"] for data in runs} == {"async"}
    assert {data["arrived"] for data in runs} == {world.journal.entries[0].time}


def test_the_record_of_a_failure_goes_to_its_destination_as_the_functions_role() -> None:
    world = FakeWorld()
    world.create()
    world.behaviour = fail
    world.do(
        "PutFunctionEventInvokeConfig",
        FunctionName="worker",
        MaximumRetryAttempts=1,
        DestinationConfig={"OnFailure": {"Destination": QUEUE}},
    )
    request = send(world)
    world.kernel.settle()
    _, _, params, caller = world.calls[-1]
    assert (caller.kind, caller.name, caller.role) == ("service", "lambda", ROLE)
    assert params["QueueUrl"] == URL
    assert json.loads(params["MessageBody"]) == {
        "version": "1.0",
        "timestamp": "1970-01-12T13:47:40.002Z",
        "requestContext": {
            "requestId": request,
            "functionArn": f"{ARN}:$LATEST",
            "condition": "RetriesExhausted",
            "approximateInvokeCount": 2,
        },
        "requestPayload": {"order": 1},
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "responsePayload": {"errorType": "ValueError", "errorMessage": "no luck"},
    }
    assert [fact[2:] for fact in world.facts("lambda.async.destination")] == [
        ("ok", {"request_id": request, "attempt": 2, "reason": "destination", "to": QUEUE})
    ]


def test_the_record_of_a_success_can_invoke_another_function() -> None:
    world = FakeWorld()
    world.create()
    world.create("next")
    seen: list[dict[str, Any]] = []

    def remember(payload: bytes) -> dict[str, bool]:
        seen.append(json.loads(payload))
        return {"done": True}

    world.behaviour = remember
    target = "arn:aws:lambda:us-east-1:123456789012:function:next"
    world.do(
        "PutFunctionEventInvokeConfig",
        FunctionName="worker",
        DestinationConfig={"OnSuccess": {"Destination": target}},
    )
    send(world)
    world.kernel.settle()
    assert seen[0] == {"order": 1}
    assert seen[1]["requestContext"]["condition"] == "Success"
    assert seen[1]["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST"}
    assert seen[1]["responsePayload"] == {"done": True}


def test_a_missing_permission_loses_the_record_and_says_so() -> None:
    world = FakeWorld()
    world.create()
    world.answers["sqs.SendMessage"] = ServiceError(
        "AccessDenied", "not authorized to perform: sqs:sendmessage", 403
    )
    world.do(
        "PutFunctionEventInvokeConfig",
        FunctionName="worker",
        DestinationConfig={"OnSuccess": {"Destination": QUEUE}},
    )
    send(world)
    world.kernel.settle()
    assert [fact[2] for fact in world.facts("lambda.async.destination")] == ["AccessDenied"]


def test_a_dead_letter_queue_gets_the_event_itself() -> None:
    world = FakeWorld()
    world.create(DeadLetterConfig={"TargetArn": QUEUE})
    world.behaviour = fail
    world.do("PutFunctionEventInvokeConfig", FunctionName="worker", MaximumRetryAttempts=0)
    request = send(world)
    world.kernel.settle()
    assert messages(world) == [
        {
            "QueueUrl": URL,
            "MessageBody": '{"order": 1}',
            "MessageAttributes": {
                "RequestID": {"DataType": "String", "StringValue": request},
                "ErrorCode": {"DataType": "Number", "StringValue": "200"},
                "ErrorMessage": {"DataType": "String", "StringValue": "no luck"},
            },
        }
    ]


def test_a_role_that_may_not_send_to_the_dead_letter_queue_is_refused() -> None:
    world = FakeWorld()
    world.identity.refuse = True
    with pytest.raises(ServiceError, match="does not have permissions to call SendMessage on SQS"):
        world.create(DeadLetterConfig={"TargetArn": QUEUE})


def test_a_throttled_event_waits_and_costs_no_attempt() -> None:
    world = FakeWorld()
    world.create()
    world.do("PutFunctionConcurrency", FunctionName="worker", ReservedConcurrentExecutions=1)
    world.duration_us = 10 * SECOND
    send(world)
    send(world)
    world.kernel.settle()
    retries = world.facts("lambda.async.retry")
    assert {(data["attempt"], data["reason"]) for *_, data in retries} == {
        (0, "ReservedFunctionConcurrentInvocationLimitExceeded")
    }
    first, second = (at for at, *_ in world.facts("lambda.invocation"))
    tries = [at for at, *_ in retries] + [second - 10]
    gaps = [after - before for before, after in itertools.pairwise(tries)]
    assert first == 10.0
    assert len(gaps) in (4, 5)
    assert all(2**n / 2 <= gap <= 2**n for n, gap in enumerate(gaps))


def test_an_event_that_stays_throttled_for_its_maximum_age_is_discarded() -> None:
    world = FakeWorld()
    world.create()
    world.duration_us = 7 * 3600 * SECOND
    world.do("PutFunctionConcurrency", FunctionName="worker", ReservedConcurrentExecutions=1)
    world.do(
        "PutFunctionEventInvokeConfig",
        FunctionName="worker",
        DestinationConfig={"OnFailure": {"Destination": QUEUE}},
    )
    send(world)
    send(world)
    world.kernel.settle()
    ((at, _, _, data),) = world.facts("lambda.async.dropped")
    assert data["reason"] == "EventAgeExceeded"
    assert 6 * 3600 - 300 < at <= 6 * 3600
    record = json.loads(messages(world)[0]["MessageBody"])
    assert record["requestContext"]["approximateInvokeCount"] == 0
    assert record["responseContext"] == {"statusCode": 429}


def test_reserved_concurrency_zero_sends_the_event_to_the_failure_destination_at_once() -> None:
    world = FakeWorld()
    world.create()
    world.do("PutFunctionConcurrency", FunctionName="worker", ReservedConcurrentExecutions=0)
    world.do(
        "PutFunctionEventInvokeConfig",
        FunctionName="worker",
        DestinationConfig={"OnFailure": {"Destination": QUEUE}},
    )
    send(world)
    world.kernel.settle()
    record = json.loads(messages(world)[0]["MessageBody"])
    assert record["requestContext"]["condition"] == "ZeroReservedConcurrency"
    assert "responseContext" not in record
    assert [(at, data["reason"]) for at, _, _, data in world.facts("lambda.async.dropped")] == [
        (0.0, "ZeroReservedConcurrency")
    ]


def test_the_settings_of_the_alias_apply_to_its_events() -> None:
    world = FakeWorld()
    world.create()
    world.do("PublishVersion", FunctionName="worker")
    world.do("CreateAlias", FunctionName="worker", Name="live", FunctionVersion="1")
    world.do("PutFunctionEventInvokeConfig", FunctionName="worker", Qualifier="live", MaximumRetryAttempts=0)
    world.behaviour = fail
    send(world, name="worker:live")
    world.kernel.settle()
    assert len(world.facts("lambda.invocation")) == 1
    send(world, name="worker")
    world.kernel.settle()
    assert len(world.facts("lambda.invocation")) == 4


def test_events_of_a_deleted_function_are_dropped() -> None:
    world = FakeWorld()
    world.create()
    world.behaviour = fail
    send(world)
    world.kernel.advance(SECOND)
    world.do("DeleteFunction", FunctionName="worker")
    world.kernel.settle()
    assert [data["reason"] for *_, data in world.facts("lambda.async.dropped")] == [
        "ResourceNotFoundException"
    ]


def test_a_thousand_events_wait_without_polling() -> None:
    world = FakeWorld()
    world.create()
    world.do("PutFunctionConcurrency", FunctionName="worker", ReservedConcurrentExecutions=100)
    for _ in range(1_000):
        world.functions.enqueue("worker", b"{}", invoked_by="sns")
    world.kernel.settle()
    assert len(world.facts("lambda.invocation")) == 1_000
    assert world.kernel.now < T0 + 10 * SECOND
    before = world.kernel.events
    world.kernel.advance(86_400 * SECOND)
    assert (
        world.kernel.events - before < 20
    )  # the idle environments end: one timer for all that were used last together


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "You must specify at least one"),
        ({"MaximumRetryAttempts": 3}, "less than or equal to 2"),
        ({"MaximumEventAgeInSeconds": 59}, "greater than or equal to 60"),
        ({"DestinationConfig": {"OnFailure": {"Destination": ARN}}}, "destination for itself"),
        ({"DestinationConfig": {"OnFailure": {"Destination": "records"}}}, "at 'destinationConfig.onFailure"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, Any], message: str) -> None:
    world = FakeWorld()
    world.create()
    with pytest.raises(ServiceError, match=message):
        world.do("PutFunctionEventInvokeConfig", FunctionName="worker", **settings)


def test_event_invoke_settings_are_kept_changed_and_removed() -> None:
    world = FakeWorld()
    world.create()
    world.do("PutFunctionEventInvokeConfig", FunctionName="worker", MaximumRetryAttempts=0)
    answer = world.do("UpdateFunctionEventInvokeConfig", FunctionName="worker", MaximumEventAgeInSeconds=60)
    assert (answer["MaximumRetryAttempts"], answer["MaximumEventAgeInSeconds"]) == (0, 60)
    assert answer["FunctionArn"] == f"{ARN}:$LATEST"
    assert world.do("ListFunctionEventInvokeConfigs", FunctionName="worker") == {
        "FunctionEventInvokeConfigs": [answer]
    }
    world.do("DeleteFunctionEventInvokeConfig", FunctionName="worker")
    with pytest.raises(ServiceError, match="doesn't have an EventInvokeConfig"):
        world.do("GetFunctionEventInvokeConfig", FunctionName="worker")
