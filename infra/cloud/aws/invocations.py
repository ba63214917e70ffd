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
    """One invocation that the probe saw to its end. Times in seconds since 1970."""

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


def invocation(function: str, line: str) -> Invocation | None:
    """The invocation that a probe's line tells of."""
    match = _PROBE.search(line)
    if match is None:
        return None
    data: dict[str, Any] = json.loads(match[1])
    failed = data.get("failed") or []
    whole = "raised" in data or None in failed or "" in failed  # then Lambda takes none as processed
    return Invocation(
        function,
        data["request"],
        data["environment"],
        data["first"],
        data["init"],
        data["start"],
        data["end"],
        data.get("raised", ""),
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
