"""Durations as people write them: ``"90s"``, ``"2h"``, ``"14 days"``, a number of seconds, a timedelta."""

from __future__ import annotations

import datetime
import math
import re
from typing import Any

_UNITS = {
    "us": 1,
    "ms": 1_000,
    "s": 1_000_000,
    "sec": 1_000_000,
    "second": 1_000_000,
    "m": 60_000_000,
    "min": 60_000_000,
    "minute": 60_000_000,
    "h": 3_600_000_000,
    "hour": 3_600_000_000,
    "d": 86_400_000_000,
    "day": 86_400_000_000,
    "w": 604_800_000_000,
    "week": 604_800_000_000,
}


def microseconds(value: Any, name: str = "duration") -> int:
    """``value`` in microseconds; a ValueError names ``name``, the value and what would be accepted."""
    if isinstance(value, datetime.timedelta):
        if value >= datetime.timedelta(0):
            return value // datetime.timedelta(microseconds=1)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        if 0 <= value < math.inf:
            return round(value * 1_000_000)
    elif isinstance(value, str):
        parts = re.findall(r"(\d+(?:\.\d+)?)\s*([a-z]+)", value.lower())
        rest = re.sub(r"(\d+(?:\.\d+)?)\s*([a-z]+)", "", value.lower())
        units = [_UNITS.get(unit) or _UNITS.get(unit.rstrip("s")) for _, unit in parts]
        if parts and not rest.strip() and all(units):
            return round(
                sum(float(number) * (unit or 0) for (number, _), unit in zip(parts, units, strict=True))
            )
    raise ValueError(
        f"{name}={value!r}: give a duration such as '90s', '2h', '14 days' or a number of seconds"
    )
