"""Numbers from measurements: percentiles, throughput, distribution functions, Little's law.

Each function is a pure function of plain numbers, checks what it is given, and says so rather than
return a number that means nothing: a p99 of 40 samples is their maximum, and a percentile of strings is
the percentile of an alphabetical order.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from numbers import Real
from typing import Literal

from . import tables

Method = Literal["nearest-rank", "linear"]


class TooFewSamples(ValueError):
    """The percentile asked for would be the largest sample, whatever the samples are."""


def samples_needed(point: float) -> int:
    """How many samples a percentile needs so that at least one sample lies above it: 100 for p99.

    >>> samples_needed(50), samples_needed(95), samples_needed(99), samples_needed(99.9)
    (2, 20, 100, 1000)
    """
    share = _share(point)
    return 1 if share == 1 else math.ceil(1 / (1 - share))


def percentile(values: Iterable[float], point: float, method: Method = "nearest-rank") -> float:
    """The value that ``point`` percent of the values do not exceed.

    ``nearest-rank`` gives a value that was measured: the smallest one with at least that share of the
    values at or below it. ``linear`` interpolates between the two nearest, as numpy does by default.
    ``point`` is between 0 and 100. Raises TypeError for what is not a number, ValueError for a point out
    of range or an unknown method, TooFewSamples if the answer would only be the maximum.
    """
    ordered = sorted(numeric(values))
    share = _share(point)
    needed = samples_needed(point)
    if len(ordered) < needed:
        raise TooFewSamples(
            f"p{point:g} needs at least {needed:,} samples, there are {len(ordered):,}: "
            "it would only be their maximum"
        )
    if method == "nearest-rank":
        return ordered[max(math.ceil(share * len(ordered)), 1) - 1]
    if method == "linear":
        position = share * (len(ordered) - 1)
        below = math.floor(position)
        above = min(below + 1, len(ordered) - 1)
        return ordered[below] + (ordered[above] - ordered[below]) * float(position - below)
    raise ValueError(f"method is {method!r}; it can be 'nearest-rank' or 'linear'")


def percentiles(
    values: Iterable[float], points: Sequence[float] = (50, 95, 99), method: Method = "nearest-rank"
) -> dict[float, float | None]:
    """Several percentiles; ``None`` for those that the number of samples does not support."""
    known = numeric(values)
    return {
        point: percentile(known, point, method) if len(known) >= samples_needed(point) else None
        for point in points
    }


def describe(values: Iterable[float], points: Sequence[float] = (50, 95, 99)) -> str:
    """Percentiles of durations in seconds, as part of a sentence.

    >>> describe([0.1] * 60)
    'p50 100 ms, p95 100 ms, p99 unknown (60 of the 100 samples it needs)'
    """
    known = numeric(values)
    return ", ".join(
        f"p{point:g} unknown ({len(known):,} of the {samples_needed(point):,} samples it needs)"
        if value is None
        else f"p{point:g} {tables.seconds(value)}"
        for point, value in percentiles(known, points).items()
    )


def print_percentiles(groups: Mapping[str, Iterable[float]], points: Sequence[float] = (50, 95, 99)) -> None:
    """Print one row of percentiles (nearest rank; durations in seconds) for each named group."""
    print(percentile_table(groups, points))


def percentile_table(groups: Mapping[str, Iterable[float]], points: Sequence[float] = (50, 95, 99)) -> str:
    rows = []
    for name, values in groups.items():
        known = numeric(values)
        found = percentiles(known, points)
        rows.append(
            [
                name,
                len(known),
                *(None if found[point] is None else tables.seconds(found[point] or 0.0) for point in points),
                tables.seconds(max(known)) if known else None,
            ]
        )
    headers = ["latency", "samples", *(f"p{point:g}" for point in points), "max"]
    return tables.table(headers, rows)


def throughput(
    times: Iterable[float], bin: float = 1.0, start: float = 0.0, end: float | None = None
) -> list[tuple[float, float]]:
    """Events per second in each bin of ``bin`` seconds: a list of (start of the bin, rate).

    Bins run from ``start`` to ``end`` (by default, through the last event), empty ones included; events
    outside are not counted.
    """
    known = numeric(times)
    width = positive("bin", bin)
    last = end if end is not None else max(known, default=start)
    count = math.ceil((last - start) / width) if end is not None else math.floor((last - start) / width) + 1
    if end is None and not known:
        return []
    counts = [0] * max(count, 0)
    for time in known:
        index = math.floor((time - start) / width)
        if 0 <= index < len(counts):
            counts[index] += 1
    return [(start + index * width, found / width) for index, found in enumerate(counts)]


def ecdf(values: Iterable[float]) -> tuple[list[float], list[float]]:
    """The empirical distribution: each distinct value, and the share of values at or below it."""
    known = sorted(numeric(values))
    xs: list[float] = []
    ys: list[float] = []
    for index, value in enumerate(known):
        if xs and xs[-1] == value:
            ys[-1] = (index + 1) / len(known)
        else:
            xs.append(value)
            ys.append((index + 1) / len(known))
    return xs, ys


def littles_law(
    *, rate: float | None = None, duration: float | None = None, concurrency: float | None = None
) -> float:
    """The third of the three: concurrency = rate x duration (L = λW), in the long run, of anything stable.

    ``rate`` in requests per second, ``duration`` in seconds each takes.

    >>> littles_law(rate=200, duration=0.5)
    100.0
    """
    given = {"rate": rate, "duration": duration, "concurrency": concurrency}
    known = {name: positive(name, value) for name, value in given.items() if value is not None}
    if len(known) != 2:
        raise ValueError(
            f"give two of rate, duration and concurrency to get the third; you gave {sorted(known) or 'none'}"
        )
    if "concurrency" not in known:
        return known["rate"] * known["duration"]
    return known["concurrency"] / (known["duration"] if "duration" in known else known["rate"])


def time_weighted_mean(steps: Sequence[tuple[float, float]], end: float) -> float:
    """The mean over time of a quantity that changes in steps: (time, value from then on), until ``end``."""
    if not steps:
        raise ValueError("there are no steps to take the mean of")
    closed = [*steps, (end, 0.0)]
    if end <= steps[0][0]:
        raise ValueError(f"end is {end:g}, but the first step is at {steps[0][0]:g}")
    area = sum(value * (until - since) for (since, value), (until, _) in itertools.pairwise(closed))
    return area / (end - steps[0][0])


def numeric(values: Iterable[float]) -> list[float]:
    """The values as a list, or a TypeError that shows the first that is not a finite number."""
    if isinstance(values, str | bytes | Mapping):
        raise TypeError(f"expected a list of numbers, got {type(values).__name__}: {values!r:.60}")
    known = list(values)
    for index, value in enumerate(known):
        if isinstance(value, bool) or not isinstance(value, Real):
            raise TypeError(
                f"value {index} is {value!r}, a {type(value).__name__}: measurements are numbers. "
                "Convert first, for example with float()"
            )
        if not math.isfinite(value):
            raise TypeError(f"value {index} is {value!r}, which is not a finite number")
    return known


def positive(name: str, value: float) -> float:
    """The value, or an error that names it unless it is a finite number greater than zero."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} is {value!r}, a {type(value).__name__}; it must be a number greater than 0")
    if not math.isfinite(value) or value <= 0:
        raise ValueError(f"{name} is {value!r}; it must be a number greater than 0")
    return float(value)


def _share(point: float) -> Fraction:
    if isinstance(point, bool) or not isinstance(point, Real):
        raise TypeError(f"a percentile is a number between 0 and 100, not {point!r}")
    if not 0 <= point <= 100:
        raise ValueError(f"a percentile is between 0 and 100, not {point!r}")
    return Fraction(str(point)) / 100
