"""The comparisons of a Choice state, as pure functions of the variable's value and the value compared to.

https://docs.aws.amazon.com/step-functions/latest/dg/state-choice.html#state-choice-rules
https://states-language.net/#choice-state (timestamps: RFC 3339 with upper case T and Z)
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction
from typing import Any

_TIMESTAMP = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?(Z|([+-])(\d{2}):(\d{2}))"
)


@functools.lru_cache(1024)
def instant(text: str) -> Fraction | None:
    """Seconds since the epoch of an RFC 3339 timestamp, exactly; None for any other text."""
    found = _TIMESTAMP.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute = (int(found[group]) for group in range(1, 6))
    offset = timedelta()
    if found[9]:
        offset = timedelta(hours=int(found[10]), minutes=int(found[11])) * (1 if found[9] == "+" else -1)
    try:
        when = datetime(year, month, day, hour, minute, int(found[6] or 0), tzinfo=timezone(offset))
    except ValueError:
        return None
    fraction = Fraction(int(found[7]), 10 ** len(found[7])) if found[7] else Fraction(0)
    return Fraction((when - datetime.fromtimestamp(0, UTC)) // timedelta(seconds=1)) + fraction


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_timestamp(value: Any) -> bool:
    return isinstance(value, str) and instant(value) is not None


@functools.lru_cache(1024)
def _pattern(text: str) -> re.Pattern[str]:
    parts = re.findall(r"\\\*|\\\\|\*|[^*\\]+|\\", text)
    named = {"*": ".*", "\\*": re.escape("*"), "\\\\": re.escape("\\")}
    return re.compile("".join(named.get(part) or re.escape(part) for part in parts), re.DOTALL)


def matches(text: str, pattern: str) -> bool:
    r"""StringMatches: ``*`` is any text, ``\*`` a star, ``\\`` a backslash."""
    return _pattern(pattern).fullmatch(text) is not None


def _units(text: str) -> bytes:
    return text.encode("utf-16-be", "surrogatepass")  # Java compares UTF-16 code units


def _strings(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    return lambda left, right: (
        isinstance(left, str) and isinstance(right, str) and compare(_units(left), _units(right))
    )


def _numbers(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    return lambda left, right: is_number(left) and is_number(right) and compare(left, right)


def _timestamps(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    return lambda left, right: (
        is_timestamp(left) and is_timestamp(right) and compare(instant(left), instant(right))
    )


_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "Equals": lambda left, right: bool(left == right),
    "LessThan": lambda left, right: bool(left < right),
    "GreaterThan": lambda left, right: bool(left > right),
    "LessThanEquals": lambda left, right: bool(left <= right),
    "GreaterThanEquals": lambda left, right: bool(left >= right),
}

COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "BooleanEquals": lambda left, right: isinstance(left, bool) and left is right,
    "StringMatches": lambda left, right: (
        isinstance(left, str) and isinstance(right, str) and matches(left, right)
    ),
    "IsNull": lambda left, right: (left is None) is right,
    "IsNumeric": lambda left, right: is_number(left) is right,
    "IsString": lambda left, right: isinstance(left, str) is right,
    "IsBoolean": lambda left, right: isinstance(left, bool) is right,
    "IsTimestamp": lambda left, right: is_timestamp(left) is right,
    "IsPresent": lambda left, right: right is True,
    **{f"String{name}": _strings(order) for name, order in _ORDERS.items()},
    **{f"Numeric{name}": _numbers(order) for name, order in _ORDERS.items()},
    **{f"Timestamp{name}": _timestamps(order) for name, order in _ORDERS.items()},
}
"""Every operator without its ``Path`` form. Values of another type than the operator's never match."""
