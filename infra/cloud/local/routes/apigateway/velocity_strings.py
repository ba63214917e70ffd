"""The methods of Java's String, with Java's regular expressions, over Python's str.

An argument of another type than Java's method takes raises TypeError: Velocity finds no such method, which is
null.
https://docs.oracle.com/javase/8/docs/api/java/lang/String.html, .../java/util/regex/Pattern.html
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any

from ...service import NotSimulated

_CLASSES = {
    "Lower": "a-z",
    "Upper": "A-Z",
    "Alpha": "a-zA-Z",
    "Digit": "0-9",
    "Alnum": "a-zA-Z0-9",
    "Punct": re.escape("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"),
    "Space": r"\s",
    "XDigit": "0-9a-fA-F",
}
_ESCAPES = {
    r"\h": r"[ \t\xa0\u1680\u180e\u2000-\u200a\u202f\u205f\u3000]",
    r"\R": r"(?:\r\n|[\n\x0b\x0c\r\x85\u2028\u2029])",
    r"\e": r"\x1b",
    r"\z": r"\Z",
    r"\Z": r"(?=\n?\Z)",
}
_JAVA = re.compile(
    r"\\Q(.*?)(?:\\E|\Z)|\\([pP])\{(\w+)\}|\(\?<(?=[A-Za-z])|(\\.)|(\[\^?\]?)|(\])|(&&)|(\{(?!\d+(?:,\d*)?\}))",
    re.DOTALL,
)


@functools.lru_cache(maxsize=256)
def pattern(regex: str) -> re.Pattern[str]:
    r"""Java's regular expressions: ``\d`` is ASCII; ``\Q…\E``, ``(?<name>…)``, ``\p{Alpha}``."""
    inside = False

    def python(found: re.Match[str]) -> str:
        nonlocal inside
        quoted, sign, name, escaped, opened, closed, both, brace = found.groups()
        if quoted is not None:
            return re.escape(quoted)
        if sign is not None:
            if name not in _CLASSES or (inside and sign == "P"):
                raise NotSimulated(f"NotSimulated: \\{sign}{{{name}}} in a template's regular expression")
            return _CLASSES[name] if inside else f"[{'^' if sign == 'P' else ''}{_CLASSES[name]}]"
        if inside and (opened or both):
            raise NotSimulated(
                f"NotSimulated: classes within a class in a template's regular expression: {regex}"
            )
        if brace and not inside:
            raise re.error("Illegal repetition", regex)
        inside = not closed and (inside or bool(opened))
        plain = escaped or opened or closed or both or brace or "(?P<"
        return plain if inside else _ESCAPES.get(plain, plain)

    return re.compile(_JAVA.sub(python, regex), re.ASCII)


_REPLACEMENT = re.compile(r"\\(.)|\$(\d)|\$\{(\w+)\}|([^\\$]+)", re.DOTALL)


def _replacement(text: str) -> Callable[[re.Match[str]], str]:
    r"""``$1`` and ``${name}`` are groups, a backslash takes the next character; neither stands alone."""

    def replaced(match: re.Match[str]) -> str:
        made, at = [], 0
        while at < len(text):
            part = _REPLACEMENT.match(text, at)
            if part is None:
                raise ValueError("Illegal group reference")
            escaped, number, name, plain = part.groups()
            group = match.group(int(number) if number else name) if number or name else None
            made.append(escaped or plain or group or "")
            at = part.end()
        return "".join(made)

    return replaced


def split(text: str, regex: str, limit: int = 0) -> list[str]:
    """Without what is empty at the end, unless there is a limit; no width splits at the beginning."""
    parts: list[str] = []
    at = 0
    for found in pattern(regex).finditer(text):
        if 0 < limit <= len(parts) + 1:
            break
        if found.end():
            parts.append(text[at : found.start()])
            at = found.end()
    if not parts:
        return [text]
    parts.append(text[at:])
    while limit == 0 and parts and not parts[-1]:
        parts.pop()
    return parts


def hash_code(text: str) -> int:
    code = 0
    for unit in units(text):
        code = code * 31 + unit & 0xFFFFFFFF
    return code - (1 << 32) if code >> 31 else code


def units(text: str) -> list[int]:
    """The UTF-16 code units of a text, which Java compares and hashes."""
    data = text.encode("utf-16-be", "surrogatepass")
    return [data[at] << 8 | data[at + 1] for at in range(0, len(data), 2)]


def _compare(text: str, other: str) -> int:
    one, two = units(_text(text)), units(_text(other))
    return next((a - b for a, b in zip(one, two, strict=False) if a != b), len(one) - len(two))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"no text: {value!r}")
    return value


def _number(value: Any) -> int:
    if type(value) is not int:
        raise TypeError(f"no number: {value!r}")
    return value


def _part(value: Any) -> str:
    """``indexOf`` takes a character's number as well."""
    return chr(value) if type(value) is int else _text(value)


def _char_at(text: str, index: int) -> str:
    if not 0 <= _number(index) < len(text):
        raise IndexError(index)
    return text[index]


def _substring(text: str, start: int, end: int | None = None) -> str:
    stop = len(text) if end is None else _number(end)
    if not 0 <= _number(start) <= stop <= len(text):
        raise IndexError(f"{start} to {stop} of {len(text)} characters")
    return text[start:stop]


def _format(_: str, form: str, *values: Any) -> str:
    """``String.format``, as far as Python's % writes the same."""
    if not re.fullmatch(r"(?:[^%]|%%|%[-0]?\d*(?:\.\d+)?[sdfxX])*", form):
        raise ValueError(f"unknown format: {form}")
    return form % values


def _last_index(text: str, part: Any, start: int | None = None) -> int:
    wanted = _part(part)
    return text.rfind(wanted) if start is None else text.rfind(wanted, 0, _number(start) + len(wanted))


METHODS: dict[str, Callable[..., Any]] = {
    "length": len,
    "isEmpty": lambda text: not text,
    "hashCode": hash_code,
    "charAt": _char_at,
    "codePointAt": lambda text, index: ord(_char_at(text, index)),
    "compareTo": _compare,
    "compareToIgnoreCase": lambda text, other: _compare(text.lower(), _text(other).lower()),
    "concat": lambda text, other: text + _text(other),
    "contains": lambda text, part: _text(part) in text,
    "contentEquals": lambda text, other: text == _text(other),
    "startsWith": lambda text, part, start=0: text.startswith(_text(part), _number(start)),
    "endsWith": lambda text, part: text.endswith(_text(part)),
    "equalsIgnoreCase": lambda text, other: text.lower() == _text(other).lower(),
    "format": _format,
    "indexOf": lambda text, part, start=0: text.find(_part(part), _number(start)),
    "intern": lambda text: text,
    "lastIndexOf": _last_index,
    "matches": lambda text, regex: pattern(_text(regex)).fullmatch(text) is not None,
    "replace": lambda text, old, new: text.replace(_text(old), _text(new)),
    "replaceAll": lambda text, regex, new: pattern(_text(regex)).sub(_replacement(_text(new)), text),
    "replaceFirst": lambda text, regex, new: pattern(_text(regex)).sub(
        _replacement(_text(new)), text, count=1
    ),
    "substring": _substring,
    "subSequence": lambda text, start, end: _substring(text, start, end),
    "toLowerCase": str.lower,
    "toUpperCase": str.upper,
    "trim": lambda text: text.strip("".join(map(chr, range(33)))),
}
