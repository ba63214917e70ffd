"""Runs ``async_invocation.json`` and ``async_settings.json``.

A case of the first: the function's settings (``create``, ``reserved``, ``config`` by qualifier), one event
(``payload``, to the function or ``invoke``: its name with a qualifier) and what each attempt meets
(``attempts``: ok, error, throttle, timeout). Then, with no latency and handlers that take a millisecond:
``gaps``: seconds from the event, then from attempt to attempt (of a throttle's wait, the least and the most);
``sent``: the API calls that deliver the destination's record (parts of it by path) and the dead letter.

A case of the second is a refused or accepted call on the settings of asynchronous invocation, an alias, a
permission, reserved concurrency.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from infra.cloud.local.functions.concurrency import throttled
from infra.cloud.local.kernel import SECOND
from infra.cloud.local.service import ServiceError
from tests.unit.lambda_fakes import T0, FakeWorld, HandlerError

_HERE = Path(__file__).parent


def _cases(name: str) -> list[Any]:
    cases = json.loads((_HERE / f"{name}.json").read_text(encoding="utf-8"))
    return [pytest.param(case, id=case["name"]) for case in cases]


class Script:
    """Decides what each attempt meets, and notes when it came (seconds since the start)."""

    def __init__(self, world: FakeWorld, attempts: list[str]) -> None:
        self.world = world
        self.attempts = list(attempts)
        self.times: list[float] = []
        self.next = ""
        self._acquire = world.functions.concurrency.acquire
        world.functions.concurrency.acquire = self.acquire  # type: ignore[method-assign]
        world.behaviour = self.run

    def acquire(self, version: Any, qualifier: str | None, *, synchronous: bool) -> Any:
        if version.function.name != "worker":
            return self._acquire(version, qualifier, synchronous=synchronous)
        self.times.append((self.world.kernel.now - T0) / SECOND)
        self.next = self.attempts.pop(0) if self.attempts else "unexpected"
        if self.next == "throttle" and len(self.attempts) == 0:
            self.attempts.append("throttle")  # and so on
        if self.next == "throttle":
            raise throttled("ReservedFunctionConcurrentInvocationLimitExceeded")
        return self._acquire(version, qualifier, synchronous=synchronous)

    def run(self, payload: bytes) -> Any:
        if self.next == "error":
            raise HandlerError("no luck")
        return {"done": json.loads(payload or b"{}")}


def _at(document: Any, path: str) -> Any:
    for part in path.split("/"):
        if not isinstance(document, dict) or part not in document:
            return None
        document = document[part]
    return document


def _matches(sent: tuple[str, dict[str, Any]], expected: dict[str, Any]) -> None:
    call, params = sent
    assert call == expected["call"]
    body = next(
        params[name] for name in ("MessageBody", "Message", "Payload", "Body", "Entries") if name in params
    )
    if call == "events.PutEvents":
        (entry,) = body
        assert {name: entry[name] for name in expected["entry"]} == expected["entry"]
        body = entry["Detail"]
    if "body" in expected:
        assert body == expected["body"]
    record = json.loads(body)
    for path, value in expected.get("record", {}).items():
        assert (path, _at(record, path)) == (path, value)
    if "order" in expected:
        assert list(record) == expected["order"]
    attributes = {name: value["StringValue"] for name, value in params.get("MessageAttributes", {}).items()}
    attributes.pop("RequestID", None)
    assert attributes == expected.get("attributes", {})


@pytest.mark.parametrize("case", _cases("async_invocation"))
def test_async_invocation(case: dict[str, Any]) -> None:
    world = FakeWorld()
    for call in ("sns.Publish", "s3.PutObject", "events.PutEvents"):
        world.answers[call] = {"FailedEntryCount": 0, "Entries": []}
    world.create(**case.get("create", {}))
    world.create("next")
    world.do("PublishVersion", FunctionName="worker")
    world.do("CreateAlias", FunctionName="worker", Name="live", FunctionVersion="1")
    for qualifier, config in case.get("config", {}).items():
        world.do("PutFunctionEventInvokeConfig", FunctionName="worker", Qualifier=qualifier, **config)
    if "reserved" in case:
        world.do(
            "PutFunctionConcurrency",
            FunctionName="worker",
            ReservedConcurrentExecutions=case["reserved"],
        )
    for call, refused in case.get("refused", {}).items():
        world.answers[call] = ServiceError(*refused)
    script = Script(world, case["attempts"])
    world.calls.clear()
    payload = case.get("payload", {"order": 1})
    answer = world.do(
        "Invoke",
        FunctionName=case.get("invoke", "worker"),
        InvocationType="Event",
        Payload=b"" if payload == "" else json.dumps(payload).encode(),
    )
    assert answer == {"StatusCode": 202, "Payload": b""}
    world.kernel.settle()
    before = 0.0
    gaps = []
    for at in script.times:
        gaps.append(round(at - before, 3))
        before = at
    if "gaps" in case:
        assert len(gaps) == len(case["gaps"]), gaps
        for gap, expected in zip(gaps, case["gaps"], strict=True):
            low, high = expected if isinstance(expected, list) else (expected, expected)
            assert low <= gap <= high, gaps
    if "ends" in case:
        low, high = case["ends"]
        (dropped,) = world.journal.select("lambda.async.dropped")
        assert low <= (dropped.time - T0) / SECOND <= high
    calls = [(f"{service}.{operation}", params) for service, operation, params, _ in world.calls]
    assert len(calls) == len(case["sent"]), calls
    for sent, expected in zip(calls, case["sent"], strict=True):
        _matches(sent, expected)
    outcomes = [entry.outcome for entry in world.journal.select("lambda.async.destination")]
    assert outcomes == case.get("outcomes", ["ok"] * len(calls))


@pytest.mark.parametrize("case", _cases("async_settings"))
def test_async_settings(case: dict[str, Any]) -> None:
    world = FakeWorld()
    world.create()
    world.create("next")
    for timeout in (4, 5):
        world.do("UpdateFunctionConfiguration", FunctionName="worker", Timeout=timeout)
        world.do("PublishVersion", FunctionName="worker")
    world.do("CreateAlias", FunctionName="worker", Name="live", FunctionVersion="1")
    *before, (operation, params) = case["calls"]
    for earlier, given in before:
        world.do(earlier, **given)
    if "refused" in case:
        with pytest.raises(ServiceError) as error:
            world.do(operation, **params)
        assert [error.value.code, error.value.message, error.value.status] == case["refused"]
        return
    answer = world.do(operation, **params)
    for path, value in case["answer"].items():
        assert (path, _at(answer, path)) == (path, value)
