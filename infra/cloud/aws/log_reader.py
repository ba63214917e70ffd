"""The log lines of everything that was deployed, read again only where something may be new.

CloudWatch Logs takes a while to show what was logged, and not in order: each read goes back ``OVERLAP``
seconds before the latest line that was seen, and lines are told apart by their event ids.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from .invocations import Invocation, Report, invocations, is_probe, report

if TYPE_CHECKING:
    from .cloud import AwsCloud

OVERLAP = 60.0


@dataclasses.dataclass(frozen=True, slots=True)
class LogLine:
    """``time`` in seconds since 1970."""

    time: float
    text: str


class LogReader:
    """What was read is kept, also when its log group is gone."""

    def __init__(self, cloud: AwsCloud) -> None:
        self._cloud = cloud
        self._lines: dict[str, dict[str, LogLine]] = {}
        self._functions: dict[str, str] = {}  # function -> its log group, also of stacks that are gone

    def know(self, function: str, group: str) -> None:
        """Remember a function whose log is to be read."""
        self._functions[function] = group

    @property
    def functions(self) -> list[str]:
        return [*self._functions]

    def read(self, group: str) -> list[LogLine]:
        """Every line of a log group since the cloud was connected, oldest first."""
        known = self._lines.setdefault(group, {})
        latest = max((line.time for line in known.values()), default=self._cloud.started)
        since = max(latest - OVERLAP, self._cloud.started)
        client = self._cloud.client("logs")
        pages = client.get_paginator("filter_log_events").paginate(
            logGroupName=group, startTime=int(since * 1000)
        )
        try:
            for page in pages:
                for event in page["events"]:
                    line = LogLine(event["timestamp"] / 1000, event["message"].rstrip("\n"))
                    known[event.get("eventId") or repr(line)] = line  # an emulator may give no ids
        except client.exceptions.ResourceNotFoundException:
            pass  # nothing was logged yet, or the group is gone
        return sorted(known.values(), key=lambda line: line.time)

    def lines(self, group: str) -> list[str]:
        """A log as its function wrote it: without the probe's lines."""
        return [line.text for line in self.read(group) if not is_probe(line.text)]

    def invocations(self, function: str = "") -> list[Invocation]:
        """Of one function, or of all, in the order in which they began."""
        found = [
            each
            for name, group in self._functions.items()
            if function in ("", name)
            for each in invocations(name, [(line.time, line.text) for line in self.read(group)])
        ]
        return sorted(found, key=lambda each: each.start)

    def reports(self, function: str = "") -> list[Report]:
        return [
            seen
            for name, group in self._functions.items()
            if function in ("", name)
            for line in self.read(group)
            if (seen := report(name, line.time, line.text)) is not None
        ]

    def size(self, since: float) -> int:
        """Bytes that were logged by all functions from ``since`` (s since 1970) on."""
        return sum(
            len(line.text.encode())
            for group in self._functions.values()
            for line in self.read(group)
            if line.time >= since
        )
