"""What each intrinsic function does; a wrong argument fails the state with States.IntrinsicFailure.

https://docs.aws.amazon.com/step-functions/latest/dg/intrinsic-functions.html
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import math
import random
from collections.abc import Callable
from typing import Any

from ....ids import uuid4
from .chance import JavaRandom
from .text import json_text

Chance = random.Random
"""Where UUID and MathRandom without a seed draw from: a stream of the kernel."""

LONGEST = 10_000
"""Characters that Base64Encode, Base64Decode and Hash take."""


class IntrinsicFailure(ValueError):
    """An argument of the wrong type or value."""


def rounded(value: Any) -> int:
    """An integer argument; one that is not whole is rounded to the nearest."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise IntrinsicFailure(f"Expected an integer but got '{json_text(value)}'")
    return value if isinstance(value, int) else math.floor(value + 0.5)


def _array(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise IntrinsicFailure(f"Expected an array but got '{json_text(value)}'")
    return value


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise IntrinsicFailure(f"Expected a string but got '{json_text(value)}'")
    return value


def java_text(value: Any) -> str:
    """A value inside Format's text: ``{Arg1=1, Arg2=[]}``, as AWS writes it."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return f"[{', '.join(java_text(each) for each in value)}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}={java_text(each)}' for key, each in value.items())}}}"
    return json_text(value)


def _fill(template: str, values: list[Any] | None) -> str:
    out: list[str] = []
    taken = 0
    position = 0
    while position < len(template):
        char = template[position]
        if char == "\\" and position + 1 < len(template) and template[position + 1] in "{}\\'":
            out.append(template[position + 1])
            position += 2
        elif values is not None and template.startswith("{}", position):
            if taken >= len(values):
                raise IntrinsicFailure("The number of '{}' must match the number of arguments")
            out.append(java_text(values[taken]))
            taken += 1
            position += 2
        else:
            out.append(char)
            position += 1
    if values is not None and taken != len(values):
        raise IntrinsicFailure("The number of '{}' must match the number of arguments")
    return "".join(out)


def _format(arguments: list[Any], chance: Chance) -> str:
    return _fill(_string(arguments[0]), arguments[1:])


def _string_to_json(arguments: list[Any], chance: Chance) -> Any:
    text = _string(arguments[0])
    if not text.strip():
        return None
    try:
        return json.loads(text)
    except ValueError:
        raise IntrinsicFailure(f"Unable to parse '{text}' as JSON") from None


def _json_to_string(arguments: list[Any], chance: Chance) -> str:
    return json_text(arguments[0])


def _partition(arguments: list[Any], chance: Chance) -> list[Any]:
    array, size = _array(arguments[0]), rounded(arguments[1])
    if size <= 0:
        raise IntrinsicFailure(f"Expected a positive chunk size but got '{size}'")
    return [array[start : start + size] for start in range(0, len(array), size)]


def same(left: Any, right: Any) -> bool:
    """Equality of JSON values: ``true`` is not 1."""
    return json_text(left) == json_text(right) or (
        left == right and not isinstance(left, bool | list | dict) and not isinstance(right, bool)
    )


def _contains(arguments: list[Any], chance: Chance) -> bool:
    return any(same(each, arguments[1]) for each in _array(arguments[0]))


def _range(arguments: list[Any], chance: Chance) -> list[int]:
    first, last, step = (rounded(each) for each in arguments)
    if step == 0:
        raise IntrinsicFailure("The step must not be zero")
    values = range(first, last + (1 if step > 0 else -1), step)
    if len(values) > 1000:
        raise IntrinsicFailure("The array must not have more than 1000 elements")
    return list(values)


def _item(arguments: list[Any], chance: Chance) -> Any:
    array, index = _array(arguments[0]), rounded(arguments[1])
    if not 0 <= index < len(array):
        raise IntrinsicFailure(f"The index '{index}' is out of bounds of the array of size '{len(array)}'")
    return array[index]


def _length(arguments: list[Any], chance: Chance) -> int:
    return len(_array(arguments[0]))


def _unique(arguments: list[Any], chance: Chance) -> list[Any]:
    seen: set[str] = set()
    out = []
    for each in _array(arguments[0]):
        text = json_text(each)
        if text not in seen:
            seen.add(text)
            out.append(each)
    return out


def _short(value: Any) -> str:
    text = _string(value)
    if len(text) > LONGEST:
        raise IntrinsicFailure(f"The text must not be longer than {LONGEST} characters")
    return text


def _encode(arguments: list[Any], chance: Chance) -> str:
    return base64.b64encode(_short(arguments[0]).encode()).decode()


def _decode(arguments: list[Any], chance: Chance) -> str:
    try:
        return base64.b64decode(_short(arguments[0]), validate=True).decode(errors="replace")
    except binascii.Error:
        raise IntrinsicFailure("The text is not encoded in Base64") from None


ALGORITHMS = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}


def _hash(arguments: list[Any], chance: Chance) -> str:
    data, algorithm = arguments
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise IntrinsicFailure(f"Unsupported algorithm '{json_text(algorithm)}'")
    text = data if isinstance(data, str) else json_text(data)
    return hashlib.new(ALGORITHMS[algorithm], _short(text).encode(), usedforsecurity=False).hexdigest()


def _merge(arguments: list[Any], chance: Chance) -> dict[str, Any]:
    left, right, deep = arguments
    if not isinstance(left, dict) or not isinstance(right, dict):
        raise IntrinsicFailure("Expected two JSON objects to merge")
    if deep is not False:
        raise IntrinsicFailure("Only shallow merging is supported: the third argument must be false")
    return {**left, **right}


def _random(arguments: list[Any], chance: Chance) -> int:
    start, end = rounded(arguments[0]), rounded(arguments[1])
    if end <= start:
        raise IntrinsicFailure(f"The end '{end}' must be greater than the start '{start}'")
    if len(arguments) == 3:
        return start + JavaRandom(rounded(arguments[2])).next_int(end - start)
    return chance.randrange(start, end)


def _add(arguments: list[Any], chance: Chance) -> int:
    return rounded(arguments[0]) + rounded(arguments[1])


def _split(arguments: list[Any], chance: Chance) -> list[str]:
    text, separators = _string(arguments[0]), _string(arguments[1])
    out = [""]
    for char in text:
        if char in separators:
            out.append("")
        else:
            out[-1] += char
    return [part for part in out if part]


def _uuid(arguments: list[Any], chance: Chance) -> str:
    return uuid4(chance)


Function = Callable[[list[Any], Chance], Any]


MANY = 1_000

FUNCTIONS: dict[str, tuple[Function, int, int]] = {
    "Format": (_format, 1, MANY),
    "StringToJson": (_string_to_json, 1, 1),
    "JsonToString": (_json_to_string, 1, 1),
    "Array": (lambda arguments, chance: list(arguments), 0, MANY),
    "ArrayPartition": (_partition, 2, 2),
    "ArrayContains": (_contains, 2, 2),
    "ArrayRange": (_range, 3, 3),
    "ArrayGetItem": (_item, 2, 2),
    "ArrayLength": (_length, 1, 1),
    "ArrayUnique": (_unique, 1, 1),
    "Base64Encode": (_encode, 1, 1),
    "Base64Decode": (_decode, 1, 1),
    "Hash": (_hash, 2, 2),
    "JsonMerge": (_merge, 3, 3),
    "MathRandom": (_random, 2, 3),
    "MathAdd": (_add, 2, 2),
    "StringSplit": (_split, 2, 2),
    "UUID": (_uuid, 0, 0),
}
"""The function, and the least and the most arguments it takes."""
