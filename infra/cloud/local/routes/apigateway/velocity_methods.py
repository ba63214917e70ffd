"""What a template may call on values, and how values look as text: Java's String, List, Map, Integer, Double.

A template sees Python's str, bool, int, float, list and dict through these names only, never Python's own
attributes. https://docs.oracle.com/javase/8/docs/api/java/lang/String.html and its neighbours.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import Any

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
    mantissa, _, exponent = f"{value!r}".partition("e")
    if not exponent:
        power = math.floor(math.log10(abs(value)))
        mantissa, exponent = repr(float(f"{value / 10**power:.15g}")), str(power)
    return f"{mantissa if '.' in mantissa else mantissa + '.0'}E{int(exponent)}"


def _pattern(regex: str) -> re.Pattern[str]:
    return re.compile(regex)


def _replacement(text: str) -> Callable[[re.Match[str]], str]:
    r"""Java's replacement text: ``$1`` is a group, a backslash takes the next character as it is."""
    parts = re.findall(r"\\(.)|\$(\d)|([^\\$]+)", text, re.DOTALL)
    return lambda match: "".join(
        (match.group(int(group)) or "") if group else escaped + plain for escaped, group, plain in parts
    )


def _split(text: str, regex: str, limit: int = 0) -> JavaList:
    parts = JavaList(_pattern(regex).split(text, maxsplit=max(0, limit - 1)))
    while limit == 0 and len(parts) > 1 and not parts[-1]:
        parts.pop()
    return parts


def _at(items: Any, index: int) -> Any:
    if index < 0:
        raise IndexError(index)
    return items[index]


def _substring(text: str, start: int, end: int | None = None) -> str:
    stop = len(text) if end is None else end
    if not 0 <= start <= stop <= len(text):
        raise IndexError(f"{start} to {stop} of {len(text)} characters")
    return text[start:stop]


def _put(table: dict[str, Any], name: str, value: Any) -> Any:
    before = table.get(name)
    table[name] = value
    return before


def _set(items: list[Any], index: int, value: Any) -> Any:
    before, items[index] = items[index], value
    return before


def _add(items: list[Any], *args: Any) -> Any:
    if len(args) == 2:
        items.insert(*args)
        return None
    items.append(args[0])
    return True


def _remove(items: list[Any], what: Any) -> Any:
    if isinstance(what, int):
        return items.pop(what)
    if what in items:
        items.remove(what)
        return True
    return False


def _nothing(*args: Any) -> None:
    return None


def _equal_ignoring_case(text: str, other: Any) -> bool:
    return isinstance(other, str) and text.lower() == other.lower()


_ANY: dict[str, Method] = {
    "toString": lambda value: to_text(value),
    "equals": lambda value, other: type(value) is type(other) and value == other,
}
STRING: dict[str, Method] = {
    **_ANY,
    "length": len,
    "isEmpty": lambda text: not text,
    "charAt": _at,
    "concat": lambda text, other: text + to_text(other),
    "contains": lambda text, part: to_text(part) in text,
    "startsWith": lambda text, part: text.startswith(part),
    "endsWith": lambda text, part: text.endswith(part),
    "equalsIgnoreCase": _equal_ignoring_case,
    "indexOf": lambda text, part, start=0: text.find(part, start),
    "lastIndexOf": lambda text, part: text.rfind(part),
    "substring": _substring,
    "toLowerCase": str.lower,
    "toUpperCase": str.upper,
    "trim": lambda text: text.strip(),
    "replace": lambda text, old, new: text.replace(old, new),
    "replaceAll": lambda text, regex, new: _pattern(regex).sub(_replacement(new), text),
    "replaceFirst": lambda text, regex, new: _pattern(regex).sub(_replacement(new), text, count=1),
    "matches": lambda text, regex: _pattern(regex).fullmatch(text) is not None,
    "split": _split,
}
LIST: dict[str, Method] = {
    **_ANY,
    "size": len,
    "isEmpty": lambda items: not items,
    "get": _at,
    "set": _set,
    "add": _add,
    "addAll": lambda items, more: bool(items.extend(more) or more),
    "remove": _remove,
    "clear": lambda items: items.clear(),
    "contains": lambda items, value: value in items,
    "indexOf": lambda items, value: items.index(value) if value in items else -1,
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
    "remove": lambda table, name: table.pop(name, None),
    "containsKey": lambda table, name: name in table,
    "containsValue": lambda table, value: value in table.values(),
    "keySet": JavaList,
    "values": lambda table: JavaList(table.values()),
    "entrySet": lambda table: JavaList(Entry(name, value) for name, value in table.items()),
}
NUMBER: dict[str, Method] = {
    **_ANY,
    "intValue": int,
    "longValue": int,
    "doubleValue": float,
    "parseInt": lambda _, text: int(text),  # static, reached through a number: #set($Integer = 0)
    "valueOf": lambda _, text: int(text),
    "parseDouble": lambda _, text: float(text),
}


class Entry:
    """A Map.Entry of ``entrySet()``."""

    def __init__(self, name: Any, value: Any) -> None:
        self.members = {"key": name, "value": value}
        self.methods: dict[str, Method] = {"getKey": lambda: name, "getValue": lambda: value}

    def __str__(self) -> str:
        return f"{to_text(self.members['key'])}={_member(self.members['value'])}"


def method(value: Any, name: str) -> Method:
    """The method of a value; calling one that there is not gives null, as Velocity does."""
    if isinstance(value, str):
        table = STRING
    elif isinstance(value, dict):
        table = MAP
    elif isinstance(value, list | range):
        table = LIST
    elif isinstance(value, int | float):
        table = _ANY if isinstance(value, bool) else NUMBER
    else:
        return getattr(value, "methods", {}).get(name, _nothing)  # type: ignore[no-any-return]
    found = table.get(name)
    return _nothing if found is None else lambda *args: found(value, *args)


def member(value: Any, name: str) -> Any:
    """``$value.name``: an entry of a map, a getter of an object (isEmpty() as ``empty``), or null."""
    if isinstance(value, dict):
        return value.get(name)
    if isinstance(value, str | list):
        return not value if name == "empty" else None
    members: dict[str, Any] = getattr(value, "members", {})
    found = members.get(name)
    return found() if callable(found) else found
