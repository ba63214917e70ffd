"""Numbers of JSONata as on AWS: JavaScript's arithmetic, and its text of a number.

The package ``jsonata-python`` cuts a remainder to an integer, fails where JavaScript has an infinity, and
writes whole numbers with an exponent.
"""

from __future__ import annotations

import json
import math
import operator
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from jsonata import Jsonata  # type: ignore[import-untyped]
from jsonata.jexception import JException  # type: ignore[import-untyped]
from jsonata.parser import Parser  # type: ignore[import-untyped]
from jsonata.signature import Signature  # type: ignore[import-untyped]
from jsonata.utils import Utils  # type: ignore[import-untyped]

from .jsonata_signatures import named, strict

LARGEST_LONG = 9.223372036854776e18
FEWEST_EXPONENT_DIGITS = 1e21
"""Where JavaScript, and AWS, begin to write a number with an exponent."""


class Engine(Jsonata):  # type: ignore[misc]
    """An expression of the package, with AWS's numbers."""

    def evaluate_numeric_expression(self, lhs: Any, rhs: Any, op: Any) -> Any:
        if lhs is not None and not Utils.is_numeric(lhs):
            raise JException("T2001", -1, op, lhs)
        if rhs is not None and not Utils.is_numeric(rhs):
            raise JException("T2002", -1, op, rhs)
        return None if lhs is None or rhs is None else whole(ARITHMETIC[op](float(lhs), float(rhs)))

    def validate_arguments(self, procedure: Any, arguments: Any, context: Any) -> Any:
        signature = getattr(procedure, "signature", None)
        if not isinstance(signature, Signature):
            return super().validate_arguments(procedure, arguments, context)
        return strict(signature).validate(arguments, context)

    def evaluate_function(self, expr: Any, input: Any, environment: Any, applied: Any) -> Any:
        try:
            return super().evaluate_function(expr, input, environment, applied)
        except JException as error:
            named(error, expr.procedure)
            raise

    def evaluate_string_concat(self, lhs: Any, rhs: Any) -> str:
        return ("" if lhs is None else text(lhs)) + ("" if rhs is None else text(rhs))


def _divided(left: float, right: float) -> float:
    if right:
        return left / right
    if not left or math.isnan(left):
        return math.nan
    return math.copysign(math.inf, left) * math.copysign(1, right)


def _remainder(left: float, right: float) -> float:
    return math.fmod(left, right) if right and math.isfinite(left) else math.nan


ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divided,
    "%": _remainder,
}


def whole(value: float) -> int | float:
    """A number without a fraction as an integer."""
    return int(value) if math.isfinite(value) and value.is_integer() and abs(value) < LARGEST_LONG else value


def number_text(value: int | float) -> str:
    """JavaScript's text of a number, rounded to 15 digits as JSONata's $string rounds it."""
    if isinstance(value, int):
        if abs(value) < FEWEST_EXPONENT_DIGITS:
            return str(value)
        value = float(value)
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    rounded = Decimal(repr(value if value.is_integer() else float(f"{value:.15g}")))
    if not value or 1e-6 <= abs(value) < FEWEST_EXPONENT_DIGITS:
        plain = f"{rounded:f}"
        return plain.rstrip("0").rstrip(".") if "." in plain else plain
    mantissa, _, exponent = f"{rounded.normalize():e}".partition("e")
    return f"{mantissa}e{int(exponent):+d}"


def text(value: Any, prettify: bool = False) -> str:
    """JSONata's $string."""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Jsonata.JFunction | Jsonata.JLambda | Parser.Symbol):
        return ""
    return _json(value, "\n" if prettify else "", prettify)


def _json(value: Any, indent: str, prettify: bool) -> str:
    if value is None or value is Utils.NULL_VALUE:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        if not math.isfinite(value):
            raise JException("D3001: Attempting to invoke string function on Infinity or NaN", -1)
        return number_text(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    inner = indent + "  " if prettify else ""
    between = "," + inner
    if isinstance(value, dict):
        colon = ": " if prettify else ":"
        pairs = (
            f"{json.dumps(key, ensure_ascii=False)}{colon}{_json(each, inner, prettify)}"
            for key, each in value.items()
        )
        joined = between.join(pairs)
        return f"{{{inner}{joined}{indent}}}" if joined else "{}"
    if isinstance(value, Jsonata.JFunction | Jsonata.JLambda | Parser.Symbol):
        return '""'
    joined = between.join(_json(each, inner, prettify) for each in value)
    return f"[{inner}{joined}{indent}]" if joined else "[]"
