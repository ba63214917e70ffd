"""The functions that Step Functions adds to JSONata: $partition, $range, $hash, $random, $uuid and $parse.

Their answers to odd arguments follow what was measured on AWS: rounding towards zero, nothing (undefined)
for a step or chunk size of zero, one bare number for a range of one.

https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html#jsonata-functions-provided-by-sfn
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

from jsonata import Jsonata  # type: ignore[import-untyped]
from jsonata.jexception import JException  # type: ignore[import-untyped]
from jsonata.utils import Utils  # type: ignore[import-untyped]

from ....ids import uuid4
from . import jsonata_standard as standard
from .chance import JavaRandom
from .intrinsic_functions import ALGORITHMS, Chance
from .jsonata_numbers import text

LONGEST_RANGE = 360_145
"""Elements that $range gives at most (measured on AWS)."""


def _mismatch(function: str, argument: int) -> JException:
    return JException(
        f'T0410: Argument {argument} of function "{function}" does not match function signature', -1
    )


def _whole(value: Any, function: str, argument: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _mismatch(function, argument)
    return int(value)


def _surplus(arguments: list[Any], function: str, most: int) -> None:
    if len(arguments) > most and arguments[most] is not None:
        raise _mismatch(function, most + 1)


def _at(arguments: list[Any], index: int) -> Any:
    return arguments[index] if index < len(arguments) else None


def partition(arguments: list[Any], chance: Chance) -> Any:
    _surplus(arguments, "partition", 2)
    array, size = _at(arguments, 0), _at(arguments, 1)
    if array is None:
        return None
    if not isinstance(array, list):
        raise JException('T0412: Argument 1 of function "partition" must be an array of undefined', -1)
    if not array:
        return None
    if size is None:
        return [list(array)]
    chunk = _whole(size, "partition", 2)
    if chunk < 0:
        raise JException("D3137: Second argument must be zero or greater", -1)
    return [array[start : start + chunk] for start in range(0, len(array), chunk)] if chunk else None


def range_(arguments: list[Any], chance: Chance) -> Any:
    _surplus(arguments, "range", 3)
    start, end = _whole(_at(arguments, 0), "range", 1), _whole(_at(arguments, 1), "range", 2)
    if _at(arguments, 2) is None:
        return None
    step = _whole(arguments[2], "range", 3)
    if step == 0 or (step > 0 and start > end) or (step < 0 and start < end):
        return None
    values = range(start, end + (1 if step > 0 else -1), step)
    if len(values) > LONGEST_RANGE:
        raise JException("Expression evaluation memory limit exceeded: Check for excessive memory usage", -1)
    return start if start == end else list(values)


def hash_(arguments: list[Any], chance: Chance) -> Any:
    _surplus(arguments, "hash", 2)
    given, algorithm = _at(arguments, 0), _at(arguments, 1)
    if not isinstance(given, str):
        raise _mismatch("hash", 1)
    if algorithm is None:
        return None
    if not isinstance(algorithm, str):
        raise _mismatch("hash", 2)
    if algorithm not in ALGORITHMS:
        names = "SHA-1, SHA-384, SHA-256, SHA-512, MD5"
        raise JException(f"D3137: Hash algorithm '{algorithm}' must be one of {names}", -1)
    return hashlib.new(ALGORITHMS[algorithm], given.encode(), usedforsecurity=False).hexdigest()


def random_(arguments: list[Any], chance: Chance) -> Any:
    _surplus(arguments, "random", 1)
    seed = _at(arguments, 0)
    return chance.random() if seed is None else JavaRandom(_whole(seed, "random", 1)).next_double()


def uuid_(arguments: list[Any], chance: Chance) -> Any:
    _surplus(arguments, "uuid", 0)
    return uuid4(chance)


def _unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = {key: Utils.NULL_VALUE if value is None else value for key, value in pairs}
    if len(found) != len(pairs):
        raise ValueError("a key is repeated")
    return found


def _nulls(value: Any) -> Any:
    if value is None:
        return Utils.NULL_VALUE
    if isinstance(value, list):
        return [_nulls(each) for each in value]
    if isinstance(value, dict):
        return {key: _nulls(each) for key, each in value.items()}
    return value


def parse(arguments: list[Any], chance: Chance) -> Any:
    _surplus(arguments, "parse", 1)
    given = _at(arguments, 0)
    if given is None:
        return None
    if not isinstance(given, str):
        raise _mismatch("parse", 1)
    try:
        return _nulls(json.loads(given, object_pairs_hook=_unrepeated))
    except ValueError:
        raise JException("D3137: Invalid JSON", -1) from None


def string(arguments: list[Any], chance: Chance) -> Any:
    value = _at(arguments, 0)
    return None if value is None else text(value, bool(_at(arguments, 1)))


FUNCTIONS: dict[str, tuple[Callable[[list[Any], Chance], Any], str]] = {
    "partition": (partition, "<x?x?x?:x>"),
    "range": (range_, "<x?x?x?x?:x>"),
    "hash": (hash_, "<x?x?x?:x>"),
    "random": (random_, "<x?x?:x>"),
    "uuid": (uuid_, "<x?:x>"),
    "parse": (parse, "<x?x?:x>"),
    "string": (string, "<x-b?:s>"),
}
"""The function and its signature: one optional argument too many, so that it can name a surplus one."""

_bound: dict[int, dict[str, Any]] = {}


def bindings(chance: Chance) -> dict[str, Any]:
    """What is bound in every evaluation: AWS's functions, and no $eval."""
    found = _bound.get(id(chance))
    if found is None:
        found = {
            name: _function(function, chance, signature) for name, (function, signature) in FUNCTIONS.items()
        }
        for name, (function, signature) in standard.FUNCTIONS.items():
            found[name] = _function(_spread(function), chance, signature)
        found["eval"] = None
        _bound.clear()
        _bound[id(chance)] = found
    return found


def _spread(function: Callable[..., Any]) -> Callable[[list[Any], Chance], Any]:
    count = function.__code__.co_argcount
    return lambda arguments, chance: function(*(_at(arguments, index) for index in range(count)))


def _function(function: Callable[[list[Any], Chance], Any], chance: Chance, signature: str) -> Any:
    class Call(Jsonata.JFunctionCallable):  # type: ignore[misc]
        def call(self, input: Any, args: Any) -> Any:
            return function(list(args or ()), chance)

    return Jsonata.JFunction(Call(), signature)
