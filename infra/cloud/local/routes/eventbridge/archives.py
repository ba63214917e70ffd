"""Archives.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-archive.html. An archive is filled by a managed
rule, whose pattern leaves out replayed events. Archived events expire when somebody looks: none has a timer.
"""

from __future__ import annotations

import collections
import dataclasses
import datetime
import json
from typing import Any

from ...kernel import SECOND
from ...service import Call
from . import errors
from .model import MANAGED_BY, Bus, Event, Rule
from .rules import Rules, checked_pattern
from .store import page

DAY = 24 * 3600 * SECOND


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
        self.events.append((event.ingested, time_of(event), bytes_, event))
        self.size += bytes_
        self.expire(event.ingested)

    def expire(self, now: int) -> None:
        if self.retention:
            before = now - self.retention * DAY
            while self.events and self.events[0][0] <= before:
                self.size -= self.events.popleft()[2]


def time_of(event: Event) -> int:
    """The event's own time in µs."""
    moment = datetime.datetime.fromisoformat(event.fields["time"])
    return int(moment.timestamp()) * SECOND


def _size(event: Event) -> int:
    """Bytes, as SizeBytes counts them (ten recorded events have 1,590): source, detail type, time, detail."""
    fields = event.fields
    return sum(
        len(text.encode())
        for text in (fields["source"], fields["detail-type"], fields["time"], json.dumps(fields["detail"]))
    )


class Archives(Rules):
    """The operations on archives."""

    def __init__(self, world: Any) -> None:
        super().__init__(world)
        self.archives: dict[str, Archive] = {}

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
        at_most_one(call)
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


def _managed_pattern(pattern: str) -> str:
    """What an archive's managed rule matches: the archive's pattern, but no replayed event."""
    return json.dumps({**(json.loads(pattern) if pattern else {}), "replay-name": [{"exists": False}]})


def at_most_one(call: Call) -> None:
    """ListArchives and ListReplays take one filter."""
    if sum(name in call.params for name in ("State", "EventSourceArn", "NamePrefix")) > 1:
        raise errors.invalid(
            f"At most one filter is allowed for {call.operation}. "
            "Use either : State, EventSourceArn, or NamePrefix."
        )
