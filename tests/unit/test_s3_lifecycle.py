"""Objects expire in virtual time, and their bucket tells so."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

import pytest

from infra.cloud.local.routes.s3.lifecycle import DAY, due
from infra.cloud.local.world import World

RULE = {"Status": "Enabled", "Filter": {"Prefix": "tmp/"}, "Expiration": {"Days": 2}}


@pytest.fixture
def world() -> Iterator[World]:
    world = World(latency={"*": 0})
    s3 = world.client("s3")
    s3.create_bucket(Bucket="files")
    s3.put_object(Bucket="files", Key="tmp/before", Body=b"x")
    s3.put_bucket_lifecycle_configuration(Bucket="files", LifecycleConfiguration={"Rules": [RULE]})
    yield world
    world.close()


def keys(world: World) -> list[str]:
    found = world.client("s3").list_objects_v2(Bucket="files").get("Contents", [])
    return [item["Key"] for item in found]


def test_objects_expire_at_midnight_after_their_days(world: World) -> None:
    s3 = world.client("s3")
    s3.put_object(Bucket="files", Key="tmp/after", Body=b"x")
    s3.put_object(Bucket="files", Key="kept", Body=b"x")
    world.kernel.settle()  # a day far away keeps no run from ending
    midnight = datetime.datetime(2026, 1, 8, tzinfo=datetime.UTC)
    world.kernel.run_until(int(midnight.timestamp()) * 1_000_000 - 1)
    assert keys(world) == ["kept", "tmp/after", "tmp/before"]
    world.kernel.advance(1)
    assert keys(world) == ["kept"]


def test_a_newer_object_has_its_own_days(world: World) -> None:
    world.kernel.advance(2 * DAY)
    world.client("s3").put_object(Bucket="files", Key="tmp/before", Body=b"new")
    world.kernel.advance(DAY)
    assert keys(world) == ["tmp/before"]
    world.kernel.advance(2 * DAY)
    assert keys(world) == []


def test_without_the_rule_nothing_expires(world: World) -> None:
    world.client("s3").delete_bucket_lifecycle(Bucket="files")
    world.kernel.advance(9 * DAY)
    assert keys(world) == ["tmp/before"]


@pytest.mark.parametrize("versioned", [False, True])
def test_the_bucket_tells(world: World, versioned: bool) -> None:
    sent: list[tuple[str, dict[str, Any]]] = []

    def emit(source: str, detail_type: str, detail: dict[str, Any], **more: Any) -> str:
        sent.append((detail_type, detail))
        return ""

    world.events.emit = emit  # type: ignore[assignment,method-assign]
    s3 = world.client("s3")
    s3.put_bucket_notification_configuration(
        Bucket="files", NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    if versioned:
        s3.put_bucket_versioning(Bucket="files", VersioningConfiguration={"Status": "Enabled"})
    world.kernel.advance(4 * DAY)
    ((kind, detail),) = sent
    assert kind == "Object Deleted"
    assert (detail["reason"], detail["requester"], detail["deletion-type"]) == (
        "Lifecycle Expiration",
        "s3.amazonaws.com",
        "Delete Marker Created" if versioned else "Permanently Deleted",
    )
    assert "source-ip-address" not in detail


def test_which_objects_a_rule_covers() -> None:
    def holds(given: dict[str, Any], key: str = "a/b", size: int = 10, **tags: str) -> bool:
        rule = {"Status": "Enabled", "Filter": given, "Expiration": {"Days": 1}}
        return due(rule, key, size, tags, 0) == DAY

    assert holds({"Prefix": "a/"})
    assert not holds({"Prefix": "b/"})
    assert holds({"Tag": {"Key": "k", "Value": "v"}}, k="v")
    assert not holds({"Tag": {"Key": "k", "Value": "v"}})
    both = {"And": {"Prefix": "a/", "ObjectSizeGreaterThan": 9, "ObjectSizeLessThan": 11}}
    assert holds(both)
    assert not holds(both, size=11)
    assert not holds(both, size=9)
    assert due({"Status": "Disabled", "Expiration": {"Days": 1}}, "a", 1, {}, 0) is None
    assert (
        due({"Status": "Enabled", "Expiration": {"Date": "1970-01-03T00:00:00Z"}}, "a", 1, {}, 0) == 2 * DAY
    )
