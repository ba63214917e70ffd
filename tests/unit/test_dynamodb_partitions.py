"""Queries of a partition: the same answers however they are found, and a cost that follows the answer."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.cloud.local.stores.dynamodb.partitions import bounds
from infra.cloud.local.world import World


@pytest.fixture
def world() -> Iterator[World]:
    world = World(latency={"*": 0})
    world.client("dynamodb").create_table(
        TableName="t",
        KeySchema=[{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "s", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": "p", "AttributeType": "S"},
            {"AttributeName": "s", "AttributeType": "N"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    yield world
    world.close()


def fill(world: World, first: int, count: int) -> None:
    puts = [{"PutRequest": {"Item": {"p": {"S": "a"}, "s": {"N": str(first + n)}}}} for n in range(count)]
    for start in range(0, count, 25):
        answer = world.client("dynamodb").batch_write_item(RequestItems={"t": puts[start : start + 25]})
        assert answer["UnprocessedItems"] == {}
        world.kernel.advance(25_000)  # a partition takes 1,000 writes a second


def query(world: World, condition: str = "p = :p", **more: Any) -> tuple[list[int], Any]:
    values = {":p": {"S": "a"}}
    for name in ("x", "y"):
        if f":{name}" in condition:
            values[f":{name}"] = {"N": str(more.pop(name))}
    answer = world.client("dynamodb").query(
        TableName="t", KeyConditionExpression=condition, ExpressionAttributeValues=values, **more
    )
    return [int(item["s"]["N"]) for item in answer["Items"]], answer.get("LastEvaluatedKey")


def test_pages_in_both_directions(world: World) -> None:
    fill(world, 0, 7)
    assert query(world) == ([*range(7)], None)
    for forward, expected in ((True, [*range(7)]), (False, [*range(6, -1, -1)])):
        found, start = query(world, ScanIndexForward=forward, Limit=3)
        while start is not None:
            page, start = query(world, ScanIndexForward=forward, Limit=3, ExclusiveStartKey=start)
            found += page
        assert found == expected


def test_conditions_on_the_sort_key(world: World) -> None:
    fill(world, 0, 7)
    assert query(world, "p = :p AND s > :x", x=4)[0] == [5, 6]
    assert query(world, "p = :p AND s <= :x", x=2, ScanIndexForward=False)[0] == [2, 1, 0]
    assert query(world, "p = :p AND s BETWEEN :x AND :y", x=2, y=4)[0] == [2, 3, 4]
    assert query(world, "p = :p AND s = :x", x=3)[0] == [3]


def test_writes_keep_the_order(world: World) -> None:
    fill(world, 10, 3)
    assert query(world)[0] == [10, 11, 12]
    fill(world, 5, 2)
    world.client("dynamodb").delete_item(TableName="t", Key={"p": {"S": "a"}, "s": {"N": "11"}})
    assert query(world)[0] == [5, 6, 10, 12]


def test_a_limit_that_is_met_exactly_still_has_a_last_key(world: World) -> None:
    """https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.Pagination.html"""
    fill(world, 0, 3)
    assert query(world, Limit=3) == ([0, 1, 2], {"p": {"S": "a"}, "s": {"N": "2"}})


def test_the_cost_of_a_page_does_not_follow_the_partition(world: World) -> None:
    def duration() -> float:
        started = time.perf_counter()
        for _ in range(20):
            query(world, Limit=5)
        return time.perf_counter() - started

    fill(world, 0, 50)
    query(world)
    small = min(duration() for _ in range(3))
    fill(world, 50, 3000)
    assert min(duration() for _ in range(3)) < 3 * small


COMPARISONS = {
    "=": lambda value, x, y: value == x,
    "<": lambda value, x, y: value < x,
    "<=": lambda value, x, y: value <= x,
    ">": lambda value, x, y: value > x,
    ">=": lambda value, x, y: value >= x,
    "BETWEEN": lambda value, x, y: x <= value <= y,
    "BEGINS_WITH": lambda value, x, y: value.startswith(x),
}
TEXT = st.text("ab\U0001f600", max_size=3)


@given(st.lists(TEXT, unique=True), st.sampled_from([*COMPARISONS]), TEXT, TEXT)
def test_bounds_are_what_the_comparison_says(values: list[str], name: str, x: str, y: str) -> None:
    values.sort()
    found = bounds(name, [x, y], values)
    assert found is not None
    holds = COMPARISONS[name]
    assert values[found[0] : found[1]] == [value for value in values if holds(value, x, y)]
