"""When requests arrive: arrival processes, as plain facts that turn a random stream into times.

An arrival process knows its rate over time and gives times in seconds from the start of the load. The same
process with the same random stream gives the same times, and no process looks at what is being loaded:
customers do not wait for each other.

    Constant    one every 1/rate seconds: what a scheduler or a test script does
    AtOnce      everything at the same moment
    Poisson     independent arrivals at a mean rate: many customers who do not know of each other
    Bursty      a Poisson process that switches at random between calm and burst (a two-state MMPP)
    Ramp        Poisson arrivals whose rate grows or falls in a straight line
    Profile     Poisson arrivals whose rate follows given points
    Daily       Poisson arrivals whose rate follows the hours of the day
    Recorded    as a file has them (recorded.py)
"""

from __future__ import annotations

import dataclasses
import itertools
import math
import random
from collections.abc import Iterator
from typing import Self

from .measure import positive


@dataclasses.dataclass(frozen=True, kw_only=True)
class Arrivals:
    """Base of the arrival processes. Rates are in requests per second, ``seconds`` is how long it lasts."""

    seconds: float = dataclasses.field(metadata={"length": True})

    def __post_init__(self) -> None:
        positive("seconds", self.seconds)

    def rate_at(self, time: float) -> float:
        """The mean rate at a time, in requests per second."""
        raise NotImplementedError

    @property
    def peak(self) -> float:
        """A rate that ``rate_at`` never exceeds."""
        raise NotImplementedError

    def times(self, rng: random.Random) -> Iterator[float]:
        """The arrival times, ascending, each at least 0 and less than ``seconds``.

        By thinning (Lewis and Shedler, 1979): draw arrivals at the peak rate, keep each with the
        probability that its own rate has of the peak.
        """
        peak = self.peak
        time = 0.0
        while peak > 0:
            time += rng.expovariate(peak)
            if time >= self.seconds:
                return
            if rng.random() * peak < self.rate_at(time):
                yield time

    def scaled(self, factor: float) -> Self:
        """The same rates over ``factor`` times the time, so that the load stays what it is but ends sooner.

        Whatever has a length shrinks with it: bursts, ramps, points, days. ``AtOnce`` has only a number.
        """
        by = positive("scale", factor)
        return dataclasses.replace(
            self,
            **{
                field.name: getattr(self, field.name) * by
                for field in dataclasses.fields(self)
                if field.metadata.get("length")
            },
        )


def _length() -> float:
    """A field that is a length in seconds, and is scaled."""
    return dataclasses.field(metadata={"length": True})  # type: ignore[no-any-return]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Constant(Arrivals):
    """One request every ``1 / rate`` seconds, the first at 0. Real customers never do this."""

    rate: float

    def __post_init__(self) -> None:
        super().__post_init__()
        positive("rate", self.rate)

    def rate_at(self, time: float) -> float:
        return self.rate

    @property
    def peak(self) -> float:
        return self.rate

    def times(self, rng: random.Random) -> Iterator[float]:
        for index in itertools.count():
            time = index / self.rate
            if time >= self.seconds:
                return
            yield time


@dataclasses.dataclass(frozen=True, kw_only=True)
class AtOnce(Arrivals):
    """``requests`` of them at time 0. ``seconds`` only says over how long their rate is counted."""

    requests: int
    seconds: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        positive("requests", self.requests)

    def rate_at(self, time: float) -> float:
        return self.requests / self.seconds

    @property
    def peak(self) -> float:
        return self.requests / self.seconds

    def times(self, rng: random.Random) -> Iterator[float]:
        return itertools.repeat(0.0, self.requests)

    def scaled(self, factor: float) -> Self:
        """``factor`` times the requests, at least one."""
        return dataclasses.replace(self, requests=max(1, round(self.requests * positive("scale", factor))))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Poisson(Arrivals):
    """Independent arrivals at a mean ``rate``: the gaps are exponentially distributed."""

    rate: float

    def __post_init__(self) -> None:
        super().__post_init__()
        positive("rate", self.rate)

    def rate_at(self, time: float) -> float:
        return self.rate

    @property
    def peak(self) -> float:
        return self.rate

    def times(self, rng: random.Random) -> Iterator[float]:
        return _poisson(rng, self.rate, 0.0, self.seconds)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Bursty(Arrivals):
    """Calm, then a burst, then calm: a Poisson process whose rate switches at random moments.

    A calm phase has the rate ``calm`` and lasts ``calm_for`` seconds in the mean, a burst has the rate
    ``burst`` and lasts ``burst_for`` seconds in the mean; both are exponentially distributed (a
    Markov-modulated Poisson process of two states). ``calm`` may be 0. It begins calm.
    """

    calm: float
    burst: float
    calm_for: float = _length()
    burst_for: float = _length()

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.calm != 0:
            positive("calm", self.calm)
        for name in ("burst", "calm_for", "burst_for"):
            positive(name, getattr(self, name))

    def rate_at(self, time: float) -> float:
        """The rate in the long run: which phase rules at a time is drawn anew for each run."""
        share = self.burst_for / (self.calm_for + self.burst_for)
        return self.calm * (1 - share) + self.burst * share

    @property
    def peak(self) -> float:
        return max(self.calm, self.burst)

    def times(self, rng: random.Random) -> Iterator[float]:
        start, bursting = 0.0, False
        while start < self.seconds:
            end = start + rng.expovariate(1 / (self.burst_for if bursting else self.calm_for))
            yield from _poisson(rng, self.burst if bursting else self.calm, start, min(end, self.seconds))
            start, bursting = end, not bursting


@dataclasses.dataclass(frozen=True, kw_only=True)
class Ramp(Arrivals):
    """Poisson arrivals whose rate goes in a straight line from ``start`` to ``end``; one of them may be 0."""

    start: float
    end: float

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("start", "end"):
            if getattr(self, name) != 0:
                positive(name, getattr(self, name))
        positive("the higher of start and end", max(self.start, self.end))

    def rate_at(self, time: float) -> float:
        return self.start + (self.end - self.start) * time / self.seconds

    @property
    def peak(self) -> float:
        return max(self.start, self.end)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Profile(Arrivals):
    """Poisson arrivals whose rate follows ``points``, (second, multiple of ``rate``), joined by lines.

    Before the first point and after the last the rate stays. A spike of ten times the usual rate for a
    minute: ``Profile(rate=5, points=((60, 1), (61, 10), (120, 10), (121, 1)), seconds=300)``.
    """

    rate: float
    points: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        positive("rate", self.rate)
        if not self.points:
            raise ValueError("points is empty; it needs at least one (second, multiple of rate)")
        for (before, _), (after, _) in itertools.pairwise(self.points):
            if after <= before:
                raise ValueError(f"the points must go forward in time, but {after:g} follows {before:g}")
        for second, multiple in self.points:
            if multiple < 0 or not math.isfinite(multiple):
                raise ValueError(f"the rate at second {second:g} is {multiple!r} times {self.rate:g}")
        positive("the highest of the points", max(multiple for _, multiple in self.points))

    def scaled(self, factor: float) -> Self:
        """The same rates over ``factor`` times the time: the points move closer together, or apart."""
        points = tuple((second * factor, multiple) for second, multiple in self.points)
        return dataclasses.replace(super().scaled(factor), points=points)

    def rate_at(self, time: float) -> float:
        points = self.points
        if time <= points[0][0]:
            return self.rate * points[0][1]
        for (since, low), (until, high) in itertools.pairwise(points):
            if time <= until:
                return self.rate * (low + (high - low) * (time - since) / (until - since))
        return self.rate * points[-1][1]

    @property
    def peak(self) -> float:
        return self.rate * max(multiple for _, multiple in self.points)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Daily(Arrivals):
    """Poisson arrivals over the day: ``rate`` in the mean, a sine with its top at ``peak_hour``.

    ``swing`` is how far the rate goes above and below the mean, between 0 (flat) and 1 (nothing at the
    quietest hour, twice the mean at the busiest). The load starts at ``start_hour`` o'clock.
    """

    rate: float
    swing: float = 0.8
    peak_hour: float = 20.0
    start_hour: float = 0.0
    seconds: float = dataclasses.field(default=86_400.0, metadata={"length": True})
    day: float = dataclasses.field(default=86_400.0, metadata={"length": True})
    """How long the 24 hours last, in seconds."""

    def __post_init__(self) -> None:
        super().__post_init__()
        positive("rate", self.rate)
        if not 0 <= self.swing <= 1:
            raise ValueError(f"swing is {self.swing!r}; it must be between 0 and 1")
        positive("day", self.day)

    def rate_at(self, time: float) -> float:
        hour = self.start_hour + 24 * time / self.day
        return self.rate * (1 + self.swing * math.cos(2 * math.pi * (hour - self.peak_hour) / 24))

    @property
    def peak(self) -> float:
        return self.rate * (1 + self.swing)


def _poisson(rng: random.Random, rate: float, start: float, end: float) -> Iterator[float]:
    time = start
    while rate > 0:
        time += rng.expovariate(rate)
        if time >= end:
            return
        yield time
