"""What a template may call on values, and how values look as text: Java's String, List, Map, Integer, Double.

A template sees Python's str, bool, int, float, list and dict through these names only, never Python's own
attributes. https://docs.oracle.com/javase/8/docs/api/java/lang/String.html and its neighbours.
"""

from __future__ import annotations

import functools
import json
import math
import struct
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from .velocity_strings import METHODS, hash_code, split

Method = Callable[..., Any]


class JavaList(list[Any]):
    """A list that the template made is Java's as text; a plain one came out of JSON and is JSON again."""


def to_json(value: Any) -> str:
    """JSON without blanks, as API Gateway writes it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=to_text)


def to_text(value: Any) -> str:
    """A value as Java's toString() gives it; null is nothing, as API Gateway renders it."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _double(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}={_member(each)}" for name, each in value.items()) + "}"
    if isinstance(value, JavaList | range):
        return "[" + ", ".join(_member(each) for each in value) + "]"
    return to_json(value) if isinstance(value, list) else str(value)


def _member(value: Any) -> str:
    return "null" if value is None else to_text(value)


def _double(value: float) -> str:
    """Java's Double.toString: at least one decimal, and an exponent outside 10^-3 to 10^7."""
    if not math.isfinite(value):
        return {"inf": "Infinity", "-inf": "-Infinity"}.get(str(value), "NaN")
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return repr(value)
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    first, *rest = map(str, digits)
    power = len(rest) + int(exponent)
    return f"{'-' * sign}{first}.{''.join(rest) or '0'}E{power}"


class JavaSet(JavaList):
    """A map's keys, values or entries: a collection, so nothing of it is had by its index."""


class JavaIterator:
    """What ``iterator()`` gives; a #foreach takes what is left of it."""

    def __init__(self, items: Iterable[Any]) -> None:
        self._left = list(items)
        self.methods: dict[str, Method] = {
            "hasNext": lambda: bool(self._left),
            "next": lambda: self._left.pop(0),
        }

    def rest(self) -> list[Any]:
        left, self._left = self._left, []
        return left


class Entry:
    """A Map.Entry of ``entrySet()``."""

    def __init__(self, name: Any, value: Any) -> None:
        self.members = {"key": name, "value": value}
        self.methods: dict[str, Method] = {
            "getKey": lambda: name,
            "getValue": lambda: value,
            "toString": lambda: str(self),
        }

    def __str__(self) -> str:
        return f"{to_text(self.members['key'])}={_member(self.members['value'])}"


class Loop:
    """``$foreach``. As text it is an empty map, as Velocity's scopes are."""

    def __init__(self, index: int, last: bool, parent: Loop | None) -> None:
        topmost = self if parent is None else parent.members["topmost"]
        self.members: dict[str, Any] = {
            "index": index,
            "count": index + 1,
            "hasNext": not last,
            "first": index == 0,
            "last": last,
            "parent": parent,
            "topmost": topmost,
        }
        named = {
            "getIndex": index,
            "getCount": index + 1,
            "hasNext": not last,
            "getHasNext": not last,
            "isFirst": index == 0,
            "isLast": last,
            "getParent": parent,
            "getTopmost": topmost,
        }
        self.methods: dict[str, Method] = {
            name: functools.partial(lambda value: value, value) for name, value in named.items()
        }

    def __str__(self) -> str:
        return "{}"


def _at(items: Any, index: int) -> Any:
    if type(index) is not int:
        raise TypeError(f"no index: {index!r}")
    if index < 0:
        raise IndexError(index)
    return items[index]


def _put(table: dict[str, Any], name: str, value: Any) -> Any:
    before = table.get(name)
    table[name] = value
    return before


def _put_if_absent(table: dict[str, Any], name: str, value: Any) -> Any:
    before = table.get(name)
    if before is None:
        table[name] = value
    return before


def _replace(table: dict[str, Any], name: str, value: Any) -> Any:
    return _put(table, name, value) if name in table else None


def _set(items: list[Any], index: int, value: Any) -> Any:
    before, items[index] = _at(items, index), value
    return before


def _add(items: list[Any], *args: Any) -> Any:
    if len(args) == 2:
        items.insert(*args)
        return None
    (item,) = args
    items.append(item)
    return True


def _add_all(items: list[Any], *args: Any) -> bool:
    *at, more = args
    if not isinstance(more, list | range):
        raise TypeError(f"no collection: {more!r}")
    start = at[0] if at else len(items)
    items[start:start] = more
    return bool(more)


def _keep(items: list[Any], kept: list[Any]) -> bool:
    changed = len(kept) != len(items)
    items[:] = kept
    return changed


def _remove(items: list[Any], what: Any) -> Any:
    if type(what) is int:
        _at(items, what)
        return items.pop(what)
    if what in items:
        items.remove(what)
        return True
    return False


def _last_index(items: list[Any], value: Any) -> int:
    return next((at for at in range(len(items) - 1, -1, -1) if items[at] == value), -1)


def _hash_code(value: Any) -> int:
    """Java's, of texts, numbers, booleans, lists and maps."""
    code = 0
    if isinstance(value, str):
        return hash_code(value)
    if isinstance(value, bool):
        return 1231 if value else 1237
    if isinstance(value, list | range):
        code = functools.reduce(lambda found, each: found * 31 + _hash_code(each), value, 1)
    elif isinstance(value, dict):
        code = sum(_hash_code(name) ^ _hash_code(each) for name, each in value.items())
    elif isinstance(value, int):
        code = value if abs(value) < 1 << 31 else value ^ value >> 32
    elif isinstance(value, float):
        bits = int.from_bytes(struct.pack(">d", value))
        code = bits ^ bits >> 32
    code &= 0xFFFFFFFF
    return code - (1 << 32) if code >> 31 else code


def _compare(one: Any, other: Any) -> int:
    if type(one) is not type(other):
        raise TypeError(f"{one!r} and {other!r}")
    return int(one > other) - int(one < other)


_ANY: dict[str, Method] = {
    "toString": lambda value: to_text(value),
    "equals": lambda value, other: type(value) is type(other) and value == other,
    "hashCode": _hash_code,
}
STRING: dict[str, Method] = {
    **_ANY,
    **METHODS,
    "split": lambda text, regex, limit=0: JavaList(split(text, regex, limit)),
    "toCharArray": JavaList,
    "getBytes": lambda text: JavaList(text.encode()),
    "join": lambda _, glue, *parts: glue.join(
        map(to_text, parts[0] if isinstance(parts[0], list) else parts)
    ),
    "valueOf": lambda _, value: to_text(value),
}
_COLLECTION: dict[str, Method] = {
    **_ANY,
    "equals": lambda items, other: isinstance(other, list | range) and list(items) == list(other),
    "size": len,
    "isEmpty": lambda items: not items,
    "contains": lambda items, value: value in items,
    "containsAll": lambda items, more: all(value in items for value in more),
    "iterator": JavaIterator,
    "toArray": JavaList,
}
LIST: dict[str, Method] = {
    **_COLLECTION,
    "get": _at,
    "set": _set,
    "add": _add,
    "addAll": _add_all,
    "remove": _remove,
    "removeAll": lambda items, more: _keep(items, [value for value in items if value not in more]),
    "retainAll": lambda items, more: _keep(items, [value for value in items if value in more]),
    "clear": lambda items: items.clear(),
    "indexOf": lambda items, value: items.index(value) if value in items else -1,
    "lastIndexOf": _last_index,
    "subList": lambda items, start, end: type(items)(items[start:end]),
}
MAP: dict[str, Method] = {
    **_ANY,
    "size": len,
    "isEmpty": lambda table: not table,
    "get": lambda table, name: table.get(name),
    "getOrDefault": lambda table, name, default: table.get(name, default),
    "put": _put,
    "putAll": lambda table, more: table.update(more),
    "putIfAbsent": _put_if_absent,
    "replace": _replace,
    "remove": lambda table, name: table.pop(name, None),
    "clear": lambda table: table.clear(),
    "containsKey": lambda table, name: name in table,
    "containsValue": lambda table, value: value in table.values(),
    "keySet": JavaSet,
    "values": lambda table: JavaSet(table.values()),
    "entrySet": lambda table: JavaSet(Entry(name, value) for name, value in table.items()),
}
BOOLEAN: dict[str, Method] = {**_ANY, "booleanValue": bool, "compareTo": _compare}
NUMBER: dict[str, Method] = {
    **_ANY,
    "compareTo": _compare,
    "intValue": int,
    "longValue": int,
    "doubleValue": float,
    "floatValue": float,
    "parseInt": lambda _, text: int(text),  # static, reached through a number: #set($Integer = 0)
    "parseLong": lambda _, text: int(text),
    "valueOf": lambda _, text: int(text),
    "parseDouble": lambda _, text: float(text),
    "toHexString": lambda _, number: f"{number & 0xFFFFFFFF:x}",
    "toBinaryString": lambda _, number: f"{number & 0xFFFFFFFF:b}",
}


def call(value: Any, name: str, arguments: list[Any]) -> Any:
    """``$value.name(…)``. A method that there is not, or not for such arguments, gives null."""
    if isinstance(value, str):
        table = STRING
    elif isinstance(value, dict):
        table = MAP
    elif isinstance(value, JavaSet):
        table = _COLLECTION
    elif isinstance(value, list | range):
        table = LIST
    elif isinstance(value, bool):
        table = BOOLEAN
    elif isinstance(value, int | float):
        table = NUMBER
    else:
        own = getattr(value, "methods", {}).get(name)
        return None if own is None else own(*arguments)
    try:
        return table[name](value, *arguments) if name in table else None
    except TypeError:
        return None


def member(value: Any, name: str) -> Any:
    """``$value.name``: an entry of a map, a getter of an object (isEmpty() as ``empty``), or null."""
    if isinstance(value, dict):
        return value.get(name)
    if isinstance(value, str | list):
        return not value if name == "empty" else None
    members: dict[str, Any] = getattr(value, "members", {})
    found = members.get(name)
    return found() if callable(found) else found
