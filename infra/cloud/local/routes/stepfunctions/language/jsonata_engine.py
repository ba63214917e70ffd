"""JSONata as Step Functions evaluates it: compiled once per text, with AWS's functions, numbers and errors.

https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html
https://docs.jsonata.org/ (the language; the engine is the package ``jsonata-python``)
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Mapping
from typing import Any

from jsonata import Jsonata  # type: ignore[import-untyped]
from jsonata.jexception import JException  # type: ignore[import-untyped]
from jsonata.utils import Utils  # type: ignore[import-untyped]

from .intrinsic_functions import Chance
from .jsonata_functions import bindings
from .jsonata_numbers import LARGEST_LONG, Engine
from .jsonata_standard import regular_expression
from .text import json_text

NULL = Utils.NULL_VALUE
DEEPEST = 100
"""How deep an evaluation may nest on AWS (measured there: 100 are accepted, 101 refused)."""


ELEMENTS = {"a": "arrays", "b": "booleans", "f": "functions", "n": "numbers", "o": "objects", "s": "strings"}
"""What a function's signature calls the elements of an array."""


class InvalidExpression(ValueError):
    """A text that is no JSONata expression. ``code`` is JSONata's."""


class EvaluationError(ValueError):
    """An expression that failed: States.QueryEvaluationError. The text is ``CODE: message``, as on AWS."""


class Undefined(LookupError):
    """An expression that returned nothing."""


OVERFLOW = (
    "Stack overflow error: Check for non-terminating recursive function.  "
    "Consider rewriting as tail-recursive."
)
MOST_STEPS = 1_000_000
"""Steps of one evaluation, in the place of AWS's limit of time: an expression without an end must end."""


class _Bounds:
    """How deep and how long one evaluation goes."""

    __slots__ = ("depth", "steps")

    def __init__(self) -> None:
        self.depth = self.steps = 0

    def enter(self, expression: Any, value: Any, environment: Any) -> None:
        self.depth += 1
        self.steps += 1
        if self.depth > DEEPEST:
            raise JException(f"{OVERFLOW} Depth={self.depth} max={DEEPEST}", -1)
        if self.steps > MOST_STEPS:
            raise JException("Expression evaluation timeout: Check for infinite loop", -1)

    def leave(self, expression: Any, value: Any, environment: Any, result: Any) -> None:
        self.depth -= 1


_PLAIN = re.compile(r"\$[A-Za-z]\w*(\.[A-Za-z_]\w*)*")
_ELSEWHERE = object()


class Expression:
    """A compiled expression."""

    __slots__ = ("_compiled", "_names", "_plain", "_states", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._plain = text[1:].split(".") if _PLAIN.fullmatch(text) else None
        self._names = frozenset(re.findall(r"\$(\w+)", text))
        whole = re.search(r"\$states(?!\s*\.\s*\w)", text)
        self._states = None if whole else frozenset(re.findall(r"\$states\s*\.\s*(\w+)", text))
        try:
            self._compiled = Engine(text, regular_expression)
        except JException as error:
            raise InvalidExpression(message(error)) from None
        except RecursionError:
            raise InvalidExpression("S0500: The expression is nested too deeply") from None
        if self._compiled.errors:
            raise InvalidExpression(str(self._compiled.errors[0]))
        self._compiled.set_validate_input(False)
        self._compiled.set_output_convert_nulls(False)

    @property
    def tree(self) -> Any:
        """The engine's syntax tree."""
        return self._compiled.ast

    def evaluate(self, states: Mapping[str, Any], variables: Mapping[str, Any], chance: Chance) -> Any:
        """The value. Raises EvaluationError or Undefined."""
        if self._plain is not None:
            found = _navigated(self._plain, states, variables)
            if found is not _ELSEWHERE:
                return found
        frame: dict[str, Any] = dict(bindings(chance))
        for name, value in variables.items():
            if name in self._names:
                frame[name] = with_nulls(value)
        needed = self._states
        frame["states"] = {
            name: with_nulls(value) for name, value in states.items() if needed is None or name in needed
        }
        bounds = _Bounds()
        frame["__evaluate_entry"], frame["__evaluate_exit"] = bounds.enter, bounds.leave
        compiled = self._compiled
        Jsonata.CURRENT.jsonata = compiled  # what $now and the functions that take functions go by
        try:
            result = compiled.evaluate(None, frame)
        except JException as error:
            raise EvaluationError(message(error)) from None
        except RecursionError:
            raise EvaluationError(OVERFLOW) from None
        except (
            ArithmeticError,
            AttributeError,
            IndexError,
            KeyError,
            OSError,
            RuntimeError,
            TypeError,
            ValueError,
        ) as error:
            raise EvaluationError(str(error)) from None
        if result is None:
            raise Undefined(self.text)
        return from_engine(result)


def _navigated(names: list[str], states: Mapping[str, Any], variables: Mapping[str, Any]) -> Any:
    """What ``$states.input.a.b`` or ``$name.a`` stands for, if every step is an object's; or leave it."""
    node: Any = states if names[0] == "states" else variables.get(names[0])
    for name in names[1:]:
        if node.__class__ is not dict or name not in node:
            return _ELSEWHERE
        node = node[name]
    if node is None and names[0] != "states" and names[0] not in variables:
        return _ELSEWHERE
    return settled(node)


def settled(value: Any) -> Any:
    """A copy of a JSON value with AWS's numbers: those without a fraction are integers."""
    kind = value.__class__
    if kind is dict:
        return {key: settled(each) for key, each in value.items()}
    if kind is list:
        return [settled(each) for each in value]
    if kind is int:
        return value if -LARGEST_LONG <= value < LARGEST_LONG else float(value)
    return int(value) if kind is float and value.is_integer() and abs(value) < LARGEST_LONG else value


@functools.lru_cache(4096)
def compile_expression(text: str) -> Expression:
    """The compiled expression of what stands between ``{%`` and ``%}``."""
    return Expression(text)


def with_nulls(value: Any) -> Any:
    """The value as the engine wants it: its own null, since Python's None is its "undefined".

    Numbers without a fraction become integers, as on AWS (1.0 is 1, 1e2 is 100).
    """
    kind = value.__class__
    if kind is str or kind is bool:
        return value
    if kind is int:
        return value if -LARGEST_LONG <= value < LARGEST_LONG else float(value)
    if value is None:
        return NULL
    if kind is float:
        return int(value) if value.is_integer() and abs(value) < LARGEST_LONG else value
    if kind is dict:
        return {key: with_nulls(each) for key, each in value.items()}
    if kind is list:
        return [with_nulls(each) for each in value]
    return value


def from_engine(value: Any) -> Any:
    """The value as JSON: no functions, and what JSON has no number for as the text that JavaScript has."""
    kind = value.__class__
    if kind is str or kind is bool:
        return value
    if kind is int:
        return value if -LARGEST_LONG <= value < LARGEST_LONG else float(value)
    if value is NULL or value is None:
        return None
    if kind is float:
        if math.isfinite(value):
            return int(value) if value.is_integer() and abs(value) < LARGEST_LONG else value
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {str(key): from_engine(each) for key, each in value.items()}
    if isinstance(value, list | tuple | range):
        return [from_engine(each) for each in value]
    if isinstance(value, int | float | str):
        return from_engine(kind.__bases__[0](value))
    if isinstance(value, Mapping):
        return {str(key): from_engine(each) for key, each in value.items()}
    if hasattr(value, "__iter__"):
        return [from_engine(each) for each in value]
    raise EvaluationError("returned an unsupported result type")


def message(error: JException) -> str:
    """``T0412: Argument 1 of function "sum" must be an array of "numbers"``.

    The engine's texts have lost the word "function" on their way from JavaScript.
    """
    code = str(error.error)
    if ": " in code or code not in JException.error_codes:
        return code
    template = JException.error_codes[code]
    given = [error.current, error.expected, error.extra]
    if code in ("D1002", "S0213"):
        given = [error.expected if code == "D1002" else NULL]
    if code == "T0412":
        given[2] = ELEMENTS.get(str(error.extra), error.extra)
    return f"{code}: {_filled(template, [each for each in given if each is not None])}"


def _filled(template: str, values: list[Any]) -> str:
    template = template.replace(" Object", " function")
    remaining = iter(values)

    def plain(found: re.Match[str]) -> str:
        value = next(remaining, "")
        return str(value) if found[0].startswith("{{{") else json_text(from_engine(value))

    return re.sub(r"\{\{\{\w+\}\}\}|\{\{\w+\}\}", plain, template)
