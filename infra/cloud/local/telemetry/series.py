"""Time series of what was published for one metric, kept so that a period is found by bisection."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator
from typing import NamedTuple

from .statistics import Samples, StatisticSet

MINUTE = 60_000_000  # microseconds
UNITS = (
    "Megabits", "Terabits", "Gigabits", "Count", "Bytes", "Gigabytes", "Gigabytes/Second", "Kilobytes",
    "Kilobits/Second", "Terabytes", "Terabits/Second", "Bytes/Second", "Percent", "Megabytes",
    "Megabits/Second", "Milliseconds", "Microseconds", "Kilobytes/Second", "Gigabits/Second",
    "Megabytes/Second", "Bits", "Bits/Second", "Count/Second", "Seconds", "Kilobits", "Terabytes/Second",
    "None",
)  # fmt: skip
"""Every unit of CloudWatch, in the order in which GetMetricData looks for one of a metric that was published
with several: recorded in localstack/localstack, tests/aws/services/cloudwatch/test_cloudwatch.py
(test_get_metric_data_different_units_no_unit_in_query)."""

Dimensions = tuple[tuple[str, str], ...]


class MetricId(NamedTuple):
    """A metric is its namespace, its name and its exact set of dimensions (sorted by name).

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html#Dimension
    """

    namespace: str
    name: str
    dimensions: Dimensions = ()

    def dimension(self, name: str) -> str | None:
        return next((value for known, value in self.dimensions if known == name), None)


class Series:
    """Points of one metric in one unit. They may be added in any order; ``times`` are in microseconds."""

    __slots__ = ("_ordered", "sets", "times", "unit", "values", "weights")

    def __init__(self, unit: str) -> None:
        self.unit = unit
        self.times = array("q")
        self.values = array("d")
        self.weights: array[float] | None = None
        self.sets: list[tuple[int, StatisticSet]] = []
        self._ordered = True

    def add(self, time: int, value: float, weight: float = 1.0) -> None:
        if self.times and time < self.times[-1]:
            self._ordered = False
        if weight != 1.0 and self.weights is None:
            self.weights = array("d", [1.0] * len(self.times))
        self.times.append(time)
        self.values.append(value)
        if self.weights is not None:
            self.weights.append(weight)

    def add_set(self, time: int, known: StatisticSet) -> None:
        self.sets.append((time, known))

    def collect(self, start: int, end: int, into: dict[int, Samples], zero: int, period: int) -> None:
        """Put the points of [start, end) into the periods that begin at ``zero + n * period``."""
        self._order()
        times, values, weights = self.times, self.values, self.weights
        for index in range(bisect_left(times, start), bisect_left(times, end)):
            begin = zero + (times[index] - zero) // period * period
            samples = into.get(begin)
            if samples is None:
                samples = into[begin] = Samples()
            samples.values.append((values[index], 1.0 if weights is None else weights[index]))
        for time, known in self.sets:
            if start <= time < end:
                into.setdefault(zero + (time - zero) // period * period, Samples()).sets.append(known)

    def steps(self, start: int, step: int) -> Iterator[int]:
        """Beginnings of the steps (minutes, say) that hold data, from ``start`` on."""
        self._order()
        last = None
        for index in range(bisect_left(self.times, start), len(self.times)):
            begin = self.times[index] // step * step
            if begin != last:
                last = begin
                yield begin
        for time, _ in self.sets:
            if time >= start:
                yield time // step * step

    @property
    def latest(self) -> int:
        self._order()
        return max(self.times[-1:].tolist() + [time for time, _ in self.sets], default=0)

    def _order(self) -> None:
        if self._ordered:
            return
        order = sorted(range(len(self.times)), key=self.times.__getitem__)
        self.times = array("q", [self.times[index] for index in order])
        self.values = array("d", [self.values[index] for index in order])
        if self.weights is not None:
            self.weights = array("d", [self.weights[index] for index in order])
        self._ordered = True
