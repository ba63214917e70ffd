"""Execution environments over time, and the steps and bins that other views are made of. Times in seconds."""

from __future__ import annotations

import dataclasses
from bisect import bisect_right
from typing import Literal

Kind = Literal["init", "busy", "error"]


@dataclasses.dataclass(frozen=True, slots=True)
class Span:
    """One thing an environment did. ``error`` is an init phase or invocation that failed."""

    start: float
    end: float
    kind: Kind
    request_id: str


@dataclasses.dataclass(frozen=True, slots=True)
class Environment:
    """An execution environment's life. ``ended`` is None if it was alive at the end."""

    id: str
    function: str
    started: float
    ended: float | None
    spans: list[Span]

    @property
    def busy(self) -> float:
        """Seconds in which it worked for an invocation, its init phase not included."""
        return sum(span.end - span.start for span in self.spans if span.request_id and span.kind != "init")


@dataclasses.dataclass(frozen=True, slots=True)
class Steps:
    """From ``times[i]`` until ``times[i + 1]`` the value is ``values[i]``."""

    times: list[float]
    values: list[int]

    @property
    def peak(self) -> int:
        return max(self.values)

    def at(self, time: float) -> int:
        return self.values[max(bisect_right(self.times, time) - 1, 0)]


@dataclasses.dataclass(frozen=True, slots=True)
class Bins:
    """``counts[i]`` happened from ``times[i]`` on, for ``width`` seconds."""

    times: list[float]
    counts: list[int]
    width: float

    @property
    def rates(self) -> list[float]:
        """Per second."""
        return [count / self.width for count in self.counts]


def binned(times: list[float], until: float, width: float) -> Bins:
    """How many of the times (seconds) fall into each bin of ``width`` seconds from 0 to ``until``."""
    if width <= 0:
        raise ValueError(f"width={width!r}: give a number of seconds above 0")
    count = max(int(-(-until // width)), 1)
    counts = [0] * count
    for time in times:
        if 0 <= time <= until:
            counts[min(int(time // width), count - 1)] += 1
    return Bins([index * width for index in range(count)], counts, width)
