"""An item as its stream shows it: JSON text, and its size in bytes as DynamoDB counts it.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
"""

from __future__ import annotations

import base64
import decimal
import json
from collections.abc import Callable, Mapping
from typing import Any

_SETS = ('{"SS":', '{"NS":', '{"BS":')


def _bytes(value: Any) -> str:
    if isinstance(value, bytes | bytearray):
        return base64.b64encode(value).decode()
    raise TypeError(f"{value!r} has no place in an item")


encode = json.JSONEncoder(separators=(",", ":"), default=_bytes).encode
"""Attributes as JSON text, ASCII only, binary values in base64."""


def size(attributes: Mapping[str, Mapping[str, Any]]) -> int:
    """An item's size in bytes: the names and the values of its attributes."""
    return attributes_size(attributes, value_size)


def value_size(value: Mapping[str, Any]) -> int:
    """A value's size in bytes."""
    kind, content = next(iter(value.items()))
    return content_size(kind, content, value_size)


def attributes_size(attributes: Mapping[str, Any], value_size: Callable[[Any], int]) -> int:
    """The size of attributes whose values are in a form that ``value_size`` can measure."""
    total = 0
    for name, value in attributes.items():
        total += (len(name) if name.isascii() else len(name.encode())) + value_size(value)
    return total


def content_size(kind: str, content: Any, value_size: Callable[[Any], int]) -> int:
    """The size of what a value of this type holds. A list or map costs 3 bytes, and 1 for each element."""
    if kind == "S":
        return len(content) if content.isascii() else len(content.encode())
    if kind == "N":
        return number_size(content)
    if kind in ("NULL", "BOOL"):
        return 1
    if kind == "M":
        return 3 + len(content) + attributes_size(content, value_size)
    if kind == "L":
        return 3 + len(content) + sum(map(value_size, content))
    if kind == "B":
        return _binary_size(content)
    if kind == "BS":
        return sum(map(_binary_size, content))
    if kind == "NS":
        return sum(map(number_size, content))
    return sum(len(each.encode()) for each in content)


def number_size(text: str) -> int:
    """A byte per two significant digits, one more, and one for a minus sign; zero takes one."""
    digits = text.lstrip("-+")
    if not digits.isdigit():
        if "e" in digits or "E" in digits:
            digits = "".join(map(str, decimal.Decimal(digits).as_tuple().digits))
        digits = digits.replace(".", "")
    significant = len(digits.strip("0"))
    return 1 if not significant else (significant + 1) // 2 + 1 + text.startswith("-")


def same(old: str, new: str) -> bool:
    """Are these two images (JSON text) equal as DynamoDB sees it? Sets and maps have no order."""
    if old == new:
        return True
    if len(old) != len(new):
        return False
    if not any(mark in new for mark in _SETS) and sorted(old) != sorted(new):
        return False
    return bool(_plain(json.loads(old)) == _plain(json.loads(new)))


def _plain(attributes: dict[str, Any]) -> dict[str, Any]:
    return {name: _value(value) for name, value in attributes.items()}


def _value(value: dict[str, Any]) -> Any:
    kind, content = next(iter(value.items()))
    if kind in ("SS", "NS", "BS"):
        return kind, sorted(content)
    if kind == "M":
        return kind, _plain(content)
    if kind == "L":
        return kind, [_value(each) for each in content]
    return kind, content


def _binary_size(content: str | bytes) -> int:
    if isinstance(content, str):
        return len(content) // 4 * 3 - content.count("=")
    return len(content)


def with_bytes(attributes: dict[str, Any]) -> dict[str, Any]:
    """Attributes from their JSON text as boto3 shows them: binary values as bytes."""
    return {name: _with_bytes(value) for name, value in attributes.items()}


def _with_bytes(value: dict[str, Any]) -> dict[str, Any]:
    kind, content = next(iter(value.items()))
    if kind == "B":
        return {kind: base64.b64decode(content)}
    if kind == "BS":
        return {kind: [base64.b64decode(each) for each in content]}
    if kind == "M":
        return {kind: with_bytes(content)}
    if kind == "L":
        return {kind: [_with_bytes(each) for each in content]}
    return value
