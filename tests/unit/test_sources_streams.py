"""Mappings of streams at work: a real Kinesis stream, a stand-in for the function, virtual time."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.cloud.local.kernel import MILLISECOND, SECOND
from infra.cloud.local.service import NOTEBOOK, Call, NotSimulated, ServiceError
from infra.cloud.local.sources.mappings import TRANSITION, Sources
from infra.cloud.local.sources.streams import cuts
from infra.cloud.local.world import World

ROLE = "arn:aws:iam::123456789012:role/worker"
STREAM = "arn:aws:kinesis:us-east-1:123456789012:stream/orders"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:worker"


class Functions:
    """What a mapping needs of Lambda. ``handler`` gets the event; ``throttled`` refuses so many times."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.handler: Callable[[dict[str, Any]], Any] = lambda event: None
        self.duration = 100 * MILLISECOND
        self.throttled = 0
        self.events: list[dict[str, Any]] = []
        self.batches: list[tuple[float, list[str]]] = []
        self.running = self.most = 0
        self.ids = 0

    def new_id(self) -> str:
        self.ids += 1
        return f"id-{self.ids}"

    def target(self, text: str) -> Any:
        return SimpleNamespace(
            function=SimpleNamespace(name="worker", arn=FUNCTION), qualifier=None, invoked_arn=FUNCTION
        )

    def find_version(self, function: Any, qualifier: str | None) -> Any:
        return SimpleNamespace(configuration=SimpleNamespace(role=None, timeout_s=30))

    def invoke(self, function: str, payload: bytes, *, invoked_by: str, trace: str, arrived: int) -> Any:
        if self.throttled:
            self.throttled -= 1
            raise ServiceError("TooManyRequestsException", "Rate Exceeded.", 429)
        event = json.loads(payload)
        self.events.append(event)
        at = (self.world.kernel.now - START) / SECOND
        self.batches.append((at, data_of(event)))
        self.running += 1
        self.most = max(self.most, self.running)
        self.world.kernel.sleep(self.duration)
        self.running -= 1
        made = {"executed_version": "$LATEST", "request_id": self.new_id(), "error_type": ""}
        try:
            answer = self.handler(event)
        except ValueError:
            made["error_type"] = "ValueError"
            return SimpleNamespace(payload=b"{}", function_error="Unhandled", **made)
        return SimpleNamespace(payload=json.dumps(answer).encode(), function_error=None, **made)


START = 0


def data_of(event: dict[str, Any]) -> list[str]:
    return [base64.b64decode(record["kinesis"]["data"]).decode() for record in event["Records"]]


@pytest.fixture
def world() -> Iterator[World]:
    global START
    world = World(latency={"*": 0})
    world.functions = Functions(world)  # type: ignore[assignment]
    world.sources = Sources(world)
    world.client("kinesis").create_stream(StreamName="orders", ShardCount=1)
    world.kernel.settle()
    yield world
    world.close()


def call(world: World, operation: str, **params: Any) -> dict[str, Any]:
    made: dict[str, Any] = getattr(world.sources, operation)(
        Call("lambda", operation, params, NOTEBOOK, "us-east-1", "123456789012")
    )
    return made


def mapped(world: World, **params: Any) -> str:
    """A mapping that is enabled; time counts from then on, and polls are at whole seconds."""
    global START
    made = call(
        world,
        "CreateEventSourceMapping",
        **{"FunctionName": "worker", "EventSourceArn": STREAM, "StartingPosition": "TRIM_HORIZON", **params},
    )
    world.kernel.advance(TRANSITION)
    START = world.kernel.now
    return str(made["UUID"])


def put(world: World, *texts: str, key: str = "k") -> list[str]:
    """Records of one partition key, or each of its own (``key=""``); returns their sequence numbers."""
    records = [{"Data": text.encode(), "PartitionKey": key or text} for text in texts]
    answer = world.client("kinesis").put_records(StreamName="orders", Records=records)
    assert answer["FailedRecordCount"] == 0
    return [record["SequenceNumber"] for record in answer["Records"]]


def fail_on(*bad: str) -> Callable[[dict[str, Any]], Any]:
    def handler(event: dict[str, Any]) -> None:
        if any(text in bad for text in data_of(event)):
            raise ValueError("poison")

    return handler


def test_the_event_is_as_aws_sends_it(world: World) -> None:
    mapped(world)
    [sequence] = put(world, "hello")
    world.kernel.settle()
    assert world.functions.events == [
        {
            "Records": [
                {
                    "kinesis": {
                        "kinesisSchemaVersion": "1.0",
                        "partitionKey": "k",
                        "sequenceNumber": sequence,
                        "data": "aGVsbG8=",
                        "approximateArrivalTimestamp": START / SECOND,
                    },
                    "eventSource": "aws:kinesis",
                    "eventVersion": "1.0",
                    "eventID": f"shardId-000000000000:{sequence}",
                    "eventName": "aws:kinesis:record",
                    "invokeIdentityArn": "",
                    "awsRegion": "us-east-1",
                    "eventSourceARN": STREAM,
                }
            ]
        }
    ]


def test_polls_are_once_a_second_and_go_on_while_there_is_more(world: World) -> None:
    mapped(world, BatchSize=2)
    world.kernel.advance(300 * MILLISECOND)
    put(world, "a", "b", "c", "d", "e")
    world.kernel.settle()
    put(world, "f")
    world.kernel.settle()
    assert world.functions.batches == [
        (1.0, ["a", "b"]),
        (1.1, ["c", "d"]),
        (1.2, ["e"]),
        (2.0, ["f"]),
    ]


def test_a_window_gathers_until_the_batch_is_full_or_time_is_up(world: World) -> None:
    mapped(world, BatchSize=3, MaximumBatchingWindowInSeconds=5)
    put(world, "a")
    world.kernel.advance(2500 * MILLISECOND)
    put(world, "b", "c", "d")
    world.kernel.settle()
    assert world.functions.batches == [(3.0, ["a", "b", "c"]), (8.1, ["d"])]


def test_latest_sees_what_comes_later(world: World) -> None:
    put(world, "old")
    mapped(world, StartingPosition="LATEST")
    put(world, "new")
    world.kernel.settle()
    assert [texts for _, texts in world.functions.batches] == [["new"]]


def test_a_failed_batch_blocks_its_shard_until_retries_are_used_up(world: World) -> None:
    queue = world.client("sqs").create_queue(QueueName="failed")["QueueUrl"]
    uuid = mapped(
        world,
        BatchSize=2,
        MaximumRetryAttempts=1,
        DestinationConfig={"OnFailure": {"Destination": "arn:aws:sqs:us-east-1:123456789012:failed"}},
    )
    world.functions.handler = fail_on("b")
    sequences = put(world, "a", "b", "c")
    world.kernel.settle()
    assert world.functions.batches == [(0.0, ["a", "b"]), (1.1, ["a", "b"]), (1.2, ["c"])]
    [message] = world.client("sqs").receive_message(QueueUrl=queue)["Messages"]
    arrival = world.datetime(START).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    assert json.loads(message["Body"]) == {
        "requestContext": {
            "requestId": "id-2",
            "functionArn": FUNCTION,
            "condition": "RetryAttemptsExhausted",
            "approximateInvokeCount": 2,
        },
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "version": "1.0",
        "timestamp": world.datetime(START + SECOND).strftime("%Y-%m-%dT%H:%M:%S.200Z"),
        "KinesisBatchInfo": {
            "shardId": "shardId-000000000000",
            "startSequenceNumber": sequences[0],
            "endSequenceNumber": sequences[1],
            "approximateArrivalOfFirstRecord": arrival,
            "approximateArrivalOfLastRecord": arrival,
            "batchSize": 2,
            "streamArn": STREAM,
        },
    }
    assert call(world, "GetEventSourceMapping", UUID=uuid)["LastProcessingResult"] == "OK"


def test_bisection_isolates_the_poison_record_without_using_retries(world: World) -> None:
    mapped(world, BisectBatchOnFunctionError=True, MaximumRetryAttempts=0)
    world.functions.handler = fail_on("c")
    put(world, "a", "b", "c", "d")
    world.kernel.settle()
    assert [texts for _, texts in world.functions.batches] == [
        ["a", "b", "c", "d"],
        ["a", "b"],
        ["c", "d"],
        ["c"],
        ["d"],
    ]
    [discarded] = world.journal.select("esm.discarded")
    assert (discarded.outcome, discarded.data["records"]) == ("RetryAttemptsExhausted", 1)


def test_reported_failures_set_the_checkpoint_and_what_follows_has_its_own_retries(world: World) -> None:
    mapped(world, FunctionResponseTypes=["ReportBatchItemFailures"], MaximumRetryAttempts=1)

    def handler(event: dict[str, Any]) -> Any:
        failed = [
            record["kinesis"]["sequenceNumber"]
            for record, text in zip(event["Records"], data_of(event), strict=True)
            if text in ("b", "d")
        ]
        return {"batchItemFailures": [{"itemIdentifier": number} for number in reversed(failed)]}

    world.functions.handler = handler
    put(world, "a", "b", "c", "d")
    world.kernel.settle()
    assert [texts for _, texts in world.functions.batches] == [
        ["a", "b", "c", "d"],
        ["b", "c", "d"],
        ["b", "c", "d"],
    ]


def test_throttles_do_not_count_as_retries(world: World) -> None:
    mapped(world, MaximumRetryAttempts=0)
    world.functions.throttled = 3
    put(world, "a")
    world.kernel.settle()
    assert world.functions.batches == [(7.0, ["a"])]  # 1 + 2 + 4 seconds later


def test_records_that_are_too_old_are_discarded_and_the_others_are_not(world: World) -> None:
    put(world, "old")
    world.kernel.advance(55 * SECOND)
    mapped(world, MaximumRecordAgeInSeconds=60)  # enabled 10 seconds later
    put(world, "new")
    world.kernel.settle()
    assert [texts for _, texts in world.functions.batches] == [["new"]]
    [discarded] = world.journal.select("esm.discarded")
    assert (discarded.outcome, discarded.data["records"]) == ("RecordAgeExceeded", 1)


def test_filters_look_into_data(world: World) -> None:
    pattern = json.dumps({"data": {"total": [{"numeric": [">", 100]}]}})
    mapped(world, FilterCriteria={"Filters": [{"Pattern": pattern}]})
    put(world, '{"total": 5}', '{"total": 500}', "no json", '{"total": 101}')
    world.kernel.settle()
    assert world.functions.batches == [(0.0, ['{"total": 500}', '{"total": 101}'])]
    [batch] = world.journal.select("esm.batch")
    assert (batch.data["records"], batch.data["dropped"]) == (2, 2)


def test_parallel_batches_keep_the_order_of_each_key(world: World) -> None:
    mapped(world, ParallelizationFactor=4, BatchSize=1)
    for number in range(3):
        for key in "abcdef":
            put(world, f"{key}{number}", key=key)
    world.kernel.settle()
    seen = [text for _, [text] in world.functions.batches]
    assert sorted(seen) == sorted(f"{key}{number}" for key in "abcdef" for number in range(3))
    for key in "abcdef":
        assert [text for text in seen if text[0] == key] == [f"{key}{number}" for number in range(3)]
    assert 1 < world.functions.most <= 4


def test_a_parent_is_read_before_its_children(world: World) -> None:
    mapped(world, BatchSize=10)
    world.functions.duration = 30 * SECOND
    kinesis = world.client("kinesis")
    put(world, "p1")
    world.kernel.advance(2 * SECOND)
    put(world, "p2")
    kinesis.split_shard(
        StreamName="orders", ShardToSplit="shardId-000000000000", NewStartingHashKey=str(1 << 127)
    )
    world.kernel.advance(10 * SECOND)
    put(world, "c1")
    world.kernel.settle()
    assert [texts for _, texts in world.functions.batches] == [["p1"], ["p2"], ["c1"]]
    assert world.functions.most == 1


def test_a_tumbling_window_carries_its_state_to_a_final_invocation(world: World) -> None:
    mapped(world, TumblingWindowInSeconds=10, BatchSize=2)

    def handler(event: dict[str, Any]) -> Any:
        return {"state": {"count": event["state"].get("count", 0) + len(event["Records"])}}

    world.functions.handler = handler
    put(world, "a", "b", "c")
    world.kernel.advance(10 * SECOND)
    put(world, "d")
    world.kernel.settle()
    shown = [
        (
            data_of(event),
            event["state"],
            event["isFinalInvokeForWindow"],
            event["window"]["start"][-9:],
        )
        for event in world.functions.events
    ]
    first, second = (world.datetime(START + by * SECOND).strftime(":%M:%SZ")[-6:] for by in (0, 10))
    assert [(texts, state, final) for texts, state, final, _ in shown] == [
        (["a", "b"], {}, False),
        (["c"], {"count": 2}, False),
        ([], {"count": 3}, True),
        (["d"], {}, False),
        ([], {"count": 1}, True),
    ]
    assert [start[-6:] for *_, start in shown] == [first] * 3 + [second] * 2
    assert world.functions.batches[-1][0] == 20 + 120


def test_what_was_read_and_not_processed_survives_an_update(world: World) -> None:
    uuid = mapped(world, BatchSize=10)
    world.functions.handler = fail_on("a")
    put(world, "a", "b")
    world.kernel.advance(10 * SECOND)
    call(world, "UpdateEventSourceMapping", UUID=uuid, Enabled=False)
    world.kernel.settle()
    before = len(world.functions.batches)
    world.functions.handler = lambda event: None
    call(world, "UpdateEventSourceMapping", UUID=uuid, Enabled=True, BatchSize=1)
    world.kernel.settle()
    assert [texts for _, texts in world.functions.batches[before:]] == [["a"], ["b"]]


def test_a_consumer_with_enhanced_fan_out_does_not_wait_for_a_poll(world: World) -> None:
    kinesis = world.client("kinesis")
    consumer = kinesis.register_stream_consumer(StreamARN=STREAM, ConsumerName="fast")["Consumer"]
    world.kernel.settle()
    mapped(world, EventSourceArn=consumer["ConsumerARN"])
    world.kernel.advance(300 * MILLISECOND)
    put(world, "a")
    world.kernel.settle()
    assert world.functions.batches == [(0.3, ["a"])]


REFUSED = [
    ({"StartingPosition": "0"}, "ValidationException", "1 validation error detected: Value '0' at "
     "'startingPosition' failed to satisfy constraint: Member must satisfy enum value set: "
     "[LATEST, AT_TIMESTAMP, TRIM_HORIZON]"),
    ({"StartingPositionTimestamp": 1741010802}, "InvalidParameterValueException",
     "Timestamp only valid with StartingPosition AT_TIMESTAMP"),
    ({"StartingPosition": "AT_TIMESTAMP", "StartingPositionTimestamp": -1}, "InvalidParameterValueException",
     "Received Exception while reading from provided stream. class java.lang.Long can not be converted to a "
     "Timestamp"),
    ({"EventSourceArn": STREAM + "-not"}, "InvalidParameterValueException",
     f"Stream not found: {STREAM}-not"),
    ({"ScalingConfig": {"MaximumConcurrency": 2}}, "InvalidParameterValueException",
     "Unsupported ScalingConfig parameter for given event source mapping type."),
    ({"ParallelizationFactor": 11}, "ValidationException", "1 validation error detected: Value '11' at "
     "'parallelizationFactor' failed to satisfy constraint: Member must have value less than or equal to 10"),
]  # fmt: skip


@pytest.mark.parametrize(("params", "code", "text"), REFUSED)
def test_refused(world: World, params: dict[str, Any], code: str, text: str) -> None:
    with pytest.raises(ServiceError) as error:
        mapped(world, **params)
    assert (error.value.code, error.value.message) == (code, text)


def test_not_simulated_by_name(world: World) -> None:
    with pytest.raises(NotSimulated, match="TumblingWindowInSeconds with ParallelizationFactor"):
        mapped(world, TumblingWindowInSeconds=10, ParallelizationFactor=2)


def test_shown_as_aws_shows_it(world: World) -> None:
    uuid = mapped(world)
    shown = call(world, "GetEventSourceMapping", UUID=uuid)
    shown.pop("LastModified")
    assert shown == {
        "UUID": uuid,
        "BatchSize": 100,
        "BisectBatchOnFunctionError": False,
        "DestinationConfig": {"OnFailure": {}},
        "EventSourceArn": STREAM,
        "EventSourceMappingArn": f"arn:aws:lambda:us-east-1:123456789012:event-source-mapping:{uuid}",
        "FunctionArn": FUNCTION,
        "FunctionResponseTypes": [],
        "LastProcessingResult": "No records processed",
        "MaximumBatchingWindowInSeconds": 0,
        "MaximumRecordAgeInSeconds": -1,
        "MaximumRetryAttempts": -1,
        "ParallelizationFactor": 1,
        "StartingPosition": "TRIM_HORIZON",
        "State": "Enabled",
        "StateTransitionReason": "User action",
        "TumblingWindowInSeconds": 0,
    }


@settings(max_examples=15, deadline=None)
@given(
    keys=st.lists(st.sampled_from("abcd"), min_size=1, max_size=25),
    poison=st.sets(st.integers(0, 24), max_size=4),
    batch=st.integers(1, 8),
    parallel=st.integers(1, 4),
    bisect=st.booleans(),
    retries=st.integers(0, 2),
    window=st.sampled_from([0, 2]),
    split=st.sampled_from([None, 0, 1, 10]),
    update=st.sampled_from([None, 0, 5]),
)
def test_nothing_is_lost_or_overtaken(
    keys: list[str],
    poison: set[int],
    batch: int,
    parallel: int,
    bisect: bool,
    retries: int,
    window: int,
    split: int | None,
    update: int | None,
) -> None:
    """Each record is processed or discarded; the first processing of a key's records is in their order; no
    record is processed before an earlier failed one of its key is done or discarded."""
    world = World(latency={"*": 0})
    try:
        functions = Functions(world)
        world.functions = functions  # type: ignore[assignment]
        world.sources = Sources(world)
        world.client("kinesis").create_stream(StreamName="orders", ShardCount=2)
        world.kernel.settle()
        texts = [f"{key}{number:02}" for number, key in enumerate(keys)]
        bad = [text for number, text in enumerate(texts) if number in poison]
        done: list[str] = []

        def handler(event: dict[str, Any]) -> None:
            if any(text in bad for text in data_of(event)):
                raise ValueError
            done.extend(data_of(event))

        functions.handler = handler
        uuid = mapped(
            world,
            BatchSize=batch,
            ParallelizationFactor=parallel,
            BisectBatchOnFunctionError=bisect,
            MaximumRetryAttempts=retries,
            MaximumBatchingWindowInSeconds=window,
        )
        for number, text in enumerate(texts):
            if number == split:
                world.client("kinesis").update_shard_count(
                    StreamName="orders", TargetShardCount=3, ScalingType="UNIFORM_SCALING"
                )
                world.kernel.advance(split * SECOND)
            if number == update:
                call(world, "UpdateEventSourceMapping", UUID=uuid, ParallelizationFactor=1)
                world.kernel.advance(update * SECOND)
            put(world, text, key=text[0])
        world.kernel.settle()
        discarded = sum(entry.data["records"] for entry in world.journal.select("esm.discarded"))
        assert len(done) + discarded == len(texts)
        assert len(set(done)) == len(done)  # nothing here makes Lambda process a record twice
        assert discarded >= len(bad)
        if bisect:
            assert sorted(done) == sorted(set(texts) - set(bad))
        for key in "abcd":
            mine = [text for text in done if text[0] == key]
            assert mine == sorted(mine)
    finally:
        world.close()


@given(st.integers(0, 10_000), st.integers(2, 10_000))
def test_bisection_leaves_no_half_empty(low: int, count: int) -> None:
    assert low < cuts.bisect(low, low + count) < low + count


def test_back_off_doubles_up_to_a_minute() -> None:
    assert [cuts.retry_delay(attempt) // SECOND for attempt in range(1, 9)] == [1, 2, 4, 8, 16, 32, 60, 60]


@given(st.integers(0, 10**15), st.integers(1, 900))
def test_a_window_holds_its_records(arrived: int, length_s: int) -> None:
    start = cuts.window_start(arrived, length_s * SECOND)
    assert start <= arrived < start + length_s * SECOND
    assert start % (length_s * SECOND) == 0


@pytest.mark.parametrize(
    ("answer", "failed"),
    [
        (b"", None),
        (b"null", None),
        (b'""', None),
        (b"[]", None),
        (b"{}", None),
        (b'{"batchItemFailures": []}', None),
        (b'{"batchItemFailures": null}', None),
        (b'{"batchItemFailures": [{"itemIdentifier": "2"}]}', 1),
        (b'{"batchItemFailures": [{"itemIdentifier": "3"}, {"itemIdentifier": "2"}]}', 1),
        (b'{"batchItemFailures": [{"itemIdentifier": "3"}, {"itemIdentifier": "9"}]}', 0),
        (b'{"batchItemFailures": [{"itemIdentifier": 2}]}', 0),
        (b'{"batchItemFailures": [{"foo": "2"}]}', 0),
        (b'{"batchItemFailures": "2"}', 0),
        (b'"no"', 0),
        (b"{", 0),
    ],
)
def test_the_lowest_failure_is_the_checkpoint(answer: bytes, failed: int | None) -> None:
    assert cuts.first_failure(answer, ["1", "2", "3"]) == failed


def test_a_poll_is_at_the_phase_or_whole_intervals_later() -> None:
    assert [cuts.next_tick(time, 3, 10) for time in (3, 4, 13, 14)] == [3, 13, 13, 23]


def test_what_a_late_reader_finds_expired_is_counted(world: World) -> None:
    mapped(world, BatchSize=1, MaximumRetryAttempts=-1)
    world.functions.handler = fail_on("a")
    put(world, "a", "b")
    world.kernel.advance(25 * 3600 * SECOND)
    world.functions.handler = lambda event: None
    put(world, "c")
    world.kernel.settle()
    assert world.functions.batches[-1][1] == ["c"]
    lost = [(entry.outcome, entry.data["records"]) for entry in world.journal.select("esm.discarded")]
    assert lost == [("RecordExpired", 1), ("RecordExpired", 1)]


def test_a_read_that_a_fault_strikes_is_made_again(world: World) -> None:
    mapped(world)
    with world.faults("kinesis.GetRecords", error=["0s"]):
        put(world, "a")
        world.kernel.settle()
    assert world.functions.batches == [(1.0, ["a"])]


def test_a_deleted_stream_ends_the_reading(world: World) -> None:
    uuid = mapped(world)
    world.client("kinesis").delete_stream(StreamName="orders")
    world.kernel.settle()
    assert call(world, "GetEventSourceMapping", UUID=uuid)["LastProcessingResult"] == (
        "PROBLEM: The stream does not exist"
    )


def test_a_role_that_may_no_longer_read_says_so_and_goes_on_when_it_may(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    uuid = mapped(world)
    allowed = False

    def check(*asked: Any) -> None:
        if not allowed:
            raise ServiceError("AccessDeniedException", "no", 400)

    monkeypatch.setattr(world.identity, "check", check)
    put(world, "a")
    world.kernel.settle()
    shown = call(world, "GetEventSourceMapping", UUID=uuid)["LastProcessingResult"]
    assert (shown, world.functions.batches) == (
        "PROBLEM: Lambda does not have the permissions to read from the stream",
        [],
    )
    allowed = True
    world.kernel.advance(61 * SECOND)
    assert [texts for _, texts in world.functions.batches] == [["a"]]


def test_a_payload_of_six_megabytes_ends_a_batch(world: World) -> None:
    mapped(world, BatchSize=100, MaximumBatchingWindowInSeconds=60)
    for name in "abcdef":
        put(world, name * 900_000, key=name)
        world.kernel.advance(SECOND)
    world.functions.handler = lambda event: None
    world.kernel.settle()
    sizes = [len(json.dumps(event)) for event in world.functions.events]
    assert max(sizes) <= 6 * 1024 * 1024
    assert [len(texts) for _, texts in world.functions.batches] == [5, 1]


def test_a_mapping_counts_its_events_if_it_is_asked_to(world: World) -> None:
    uuid = mapped(
        world,
        MetricsConfig={"Metrics": ["EventCount"]},
        FilterCriteria={"Filters": [{"Pattern": '{"data": {"n": [1, 2]}}'}]},
        BisectBatchOnFunctionError=True,
        MaximumRetryAttempts=0,
    )
    world.functions.handler = fail_on('{"n": 2}')
    put(world, '{"n": 1}', '{"n": 2}', '{"n": 3}')
    world.kernel.settle()

    def total(name: str) -> float:
        [point] = world.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/Lambda",
            MetricName=name,
            Dimensions=[{"Name": "EventSourceMappingUUID", "Value": uuid}],
            StartTime=world.datetime(world.started),
            EndTime=world.datetime(world.kernel.now + 60 * SECOND),
            Period=3600,
            Statistics=["Sum"],
        )["Datapoints"]
        return float(point["Sum"])

    counted = {
        name: total(f"{name}EventCount")
        for name in ("Polled", "FilteredOut", "Invoked", "FailedInvoke", "Dropped")
    }
    assert counted == {"Polled": 3, "FilteredOut": 1, "Invoked": 4, "FailedInvoke": 3, "Dropped": 1}


def test_a_state_over_a_mebibyte_ends_the_aggregation_early(world: World) -> None:
    mapped(world, TumblingWindowInSeconds=60, BatchSize=1)

    def handler(event: dict[str, Any]) -> Any:
        return {"state": {"seen": "x" * 1024 * 1024 if data_of(event) == ["a"] else ""}}

    world.functions.handler = handler
    put(world, "a", "b")
    world.kernel.advance(10 * SECOND)
    shown = [
        (data_of(event), len(event["state"].get("seen", "")), event["isWindowTerminatedEarly"])
        for event in world.functions.events
    ]
    assert shown == [(["a"], 0, False), ([], 1024 * 1024, True), (["b"], 0, False)]
    assert not any(event["isFinalInvokeForWindow"] for event in world.functions.events)


def test_an_answer_without_state_is_a_failure_of_the_window(world: World) -> None:
    mapped(world, TumblingWindowInSeconds=60, MaximumRetryAttempts=1)
    put(world, "a")
    world.kernel.advance(10 * SECOND)
    assert [texts for _, texts in world.functions.batches] == [["a"], ["a"]]
    [discarded] = world.journal.select("esm.discarded")
    assert discarded.outcome == "RetryAttemptsExhausted"


def test_a_timestamp_is_a_starting_position(world: World) -> None:
    put(world, "old")
    world.kernel.advance(5 * SECOND)
    since = world.datetime()
    put(world, "new")
    mapped(world, StartingPosition="AT_TIMESTAMP", StartingPositionTimestamp=since)
    world.kernel.settle()
    assert [texts for _, texts in world.functions.batches] == [["new"]]


def test_parallel_batches_resume_after_an_update_in_order(world: World) -> None:
    uuid = mapped(world, ParallelizationFactor=3, BatchSize=2)
    world.functions.handler = fail_on("b1")
    for number in range(4):
        for key in "abc":
            put(world, f"{key}{number}", key=key)
    world.kernel.advance(20 * SECOND)
    call(world, "UpdateEventSourceMapping", UUID=uuid, ParallelizationFactor=1)
    world.functions.handler = lambda event: None
    world.kernel.settle()
    seen = [text for _, texts in world.functions.batches for text in texts]
    assert set(seen) == {f"{key}{number}" for key in "abc" for number in range(4)}
    last = {text: position for position, text in enumerate(seen)}
    for key in "abc":
        order = [last[f"{key}{number}"] for number in range(4)]
        assert order == sorted(order)


def test_a_topic_gets_the_metadata_of_a_discarded_batch(world: World) -> None:
    sns, sqs = world.client("sns"), world.client("sqs")
    topic = sns.create_topic(Name="failed")["TopicArn"]
    queue = sqs.create_queue(QueueName="seen")["QueueUrl"]
    allow = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint="arn:aws:sqs:us-east-1:123456789012:seen")
    mapped(world, MaximumRetryAttempts=0, DestinationConfig={"OnFailure": {"Destination": topic}})
    world.functions.handler = fail_on("a")
    put(world, "a")
    world.kernel.settle()
    [message] = sqs.receive_message(QueueUrl=queue)["Messages"]
    document = json.loads(json.loads(message["Body"])["Message"])
    assert list(document) == ["requestContext", "responseContext", "version", "timestamp", "KinesisBatchInfo"]


def test_lanes_of_a_closed_shard_that_are_stopped_are_not_forgotten(world: World) -> None:
    uuid = mapped(world, ParallelizationFactor=2, BatchSize=10)
    world.functions.handler = fail_on("a")
    put(world, "a", "b", key="k")
    world.kernel.advance(5 * SECOND)
    kinesis = world.client("kinesis")
    kinesis.split_shard(StreamName="orders", ShardToSplit="shardId-000000000000", NewStartingHashKey="5")
    world.kernel.advance(20 * SECOND)
    put(world, "c", key="k")
    call(world, "UpdateEventSourceMapping", UUID=uuid, BatchSize=1)
    world.kernel.advance(11 * SECOND)
    world.functions.handler = lambda event: None
    world.kernel.settle()
    assert [texts for _, texts in world.functions.batches][-3:] == [["a"], ["b"], ["c"]]
