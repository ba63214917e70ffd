"""The short way answers what the long way answers, errors included, for every operation that takes it."""

from __future__ import annotations

import decimal
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from infra.cloud.local.moto_bridge import SHORT
from infra.cloud.local.world import World

TABLE: dict[str, Any] = {
    "TableName": "t",
    "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "s", "KeyType": "RANGE"}],
    "AttributeDefinitions": [
        {"AttributeName": "p", "AttributeType": "S"},
        {"AttributeName": "s", "AttributeType": "N"},
        {"AttributeName": "g", "AttributeType": "S"},
    ],
    "GlobalSecondaryIndexes": [
        {
            "IndexName": "by-g",
            "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "ALL"},
        }
    ],
    "BillingMode": "PAY_PER_REQUEST",
}


def item(p: str, s: int, **attributes: Any) -> dict[str, Any]:
    return {"p": {"S": p}, "s": {"N": str(s)}, **attributes}


def key(p: str, s: int) -> dict[str, Any]:
    return item(p, s)


EVERYTHING = {
    "g": {"S": "x"},
    "text": {"S": "ünïcödé ✓"},
    "number": {"N": "12345678901234567890.123"},
    "bytes": {"B": b"\x00\xff"},
    "strings": {"SS": ["b", "a"]},
    "numbers": {"NS": ["2", "1"]},
    "blobs": {"BS": [b"\x02", b"\x01"]},
    "nothing": {"NULL": True},
    "yes": {"BOOL": True},
    "list": {"L": [{"S": "x"}, {"M": {"deep": {"L": [{"B": b"z"}]}}}]},
    "map": {"M": {"a": {"M": {"b": {"N": "1"}}}}},
    "empty": {"M": {}},
}

CALLS: list[tuple[str, dict[str, Any]]] = [
    ("PutItem", {"TableName": "t", "Item": item("a", 1, **EVERYTHING)}),
    ("PutItem", {"TableName": "t", "Item": item("a", 1, v={"N": "2"}), "ReturnValues": "ALL_OLD"}),
    ("PutItem", {"TableName": "t", "Item": item("a", 2), "ReturnConsumedCapacity": "TOTAL"}),
    ("PutItem", {"TableName": "t", "Item": item("a", 1), "ConditionExpression": "attribute_not_exists(p)"}),
    (
        "PutItem",
        {
            "TableName": "t",
            "Item": item("a", 1),
            "ConditionExpression": "#v = :v",
            "ExpressionAttributeNames": {"#v": "v"},
            "ExpressionAttributeValues": {":v": {"N": "9"}},
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        },
    ),
    ("PutItem", {"TableName": "t", "Item": {"p": {"S": "no sort key"}}}),
    ("PutItem", {"TableName": "t", "Item": {"p": {"S": ""}, "s": {"N": "1"}}}),
    ("PutItem", {"TableName": "t", "Item": item("a", 1), "ConditionExpression": "broken ("}),
    ("PutItem", {"TableName": "nowhere", "Item": item("a", 1)}),
    ("GetItem", {"TableName": "t", "Key": key("a", 1)}),
    ("GetItem", {"TableName": "t", "Key": key("a", 99), "ConsistentRead": True}),
    ("GetItem", {"TableName": "t", "Key": key("a", 1), "ProjectionExpression": "v, p"}),
    ("GetItem", {"TableName": "t", "Key": {"p": {"S": "a"}}}),
    ("GetItem", {"TableName": "nowhere", "Key": key("a", 1)}),
    ("PutItem", {"TableName": "t", "Item": item("b", 1, **EVERYTHING)}),
    ("GetItem", {"TableName": "t", "Key": key("b", 1)}),
    (
        "UpdateItem",
        {
            "TableName": "t",
            "Key": key("c", 1),
            "UpdateExpression": "ADD hits :one SET g = :g",
            "ExpressionAttributeValues": {":one": {"N": "1"}, ":g": {"S": "x"}},
            "ReturnValues": "ALL_NEW",
        },
    ),
    (
        "UpdateItem",
        {
            "TableName": "t",
            "Key": key("c", 1),
            "UpdateExpression": "SET hits = hits + :one REMOVE g",
            "ConditionExpression": "hits < :limit",
            "ExpressionAttributeValues": {":one": {"N": "1"}, ":limit": {"N": "1"}},
        },
    ),
    ("UpdateItem", {"TableName": "t", "Key": key("c", 1), "UpdateExpression": "SET p = :x",
                    "ExpressionAttributeValues": {":x": {"S": "no"}}}),
    ("UpdateItem", {"TableName": "t", "Key": key("c", 1), "UpdateExpression": "NONSENSE"}),
    ("Query", {"TableName": "t", "KeyConditionExpression": "p = :p",
               "ExpressionAttributeValues": {":p": {"S": "a"}}, "Limit": 1}),
    ("Query", {"TableName": "t", "KeyConditionExpression": "p = :p", "ScanIndexForward": False,
               "ExpressionAttributeValues": {":p": {"S": "b"}}, "ReturnConsumedCapacity": "INDEXES"}),
    ("Query", {"TableName": "t", "IndexName": "by-g", "KeyConditionExpression": "g = :g",
               "ExpressionAttributeValues": {":g": {"S": "x"}}}),
    ("Query", {"TableName": "t", "IndexName": "nope", "KeyConditionExpression": "g = :g",
               "ExpressionAttributeValues": {":g": {"S": "x"}}}),
    ("Query", {"TableName": "t", "KeyConditionExpression": "s > :s",
               "ExpressionAttributeValues": {":s": {"N": "0"}}}),
    ("Scan", {"TableName": "t"}),
    ("Scan", {"TableName": "t", "Limit": 1, "Select": "COUNT"}),
    ("Scan", {"TableName": "t", "FilterExpression": "attribute_exists(blobs)"}),
    ("Scan", {"TableName": "nowhere"}),
    ("BatchWriteItem", {"RequestItems": {"t": [
        {"PutRequest": {"Item": item("d", n, bytes={"B": b"q"})}} for n in range(3)]}}),
    ("BatchWriteItem", {"RequestItems": {"t": [{"DeleteRequest": {"Key": key("d", 0)}}]}}),
    ("BatchWriteItem", {"RequestItems": {"t": [
        {"PutRequest": {"Item": item("d", 1)}}, {"PutRequest": {"Item": item("d", 1)}}]}}),
    ("BatchWriteItem", {"RequestItems": {"nowhere": [{"PutRequest": {"Item": item("d", 1)}}]}}),
    ("BatchGetItem", {"RequestItems": {"t": {"Keys": [key("d", 1), key("d", 2), key("zzz", 1)]}}}),
    ("BatchGetItem", {"RequestItems": {"t": {"Keys": [key("d", 1), key("d", 1)]}}}),
    ("TransactWriteItems", {"TransactItems": [
        {"Put": {"TableName": "t", "Item": item("e", 1)}},
        {"Update": {"TableName": "t", "Key": key("e", 2), "UpdateExpression": "SET v = :v",
                    "ExpressionAttributeValues": {":v": {"N": "1"}}}}]}),
    ("TransactWriteItems", {"TransactItems": [
        {"ConditionCheck": {"TableName": "t", "Key": key("e", 1),
                            "ConditionExpression": "attribute_not_exists(p)"}},
        {"Put": {"TableName": "t", "Item": item("e", 3)}}]}),
    ("TransactWriteItems", {"TransactItems": [
        {"Delete": {"TableName": "t", "Key": key("e", 1)}},
        {"Delete": {"TableName": "t", "Key": key("e", 1)}}]}),
    ("TransactGetItems", {"TransactItems": [
        {"Get": {"TableName": "t", "Key": key("e", 1)}}, {"Get": {"TableName": "t", "Key": key("e", 9)}}]}),
    ("DeleteItem", {"TableName": "t", "Key": key("e", 1), "ReturnValues": "ALL_OLD"}),
    ("DeleteItem", {"TableName": "t", "Key": key("e", 1), "ConditionExpression": "attribute_exists(p)"}),
    ("DeleteItem", {"TableName": "t", "Key": {"p": {"S": "a"}}}),
]  # fmt: skip


def record(long: bool) -> list[Any]:
    """The answers to CALLS, in a world of their own."""
    world = World()
    try:
        client = boto3.client("dynamodb")
        if long:
            client.meta.events.register("before-send", lambda **_: None)
        client.create_table(**TABLE)
        answers: list[Any] = []
        for operation, params in CALLS:
            method = getattr(
                client, "".join("_" + c.lower() if c.isupper() else c for c in operation).lstrip("_")
            )
            try:
                answer = method(**params)
            except ClientError as error:
                answer = {"raised": type(error).__name__, **error.response}
            status = answer.pop("ResponseMetadata")["HTTPStatusCode"]
            answers.append((operation, params, status, answer))
        return answers
    finally:
        world.close()


def test_both_ways_answer_alike() -> None:
    for short, long in zip(record(long=False), record(long=True), strict=True):
        assert short == long


def test_every_operation_of_the_short_way_is_compared() -> None:
    assert {operation for operation, _ in CALLS} == SHORT["dynamodb"]


def test_what_the_short_way_returns_is_a_copy(world: World) -> None:
    client = world.client("dynamodb")
    client.create_table(**TABLE)
    mine = item("a", 1, map={"M": {"x": {"S": "stored"}}})
    client.put_item(TableName="t", Item=mine)
    mine["map"]["M"]["x"]["S"] = "changed by the caller"
    read = client.get_item(TableName="t", Key=key("a", 1))["Item"]
    assert read["map"]["M"]["x"]["S"] == "stored"
    read["map"]["M"]["x"]["S"] = "changed by the reader"
    again = client.get_item(TableName="t", Key=key("a", 1))["Item"]
    assert again["map"]["M"]["x"]["S"] == "stored"


@pytest.mark.parametrize("number", ["3", "0.1"])
def test_numbers_of_a_resource_are_decimals_on_the_short_way(world: World, number: str) -> None:
    world.client("dynamodb").create_table(**TABLE)
    table = boto3.resource("dynamodb").Table("t")
    table.put_item(Item={"p": "a", "s": decimal.Decimal(number)})
    assert table.scan()["Items"] == [{"p": "a", "s": decimal.Decimal(number)}]
