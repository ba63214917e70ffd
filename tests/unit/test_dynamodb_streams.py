"""What writes leave in a table's stream, and the API that reads it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.cloud.local.stores.dynamodb.capture import DAY, TableStream
from infra.cloud.local.world import World

MINUTE = 60_000_000


@pytest.fixture
def world() -> Iterator[World]:
    world = World(latency={"*": 0})
    yield world
    world.close()


def create(world: World, name: str = "t", view: str = "NEW_AND_OLD_IMAGES") -> TableStream:
    answer = world.client("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": view},
    )
    stream = world.dynamodb_streams.stream(answer["TableDescription"]["LatestStreamArn"])
    assert stream is not None
    return stream


def changes(stream: TableStream) -> list[dict[str, Any]]:
    """Each record's name, images and size."""
    records, _ = stream.shard.read(0, 1000)
    found = []
    for record in records:
        shown = record.filterable(stream.shard, "")
        change = shown["dynamodb"]
        found.append(
            {
                "name": shown["eventName"],
                "new": change.get("NewImage"),
                "old": change.get("OldImage"),
                "size": change["SizeBytes"],
            }
        )
    return found


def iterator(world: World, stream: TableStream, kind: str = "TRIM_HORIZON", **more: Any) -> str:
    answer = world.client("dynamodbstreams").get_shard_iterator(
        StreamArn=stream.arn, ShardId=stream.shard.id, ShardIteratorType=kind, **more
    )
    return str(answer["ShardIterator"])


def code(call: Any, **params: Any) -> str:
    with pytest.raises(ClientError) as error:
        call(**params)
    return str(error.value.response["Error"]["Code"])


def test_every_kind_of_write_leaves_one_record(world: World) -> None:
    stream, table = create(world), world.client("dynamodb")
    fred = {"id": {"S": "Fred"}}
    table.put_item(TableName="t", Item=fred)
    table.update_item(
        TableName="t",
        Key=fred,
        UpdateExpression="SET a = :a",
        ExpressionAttributeValues={":a": {"N": "101"}},
    )
    table.batch_write_item(RequestItems={"t": [{"DeleteRequest": {"Key": fred}}]})
    update = {"UpdateExpression": "ADD n :n", "ExpressionAttributeValues": {":n": {"N": "1"}}}
    table.transact_write_items(
        TransactItems=[{"Update": {"TableName": "t", "Key": {"id": {"S": "new"}}, **update}}]
    )
    table.execute_statement(Statement="DELETE FROM t WHERE id='new'")
    with_a, new = {**fred, "a": {"N": "101"}}, {"id": {"S": "new"}, "n": {"N": "1"}}
    assert changes(stream) == [
        {"name": "INSERT", "new": fred, "old": None, "size": 12},
        {"name": "MODIFY", "new": with_a, "old": fred, "size": 22},
        {"name": "REMOVE", "new": None, "old": with_a, "size": 16},
        {"name": "INSERT", "new": new, "old": None, "size": 13},
        {"name": "REMOVE", "new": None, "old": new, "size": 13},
    ]


def test_a_write_that_changes_nothing_leaves_none(world: World) -> None:
    stream, table = create(world), world.client("dynamodb")
    item = {"id": {"S": "a"}, "tags": {"SS": ["x", "y"]}, "m": {"M": {"p": {"N": "1"}, "q": {"B": b"z"}}}}
    same = {"m": {"M": {"q": {"B": b"z"}, "p": {"N": "1"}}}, "tags": {"SS": ["y", "x"]}, "id": {"S": "a"}}
    table.put_item(TableName="t", Item=item)
    table.put_item(TableName="t", Item=same)
    table.update_item(
        TableName="t",
        Key={"id": {"S": "a"}},
        UpdateExpression="SET m.p = :p",
        ExpressionAttributeValues={":p": {"N": "1"}},
    )
    table.delete_item(TableName="t", Key={"id": {"S": "nobody"}})
    with pytest.raises(ClientError):
        table.put_item(TableName="t", Item={"id": {"S": "a"}}, ConditionExpression="attribute_not_exists(id)")
    assert [change["name"] for change in changes(stream)] == ["INSERT"]


@pytest.mark.parametrize(
    ("view", "images", "size"),
    [
        ("KEYS_ONLY", [], 3),
        ("NEW_IMAGE", ["NewImage"], 8),
        ("OLD_IMAGE", ["OldImage"], 8),
        ("NEW_AND_OLD_IMAGES", ["NewImage", "OldImage"], 13),
    ],
)
def test_the_view_says_which_images_a_record_has(
    world: World, view: str, images: list[str], size: int
) -> None:
    stream, table = create(world, view=view), world.client("dynamodb")
    table.put_item(TableName="t", Item={"id": {"S": "a"}, "v": {"S": "1"}})
    table.put_item(TableName="t", Item={"id": {"S": "a"}, "v": {"S": "2"}})
    record = stream.shard.read(1, 1)[0][0].filterable(stream.shard, "")["dynamodb"]
    assert [name for name in record if name.endswith("Image")] == images
    assert (record["SizeBytes"], record["StreamViewType"]) == (size, view)


def test_a_record_as_lambda_gets_it(world: World) -> None:
    stream = create(world)
    world.client("dynamodb").put_item(TableName="t", Item={"id": {"S": "ü"}, "b": {"B": b"\x90"}})
    record = stream.shard.read(0, 1)[0][0].filterable(stream.shard, "")
    assert len(record.pop("eventID")) == 32
    number = record["dynamodb"].pop("SequenceNumber")
    assert number.isdigit()
    assert record == {
        "eventName": "INSERT",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "us-east-1",
        "dynamodb": {
            "ApproximateCreationDateTime": world.kernel.now // 1_000_000,
            "Keys": {"id": {"S": "ü"}},
            "NewImage": {"id": {"S": "ü"}, "b": {"B": "kA=="}},
            "SizeBytes": 10,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
        "eventSourceARN": stream.arn,
    }


def test_get_records_pages_and_decodes(world: World) -> None:
    stream, table = create(world), world.client("dynamodb")
    for number in range(3):
        table.put_item(TableName="t", Item={"id": {"S": str(number)}, "b": {"B": b"\x90"}})
    api = world.client("dynamodbstreams")
    first = api.get_records(ShardIterator=iterator(world, stream), Limit=2)
    rest = api.get_records(ShardIterator=first["NextShardIterator"])
    images = [each["dynamodb"]["NewImage"] for each in first["Records"] + rest["Records"]]
    assert images == [{"id": {"S": str(number)}, "b": {"B": b"\x90"}} for number in range(3)]
    number = first["Records"][1]["dynamodb"]["SequenceNumber"]
    after = iterator(world, stream, "AFTER_SEQUENCE_NUMBER", SequenceNumber=number)
    assert api.get_records(ShardIterator=after)["Records"] == rest["Records"]
    assert api.get_records(ShardIterator=iterator(world, stream, "LATEST"))["Records"] == []


def test_records_last_24_hours_and_iterators_15_minutes(world: World) -> None:
    stream, table = create(world), world.client("dynamodb")
    api = world.client("dynamodbstreams")
    table.put_item(TableName="t", Item={"id": {"S": "early"}})
    early = iterator(world, stream)
    number = api.get_records(ShardIterator=early)["Records"][0]["dynamodb"]["SequenceNumber"]
    world.kernel.advance(15 * MINUTE + 1)
    assert code(api.get_records, ShardIterator=early) == "ExpiredIteratorException"
    world.kernel.advance(DAY)
    table.put_item(TableName="t", Item={"id": {"S": "late"}})
    left = api.get_records(ShardIterator=iterator(world, stream))["Records"]
    assert [record["dynamodb"]["Keys"] for record in left] == [{"id": {"S": "late"}}]
    trimmed = {"StreamArn": stream.arn, "ShardId": stream.shard.id, "SequenceNumber": number}
    assert (
        code(api.get_shard_iterator, ShardIteratorType="AT_SEQUENCE_NUMBER", **trimmed)
        == "TrimmedDataAccessException"
    )


def test_a_stream_is_enabled_once_and_another_one_has_another_arn(world: World) -> None:
    first, table = create(world), world.client("dynamodb")
    api = world.client("dynamodbstreams")
    on = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
    assert code(table.update_table, TableName="t", StreamSpecification=on) == "ValidationException"
    table.update_table(TableName="t", StreamSpecification={"StreamEnabled": False})
    assert (
        code(table.update_table, TableName="t", StreamSpecification={"StreamEnabled": False})
        == "ValidationException"
    )
    table.put_item(TableName="t", Item={"id": {"S": "unseen"}})
    world.kernel.advance(MINUTE)
    second = table.update_table(TableName="t", StreamSpecification=on)["TableDescription"]
    listed = api.list_streams()["Streams"]
    assert [each["StreamArn"] for each in listed] == [first.arn, second["LatestStreamArn"]]
    described = api.describe_stream(StreamArn=first.arn)["StreamDescription"]
    assert described["StreamStatus"] == "DISABLED"
    assert changes(first) == []
    answer = api.get_records(ShardIterator=iterator(world, first))
    assert "NextShardIterator" not in answer
    world.kernel.advance(DAY)
    assert code(api.describe_stream, StreamArn=first.arn) == "ResourceNotFoundException"


def test_a_table_without_a_stream_has_nothing_to_pay_for(world: World) -> None:
    create(world)
    world.client("dynamodb").update_table(TableName="t", StreamSpecification={"StreamEnabled": False})
    from moto.dynamodb.models import dynamodb_backends

    assert dynamodb_backends[world.account]["us-east-1"].tables["t"].stream_shard is None


def test_records_carry_the_trace_of_the_write(world: World) -> None:
    stream = create(world)
    world.client("dynamodb").put_item(TableName="t", Item={"id": {"S": "a"}})
    entry = next(world.journal.select("api.dynamodb.PutItem"))
    assert stream.shard.read(0, 1)[0][0].trace == entry.trace != ""


STEPS = st.tuples(
    st.sampled_from(["put", "set", "add", "delete", "transact", "fail"]),
    st.sampled_from("abc"),
    st.integers(0, 2),
)


@settings(max_examples=20, deadline=None)
@given(st.lists(STEPS, max_size=12))
def test_the_stream_replayed_is_the_table(steps: list[tuple[str, str, int]]) -> None:
    """Every change is there once, in order, with the image before and after it."""
    world = World(latency={"*": 0})
    try:
        stream, table = create(world), world.client("dynamodb")
        for kind, name, number in steps:
            step(table, kind, {"id": {"S": name}}, {"N": str(number)})
        replayed: dict[str, Any] = {}
        for record in stream.shard.read(0, 1000)[0]:
            change = record.filterable(stream.shard, "")["dynamodb"]
            name = change["Keys"]["id"]["S"]
            old, new = change.get("OldImage"), change.get("NewImage")
            assert replayed.pop(name, None) == old != new
            if new is not None:
                replayed[name] = new
        items = table.scan(TableName="t")["Items"]
        assert replayed == {item["id"]["S"]: item for item in items}
    finally:
        world.close()


def step(table: Any, kind: str, key: dict[str, Any], value: dict[str, str]) -> None:
    update = {
        "TableName": "t",
        "Key": key,
        "UpdateExpression": "ADD v :v" if kind == "add" else "SET v = :v",
        "ExpressionAttributeValues": {":v": value},
    }
    other = {"Put": {"TableName": "t", "Item": {"id": {"S": "other"}, "v": value}}}
    if kind == "put":
        table.put_item(TableName="t", Item={**key, "v": value})
    elif kind == "delete":
        table.delete_item(TableName="t", Key=key)
    elif kind == "transact":
        table.transact_write_items(TransactItems=[{"Update": update}, other])
    elif kind == "fail":
        update["ExpressionAttributeValues"] = {":v": {"S": "x"}}
        update["UpdateExpression"] = "SET w = :v ADD v :v"
        with pytest.raises(ClientError):
            table.transact_write_items(TransactItems=[other, {"Update": update}])
    else:
        table.update_item(**update)
