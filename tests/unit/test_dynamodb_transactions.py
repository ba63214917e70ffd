"""Transactions: all or nothing, AWS's reasons, request tokens, and a cost that does not follow the table."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.cloud.local.world import World


@pytest.fixture
def world() -> Iterator[World]:
    world = create()
    yield world
    world.close()


def create() -> World:
    world = World(latency={"*": 0})
    world.client("dynamodb").create_table(
        TableName="t",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
    )
    return world


def put(name: str, number: int = 0, **more: Any) -> dict[str, Any]:
    item = {"id": {"S": name}, "n": {"N": str(number)}}
    return {"Put": {"TableName": "t", "Item": item, **more}}


def add(name: str, value: dict[str, str]) -> dict[str, Any]:
    return {
        "Update": {
            "TableName": "t",
            "Key": {"id": {"S": name}},
            "UpdateExpression": "ADD n :n",
            "ExpressionAttributeValues": {":n": value},
        }
    }


def delete(name: str) -> dict[str, Any]:
    return {"Delete": {"TableName": "t", "Key": {"id": {"S": name}}}}


def write(world: World, *items: dict[str, Any], **more: Any) -> dict[str, Any]:
    answer: dict[str, Any] = world.client("dynamodb").transact_write_items(TransactItems=[*items], **more)
    return answer


def refused(world: World, *items: dict[str, Any], **more: Any) -> dict[str, Any]:
    with pytest.raises(ClientError) as error:
        write(world, *items, **more)
    return dict(error.value.response)


def contents(world: World) -> dict[str, str]:
    items = world.client("dynamodb").scan(TableName="t")["Items"]
    return {item["id"]["S"]: item["n"]["N"] for item in items}


def records(world: World) -> int:
    arn = world.client("dynamodb").describe_table(TableName="t")["Table"]["LatestStreamArn"]
    stream = world.dynamodb_streams.stream(arn)
    assert stream is not None
    return stream.shard.end


def test_a_failed_condition_cancels_everything_and_says_which(world: World) -> None:
    write(world, put("a", 1))
    only_new = {
        "ConditionExpression": "attribute_not_exists(id)",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    response = refused(world, put("b"), put("a", 2, **only_new), delete("c"))
    assert response["Error"] == {
        "Code": "TransactionCanceledException",
        "Message": "Transaction cancelled, please refer cancellation reasons for specific reasons "
        "[None, ConditionalCheckFailed, None]",
    }
    assert response["CancellationReasons"] == [
        {"Code": "None"},
        {
            "Code": "ConditionalCheckFailed",
            "Message": "The conditional request failed",
            "Item": {"id": {"S": "a"}, "n": {"N": "1"}},
        },
        {"Code": "None"},
    ]
    assert (contents(world), records(world)) == ({"a": "1"}, 1)


def test_a_write_that_is_invalid_undoes_the_others(world: World) -> None:
    write(world, put("a", 1), put("b", 2), put("text", 3))
    response = refused(world, put("new"), add("a", {"N": "5"}), delete("b"), add("text", {"S": "x"}))
    assert [reason["Code"] for reason in response["CancellationReasons"]] == [
        "None", "None", "None", "ValidationError",
    ]  # fmt: skip
    assert (contents(world), records(world)) == ({"a": "1", "b": "2", "text": "3"}, 3)


def test_two_operations_on_one_item_are_refused(world: World) -> None:
    response = refused(world, put("a"), delete("a"))
    assert response["Error"] == {
        "Code": "ValidationException",
        "Message": "Transaction request cannot include multiple operations on one item",
    }


def test_at_most_a_hundred_items(world: World) -> None:
    write(world, *(put(f"k{number}") for number in range(100)))
    response = refused(world, *(put(f"k{number}") for number in range(101)))
    assert response["Error"]["Code"] == "ValidationException"
    found = world.client("dynamodb").transact_get_items(
        TransactItems=[{"Get": {"TableName": "t", "Key": {"id": {"S": f"k{n}"}}}} for n in range(100)]
    )
    assert len(found["Responses"]) == 100


def test_a_request_token_holds_for_ten_minutes(world: World) -> None:
    write(world, put("a", 1))
    once = {"ClientRequestToken": "once"}
    write(world, add("a", {"N": "1"}), **once)
    write(world, add("a", {"N": "1"}), **once)
    assert contents(world) == {"a": "2"}
    assert refused(world, add("a", {"N": "2"}), **once)["Error"]["Code"] == (
        "IdempotentParameterMismatchException"
    )
    world.kernel.advance(601_000_000)
    write(world, add("a", {"N": "2"}), **once)
    assert contents(world) == {"a": "4"}


def test_the_cost_does_not_follow_the_table(world: World) -> None:
    def duration() -> float:
        started = time.perf_counter()
        for number in range(20):
            write(world, put(f"x{number}"), put(f"y{number}"))
        return time.perf_counter() - started

    small = min(duration() for _ in range(3))
    rows = [{"PutRequest": {"Item": {"id": {"S": f"row {n}"}, "n": {"N": "1"}}}} for n in range(2000)]
    for start in range(0, 2000, 25):
        world.client("dynamodb").batch_write_item(RequestItems={"t": rows[start : start + 25]})
    assert min(duration() for _ in range(3)) < 3 * small


OPERATIONS = st.tuples(st.sampled_from(["put", "add", "spoil", "delete"]), st.sampled_from("abcd"))


@settings(max_examples=15, deadline=None)
@given(st.lists(st.lists(OPERATIONS, min_size=1, max_size=4, unique_by=lambda each: each[1]), max_size=6))
def test_all_or_nothing(transactions: list[list[tuple[str, str]]]) -> None:
    """Whatever is in it: a transaction either changes what each of its items says, or nothing at all."""
    world = create()
    try:
        model: dict[str, int] = {}
        for operations in transactions:
            made = {
                "put": lambda name: put(name, 7),
                "add": lambda name: add(name, {"N": "1"}),
                "spoil": lambda name: add(name, {"S": "no number"}),
                "delete": delete,
            }
            items = [made[kind](name) for kind, name in operations]
            if any(kind == "spoil" for kind, _ in operations):
                refused(world, *items)
            else:
                write(world, *items)
                for kind, name in operations:
                    if kind == "put":
                        model[name] = 7
                    elif kind == "add":
                        model[name] = model.get(name, 0) + 1
                    else:
                        model.pop(name, None)
            assert contents(world) == {name: str(number) for name, number in model.items()}
    finally:
        world.close()


def test_answers_hold_capacity_only_on_request(world: World) -> None:
    """Recorded: LocalStack tests/aws/services/dynamodb/test_dynamodb.py, test_batch_write_items."""
    table = world.client("dynamodb")

    def plain(answer: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in answer.items() if name != "ResponseMetadata"}

    requests = {"t": [{"PutRequest": {"Item": {"id": {"S": str(n)}, "n": {"N": "1"}}}} for n in range(25)]}
    assert plain(table.batch_write_item(RequestItems=requests)) == {"UnprocessedItems": {}}
    assert plain(write(world, put("a"))) == {}
    assert plain(write(world, put("a"), ReturnConsumedCapacity="TOTAL")) == {
        "ConsumedCapacity": [{"TableName": "t", "CapacityUnits": 2.0, "WriteCapacityUnits": 2.0}]
    }
    update = {"UpdateExpression": "ADD n :n", "ExpressionAttributeValues": {":n": {"N": "1"}}}
    assert plain(table.update_item(TableName="t", Key={"id": {"S": "a"}}, **update)) == {}
    requests["t"].append({"DeleteRequest": {"Key": {"id": {"S": "a"}}}})
    with pytest.raises(ClientError) as error:
        table.batch_write_item(RequestItems=requests)
    assert error.value.response["Error"]["Code"] == "ValidationException"
