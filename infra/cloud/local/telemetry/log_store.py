"""Log groups, their streams and their events, as an index of the journal.

The journal holds every event (``logs.event``); a group holds settings only. New entries are handed over by
the journal and sorted in when somebody looks, so writing a log line costs one append. A group that a
function's runtime writes to and nobody created exists from its first event on.
"""

from __future__ import annotations

import bisect
import dataclasses
from collections.abc import Iterator

from ..journal import Entry, Journal
from ..kernel import SECOND

DAY = 86_400 * SECOND

OVERHEAD = 26
"""Bytes that CloudWatch Logs counts for an event besides its message:
https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html"""


class Event:
    """One log event. ``key`` orders events by time, then by arrival; times are in microseconds."""

    __slots__ = ("arrived", "key", "message", "request_id", "stream", "time")

    def __init__(self, entry: Entry, number: int) -> None:
        data = entry.data
        self.time: int = data.get("timestamp", entry.time)
        self.arrived = entry.time
        self.key = self.time << 40 | number
        self.stream: str = data["stream"]
        self.message: str = data["message"]
        self.request_id: str = data.get("request_id", "")

    @property
    def size(self) -> int:
        return len(self.message.encode()) + OVERHEAD


class Timeline:
    """Events in the order of their keys."""

    __slots__ = ("events", "keys")

    def __init__(self) -> None:
        self.keys: list[int] = []
        self.events: list[Event] = []

    def add(self, event: Event) -> None:
        if not self.keys or event.key > self.keys[-1]:
            self.keys.append(event.key)
            self.events.append(event)
        else:
            index = bisect.bisect(self.keys, event.key)
            self.keys.insert(index, event.key)
            self.events.insert(index, event)

    def between(self, start: int, end: int) -> list[Event]:
        """Events from ``start`` up to but not including ``end``, in microseconds."""
        return self.events[self.index(start << 40) : self.index(end << 40)]

    def index(self, key: int) -> int:
        return bisect.bisect_left(self.keys, key)


@dataclasses.dataclass(slots=True)
class Stream:
    name: str
    created: int
    timeline: Timeline = dataclasses.field(default_factory=Timeline)
    ingested: int = 0


@dataclasses.dataclass(slots=True)
class Group:
    """``retention`` is in days, None for ever."""

    name: str
    created: int
    retention: int | None = None
    tags: dict[str, str] = dataclasses.field(default_factory=dict)
    log_class: str = "STANDARD"
    kms_key: str | None = None
    protected: bool = False
    streams: dict[str, Stream] = dataclasses.field(default_factory=dict)
    timeline: Timeline = dataclasses.field(default_factory=Timeline)

    def kept_since(self, now: int) -> int:
        """The earliest time that the retention still shows."""
        return 0 if self.retention is None else max(now - self.retention * DAY, 0)


class LogStore:
    """Every group by name. Call ``groups`` (or ``get``) for each look: it takes in what is new."""

    def __init__(self, journal: Journal) -> None:
        self._groups: dict[str, Group] = {}
        self._new: list[Entry] = []
        self._count = 0
        journal.listen("logs.event", self._new.append)

    def groups(self) -> dict[str, Group]:
        if self._new:
            for entry in self._new:
                self._take(entry)
            self._new.clear()
        return self._groups

    def get(self, name: str) -> Group | None:
        return self.groups().get(name)

    def add(self, group: Group) -> None:
        self.groups()[group.name] = group

    def remove(self, name: str) -> None:
        """The group and its events are gone; a later event makes a new one."""
        del self.groups()[name]

    def remove_stream(self, group: Group, name: str) -> None:
        self.groups()
        del group.streams[name]
        remaining = [event for event in group.timeline.events if event.stream != name]
        group.timeline = Timeline()
        for event in remaining:
            group.timeline.add(event)

    def _take(self, entry: Entry) -> None:
        group = self._groups.get(entry.resource)
        if group is None:
            group = self._groups[entry.resource] = Group(entry.resource, entry.time)
        self._count += 1
        event = Event(entry, self._count)
        stream = group.streams.get(event.stream)
        if stream is None:
            stream = group.streams[event.stream] = Stream(event.stream, entry.time)
        stream.ingested = entry.time
        stream.timeline.add(event)
        group.timeline.add(event)


def of_streams(events: list[Event], names: list[str], prefix: str) -> Iterator[Event]:
    """Events of the named streams, or of those whose name begins so; of all if neither is given."""
    wanted = frozenset(names)
    for event in events:
        if (not wanted or event.stream in wanted) and event.stream.startswith(prefix):
            yield event
