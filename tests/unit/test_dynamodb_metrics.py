"""AWS/DynamoDB's metrics, from calls."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.cloud.local.world import World


@pytest.fixture
def world() -> Iterator[World]:
    world = World(latency={"*": 0, "dynamodb.PutItem": 8})
    world.client("dynamodb").create_table(
        TableName="orders",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    yield world
    world.close()


def total(world: World, name: str, statistic: str = "Sum", **dimensions: str) -> float | None:
    start = world.datetime() - datetime.timedelta(hours=1)
    answer: dict[str, Any] = world.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/DynamoDB",
        MetricName=name,
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
        StartTime=start,
        EndTime=start + datetime.timedelta(hours=2),
        Period=7200,
        Statistics=[statistic],
    )
    points = answer["Datapoints"]
    return points[0][statistic] if points else None


def test_what_calls_consume_and_return(world: World) -> None:
    table = world.client("dynamodb")
    for name in ("a", "b"):
        table.put_item(TableName="orders", Item={"id": {"S": name}})
    put = {"TableName": "orders", "Item": {"id": {"S": "a"}}}
    with pytest.raises(ClientError):
        table.put_item(**put, ConditionExpression="attribute_not_exists(id)")
    table.transact_write_items(TransactItems=[{"Put": put}])
    table.batch_write_item(RequestItems={"orders": [{"PutRequest": {"Item": {"id": {"S": "c"}}}}]})
    table.get_item(TableName="orders", Key={"id": {"S": "a"}}, ConsistentRead=True)
    table.scan(TableName="orders")
    with pytest.raises(ClientError):
        table.get_item(TableName="orders", Key={"wrong": {"S": "a"}})
    of_table = {"TableName": "orders"}
    assert total(world, "ConsumedWriteCapacityUnits", **of_table) == 6  # 3 puts, 2 transacted, 1 in a batch
    assert total(world, "ConsumedReadCapacityUnits", **of_table) == 1.5
    assert total(world, "ConditionalCheckFailedRequests", **of_table) == 1
    assert total(world, "UserErrors") == 1
    assert total(world, "SuccessfulRequestLatency", "Average", Operation="PutItem", **of_table) == 8
    assert total(world, "SuccessfulRequestLatency", "SampleCount", Operation="PutItem", **of_table) == 2
    assert total(world, "ReturnedItemCount", Operation="Scan", **of_table) == 3
    assert total(world, "ThrottledRequests", Operation="PutItem", **of_table) is None
