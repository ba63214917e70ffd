"""The concurrency metrics of AWS/Lambda: how many execution environments work at the same time.

https://docs.aws.amazon.com/lambda/latest/dg/monitoring-concurrency.html
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html

AWS says to view them with the maximum. So a minute has one value here: the highest number reached in it. An
invocation is known once it has ended, so the last minutes of a running load are still incomplete, as on AWS.
"""

from __future__ import annotations

import dataclasses
import itertools
from bisect import bisect_left
from collections.abc import Iterable, Iterator

from ..journal import Journal
from .series import MINUTE, MetricId

NAMESPACE = "AWS/Lambda"
CONCURRENT = "ConcurrentExecutions"
UNRESERVED = "UnreservedConcurrentExecutions"
CLAIMED = "ClaimedAccountConcurrency"
PROVISIONED = "ProvisionedConcurrentExecutions"
UTILIZATION = "ProvisionedConcurrencyUtilization"
INVOCATIONS = "ProvisionedConcurrencyInvocations"
SPILLOVER = "ProvisionedConcurrencySpilloverInvocations"
_PROVISIONED = (PROVISIONED, UTILIZATION, INVOCATIONS)
_COUNTED = (INVOCATIONS, SPILLOVER)
NAMES = (CONCURRENT, UNRESERVED, CLAIMED, *_PROVISIONED, SPILLOVER)
LONGEST = 20 * MINUTE
"""No invocation takes longer: 15 minutes for the handler, and its init phase."""


@dataclasses.dataclass(slots=True)
class _Busy:
    """When environments of one kind worked: parallel lists, ordered by the end."""

    starts: list[int] = dataclasses.field(default_factory=list)
    ends: list[int] = dataclasses.field(default_factory=list)

    def between(self, start: int, end: int) -> list[tuple[int, int]]:
        first = bisect_left(self.ends, start)
        last = bisect_left(self.ends, end + LONGEST)
        return [
            (self.starts[index], self.ends[index]) for index in range(first, last) if self.starts[index] < end
        ]


def busy_steps(intervals: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """(time, how many intervals [start, end) hold from then on), at each time where the number changes."""
    changes: dict[int, int] = {}
    for start, end in intervals:
        changes[start] = changes.get(start, 0) + 1
        changes[end] = changes.get(end, 0) - 1
    steps, level = [], 0
    for time in sorted(changes):
        if changes[time]:
            level += changes[time]
            steps.append((time, level))
    return steps


class LambdaConcurrency:
    """Read from the journal when asked for, each entry once."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._read = 0
        self._busy: dict[tuple[str, str], _Busy] = {}  # (function or resource, "on-demand" or "provisioned")
        self._provisioned: dict[str, str] = {}  # environment: resource ("function:alias")
        self._allocated: dict[str, list[tuple[int, int]]] = {}  # function or resource: (time, provisioned)
        self._reserved: dict[str, list[tuple[int, int]]] = {}  # function: (time, reserved concurrency)

    def owns(self, metric: MetricId) -> bool:
        return metric.namespace == NAMESPACE and metric.name in NAMES

    def read(self, now: int) -> None:
        entries = self._journal.entries
        for index in range(self._read, len(entries)):
            entry = entries[index]
            if entry.what == "lambda.invocation":
                pool = "provisioned" if entry.data["environment"] in self._provisioned else "on-demand"
                names = [entry.resource]
                if "qualifier" in entry.data:
                    names.append(f"{entry.resource}:{entry.data['qualifier']}")
                for name in names:
                    busy = self._busy.setdefault((name, pool), _Busy())
                    busy.starts.append(entry.start - int(entry.data["init_us"]))
                    busy.ends.append(entry.time)
            elif entry.what == "lambda.environment.started":
                if entry.data["reason"] == "provisioned":
                    resource = f"{entry.resource}:{entry.data.get('qualifier', '')}"
                    self._provisioned[entry.data["environment"]] = resource
                    self._allocate(entry.resource, entry.time, 1)
                    self._allocate(resource, entry.time, 1)
            elif entry.what == "lambda.environment.ended":
                of = self._provisioned.get(entry.data["environment"])
                if of is not None:
                    self._allocate(entry.resource, entry.time, -1)
                    self._allocate(of, entry.time, -1)
            elif entry.what == "lambda.reserved":
                self._reserved.setdefault(entry.resource, []).append(
                    (entry.time, entry.data["concurrency"] or 0)
                )
        self._read = len(entries)

    def ids(self) -> Iterator[tuple[MetricId, int]]:
        last = 0
        for (function, pool), busy in self._busy.items():
            last = max(last, busy.ends[-1])
            if pool == "provisioned":
                names: tuple[str, ...] = (CONCURRENT, *_PROVISIONED)
            else:
                names = (CONCURRENT, SPILLOVER) if function in self._allocated else (CONCURRENT,)
            if ":" in function and function not in self._allocated:
                continue
            for name in names:
                yield MetricId(NAMESPACE, name, _dimensions(function)), busy.ends[-1]
        if last:
            for name in (CONCURRENT, UNRESERVED, CLAIMED):
                yield MetricId(NAMESPACE, name), last

    def unit(self, metric: MetricId) -> str:
        return "None" if metric.name == UTILIZATION else "Count"

    def points(self, metric: MetricId, start: int, end: int, now: int) -> Iterator[tuple[int, float]]:
        """(minute, the most that worked at the same time in it)."""
        intervals = self._intervals(metric, start // MINUTE * MINUTE, end)
        if intervals is None:
            return
        if metric.name in _COUNTED:
            for began in sorted(began for began, _ in intervals if start <= began < end):
                yield began // MINUTE * MINUTE, 1.0
            return
        peaks: dict[int, int] = {}
        steps = busy_steps(intervals)
        for (time, level), (until, _) in itertools.pairwise(steps):
            if level:
                for minute in range(time // MINUTE * MINUTE, until, MINUTE):
                    peaks[minute] = max(peaks.get(minute, 0), level)
        for minute, peak in peaks.items():
            if start <= minute < end:
                yield minute, self._value(metric, minute, peak)

    def steps(self, metric: MetricId, since: int) -> Iterator[int]:
        intervals = self._intervals(metric, since, 1 << 62)
        for start, end in intervals or ():
            yield from range(start // MINUTE * MINUTE, end + MINUTE, MINUTE)

    def next_step(self, metric: MetricId) -> int | None:
        return None

    def growing_since(self, metric: MetricId) -> int | None:
        return None

    def _value(self, metric: MetricId, minute: int, peak: int) -> float:
        if metric.name == UTILIZATION:
            function = _named(metric)
            allocated = _level(self._allocated.get(function, []), minute + MINUTE - 1)
            return peak / allocated if allocated else 0.0
        if metric.name == CLAIMED:
            at = minute + MINUTE - 1
            claims = 0
            for function in {**self._reserved, **self._allocated}:
                if ":" in function:
                    continue
                reserved = _level(self._reserved.get(function, []), at)
                claims += reserved or _level(self._allocated.get(function, []), at)
            return float(peak + claims)
        return float(peak)

    def _intervals(self, metric: MetricId, start: int, end: int) -> list[tuple[int, int]] | None:
        """Of the invocations that count for a metric; None if there is no such metric."""
        function = _named(metric) or None
        if metric.dimensions and (function is None or metric.dimensions != _dimensions(function)):
            return None
        if (metric.name in (UNRESERVED, CLAIMED)) == bool(metric.dimensions) and metric.name != CONCURRENT:
            return None
        found: list[tuple[int, int]] = []
        for (name, pool), busy in self._busy.items():
            if name != function and (function is not None or ":" in name):
                continue
            if metric.name in _PROVISIONED and pool != "provisioned":
                continue
            if metric.name == SPILLOVER and (pool == "provisioned" or name not in self._allocated):
                continue
            claimed = pool == "provisioned" or _level(self._reserved.get(name, []), end) > 0
            if metric.name in (UNRESERVED, CLAIMED) and claimed:
                continue
            between = busy.between(start, end)
            if metric.name == SPILLOVER:
                between = [one for one in between if _level(self._allocated[name], one[0]) > 0]
            found += between
        return found

    def _allocate(self, function: str, time: int, by: int) -> None:
        known = self._allocated.setdefault(function, [(0, 0)])
        known.append((time, known[-1][1] + by))


def _named(metric: MetricId) -> str:
    """The function, or the alias or version of one, that a metric is about; "" for the account."""
    return metric.dimension("Resource") or metric.dimension("FunctionName") or ""


def _dimensions(name: str) -> tuple[tuple[str, str], ...]:
    function = name.partition(":")[0]
    return (("FunctionName", function), *((("Resource", name),) if function != name else ()))


def _level(history: list[tuple[int, int]], time: int) -> int:
    """The last value that was set up to ``time``."""
    index = bisect_left(history, (time + 1, -1 << 62)) - 1
    return history[index][1] if index >= 0 else 0
