"""CloudWatch's statistics: one number from the values of a period.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html

AWS documents what a percentile means, not how it is interpolated. Here a percentile is a value that occurred
(nearest rank), and trimming drops whole values: ``tm90`` of ten values drops the highest one.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable, Iterable, Sequence

from infra.cloud.views.percentile import percentile

SIMPLE = ("SampleCount", "Average", "Sum", "Minimum", "Maximum")


class UnknownStatisticError(ValueError):
    """Not a statistic that CloudWatch has."""


@dataclasses.dataclass(frozen=True, slots=True)
class StatisticSet:
    """Values that were already summed up by who published them (PutMetricData's ``StatisticValues``)."""

    count: float
    total: float
    minimum: float
    maximum: float


@dataclasses.dataclass(slots=True)
class Samples:
    """What was published in one period: ``values`` as (value, how often), and ready-made ``sets``."""

    values: list[tuple[float, float]] = dataclasses.field(default_factory=list)
    sets: list[StatisticSet] = dataclasses.field(default_factory=list)

    @classmethod
    def of(cls, values: Iterable[float]) -> Samples:
        return cls([(float(value), 1.0) for value in values])

    def __bool__(self) -> bool:
        return bool(self.values or self.sets)

    @property
    def count(self) -> float:
        return sum(weight for _, weight in self.values) + sum(known.count for known in self.sets)

    @property
    def total(self) -> float:
        return sum(value * weight for value, weight in self.values) + sum(known.total for known in self.sets)

    @property
    def minimum(self) -> float:
        return min([value for value, _ in self.values] + [known.minimum for known in self.sets])

    @property
    def maximum(self) -> float:
        return max([value for value, _ in self.values] + [known.maximum for known in self.sets])

    def ordered(self) -> list[tuple[float, float]] | None:
        """The values in order, or None where CloudWatch has no percentiles: for a set that hides its values,
        and for negative values (see GetMetricStatistics)."""
        values = list(self.values)
        for known in self.sets:
            if known.count != 1 and known.minimum != known.maximum:
                return None
            values.append((known.maximum, known.count))
        values.sort()
        if values and values[0][0] < 0:
            return None
        return values


@dataclasses.dataclass(frozen=True, slots=True)
class Bounds:
    """What a trimming statistic keeps: values above ``low`` up to ``high``, absolute or in percent of the
    values."""

    low: float | None
    high: float | None
    percent: bool


def statistic(name: str) -> Callable[[Samples], float | None]:
    """The function that computes a statistic; it returns None for a period where it does not exist.

    ``name`` is as in GetMetricData's ``Stat``: ``Average``, ``p99.9``, ``tm90``, ``TM(10%:90%)``,
    ``WM(:300)``,
    ``IQM``, ``PR(100:2000)``, … Raises UnknownStatisticError.
    """
    found = _STATISTICS.get(name)
    if found is None:
        found = _STATISTICS[name] = _parse(name)
    return found


def is_percentile(name: str) -> float | None:
    """The percent of a ``pNN`` statistic, or None."""
    match = _PERCENTILE.fullmatch(name)
    return float(match[1]) if match else None


def _parse(name: str) -> Callable[[Samples], float | None]:
    percent = is_percentile(name)
    if percent is not None and percent <= 100:
        return lambda samples: _percentile(samples, percent)
    if name == "IQM":
        return lambda samples: _trimmed(samples, "tm", Bounds(25, 75, True))
    short = re.fullmatch(r"(tm|wm|tc|ts)(\d{1,3}(?:\.\d{1,10})?)", name)
    if short and float(short[2]) <= 100:
        bounds = Bounds(None, float(short[2]), True)
        return lambda samples: _trimmed(samples, short[1], bounds)
    long = re.fullmatch(r"(TM|WM|TC|TS|PR)\(([\d.]*)(%?):([\d.]*)(%?)\)", name)
    if long and (long[2] or long[4]):
        signs = {sign for sign, number in ((long[3], long[2]), (long[5], long[4])) if number}
        if len(signs) == 1 and not (long[1] == "PR" and "%" in signs):
            try:
                low = float(long[2]) if long[2] else None
                high = float(long[4]) if long[4] else None
            except ValueError:
                raise UnknownStatisticError(name) from None
            percent_bounds = Bounds(low, high, "%" in signs)
            kind = long[1].lower()
            return lambda samples: _trimmed(samples, kind, percent_bounds)
    raise UnknownStatisticError(name)


def _percentile(samples: Samples, percent: float) -> float | None:
    ordered = samples.ordered()
    return percentile(ordered, percent) if ordered else None


def _trimmed(samples: Samples, kind: str, bounds: Bounds) -> float | None:
    ordered = samples.ordered()
    if not ordered:
        return None
    kept = _keep_ranks(ordered, bounds) if bounds.percent else _keep_values(ordered, bounds)
    count = sum(weight for _, weight in kept)
    if kind == "tc":
        return count
    if kind == "pr":
        return 100 * count / sum(weight for _, weight in ordered)
    if kind == "ts":
        return sum(value * weight for value, weight in kept)
    if kind == "wm":
        kept = _clip(ordered, kept, bounds)
        count = sum(weight for _, weight in kept)
    if not count:
        return None
    return sum(value * weight for value, weight in kept) / count


def _keep_values(ordered: Sequence[tuple[float, float]], bounds: Bounds) -> list[tuple[float, float]]:
    return [
        (value, weight)
        for value, weight in ordered
        if (bounds.low is None or value > bounds.low) and (bounds.high is None or value <= bounds.high)
    ]


def _keep_ranks(ordered: Sequence[tuple[float, float]], bounds: Bounds) -> list[tuple[float, float]]:
    total = sum(weight for _, weight in ordered)
    low = math.floor((bounds.low or 0) * total / 100 + 1e-9)
    high = total - math.floor((100 - (100 if bounds.high is None else bounds.high)) * total / 100 + 1e-9)
    kept, seen = [], 0.0
    for value, weight in ordered:
        share = min(seen + weight, high) - max(seen, low)
        if share > 0:
            kept.append((value, share))
        seen += weight
    return kept


def _clip(
    ordered: Sequence[tuple[float, float]], kept: Sequence[tuple[float, float]], bounds: Bounds
) -> list[tuple[float, float]]:
    """Winsorized: values outside of the bounds count as the value at the bound."""
    if bounds.percent:
        if not kept:
            return list(ordered)
        low, high = kept[0][0], kept[-1][0]
    else:
        low = -math.inf if bounds.low is None else bounds.low
        high = math.inf if bounds.high is None else bounds.high
    return [(min(max(value, low), high), weight) for value, weight in ordered]


_PERCENTILE = re.compile(r"p(\d{1,3}(?:\.\d{1,10})?)")

_STATISTICS: dict[str, Callable[[Samples], float | None]] = {
    "SampleCount": lambda samples: samples.count,
    "Sum": lambda samples: samples.total,
    "Average": lambda samples: samples.total / samples.count if samples.count else None,
    "Minimum": lambda samples: samples.minimum,
    "Maximum": lambda samples: samples.maximum,
}
