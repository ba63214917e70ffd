"""Mappings of queues at work: real queues, a stand-in for the function, whole records in virtual time."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from infra.cloud.local.kernel import MILLISECOND, SECOND
from infra.cloud.local.service import NOTEBOOK, Call, ServiceError
from infra.cloud.local.sources.mappings import TRANSITION, Sources
from infra.cloud.local.world import World

ROLE = "arn:aws:iam::123456789012:role/worker"
LATENCY = {"*": 0, "sqs.ReceiveMessage": 20, "sqs.DeleteMessageBatch": 10}


class Functions:
    """What a mapping needs of Lambda. ``handler`` gets the event; ``limit`` is the reserved concurrency."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.handler: Callable[[dict[str, Any]], Any] = lambda event: None
        self.duration = 100 * MILLISECOND
        self.limit = 1000
        self.running = self.most = self.throttles = 0
        self.timeout_s = 30
        self.batches: list[tuple[int, list[str]]] = []
        self.arrivals: list[int] = []

    def target(self, text: str) -> Any:
        name, _, qualifier = text.removeprefix(self.function_arn("")).partition(":")
        if name == "missing":
            raise ServiceError("ResourceNotFoundException", "Function not found", 404)
        arn = self.function_arn(name)
        return SimpleNamespace(
            function=SimpleNamespace(name=name, arn=arn),
            qualifier=qualifier or None,
            invoked_arn=f"{arn}:{qualifier}" if qualifier else arn,
        )

    def find_version(self, function: Any, qualifier: str | None) -> Any:
        return SimpleNamespace(configuration=SimpleNamespace(role=None, timeout_s=self.timeout_s))

    def reference(self, text: str) -> Any:
        target = self.target(text)
        return SimpleNamespace(name=target.function.name, qualifier=target.qualifier)

    def function_arn(self, name: str) -> str:
        return f"arn:aws:lambda:us-east-1:123456789012:function:{name}"

    def invoke(
        self, function: str, payload: bytes, *, invoked_by: str, messages: list[str], trace: str, arrived: int
    ) -> Any:
        if self.running >= self.limit:
            self.throttles += 1
            raise ServiceError("TooManyRequestsException", "Rate Exceeded.", 429)
        self.running += 1
        self.most = max(self.most, self.running)
        event = json.loads(payload)
        assert [record["messageId"] for record in event["Records"]] == messages
        self.batches.append((self.world.kernel.now - T0, [record["body"] for record in event["Records"]]))
        self.arrivals.append(arrived - T0)
        self.world.kernel.sleep(self.duration)
        self.running -= 1
        try:
            answer = self.handler(event)
        except ValueError:
            return SimpleNamespace(payload=b"{}", function_error="Unhandled", error_type="ValueError")
        return SimpleNamespace(payload=json.dumps(answer).encode(), function_error=None, error_type="")


T0 = 0


@pytest.fixture
def world() -> Iterator[World]:
    global T0
    world = World(latency=LATENCY)
    T0 = world.kernel.now
    world.functions = Functions(world)
    world.sources = Sources(world)
    yield world
    world.close()


@pytest.fixture
def functions(world: World) -> Functions:
    return world.functions  # type: ignore[no-any-return]


def queue(world: World, name: str = "orders", **attributes: str) -> str:
    url: str = world.client("sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    return url


def arn(name: str = "orders") -> str:
    return f"arn:aws:sqs:us-east-1:123456789012:{name}"


def api(world: World, operation: str, **params: Any) -> dict[str, Any]:
    call = Call("lambda", operation, params, NOTEBOOK, "us-east-1", "123456789012")
    answer: dict[str, Any] = getattr(world.sources, operation)(call)
    return answer


def mapping(world: World, source: str = "orders", **params: Any) -> str:
    """A mapping that is Enabled already, at T0."""
    global T0
    uuid: str = api(
        world, "CreateEventSourceMapping", FunctionName="worker", EventSourceArn=arn(source), **params
    )["UUID"]
    world.kernel.advance(TRANSITION)
    T0 = world.kernel.now
    return uuid


def send(world: World, url: str, *bodies: str, **params: Any) -> None:
    sqs = world.client("sqs")
    for start in range(0, len(bodies), 10):
        entries = [
            {"Id": str(number), "MessageBody": body, **params}
            for number, body in enumerate(bodies[start : start + 10])
        ]
        sqs.send_message_batch(QueueUrl=url, Entries=entries)


def records(world: World) -> list[tuple[int, str, int, int, int]]:
    """(time in ms, outcome, messages, failed, filtered) of each batch."""
    return [
        (
            (entry.time - T0) // MILLISECOND,
            entry.outcome,
            len(entry.data["messages"]),
            len(entry.data["failed"]),
            len(entry.data["filtered"]),
        )
        for entry in world.journal.select("esm.batch")
    ]


def counts(world: World, name: str = "orders") -> tuple[int, int, int]:
    found: tuple[int, int, int] = world.sqs.queue(arn(name)).counts()
    return found


# -- the normal course -----------------------------------------------------------------------------------


def test_a_message_is_received_processed_and_deleted(world: World, functions: Functions) -> None:
    url = queue(world)
    uuid = mapping(world)
    send(world, url, "a", "b")
    world.kernel.settle()
    assert functions.batches == [(10 * MILLISECOND, ["a", "b"])]
    assert functions.arrivals == [10 * MILLISECOND]
    assert records(world) == [(120, "ok", 2, 0, 0)]
    entry = next(world.journal.select("esm.batch"))
    assert (entry.resource, entry.actor, entry.duration) == (uuid, "lambda", 110 * MILLISECOND)
    assert counts(world) == (0, 0, 0)
    received = [entry.data["poller"] for entry in world.journal.select("sqs.received")]
    assert received == [uuid]


def test_without_the_setting_the_answer_does_not_matter(world: World, functions: Functions) -> None:
    functions.handler = lambda event: {"batchItemFailures": [{"itemIdentifier": "nonsense"}]}
    url = queue(world)
    mapping(world)
    send(world, url, "a")
    world.kernel.settle()
    assert records(world) == [(120, "ok", 1, 0, 0)]
    assert counts(world) == (0, 0, 0)


def test_a_failed_batch_comes_back_when_its_visibility_timeout_ends(
    world: World, functions: Functions
) -> None:
    attempts: list[str] = []

    def handler(event: dict[str, Any]) -> None:
        attempts.append(event["Records"][0]["attributes"]["ApproximateReceiveCount"])
        if len(attempts) == 1:
            raise ValueError

    functions.handler = handler
    url = queue(world, VisibilityTimeout="30")
    mapping(world)
    send(world, url, "a")
    world.kernel.settle()
    assert records(world) == [(110, "ValueError", 1, 1, 0), (30_120, "ok", 1, 0, 0)]
    assert attempts == ["1", "2"]
    assert not list(world.journal.select("sqs.visibility"))


def test_reported_failures_come_back_alone_and_end_in_the_dead_letter_queue(
    world: World, functions: Functions
) -> None:
    def handler(event: dict[str, Any]) -> dict[str, Any]:
        bad = [record["messageId"] for record in event["Records"] if record["body"] == "bad"]
        return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in bad]}

    functions.handler = handler
    queue(world, "dead")
    redrive = json.dumps({"deadLetterTargetArn": arn("dead"), "maxReceiveCount": 2})
    url = queue(world, VisibilityTimeout="30", RedrivePolicy=redrive)
    mapping(world, FunctionResponseTypes=["ReportBatchItemFailures"])
    send(world, url, "a", "bad", "c")
    world.kernel.settle()
    assert records(world) == [(120, "ok", 3, 1, 0), (30_110, "ok", 1, 1, 0)]
    assert counts(world) == (0, 0, 0)
    assert counts(world, "dead") == (1, 0, 0)


def test_filtered_messages_are_deleted_and_never_seen(world: World, functions: Functions) -> None:
    url = queue(world)
    pattern = json.dumps({"body": {"kind": ["new"]}})
    mapping(world, FilterCriteria={"Filters": [{"Pattern": pattern}]})
    send(world, url, '{"kind": "new"}', '{"kind": "old"}', "plain")
    world.kernel.settle()
    assert [bodies for _, bodies in functions.batches] == [['{"kind": "new"}']]
    assert records(world) == [(130, "ok", 1, 0, 2)]
    assert counts(world) == (0, 0, 0)
    send(world, url, "plain again")
    world.kernel.settle()
    assert records(world)[1:] == [(160, "ok", 0, 0, 1)]
    assert len(functions.batches) == 1


# -- batches ---------------------------------------------------------------------------------------------


def test_a_window_gathers_until_it_is_over(world: World, functions: Functions) -> None:
    url = queue(world)
    mapping(world, BatchSize=100, MaximumBatchingWindowInSeconds=5)
    for number in range(4):
        send(world, url, f"m{number}")
        world.kernel.advance(2 * SECOND)
    world.kernel.settle()
    assert functions.batches == [
        (5 * SECOND, ["m0", "m1", "m2"]),
        (11 * SECOND, ["m3"]),
    ]


def test_a_full_batch_does_not_wait_for_its_window(world: World, functions: Functions) -> None:
    url = queue(world, VisibilityTimeout="900")
    send(world, url, *[str(number) for number in range(60)])
    mapping(world, BatchSize=25, MaximumBatchingWindowInSeconds=300)
    world.kernel.settle()
    assert [(moment // MILLISECOND, len(bodies)) for moment, bodies in functions.batches] == [
        (20, 25),
        (40, 25),
        (300_040, 10),
    ]


def test_a_batch_is_cut_at_six_megabytes(world: World, functions: Functions) -> None:
    url = queue(world)
    for number in range(8):
        send(world, url, str(number) * 1_000_000)
    mapping(world)
    world.kernel.settle()
    assert [[body[0] for body in bodies] for _, bodies in functions.batches] == [list("012345"), list("67")]
    assert records(world) == [(120, "ok", 6, 0, 0), (230, "ok", 2, 0, 0)]


def test_ten_thousand_in_one_batch(world: World, functions: Functions) -> None:
    url = queue(world)
    send(world, url, *[str(number) for number in range(10_000)])
    mapping(world, BatchSize=10_000, MaximumBatchingWindowInSeconds=60)
    world.kernel.settle()
    assert [len(bodies) for _, bodies in functions.batches] == [10_000]
    assert counts(world) == (0, 0, 0)


# -- concurrency -----------------------------------------------------------------------------------------


def test_five_at_first_then_three_hundred_more_a_minute(world: World, functions: Functions) -> None:
    functions.duration = 60 * SECOND
    url = queue(world, VisibilityTimeout="900")
    send(world, url, *[str(number) for number in range(4000)])
    mapping(world)
    world.kernel.run_until(T0 + 15 * MILLISECOND)
    assert functions.most == 5
    world.kernel.run_until(T0 + 30 * SECOND)
    assert functions.most == pytest.approx(155, abs=2)
    world.kernel.run_until(T0 + 59 * SECOND)
    assert functions.most == pytest.approx(300, abs=2)
    world.kernel.settle()
    assert counts(world) == (0, 0, 0)


def test_maximum_concurrency(world: World, functions: Functions) -> None:
    functions.duration = 2 * SECOND
    url = queue(world)
    send(world, url, *[str(number) for number in range(300)])
    mapping(world, ScalingConfig={"MaximumConcurrency": 3})
    world.kernel.settle()
    assert functions.most == 3
    assert sum(len(bodies) for _, bodies in functions.batches) == 300


def test_a_throttled_batch_is_tried_again_while_it_is_invisible(world: World, functions: Functions) -> None:
    functions.limit = 0
    url = queue(world, VisibilityTimeout="30")
    mapping(world)
    send(world, url, "a")
    world.kernel.call_at(T0 + 2 * SECOND, lambda: setattr(functions, "limit", 1))
    world.kernel.settle()
    # 10 ms for the receive, then after 100, 200, 400, 800, 1600 ms
    assert functions.batches == [(3110 * MILLISECOND, ["a"])]
    assert functions.arrivals == [10 * MILLISECOND]
    assert functions.throttles == 5
    assert records(world) == [(3220, "ok", 1, 0, 0)]


def test_reserved_concurrency_below_the_pollers_sends_messages_to_the_dead_letter_queue(
    world: World, functions: Functions
) -> None:
    """What MaximumConcurrency is for: throttled batches use up their receives though nothing ever failed."""
    functions.limit, functions.duration = 1, 25 * SECOND
    queue(world, "dead")
    redrive = json.dumps({"deadLetterTargetArn": arn("dead"), "maxReceiveCount": 1})
    url = queue(world, VisibilityTimeout="30", RedrivePolicy=redrive)
    send(world, url, *[str(number) for number in range(50)])
    mapping(world)
    world.kernel.settle()
    assert counts(world) == (0, 0, 0)
    outcomes = {outcome for _, outcome, *_ in records(world)}
    assert outcomes == {"ok", "TooManyRequestsException"}
    assert counts(world, "dead")[0] > 0
    assert sum(len(bodies) for _, bodies in functions.batches) + counts(world, "dead")[0] == 50


def test_failures_reduce_concurrency_unless_they_are_reported(world: World, functions: Functions) -> None:
    def handler(event: dict[str, Any]) -> None:
        raise ValueError

    functions.handler = handler
    url = queue(world, VisibilityTimeout="900")
    uuid = mapping(world)
    send(world, url, *[str(number) for number in range(100)])
    world.kernel.run_until(T0 + SECOND)
    fleet = world.sources.mappings[uuid].fleet
    assert fleet is not None
    assert fleet.scaling.allowed == 2


# -- FIFO ------------------------------------------------------------------------------------------------


def test_a_group_is_processed_in_order_and_never_twice_at_once(world: World, functions: Functions) -> None:
    functions.duration = SECOND
    running: list[str] = []
    seen: list[str] = []

    def handler(event: dict[str, Any]) -> None:
        groups = {record["attributes"]["MessageGroupId"] for record in event["Records"]}
        running.extend(groups)
        assert len(running) == len(set(running))
        for group in groups:
            running.remove(group)
        seen.extend(record["body"] for record in event["Records"])

    functions.handler = handler
    url = queue(world, "orders.fifo", FifoQueue="true", ContentBasedDeduplication="true")
    for number in range(12):
        for group in ("a", "b", "c"):
            send(world, url, f"{group}{number:02}", MessageGroupId=group)
    mapping(world, "orders.fifo", BatchSize=4)
    world.kernel.settle()
    for group in ("a", "b", "c"):
        assert [body for body in seen if body[0] == group] == [f"{group}{number:02}" for number in range(12)]
    assert functions.most == 3
    assert counts(world, "orders.fifo") == (0, 0, 0)


def test_a_failed_fifo_batch_blocks_its_group(world: World, functions: Functions) -> None:
    attempts: list[list[str]] = []

    def handler(event: dict[str, Any]) -> None:
        bodies = [record["body"] for record in event["Records"]]
        attempts.append(bodies)
        if attempts.count(bodies) == 1 and "a0" in bodies:
            raise ValueError

    functions.handler = handler
    url = queue(world, "orders.fifo", FifoQueue="true", ContentBasedDeduplication="true")
    mapping(world, "orders.fifo", BatchSize=1)
    send(world, url, "a0", MessageGroupId="a")
    send(world, url, "a1", MessageGroupId="a")
    send(world, url, "b0", MessageGroupId="b")
    world.kernel.settle()
    assert attempts == [["a0"], ["b0"], ["a0"], ["a1"]]


# -- stopping, faults, idleness ----------------------------------------------------------------------------


def test_disabling_finishes_what_is_in_flight_and_receives_no_more(
    world: World, functions: Functions
) -> None:
    functions.duration = 5 * SECOND
    url = queue(world)
    uuid = mapping(world)
    send(world, url, *[str(number) for number in range(100)])
    world.kernel.run_until(T0 + 1100 * MILLISECOND)
    api(world, "UpdateEventSourceMapping", UUID=uuid, Enabled=False)
    assert api(world, "GetEventSourceMapping", UUID=uuid)["State"] == "Disabling"
    running = functions.running
    world.kernel.settle()
    assert api(world, "GetEventSourceMapping", UUID=uuid)["State"] == "Disabled"
    assert len(functions.batches) == running
    assert counts(world) == (100 - 10 * running, 0, 0)
    api(world, "UpdateEventSourceMapping", UUID=uuid, Enabled=True)
    world.kernel.settle()
    assert counts(world) == (0, 0, 0)


def test_a_delete_that_fails_is_made_again(world: World, functions: Functions) -> None:
    url = queue(world)
    mapping(world)
    with world.faults(on="sqs.DeleteMessageBatch", error="0s"):
        send(world, url, "a")
        world.kernel.settle()
    assert records(world) == [(230, "ok", 1, 0, 0)]
    assert counts(world) == (0, 0, 0)


def test_deletes_that_never_succeed_mean_a_second_delivery(world: World, functions: Functions) -> None:
    url = queue(world, VisibilityTimeout="30")
    mapping(world)
    with world.faults(on="sqs.DeleteMessageBatch", error=1.0):
        send(world, url, "a")
        world.kernel.advance(20 * SECOND)
    world.kernel.settle()
    assert [bodies for _, bodies in functions.batches] == [["a"], ["a"]]
    entries = list(world.journal.select("esm.batch"))
    assert entries[0].data["not_deleted"] == entries[0].data["messages"]
    assert "not_deleted" not in entries[1].data


def test_a_receive_that_fails_is_made_again(world: World, functions: Functions) -> None:
    url = queue(world)
    mapping(world)
    with world.faults(on="sqs.ReceiveMessage", throttle="0s"):
        send(world, url, "a")
        world.kernel.settle()
    assert [bodies for _, bodies in functions.batches] == [["a"]]


def test_a_window_survives_receives_that_fail(world: World, functions: Functions) -> None:
    url = queue(world)
    mapping(world, BatchSize=20, MaximumBatchingWindowInSeconds=5)
    with world.faults(on="sqs.ReceiveMessage", error=1.0):
        send(world, url, "a")
        world.kernel.advance(SECOND)
    world.kernel.settle()
    assert [bodies for _, bodies in functions.batches] == [["a"]]


def test_a_deleted_queue_ends_the_polling(world: World, functions: Functions) -> None:
    url = queue(world)
    mapping(world)
    world.client("sqs").delete_queue(QueueUrl=url)
    assert world.kernel.settle()
    world.kernel.advance(24 * 3600 * SECOND)
    assert functions.batches == []


def test_an_idle_day_costs_nothing(world: World) -> None:
    queue(world)
    mapping(world)
    before = world.kernel.events
    started = time.perf_counter()
    world.kernel.advance(24 * 3600 * SECOND)
    assert time.perf_counter() - started < 0.005
    assert world.kernel.events == before


def test_a_role_that_lost_its_permission_reads_nothing_until_it_has_it_again(
    world: World, functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = queue(world)
    mapping(world)

    def refuse(*args: Any) -> None:
        raise ServiceError("AccessDenied", "no", 403)

    with monkeypatch.context() as patch:
        patch.setattr(world.identity, "check", refuse)
        world.sqs.send(arn(), "a")
        assert world.kernel.settle()
        assert functions.batches == []
    world.kernel.advance(61 * SECOND)
    world.kernel.settle()
    assert [bodies for _, bodies in functions.batches] == [["a"]]
    assert url


def test_the_same_seed_gives_the_same_journal() -> None:
    prints = []
    for _ in range(2):
        world = World(seed=7)
        try:
            world.functions = Functions(world)
            world.sources = Sources(world)
            url = queue(world)
            api(world, "CreateEventSourceMapping", FunctionName="worker", EventSourceArn=arn())
            send(world, url, *[str(number) for number in range(200)])
            world.kernel.settle()
            prints.append(world.journal.fingerprint())
        finally:
            world.close()
    assert prints[0] == prints[1]
