"""What the logs of a function say of its invocations: the probe's lines, and Lambda's own REPORT lines.

https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html#python-logging-output
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterable
from typing import Any

MARK = "workshop-probe"
"""How the probe's lines begin; ``workshop_probe.py`` says the same."""
KILLED = "killed"
"""What an invocation "raised" that was ended from outside."""
CLOCKS = 1.0
"""Seconds by which a log line's time may be before the handler's own clock."""
_PROBE = re.compile(rf"{MARK} (\{{.*\}})\s*$")
_REPORT = re.compile(r"^REPORT RequestId: (\S+)\s+(.*)$", re.DOTALL)
_FIELD = re.compile(r"([A-Z][A-Za-z ]+): ([\d.]+) (ms|MB)")


@dataclasses.dataclass(frozen=True, slots=True)
class Handled:
    """A message in an invocation's batch; ``sent`` in seconds since 1970."""

    id: str
    sent: float
    receives: int
    queue: str
    succeeded: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Invocation:
    """One invocation that has ended. Times in seconds since 1970."""

    function: str
    request_id: str
    environment: str
    first: bool
    """Whether it was the first of its execution environment: a cold start."""
    init: float
    """Seconds that the function's modules took to be imported."""
    start: float
    end: float
    raised: str
    messages: tuple[Handled, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Report:
    """A REPORT line: what Lambda bills. Milliseconds and MB."""

    function: str
    request_id: str
    time: float
    duration_ms: float
    billed_ms: float
    memory_mb: float
    init_ms: float
    timed_out: bool


def is_probe(line: str) -> bool:
    """Whether a log line is the probe's, and not the learner's."""
    return _PROBE.search(line) is not None


def invocations(function: str, lines: Iterable[tuple[float, str]]) -> list[Invocation]:
    """The invocations that have ended, from a function's log: (time in s since 1970, line).

    One that was killed (by its timeout, for want of memory) has no end of its own: its REPORT line says when.
    """
    begun: dict[tuple[str, str, float], dict[str, Any]] = {}
    ends: dict[tuple[str, str, float], dict[str, Any]] = {}
    reported: dict[str, list[float]] = {}
    for time, line in lines:
        if (match := _PROBE.search(line)) is not None:
            data: dict[str, Any] = json.loads(match[1])
            key = (data["request"], data["environment"], data["start"])
            (ends if "end" in data else begun)[key] = data
        elif (match := _REPORT.match(line)) is not None:
            reported.setdefault(match[1], []).append(time)
    found = []
    for key, data in begun.items():
        end = ends.get(key)
        if end is None:  # a retry has the same request id, so the first report after it began is its own
            after = [
                time for time in sorted(reported.get(data["request"], [])) if time >= data["start"] - CLOCKS
            ]
            if not after:
                continue  # it still runs
            end = {"end": max(after[0], data["start"]), "raised": KILLED}
        found.append(_made(function, data, end))
    return found


def _made(function: str, data: dict[str, Any], end: dict[str, Any]) -> Invocation:
    failed = end.get("failed") or []
    whole = "raised" in end or None in failed or "" in failed  # then Lambda takes none as processed
    return Invocation(
        function,
        data["request"],
        data["environment"],
        data["first"],
        data["init"],
        data["start"],
        end["end"],
        end.get("raised", ""),
        tuple(
            Handled(
                each["id"],
                each["sent"],
                each["receives"],
                each["queue"],
                not whole and each["id"] not in failed,
            )
            for each in data["messages"]
        ),
    )


def report(function: str, time: float, line: str) -> Report | None:
    """What a REPORT line says."""
    match = _REPORT.match(line)
    if match is None:
        return None
    fields = {name.strip(): float(value) for name, value, _ in _FIELD.findall(match[2])}
    return Report(
        function,
        match[1],
        time,
        fields.get("Duration", 0.0),
        fields.get("Billed Duration", 0.0),
        fields.get("Memory Size", 0.0),
        fields.get("Init Duration", 0.0),
        "Status: timeout" in match[2],
    )


def of_queue(invocations: Iterable[Invocation], queue: str) -> list[tuple[Invocation, Handled]]:
    """Every message of a queue in every batch, in the order in which the batches ended."""
    return sorted(
        ((each, message) for each in invocations for message in each.messages if message.queue == queue),
        key=lambda pair: pair[0].end,
    )
