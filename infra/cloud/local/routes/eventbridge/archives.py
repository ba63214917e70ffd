"""Archives and replays.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-archive.html. An archive is filled by a managed
rule, whose pattern leaves out replayed events. Archived events expire when somebody looks: none has a timer.
Replays go minute by minute of the events' own time
(https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-replay-archived-event.html); a minute without
events takes no time.
"""

from __future__ import annotations

import collections
import dataclasses
import datetime
import json
from typing import Any

from ...kernel import SECOND
from ...service import Call, ServiceError
from . import errors
from .entries import replayed
from .model import MANAGED_BY, Bus, Event, Rule, micros
from .rules import Rules, checked_pattern
from .store import page

DAY = 24 * 3600 * SECOND
MINUTE = 60 * SECOND

BETWEEN_MINUTES = SECOND
"""How long a replay takes for a minute that has events. AWS publishes no figure: an assumption."""


@dataclasses.dataclass(eq=False, slots=True)
class Archive:
    name: str
    arn: str
    bus: Bus
    created: int
    rule: Rule
    pattern: str = ""
    retention: int = 0  # days, 0 for ever
    description: str | None = None
    events: collections.deque[tuple[int, int, int, Event]] = dataclasses.field(
        default_factory=collections.deque
    )  # (archived at µs, time of the event µs, bytes, the event), in the order of archiving
    size: int = 0

    def add(self, event: Event) -> None:
        bytes_ = _size(event)
        self.events.append((event.ingested, _time(event), bytes_, event))
        self.size += bytes_
        self.expire(event.ingested)

    def expire(self, now: int) -> None:
        if self.retention:
            before = now - self.retention * DAY
            while self.events and self.events[0][0] <= before:
                self.size -= self.events.popleft()[2]


def _time(event: Event) -> int:
    moment = datetime.datetime.fromisoformat(event.fields["time"])
    return int(moment.timestamp()) * SECOND


def _size(event: Event) -> int:
    """Bytes, as SizeBytes counts them (ten recorded events have 1,590): source, detail type, time, detail."""
    fields = event.fields
    return sum(
        len(text.encode())
        for text in (fields["source"], fields["detail-type"], fields["time"], json.dumps(fields["detail"]))
    )


@dataclasses.dataclass(eq=False, slots=True)
class Replay:
    name: str
    arn: str
    archive: Archive
    given: dict[str, Any]
    started: int
    state: str = "STARTING"
    minutes: collections.deque[list[Event]] = dataclasses.field(default_factory=collections.deque)
    last: int | None = None  # time (µs) of the last event replayed
    ended: int | None = None


class Archives(Rules):
    """The operations on archives and replays."""

    def __init__(self, world: Any) -> None:
        super().__init__(world)
        self.archives: dict[str, Archive] = {}
        self.replays: dict[str, Replay] = {}

    # -- archives --------------------------------------------------------------------------------

    def CreateArchive(self, call: Call) -> dict[str, Any]:
        params = call.params
        name = params["ArchiveName"]
        arn = f"arn:aws:events:{call.region}:{call.account}:archive/{name}"
        bus = self._source(call)
        if arn in self.archives:
            raise errors.exists(f"Archive {name} already exists.")
        pattern = params.get("EventPattern", "")
        if pattern:
            checked_pattern(pattern)
        rule_name = f"Events-Archive-{name}"
        rule = Rule(bus, rule_name, self._rule_arn(bus, rule_name), call.account, managed_by=MANAGED_BY)
        rule.match(_managed_pattern(pattern))
        archive = Archive(
            name,
            arn,
            bus,
            self.kernel.now,
            rule,
            pattern,
            params.get("RetentionDays", 0),
            params.get("Description"),
        )
        rule.archive = self.archives[arn] = archive
        bus.rules[rule_name] = rule
        bus.changed()
        return self._created(archive)

    def _created(self, archive: Archive) -> dict[str, Any]:
        return {
            "ArchiveArn": archive.arn,
            "State": "ENABLED",
            "CreationTime": self.world.datetime(archive.created),
        }

    def _source(self, call: Call) -> Bus:
        arn = call.params["EventSourceArn"]
        bus = self.find(arn, call.region, call.account)
        if bus is None:
            raise errors.no_bus(arn.rpartition("event-bus/")[2])
        return bus

    def _archive(self, call: Call) -> Archive:
        name = call.params["ArchiveName"]
        archive = self.archives.get(f"arn:aws:events:{call.region}:{call.account}:archive/{name}")
        if archive is None:
            raise errors.not_found(f"Archive {name} does not exist.")
        return archive

    def DescribeArchive(self, call: Call) -> dict[str, Any]:
        archive = self._archive(call)
        shown = {"ArchiveArn": archive.arn, **self._listed(archive)}
        if archive.pattern:
            shown["EventPattern"] = archive.pattern
        if archive.description is not None:
            shown["Description"] = archive.description
        return shown

    def _listed(self, archive: Archive) -> dict[str, Any]:
        archive.expire(self.kernel.now)
        return {
            "ArchiveName": archive.name,
            "EventSourceArn": archive.bus.arn,
            "State": "ENABLED",
            "RetentionDays": archive.retention,
            "SizeBytes": archive.size,
            "EventCount": len(archive.events),
            "CreationTime": self.world.datetime(archive.created),
        }

    def ListArchives(self, call: Call) -> dict[str, Any]:
        params = call.params
        _at_most_one(call)
        if "EventSourceArn" in params:
            self._source(call)
        found = [
            archive
            for _, archive in sorted(self.archives.items())
            if (archive.bus.region, archive.bus.account) == (call.region, call.account)
            and archive.name.startswith(params.get("NamePrefix", ""))
            and params.get("EventSourceArn", archive.bus.arn) == archive.bus.arn
            and params.get("State", "ENABLED") == "ENABLED"
        ]
        return page(found, params, "Archives", self._listed)

    def UpdateArchive(self, call: Call) -> dict[str, Any]:
        params, archive = call.params, self._archive(call)
        if "EventPattern" in params:
            if params["EventPattern"]:
                checked_pattern(params["EventPattern"])
            archive.pattern = params["EventPattern"]
            archive.rule.match(_managed_pattern(archive.pattern))
            archive.bus.changed()
        archive.retention = params.get("RetentionDays", archive.retention)
        archive.description = params.get("Description", archive.description)
        return self._created(archive)

    def DeleteArchive(self, call: Call) -> None:
        archive = self._archive(call)
        del self.archives[archive.arn]
        if archive.bus.rules.get(archive.rule.name) is archive.rule:
            self.remove_rule(archive.rule)

    # -- replays ---------------------------------------------------------------------------------

    def StartReplay(self, call: Call) -> dict[str, Any]:
        params = call.params
        name, destination = params["ReplayName"], params["Destination"]
        if ":event-bus/" not in destination["Arn"]:
            raise errors.invalid(
                "Parameter Destination.Arn is not valid. Reason: Must contain an event bus ARN."
            )
        bus = self.find(destination["Arn"], call.region, call.account)
        if bus is None:
            raise errors.no_bus(destination["Arn"].rpartition("event-bus/")[2])
        archive = self.archives.get(params["EventSourceArn"])
        if archive is None:
            archive_name = params["EventSourceArn"].rpartition("archive/")[2]
            raise errors.invalid(
                f"Parameter EventSourceArn is not valid. Reason: Archive {archive_name} does not exist."
            )
        if archive.bus is not bus:
            raise errors.invalid(
                "Parameter Destination.Arn is not valid. Reason: Cross event bus replay is not permitted."
            )
        start, end = micros(params["EventStartTime"]), micros(params["EventEndTime"])
        if start >= end:
            raise errors.invalid(
                "Parameter EventEndTime is not valid. Reason: EventStartTime must be before EventEndTime."
            )
        arn = f"arn:aws:events:{call.region}:{call.account}:replay/{name}"
        if arn in self.replays:
            raise errors.exists(f"Replay {name} already exists.")
        replay = self.replays[arn] = Replay(name, arn, archive, dict(params), self.kernel.now)
        self.kernel.call_later(
            self.world.latency.sample("events.replay_start"), self._run, replay, start, end
        )
        return {
            "ReplayArn": arn,
            "State": "STARTING",
            "ReplayStartTime": self.world.datetime(replay.started),
        }

    def _run(self, replay: Replay, start: int, end: int) -> None:
        if self._cancelled(replay):
            return
        replay.state = "RUNNING"
        replay.archive.expire(self.kernel.now)
        by_minute: dict[int, list[Event]] = {}
        for _, time, _, event in replay.archive.events:
            if start <= time <= end:
                by_minute.setdefault(time // MINUTE, []).append(event)
        replay.minutes.extend(events for _, events in sorted(by_minute.items()))
        self._next_minute(replay)

    def _next_minute(self, replay: Replay) -> None:
        if self._cancelled(replay):
            return
        if not replay.minutes:
            self._finish(replay, "COMPLETED")
            return
        bus = replay.archive.bus
        filters = replay.given["Destination"].get("FilterArns") or None
        for event in replay.minutes.popleft():
            fields = replayed(event.fields, replay.name)
            again = Event(fields, self.kernel.now, event.trace or self.world.new_trace(), event.hops)
            self.ingest(again, bus, filters)
            replay.last = _time(event)
        self.kernel.call_later(BETWEEN_MINUTES, self._next_minute, replay)

    def _cancelled(self, replay: Replay) -> bool:
        if replay.state == "CANCELLING":
            self._finish(replay, "CANCELLED")
        return replay.state == "CANCELLED"

    def _finish(self, replay: Replay, state: str) -> None:
        replay.state, replay.ended = state, self.kernel.now
        replay.minutes.clear()
        self.journal.record(
            "events.replay", replay.archive.arn, actor="events", outcome=state, data={"replay": replay.name}
        )

    def ingest(self, event: Event, bus: Bus, only: list[str] | None = None) -> None:
        """An event enters a bus; ``only`` these rules (ARNs) may match it, if given."""
        raise NotImplementedError

    def _replay(self, call: Call) -> Replay:
        name = call.params["ReplayName"]
        replay = self.replays.get(f"arn:aws:events:{call.region}:{call.account}:replay/{name}")
        if replay is None:
            raise errors.not_found(f"Replay {name} does not exist.")
        return replay

    def DescribeReplay(self, call: Call) -> dict[str, Any]:
        replay = self._replay(call)
        shown = {
            "ReplayArn": replay.arn,
            "Destination": replay.given["Destination"],
            **self._listed_replay(replay),
        }
        if "Description" in replay.given:
            shown["Description"] = replay.given["Description"]
        return shown

    def _listed_replay(self, replay: Replay) -> dict[str, Any]:
        given = replay.given
        shown = {
            "ReplayName": replay.name,
            "EventSourceArn": replay.archive.arn,
            "State": replay.state,
            "EventStartTime": self.world.datetime(micros(given["EventStartTime"])),
            "EventEndTime": self.world.datetime(micros(given["EventEndTime"])),
            "ReplayStartTime": self.world.datetime(replay.started),
        }
        if replay.last is not None:
            shown["EventLastReplayedTime"] = self.world.datetime(replay.last)
        if replay.ended is not None:
            shown["ReplayEndTime"] = self.world.datetime(replay.ended)
        return shown

    def ListReplays(self, call: Call) -> dict[str, Any]:
        params = call.params
        _at_most_one(call)
        found = [
            replay
            for _, replay in sorted(self.replays.items())
            if replay.arn.startswith(f"arn:aws:events:{call.region}:{call.account}:")
            and replay.name.startswith(params.get("NamePrefix", ""))
            and params.get("EventSourceArn", replay.archive.arn) == replay.archive.arn
            and params.get("State", replay.state) == replay.state
        ]
        return page(found, params, "Replays", self._listed_replay)

    def CancelReplay(self, call: Call) -> dict[str, Any]:
        replay = self._replay(call)
        if replay.state not in ("STARTING", "RUNNING"):
            raise ServiceError(
                "IllegalStatusException", f"Replay {replay.name} is not in a valid state for this operation."
            )
        replay.state = "CANCELLING"
        return {"ReplayArn": replay.arn, "State": "CANCELLING"}


def _managed_pattern(pattern: str) -> str:
    """What an archive's managed rule matches: the archive's pattern, but no replayed event."""
    return json.dumps({**(json.loads(pattern) if pattern else {}), "replay-name": [{"exists": False}]})


def _at_most_one(call: Call) -> None:
    if sum(name in call.params for name in ("State", "EventSourceArn", "NamePrefix")) > 1:
        raise errors.invalid(
            f"At most one filter is allowed for {call.operation}. "
            "Use either : State, EventSourceArn, or NamePrefix."
        )
