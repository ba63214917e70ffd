"""Arrivals from a file: when requests really came, as a log or an export has it."""

from __future__ import annotations

import csv
import dataclasses
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from . import paths
from .arrivals import Arrivals
from .measure import positive


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recorded(Arrivals):
    """Arrivals at given ``offsets``, ascending seconds from the start; the seed changes nothing.

    ``Recorded.read("orders.csv")`` takes them from a file.
    """

    offsets: tuple[float, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        if list(self.offsets) != sorted(self.offsets) or (self.offsets and self.offsets[0] < 0):
            raise ValueError("the offsets must be seconds of at least 0, in ascending order")
        if self.offsets and self.offsets[-1] >= self.seconds:
            raise ValueError(f"the last arrival, at {self.offsets[-1]:g} s, is not within {self.seconds:g} s")

    @classmethod
    def read(cls, path: str | Path, column: str | None = None) -> Self:
        """A CSV file with a header (``column`` names the column; the first, if not given), in any order.

        Times are numbers of seconds, or dates in ISO 8601 (UTC where they say nothing else); they count from
        the earliest. Raises ValueError with the line that is neither.
        """
        found = sorted(_times(paths.ROOT / path, column))
        if not found:
            raise ValueError(f"{path} has no arrivals: it needs a header, then one line for each")
        offsets = tuple(round(time - found[0], 6) for time in found)
        gap = offsets[-1] / (len(offsets) - 1) if offsets[-1] else 1.0
        return cls(offsets=offsets, seconds=offsets[-1] + gap)

    def rate_at(self, time: float) -> float:
        """The mean rate of the whole file."""
        return len(self.offsets) / self.seconds

    @property
    def peak(self) -> float:
        return self.rate_at(0)

    def times(self, rng: random.Random) -> Iterator[float]:
        return iter(self.offsets)

    def scaled(self, factor: float) -> Self:
        """At the same pace for ``factor`` times as long: its beginning, or again from the beginning."""
        seconds = self.seconds * positive("scale", factor)
        rounds = int(seconds // self.seconds) + 1
        offsets = tuple(
            offset + number * self.seconds
            for number in range(rounds)
            for offset in self.offsets
            if offset + number * self.seconds < seconds
        )
        return dataclasses.replace(self, offsets=offsets, seconds=seconds)


def _times(path: Path, column: str | None) -> Iterator[float]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        names = list(rows.fieldnames or [])
        if column is not None and column not in names:
            raise ValueError(f"{path.name} has no column {column!r}; it has: {', '.join(names) or 'none'}")
        wanted = column if column is not None else next(iter(names), "")
        for row in rows:
            text = (row[wanted] or "").strip()
            try:
                yield _seconds(text)
            except ValueError:
                raise ValueError(
                    f"{path.name}, line {rows.line_num}: {wanted} is {text!r}; it must be a number of "
                    "seconds or a date such as 2026-01-05T09:00:00Z"
                ) from None


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
