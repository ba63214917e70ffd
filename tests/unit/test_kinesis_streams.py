"""Kinesis through boto3: streams, records, limits in virtual time, iterators, resharding, consumers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.cloud.local.access.permissions import needed
from infra.cloud.local.kernel import SECOND
from infra.cloud.local.stores.kinesis.limits import Bucket, Load
from infra.cloud.local.stores.kinesis.sequence import Numbers
from infra.cloud.local.world import World

FIRST = "shardId-000000000000"


@pytest.fixture
def world() -> Iterator[World]:
    world = World(latency={"*": 0})
    world.client("kinesis").create_stream(StreamName="orders", ShardCount=1)
    world.kernel.settle()
    yield world
    world.close()


def refusal(function: Any, **params: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as error:
        function(**params)
    return error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]


def once(world: World) -> Any:
    """A client that does not try again."""
    return world.client("kinesis", internal=True)


def texts(world: World, kind: str, **params: Any) -> list[str]:
    kinesis = world.client("kinesis")
    iterator = kinesis.get_shard_iterator(
        StreamName="orders", ShardId=FIRST, ShardIteratorType=kind, **params
    )["ShardIterator"]
    return [record["Data"].decode() for record in kinesis.get_records(ShardIterator=iterator)["Records"]]


def test_a_stream_is_active_after_a_while_and_gone_after_a_while(world: World) -> None:
    kinesis = world.client("kinesis")
    kinesis.create_stream(StreamName="other")

    def status() -> str:
        found = kinesis.describe_stream_summary(StreamName="other")["StreamDescriptionSummary"]
        return f"{found['StreamStatus']} {found['StreamModeDetails']['StreamMode']} {found['OpenShardCount']}"

    assert status() == "CREATING ON_DEMAND 4"
    world.kernel.settle()
    assert status() == "ACTIVE ON_DEMAND 4"
    kinesis.delete_stream(StreamName="other")
    assert status().startswith("DELETING")
    world.kernel.settle()
    assert refusal(kinesis.describe_stream, StreamName="other") == (
        "ResourceNotFoundException",
        "Stream other under account 123456789012 not found.",
    )
    assert kinesis.list_streams()["StreamNames"] == ["orders"]


def test_records_come_back_from_every_kind_of_position(world: World) -> None:
    kinesis = world.client("kinesis")
    numbers = []
    for text in "abc":
        put = kinesis.put_record(StreamName="orders", Data=text.encode(), PartitionKey="k")
        numbers.append(put["SequenceNumber"])
        world.kernel.advance(SECOND)
    assert all(len(number) == 56 and number.startswith("49") for number in numbers)
    assert sorted(numbers, key=int) == numbers
    assert texts(world, "TRIM_HORIZON") == ["a", "b", "c"]
    assert texts(world, "LATEST") == []
    assert texts(world, "AT_SEQUENCE_NUMBER", StartingSequenceNumber=numbers[1]) == ["b", "c"]
    world.kernel.advance(SECOND)
    assert texts(world, "AFTER_SEQUENCE_NUMBER", StartingSequenceNumber=numbers[1]) == ["c"]
    at = world.datetime(world.kernel.now - 3 * SECOND)
    assert texts(world, "AT_TIMESTAMP", Timestamp=at) == ["b", "c"]


def test_retention_is_a_day_unless_it_is_raised(world: World) -> None:
    kinesis = world.client("kinesis")
    kinesis.put_record(StreamName="orders", Data=b"a", PartitionKey="k")
    world.kernel.advance(24 * 3600 * SECOND)
    assert texts(world, "TRIM_HORIZON") == ["a"]
    world.kernel.advance(SECOND)
    assert texts(world, "TRIM_HORIZON") == []
    code, message = refusal(
        kinesis.increase_stream_retention_period, StreamName="orders", RetentionPeriodHours=8761
    )
    assert (code, message[:51]) == (
        "InvalidArgumentException",
        "Maximum allowed retention period is 8760 hours. Req",
    )


def test_an_iterator_expires_after_five_minutes(world: World) -> None:
    kinesis = world.client("kinesis")
    iterator = kinesis.get_shard_iterator(
        StreamName="orders", ShardId=FIRST, ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    world.kernel.advance(300 * SECOND)
    kinesis.get_records(ShardIterator=iterator)
    world.kernel.advance(SECOND)
    code, message = refusal(kinesis.get_records, ShardIterator=iterator)
    assert code == "ExpiredIteratorException"
    assert message == (
        "Iterator expired. The iterator was created at time Mon Jan 05 09:00:10 UTC 2026 while right now it "
        "is Mon Jan 05 09:05:11 UTC 2026 which is further in the future than the tolerated delay of 300000 "
        "milliseconds."
    )


def test_a_shard_takes_a_thousand_records_per_second_and_refuses_the_others_one_by_one(world: World) -> None:
    kinesis = once(world)
    records = [{"Data": b"x", "PartitionKey": "k"}] * 500

    def failed() -> int:
        return int(kinesis.put_records(StreamName="orders", Records=records)["FailedRecordCount"])

    assert [failed(), failed(), failed()] == [0, 0, 500]
    world.kernel.advance(SECOND // 10)
    assert failed() == 400
    answer = kinesis.put_records(StreamName="orders", Records=records[:1])
    text = f"Rate exceeded for shard {FIRST} in stream orders under account 123456789012."
    assert answer["Records"] == [
        {"ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": text}
    ]
    code = "ProvisionedThroughputExceededException"
    refused = refusal(kinesis.put_record, StreamName="orders", Data=b"x", PartitionKey="k")
    assert refused == (code, text)


def test_a_shard_takes_a_mebibyte_per_second(world: World) -> None:
    kinesis = once(world)
    data = b"x" * (512 * 1024 - 1)
    for _ in range(2):
        kinesis.put_record(StreamName="orders", Data=data, PartitionKey="k")
    code, _ = refusal(kinesis.put_record, StreamName="orders", Data=b"x", PartitionKey="k")
    assert code == "ProvisionedThroughputExceededException"
    world.kernel.advance(SECOND // 2)
    kinesis.put_record(StreamName="orders", Data=data, PartitionKey="k")


def test_a_producer_that_tries_again_gets_through(world: World) -> None:
    kinesis = world.client("kinesis")
    for _ in range(2):
        kinesis.put_records(StreamName="orders", Records=[{"Data": b"x", "PartitionKey": "k"}] * 500)
    before = world.kernel.now
    kinesis.put_record(StreamName="orders", Data=b"x", PartitionKey="k")
    assert world.kernel.now > before


def test_reads_are_limited_to_five_per_second(world: World) -> None:
    kinesis = once(world)
    iterator = kinesis.get_shard_iterator(
        StreamName="orders", ShardId=FIRST, ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    for _ in range(5):
        kinesis.get_records(ShardIterator=iterator)
    code, _ = refusal(kinesis.get_records, ShardIterator=iterator)
    assert code == "ProvisionedThroughputExceededException"


def test_a_record_has_at_most_a_mebibyte_unless_the_stream_allows_more(world: World) -> None:
    kinesis = once(world)
    put = {"StreamName": "orders", "Data": b"x" * 1024 * 1024, "PartitionKey": "k"}
    code, message = refusal(kinesis.put_record, **put)
    assert code == "ValidationException"
    assert message.endswith("Member must have length less than or equal to 1048576")
    arn = kinesis.describe_stream_summary(StreamName="orders")["StreamDescriptionSummary"]["StreamARN"]
    kinesis.update_max_record_size(StreamARN=arn, MaxRecordSizeInKiB=10240)
    kinesis.put_record(**put)


def test_a_split_closes_the_parent_and_names_its_children_at_its_end(world: World) -> None:
    kinesis = world.client("kinesis")
    kinesis.put_record(StreamName="orders", Data=b"a", PartitionKey="k")
    kinesis.split_shard(StreamName="orders", ShardToSplit=FIRST, NewStartingHashKey=str(1 << 127))
    world.kernel.settle()
    shards = kinesis.list_shards(StreamName="orders")["Shards"]
    ends = [(shard["ShardId"][-1], shard.get("ParentShardId"), shard["HashKeyRange"]) for shard in shards]
    low, high = str((1 << 127) - 1), str((1 << 128) - 1)
    assert ends == [
        ("0", None, {"StartingHashKey": "0", "EndingHashKey": high}),
        ("1", FIRST, {"StartingHashKey": "0", "EndingHashKey": low}),
        ("2", FIRST, {"StartingHashKey": str(1 << 127), "EndingHashKey": high}),
    ]
    assert "EndingSequenceNumber" in shards[0]["SequenceNumberRange"]
    iterator = kinesis.get_shard_iterator(
        StreamName="orders", ShardId=FIRST, ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    answer = kinesis.get_records(ShardIterator=iterator)
    assert [child["ShardId"][-1] for child in answer["ChildShards"]] == ["1", "2"]
    assert "NextShardIterator" not in answer
    put = kinesis.put_record(StreamName="orders", Data=b"b", PartitionKey="k", ExplicitHashKey=str(1 << 127))
    assert put["ShardId"][-1] == "2"
    kinesis.merge_shards(
        StreamName="orders",
        ShardToMerge="shardId-000000000001",
        AdjacentShardToMerge="shardId-000000000002",
    )
    world.kernel.settle()
    [merged] = kinesis.list_shards(StreamName="orders", ShardFilter={"Type": "AT_LATEST"})["Shards"]
    assert (merged["ParentShardId"][-1], merged["AdjacentParentShardId"][-1]) == ("1", "2")


@pytest.mark.parametrize("counts", [[2, 4, 3, 5, 3, 2, 1], [2, 3, 6, 4]])
def test_any_number_of_shards_has_equal_ranges_without_gaps(world: World, counts: list[int]) -> None:
    kinesis = world.client("kinesis")
    for count in counts:
        kinesis.update_shard_count(StreamName="orders", TargetShardCount=count, ScalingType="UNIFORM_SCALING")
        world.kernel.settle()
        shards = kinesis.list_shards(StreamName="orders", ShardFilter={"Type": "AT_LATEST"})["Shards"]
        ranges = sorted((int(s["HashKeyRange"]["StartingHashKey"]), int(s["HashKeyRange"]["EndingHashKey"]))
                        for s in shards)  # fmt: skip
        assert [low for low, _ in ranges] == [(1 << 128) * n // count for n in range(count)]
        assert [high + 1 for _, high in ranges] == [*[low for low, _ in ranges[1:]], 1 << 128]


def test_consumers_are_registered_and_removed(world: World) -> None:
    kinesis = world.client("kinesis")
    arn = kinesis.describe_stream_summary(StreamName="orders")["StreamDescriptionSummary"]["StreamARN"]
    made = kinesis.register_stream_consumer(StreamARN=arn, ConsumerName="fast")["Consumer"]
    assert made["ConsumerARN"] == f"{arn}/consumer/fast:{world.kernel.now // SECOND}"
    assert made["ConsumerStatus"] == "CREATING"
    world.kernel.settle()
    shown = kinesis.describe_stream_consumer(StreamARN=arn, ConsumerName="fast")["ConsumerDescription"]
    assert (shown["ConsumerStatus"], shown["StreamARN"]) == ("ACTIVE", arn)
    kinesis.deregister_stream_consumer(ConsumerARN=made["ConsumerARN"])
    world.kernel.settle()
    assert kinesis.list_stream_consumers(StreamARN=arn)["Consumers"] == []


def test_metrics_of_the_stream_and_of_shards_where_they_are_asked_for(world: World) -> None:
    kinesis = world.client("kinesis")
    kinesis.enable_enhanced_monitoring(StreamName="orders", ShardLevelMetrics=["IncomingRecords"])
    kinesis.put_records(StreamName="orders", Records=[{"Data": b"abc", "PartitionKey": "k"}] * 3)
    texts(world, "TRIM_HORIZON")

    def total(name: str, **dimensions: str) -> list[float]:
        points = world.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/Kinesis",
            MetricName=name,
            Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
            StartTime=world.datetime(world.started),
            EndTime=world.datetime(world.kernel.now + 60 * SECOND),
            Period=3600,
            Statistics=["Sum"],
        )["Datapoints"]
        return [point["Sum"] for point in points]

    assert total("IncomingBytes", StreamName="orders") == [12]
    assert total("PutRecords.TotalRecords", StreamName="orders") == [3]
    assert total("GetRecords.Records", StreamName="orders") == [3]
    assert total("IncomingRecords", StreamName="orders", ShardId=FIRST) == [3]
    assert total("IncomingBytes", StreamName="orders", ShardId=FIRST) == []


@given(st.lists(st.tuples(st.integers(0, 500_000), st.integers(1, 700)), max_size=40))
def test_a_bucket_never_gives_more_than_its_rate_and_one_second(steps: list[tuple[int, int]]) -> None:
    bucket, now, given_out = Bucket(1000, 0), 0, 0
    for wait, amount in steps:
        now += wait
        if bucket.has(amount, now):
            bucket.take(amount)
            given_out += amount
        assert given_out * SECOND <= 1000 * (now + SECOND)


@given(st.lists(st.integers(0, 10 * SECOND), max_size=30), st.integers(0, 999))
def test_sequence_numbers_rise_between_a_shards_first_and_last(waits: list[int], shard: int) -> None:
    now = 1_767_600_000 * SECOND
    numbers = Numbers(shard, now)
    seen = [numbers.first]
    for wait in waits:
        now += wait
        seen.append(numbers.next(now))
    seen.append(numbers.last(now))
    assert seen == sorted(set(seen))
    assert all(len(str(number)) == 56 and str(number).startswith("49") for number in seen)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=20))
def test_a_key_goes_to_the_shard_of_its_md5(world: World, keys: list[str]) -> None:
    kinesis = world.client("kinesis")
    if "many" not in kinesis.list_streams()["StreamNames"]:
        kinesis.create_stream(StreamName="many", ShardCount=7)
        world.kernel.settle()
    answer = kinesis.put_records(
        StreamName="many", Records=[{"Data": b"x", "PartitionKey": key} for key in keys]
    )
    for key, record in zip(keys, answer["Records"], strict=True):
        number = int(hashlib.md5(key.encode()).hexdigest(), 16)
        assert record["ShardId"] == f"shardId-{((number + 1) * 7 - 1) // (1 << 128):012d}"


def test_refusals_are_worded_as_aws_words_them(world: World) -> None:
    kinesis = once(world)
    where = "in stream orders under account 123456789012"
    refused = refusal(
        kinesis.get_shard_iterator, StreamName="orders", ShardId="shardId-5", ShardIteratorType="LATEST"
    )
    assert refused == ("ResourceNotFoundException", f"Shard shardId-000000000005 {where} does not exist")
    split = {"StreamName": "orders", "ShardToSplit": "shardId-5", "NewStartingHashKey": "5"}
    refused = refusal(kinesis.split_shard, **split)
    assert refused == ("ResourceNotFoundException", f"Could not find shard shardId-000000000005 {where}.")
    kinesis.split_shard(**{**split, "ShardToSplit": FIRST})
    refused = refusal(kinesis.split_shard, **split)
    assert refused == (
        "ResourceInUseException",
        "Stream orders under account 123456789012 not ACTIVE, instead in state UPDATING",
    )
    world.kernel.settle()
    refused = refusal(kinesis.split_shard, **{**split, "ShardToSplit": FIRST})
    assert refused == (
        "InvalidArgumentException",
        f"Shard {FIRST} {where} has already been merged or split, and thus is not eligible for merging or "
        "splitting.",
    )
    refused = refusal(kinesis.create_stream, StreamName="orders", ShardCount=1)
    assert refused == (
        "ResourceInUseException",
        "Stream orders under account 123456789012 already exists.",
    )
    refused = refusal(kinesis.get_records, ShardIterator="nonsense")
    assert refused == ("InvalidArgumentException", "Invalid ShardIterator.")
    code, _ = refusal(kinesis.create_stream, StreamName="large", ShardCount=600)
    assert code == "LimitExceededException"


def test_a_subscription_pushes_records_for_five_minutes(world: World) -> None:
    kinesis = world.client("kinesis")
    arn = kinesis.describe_stream_summary(StreamName="orders")["StreamDescriptionSummary"]["StreamARN"]
    consumer = kinesis.register_stream_consumer(StreamARN=arn, ConsumerName="fast")["Consumer"]["ConsumerARN"]
    world.kernel.settle()
    kinesis.put_records(
        StreamName="orders", Records=[{"Data": text, "PartitionKey": "k"} for text in (b"a", b"b")]
    )
    subscribe = {"ConsumerARN": consumer, "ShardId": FIRST, "StartingPosition": {"Type": "TRIM_HORIZON"}}
    events = kinesis.subscribe_to_shard(**subscribe)["EventStream"]
    code, _ = refusal(once(world).subscribe_to_shard, **subscribe)
    assert code == "ResourceInUseException"
    started = world.kernel.now
    seen = []
    for event in events:
        seen += [record["Data"] for record in event["SubscribeToShardEvent"]["Records"]]
        if len(seen) == 2:
            kinesis.put_record(StreamName="orders", Data=b"c", PartitionKey="k")
    assert (seen, world.kernel.now - started) == ([b"a", b"b", b"c"], 300 * SECOND)


def test_a_subscription_ends_with_its_shard(world: World) -> None:
    kinesis = world.client("kinesis")
    arn = kinesis.describe_stream_summary(StreamName="orders")["StreamDescriptionSummary"]["StreamARN"]
    consumer = kinesis.register_stream_consumer(StreamARN=arn, ConsumerName="fast")["Consumer"]["ConsumerARN"]
    world.kernel.settle()
    kinesis.split_shard(StreamName="orders", ShardToSplit=FIRST, NewStartingHashKey="5")
    events = kinesis.subscribe_to_shard(
        ConsumerARN=consumer, ShardId=FIRST, StartingPosition={"Type": "LATEST"}
    )["EventStream"]
    [event] = list(events)
    children = event["SubscribeToShardEvent"]["ChildShards"]
    assert [child["ShardId"][-1] for child in children] == ["1", "2"]


def test_an_on_demand_stream_grows_with_its_traffic(world: World) -> None:
    kinesis = world.client("kinesis")
    kinesis.create_stream(StreamName="many", StreamModeDetails={"StreamMode": "ON_DEMAND"})
    world.kernel.settle()

    def shards() -> int:
        found = kinesis.describe_stream_summary(StreamName="many")["StreamDescriptionSummary"]
        return int(found["OpenShardCount"])

    def second() -> None:
        for batch in range(5):
            kinesis.put_records(
                StreamName="many",
                Records=[{"Data": b"x", "PartitionKey": f"{batch}.{n}"} for n in range(500)],
            )
        world.kernel.advance(SECOND)

    world.kernel.run_until(-(-world.kernel.now // (60 * SECOND)) * 60 * SECOND)
    assert shards() == 4
    for _ in range(61):
        second()
    world.kernel.settle()
    assert shards() == 5  # twice 2,500 records per second


@given(st.lists(st.tuples(st.integers(1, 60), st.integers(0, 500_000)), max_size=30))
def test_a_stream_never_more_than_doubles_in_fifteen_minutes(steps: list[tuple[int, int]]) -> None:
    load, now, shards, grown = Load(), 0, 4, -(15 * 60 * SECOND)
    for wait, records in steps:
        now += wait * SECOND
        load.note(now, records, 0)
        wanted = load.wanted(now, shards)
        assert shards <= wanted <= 2 * shards
        if wanted > shards:
            assert now - grown >= 15 * 60 * SECOND
            shards, grown = wanted, now


def test_an_iterator_says_which_stream_a_role_must_be_allowed_to_read(world: World) -> None:
    iterator = world.client("kinesis").get_shard_iterator(
        StreamName="orders", ShardId=FIRST, ShardIteratorType="LATEST"
    )["ShardIterator"]
    asked = needed(
        "kinesis", "GetRecords", {"ShardIterator": iterator}, "us-east-1", "1", world.identity._source
    )
    assert asked == [("kinesis:GetRecords", "arn:aws:kinesis:us-east-1:123456789012:stream/orders")]
