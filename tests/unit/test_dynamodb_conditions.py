"""Fine-grained access to tables: whose items, which attributes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from infra.cloud.local.kernel import SECOND
from infra.cloud.local.service import Caller, ServiceError
from infra.cloud.local.stores.dynamodb.conditions import request_keys
from infra.cloud.local.world import World


def test_the_attributes_of_a_request() -> None:
    """https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html"""
    update = {
        "Key": {"pk": {"S": "1"}},
        "UpdateExpression": "SET #s = if_not_exists(#s, :a), doc.part[0].x = :b ADD hits :one REMOVE old-1",
        "ConditionExpression": "attribute_exists(pk) AND (size(tags) > :n OR begins_with (mail, :m))",
        "ExpressionAttributeNames": {"#s": "status"},
    }
    assert request_keys("UpdateItem", update) == {
        "dynamodb:attributes": ["pk", "tags", "mail", "status", "doc", "hits", "old-1"],
        "dynamodb:returnvalues": "NONE",
    }
    query = {"KeyConditionExpression": "pk = :p AND sk BETWEEN :a AND :b", "ProjectionExpression": "a, b.c"}
    assert request_keys("Query", query) == {
        "dynamodb:attributes": ["pk", "sk", "a", "b"],
        "dynamodb:select": "SPECIFIC_ATTRIBUTES",
    }
    assert request_keys("Scan", {"Select": "COUNT"}) == {"dynamodb:select": "COUNT"}
    assert request_keys("GetItem", {"Key": {"pk": {}}})["dynamodb:select"] == "ALL_ATTRIBUTES"


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    schema = [{"AttributeName": name, "AttributeType": "S"} for name in ("tenant", "id", "kind")]
    world.client("dynamodb").create_table(
        TableName="data",
        AttributeDefinitions=schema,
        KeySchema=[
            {"AttributeName": "tenant", "KeyType": "HASH"},
            {"AttributeName": "id", "KeyType": "RANGE"},
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "kinds",
                "KeySchema": [{"AttributeName": "kind", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    yield world
    world.close()


def allowed(world: World, condition: dict[str, Any], operation: str, params: dict[str, Any]) -> bool:
    """May a role do that whose one statement has this condition?"""
    iam = world.client("iam")
    name = f"r{world.kernel.events}"
    statement = {"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*", "Condition": condition}
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument='{"Statement": []}')["Role"]["Arn"]
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=document)
    caller = Caller("function", "f", role=arn)
    result: list[str] = []

    def call() -> None:
        try:
            world.call("dynamodb", operation, params, caller)
            result.append("")
        except ServiceError as error:
            result.append(error.code)

    world.kernel.spawn(call, name="call")
    world.kernel.advance(SECOND)
    assert result[0] in ("", "AccessDeniedException")
    return not result[0]


def key(tenant: str) -> dict[str, Any]:
    return {"tenant": {"S": tenant}, "id": {"S": "1"}}


def query(tenant: str, expression: str = "tenant = :t") -> dict[str, Any]:
    values = {":t": {"S": tenant}}
    return {"TableName": "data", "KeyConditionExpression": expression, "ExpressionAttributeValues": values}


def test_only_items_of_ones_own(world: World) -> None:
    own = {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["blue"]}}
    for tenant in ("blue", "red"):
        mine = tenant == "blue"
        put = {"Put": {"TableName": "data", "Item": key(tenant)}}
        named = query(tenant, "#t = :t and begins_with(id, :t)") | {
            "ExpressionAttributeNames": {"#t": "tenant"}
        }
        for operation, params in (
            ("GetItem", {"TableName": "data", "Key": key(tenant)}),
            ("PutItem", {"TableName": "data", "Item": key(tenant)}),
            ("Query", query(tenant)),
            ("Query", named),
            ("BatchWriteItem", {"RequestItems": {"data": [{"PutRequest": {"Item": key(tenant)}}]}}),
            (
                "BatchGetItem",
                {"RequestItems": {"data": {"Keys": [key(each) for each in dict.fromkeys(("blue", tenant))]}}},
            ),
            ("TransactWriteItems", {"TransactItems": [put]}),
        ):
            assert allowed(world, own, operation, params) == mine, (operation, tenant)
    index = query("blue", "kind = :t") | {"IndexName": "kinds"}
    assert allowed(world, own, "Query", index)
    assert allowed(
        world, own, "Scan", {"TableName": "data"}
    )  # of no values ForAllValues holds, as documented


def test_only_some_attributes(world: World) -> None:
    some = {
        "ForAllValues:StringEquals": {"dynamodb:Attributes": ["tenant", "id", "score"]},
        "StringEqualsIfExists": {"dynamodb:Select": "SPECIFIC_ATTRIBUTES"},
    }
    for params, answer in (
        ({"ProjectionExpression": "score"}, True),
        ({"ProjectionExpression": "score, secret"}, False),
        ({}, False),
    ):
        assert allowed(world, some, "GetItem", {"TableName": "data", "Key": key("a"), **params}) == answer
    update = {"TableName": "data", "Key": key("a"), "ExpressionAttributeValues": {":v": {"N": "1"}}}
    assert allowed(world, some, "UpdateItem", {**update, "UpdateExpression": "SET score = :v"})
    assert not allowed(world, some, "UpdateItem", {**update, "UpdateExpression": "SET secret = :v"})
