"""Velocity's operators on values. https://velocity.apache.org/engine/1.7/vtl-reference.html

Comparisons and arithmetic of what is no number give false and null; + joins as soon as one side is text.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from .velocity_methods import to_text


def is_true(value: Any) -> bool:
    """Velocity 1.7: everything but null and false, so also 0, "" and an empty list."""
    return value is not None and value is not False


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def equal(one: Any, other: Any) -> bool:
    """Numbers by value, equal types by equals(), others by their text. What came to nothing (a division by
    zero) equals only its like."""
    if one is None or other is None:
        return one is other
    if is_number(one) and is_number(other):
        return bool(one == other)
    return bool(one == other) if type(one) is type(other) else to_text(one) == to_text(other)


def _divide(one: Any, other: Any) -> Any:
    """By zero it is null; integers are cut towards zero."""
    if other == 0:
        return None
    if isinstance(one, float) or isinstance(other, float):
        return one / other
    quotient = abs(one) // abs(other)
    return quotient if (one < 0) == (other < 0) else -quotient


def _remainder(one: Any, other: Any) -> Any:
    """With the sign of the dividend; by zero it is null."""
    if other == 0:
        return None
    if isinstance(one, float) or isinstance(other, float):
        return math.fmod(one, other)
    return one - other * _divide(one, other)


COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda a, b: bool(a < b),
    ">": lambda a, b: bool(a > b),
    "<=": lambda a, b: bool(a <= b),
    ">=": lambda a, b: bool(a >= b),
}
COMPARISONS.update(
    {word: COMPARISONS[sign] for word, sign in {"lt": "<", "gt": ">", "le": "<=", "ge": ">="}.items()}
)
ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": _divide,
    "%": _remainder,
}
