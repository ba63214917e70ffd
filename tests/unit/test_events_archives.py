"""Archives and replays, and the ticks of scheduled rules."""

from __future__ import annotations

import datetime
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.cloud.local.kernel import SECOND
from infra.cloud.local.world import World

from .events_tools import arn, put, queue, received, rule

HOUR = 3600 * SECOND
BUS = arn("events", "event-bus/default")
ARCHIVE = arn("events", "archive/all")


def wait(world: World, duration: int) -> None:
    world.kernel.run_until(world.kernel.now + duration)


def replay(world: World, start: int, end: int, **destination: Any) -> dict[str, Any]:
    """From ``start`` to ``end`` µs of the world's life; waits until it has ended."""
    events = world.client("events")
    events.start_replay(
        ReplayName="again",
        EventSourceArn=ARCHIVE,
        EventStartTime=world.datetime(world.started + start),
        EventEndTime=world.datetime(world.started + end),
        Destination={"Arn": BUS, **destination},
    )
    world.kernel.settle()
    described: dict[str, Any] = events.describe_replay(ReplayName="again")
    return described


@pytest.fixture
def archived(world: World) -> World:
    """Three events, an hour apart, in an archive; a rule that sends them to ``q``, one to ``other``."""
    events = world.client("events")
    events.create_archive(ArchiveName="all", EventSourceArn=BUS, EventPattern='{"source": ["shop"]}')
    rule(world, "first", {"source": ["shop"]}, {"Arn": queue(world, "q")})
    rule(world, "second", {"source": ["shop"]}, {"Arn": queue(world, "other")})
    for n in range(3):
        put(world, {"n": n})
        wait(world, HOUR)
    received(world, "q")
    received(world, "other")
    return world


def test_an_archive_counts_what_its_pattern_matches(archived: World) -> None:
    put(archived, source="bank")
    described = archived.client("events").describe_archive(ArchiveName="all")
    described.pop("ResponseMetadata")
    described.pop("CreationTime")
    size = len('{"n": 0}') + len("shop") + len("order") + len("2026-01-05T09:00:00Z")
    assert described == {
        "ArchiveArn": ARCHIVE,
        "ArchiveName": "all",
        "EventSourceArn": BUS,
        "EventPattern": '{"source": ["shop"]}',
        "State": "ENABLED",
        "RetentionDays": 0,
        "SizeBytes": 3 * size,
        "EventCount": 3,
    }
    managed = archived.client("events").describe_rule(Name="Events-Archive-all")
    assert managed["ManagedBy"] == "prod.vhs.events.aws.internal"
    assert json.loads(managed["EventPattern"]) == {"source": ["shop"], "replay-name": [{"exists": False}]}


def test_a_replay_of_a_window_in_order_with_its_name(archived: World) -> None:
    described = replay(archived, HOUR // 2, 3 * HOUR)
    found = received(archived, "q")
    assert [(event["detail"]["n"], event["replay-name"]) for event in found] == [(1, "again"), (2, "again")]
    assert list(found[0])[6:9] == ["region", "replay-name", "resources"]
    assert len(received(archived, "other")) == 2
    assert described["State"] == "COMPLETED"
    assert described["EventLastReplayedTime"] == datetime.datetime(2026, 1, 5, 11, 0, tzinfo=datetime.UTC)
    assert archived.client("events").describe_archive(ArchiveName="all")["EventCount"] == 3  # not again


def test_a_replay_to_one_rule(archived: World) -> None:
    replay(archived, 0, 4 * HOUR, FilterArns=[arn("events", "rule/second")])
    assert received(archived, "q") == []
    assert [event["detail"]["n"] for event in received(archived, "other")] == [0, 1, 2]


def test_a_cancelled_replay(archived: World) -> None:
    events = archived.client("events")
    window = {"EventStartTime": archived.datetime(archived.started), "EventEndTime": archived.datetime()}
    destination = {"Arn": BUS}
    started = events.start_replay(
        ReplayName="again", EventSourceArn=ARCHIVE, Destination=destination, **window
    )
    assert started["State"] == "STARTING"
    assert events.cancel_replay(ReplayName="again")["State"] == "CANCELLING"
    archived.kernel.settle()
    assert events.describe_replay(ReplayName="again")["State"] == "CANCELLED"
    assert received(archived, "q") == []
    with pytest.raises(ClientError, match="Replay again is not in a valid state"):
        events.cancel_replay(ReplayName="again")
    events.create_event_bus(Name="elsewhere")
    destination = {"Arn": arn("events", "event-bus/elsewhere")}
    with pytest.raises(ClientError, match="Cross event bus replay is not permitted"):
        events.start_replay(ReplayName="x", EventSourceArn=ARCHIVE, Destination=destination, **window)


def test_retention_needs_no_timer(world: World) -> None:
    events = world.client("events")
    events.create_archive(ArchiveName="all", EventSourceArn=BUS, RetentionDays=2)
    put(world)
    wait(world, 36 * HOUR)
    put(world)
    assert events.describe_archive(ArchiveName="all")["EventCount"] == 2
    before = world.kernel.events
    wait(world, 13 * HOUR)
    assert world.kernel.events == before
    assert events.describe_archive(ArchiveName="all")["EventCount"] == 1
    events.delete_archive(ArchiveName="all")
    assert events.list_archives()["Archives"] == []
    assert events.list_rules()["Rules"] == []


def test_a_scheduled_rule(world: World) -> None:
    """``settle`` does not wait for ticks; they come as time passes, and stop when the rule is disabled."""
    events = world.client("events")
    q = queue(world, "q")
    made = events.put_rule(Name="tick", ScheduleExpression="rate(5 minutes)")["RuleArn"]
    events.put_targets(Rule="tick", Targets=[{"Id": "q", "Arn": q}])
    world.kernel.settle()
    assert received(world, "q") == []
    wait(world, 11 * 60 * SECOND)
    found = received(world, "q")
    assert [event["time"] for event in found] == ["2026-01-05T09:05:00Z", "2026-01-05T09:10:00Z"]
    assert {key: found[0][key] for key in ("detail-type", "source", "resources", "detail")} == {
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "resources": [made],
        "detail": {},
    }
    events.disable_rule(Name="tick")
    wait(world, HOUR)
    assert received(world, "q") == []
    events.put_rule(Name="tick", ScheduleExpression="cron(30 10 * * ? *)")
    wait(world, 24 * HOUR)
    assert [event["time"] for event in received(world, "q")] == ["2026-01-05T10:30:00Z"]
