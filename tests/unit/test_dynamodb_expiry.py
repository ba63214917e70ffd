"""Time to live: who is deleted, when, and what the stream says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.cloud.local.world import World

HOUR = 3_600_000_000
DELAY = 1000
"""Seconds between an item's expiry and its deletion, in these tests."""


@pytest.fixture
def world() -> Iterator[World]:
    world = World(latency={"*": 0, "dynamodb.ttl_deletion": DELAY * 1000})
    world.client("dynamodb").create_table(
        TableName="t",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "OLD_IMAGE"},
    )
    yield world
    world.close()


def switch(world: World, enabled: bool = True, attribute: str = "ttl") -> None:
    world.client("dynamodb").update_time_to_live(
        TableName="t", TimeToLiveSpecification={"Enabled": enabled, "AttributeName": attribute}
    )


def put(world: World, name: str, value: dict[str, Any]) -> None:
    world.client("dynamodb").put_item(TableName="t", Item={"id": {"S": name}, "ttl": value})


def after(world: World, seconds: int) -> dict[str, str]:
    return {"N": str(world.kernel.now // 1_000_000 + seconds)}


def names(world: World) -> list[str]:
    return sorted(item["id"]["S"] for item in world.client("dynamodb").scan(TableName="t")["Items"])


def test_an_expired_item_is_there_until_the_service_deletes_it(world: World) -> None:
    switch(world)
    put(world, "soon", after(world, 60))
    world.kernel.settle()  # no timer of a deletion keeps a run from ending
    world.kernel.advance((60 + DELAY - 1) * 1_000_000)
    assert names(world) == ["soon"]
    world.kernel.advance(2_000_000)
    assert names(world) == []
    arn = world.client("dynamodb").describe_table(TableName="t")["Table"]["LatestStreamArn"]
    stream = world.dynamodb_streams.stream(arn)
    assert stream is not None
    removed = stream.shard.read(1, 9)[0]
    assert [each.filterable(stream.shard, "")["eventName"] for each in removed] == ["REMOVE"]
    assert removed[0].filterable(stream.shard, "")["userIdentity"] == {
        "type": "Service",
        "principalId": "dynamodb.amazonaws.com",
    }
    assert [entry.resource for entry in world.journal.select("dynamodb.ttl_deletion")] == ["t"]


def test_a_later_value_counts(world: World) -> None:
    switch(world)
    put(world, "kept", after(world, 60))
    put(world, "kept", after(world, 7200))
    put(world, "freed", after(world, 60))
    world.client("dynamodb").update_item(
        TableName="t", Key={"id": {"S": "freed"}}, UpdateExpression="REMOVE #t",
        ExpressionAttributeNames={"#t": "ttl"},
    )  # fmt: skip
    world.kernel.advance(HOUR)
    assert names(world) == ["freed", "kept"]
    world.kernel.advance(2 * HOUR)
    assert names(world) == ["freed"]


def test_values_that_are_no_time_are_ignored(world: World) -> None:
    switch(world)
    put(world, "text", {"S": after(world, 60)["N"]})
    put(world, "ancient", after(world, -6 * 365 * 86_400))
    put(world, "old", after(world, -4 * 365 * 86_400))
    world.kernel.advance(24 * HOUR)
    assert names(world) == ["ancient", "text"]


def test_items_from_before_expire_too_and_none_when_it_is_off(world: World) -> None:
    put(world, "before", after(world, 60))
    switch(world)
    world.kernel.advance(HOUR)
    assert names(world) == []
    put(world, "after", after(world, 60))
    switch(world, enabled=False)
    world.kernel.advance(HOUR)
    assert names(world) == ["after"]


def test_what_is_switched_twice_is_refused(world: World) -> None:
    def message(**change: Any) -> str:
        with pytest.raises(ClientError) as error:
            switch(world, **change)
        assert error.value.response["Error"]["Code"] == "ValidationException"
        return str(error.value.response["Error"]["Message"])

    assert message(enabled=False) == "TimeToLive is already disabled"
    switch(world)
    assert message() == "TimeToLive is already enabled"
    assert message(attribute="x") == (
        "TimeToLive is active on a different AttributeName: current AttributeName is ttl"
    )
    description = world.client("dynamodb").describe_time_to_live(TableName="t")
    assert description["TimeToLiveDescription"] == {
        "TimeToLiveStatus": "ENABLED",
        "AttributeName": "ttl",
    }
