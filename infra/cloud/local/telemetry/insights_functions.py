"""The functions of Logs Insights: on single values, and on the values of a group of events.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-operations-functions.html. A missing
value is None; what has no answer (a logarithm of text) is None too. Percentiles are by nearest rank and the
standard deviation is the population's; AWS documents neither.
"""

from __future__ import annotations

import ipaddress
import math
import statistics
from collections.abc import Callable, Sequence
from typing import Any

Value = Any
"""str, int, float, bool, Millis or None."""

MANY = 1_000


class Millis(int):
    """A point in time, in milliseconds since the epoch: shown as a date, computed with as a number."""


def number(value: Value) -> float | int | None:
    """A value as a number, if it is one or reads as one."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, (int, float)):
        return value
    if isinstance(value, str):
        try:
            found = float(value)
        except ValueError:
            return None
        return found if math.isfinite(found) else None
    return None


def text(value: Value) -> str:
    """A value as it is compared and concatenated."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e16:
        return str(int(value))
    return str(value)


# -- on single values ----------------------------------------------------------------------------------------


def _numeric(compute: Callable[..., float | int]) -> Callable[..., Value]:
    def function(*values: Value) -> Value:
        numbers = [number(value) for value in values]
        if any(one is None for one in numbers):
            return None
        try:
            return compute(*numbers)
        except (ValueError, OverflowError, ZeroDivisionError):
            return None

    return function


def _textual(compute: Callable[..., Value]) -> Callable[..., Value]:
    def function(*values: Value) -> Value:
        if values[0] is None:
            return None
        return compute(*(text(value) for value in values))

    return function


def _substring(string: Value, start: Value, length: Value = None) -> Value:
    first, count = number(start), number(length)
    if string is None or first is None:
        return None
    rest = text(string)[max(int(first), 0) :]
    return rest if count is None else rest[: int(count)]


def _date_floor(moment: Value, period: Value) -> Value:
    at = number(moment)
    return None if at is None else Millis(int(at) // period * period)


def _date_ceil(moment: Value, period: Value) -> Value:
    at = number(moment)
    return None if at is None else Millis(-(-int(at) // period) * period)


def _address(versions: tuple[int, ...]) -> Callable[[Value], bool]:
    def valid(value: Value) -> bool:
        try:
            return ipaddress.ip_address(text(value)).version in versions
        except ValueError:
            return False

    return valid


def _in_subnet(versions: tuple[int, ...]) -> Callable[[Value, Value], bool]:
    def inside(value: Value, subnet: Value) -> bool:
        try:
            address, network = (
                ipaddress.ip_address(text(value)),
                ipaddress.ip_network(text(subnet), strict=False),
            )
        except ValueError:
            return False
        return address.version in versions and address in network

    return inside


FUNCTIONS: dict[str, tuple[int, int, Callable[..., Value]]] = {
    "abs": (1, 1, _numeric(abs)),
    "ceil": (1, 1, _numeric(math.ceil)),
    "floor": (1, 1, _numeric(math.floor)),
    "greatest": (1, MANY, _numeric(max)),
    "least": (1, MANY, _numeric(min)),
    "log": (1, 1, _numeric(math.log)),
    "sqrt": (1, 1, _numeric(math.sqrt)),
    "ispresent": (1, 1, lambda value: value is not None),
    "coalesce": (1, MANY, lambda *values: next((value for value in values if value is not None), None)),
    "isempty": (1, 1, lambda value: text(value) == ""),
    "isblank": (1, 1, lambda value: text(value).strip() == ""),
    "concat": (1, MANY, lambda *values: "".join(text(value) for value in values)),
    "ltrim": (1, 2, _textual(str.lstrip)),
    "rtrim": (1, 2, _textual(str.rstrip)),
    "trim": (1, 2, _textual(str.strip)),
    "strlen": (1, 1, _textual(len)),
    "toupper": (1, 1, _textual(str.upper)),
    "tolower": (1, 1, _textual(str.lower)),
    "substr": (2, 3, _substring),
    "replace": (3, 3, _textual(str.replace)),
    "strcontains": (2, 2, lambda string, part: int(text(part) in text(string))),
    "datefloor": (2, 2, _date_floor),
    "dateceil": (2, 2, _date_ceil),
    "bin": (1, 1, lambda period: period),  # of the event's @timestamp: see insights.py
    "frommillis": (1, 1, lambda value: None if number(value) is None else Millis(int(number(value) or 0))),
    "tomillis": (1, 1, _numeric(int)),
    "now": (0, 0, lambda: None),  # of the query: see insights.py
    "isvalidip": (1, 1, _address((4, 6))),
    "isvalidipv4": (1, 1, _address((4,))),
    "isvalidipv6": (1, 1, _address((6,))),
    "isipinsubnet": (2, 2, _in_subnet((4, 6))),
    "isipv4insubnet": (2, 2, _in_subnet((4,))),
    "isipv6insubnet": (2, 2, _in_subnet((6,))),
}  # fmt: skip
"""Name in lower case: fewest and most arguments, and the function."""

UNSIMULATED_FUNCTIONS = frozenset({"jsonparse", "jsonstringify", "geoip", "case", "if"})


# -- on a group of events ------------------------------------------------------------------------------------

AGGREGATES: dict[str, tuple[int, int]] = {
    "avg": (1, 1),
    "count": (0, 1),
    "count_distinct": (1, MANY),
    "earliest": (1, 1),
    "latest": (1, 1),
    "max": (1, 1),
    "median": (1, 1),
    "min": (1, 1),
    "pct": (2, 2),
    "percentile": (2, 2),
    "sortsfirst": (1, 1),
    "sortslast": (1, 1),
    "stddev": (1, 1),
    "sum": (1, 1),
}
"""Name in lower case: fewest and most arguments."""


def aggregate(name: str, rows: Sequence[tuple[Value, ...]], times: Sequence[Value]) -> Value:
    """One aggregate over a group: ``rows`` holds its arguments' values, ``times`` each event's @timestamp."""
    if name == "count":
        return sum(1 for row in rows if not row or row[0] is not None)
    if name == "count_distinct":
        return len({tuple(map(text, row)) for row in rows if None not in row})
    if name in ("earliest", "latest"):
        present = [
            (at, index) for index, (at, row) in enumerate(zip(times, rows, strict=True)) if row[0] is not None
        ]
        if not present:
            return None
        _, index = min(present) if name == "earliest" else max(present)
        return _plain(rows[index][0])
    if name in ("sortsfirst", "sortslast"):
        strings = [text(row[0]) for row in rows if row[0] is not None]
        return None if not strings else min(strings) if name == "sortsfirst" else max(strings)
    found = [value for value in (number(row[0]) for row in rows) if value is not None]
    if not found:
        if name in ("max", "min"):  # of text: the last or first in order
            return aggregate("sortslast" if name == "max" else "sortsfirst", rows, times)
        return None
    if name == "sum":
        return math.fsum(found) if any(isinstance(value, float) for value in found) else sum(found)
    if name == "avg":
        return math.fsum(found) / len(found)
    if name == "min":
        return _plain(min(found))
    if name == "max":
        return _plain(max(found))
    if name == "stddev":
        return statistics.pstdev(found)
    percent = 50.0 if name == "median" else float(number(rows[0][1]) or 0)
    found.sort()
    rank = math.ceil(percent / 100 * len(found))
    return _plain(found[min(max(rank, 1), len(found)) - 1])


def _plain(value: Value) -> Value:
    return int(value) if isinstance(value, Millis) else value
