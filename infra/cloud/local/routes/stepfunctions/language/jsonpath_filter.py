"""Filters of JSONPath: ``[?(@.price < 10 && @.kind in ['a','b'])]``.

https://github.com/json-path/JsonPath#filter-operators
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

Predicate = Callable[[Any, Any], bool]
"""Whether a filter takes an element, given the root of the document."""

Operand = Callable[[Any, Any], Any]


class InvalidPath(ValueError):
    """A text that is no path."""


class _Missing:
    pass


MISSING = _Missing()


class Reader:
    """A text and how far it is read."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0

    def done(self) -> bool:
        return self.position >= len(self.text)

    def peek(self, word: str) -> bool:
        return self.text.startswith(word, self.position)

    def take(self, word: str) -> bool:
        found = self.peek(word)
        if found:
            self.position += len(word)
        return found

    def expect(self, word: str) -> None:
        if not self.take(word):
            raise InvalidPath(f"Expected '{word}' at position {self.position} in '{self.text}'")

    def spaces(self) -> None:
        while not self.done() and self.text[self.position].isspace():
            self.position += 1

    def separator(self, word: str) -> bool:
        self.spaces()
        found = self.take(word)
        self.spaces()
        return found

    def until(self, stops: str) -> str:
        start = self.position
        while not self.done() and self.text[self.position] not in stops:
            self.position += 1
        return self.text[start : self.position]

    def string(self) -> str:
        quote = self.text[self.position : self.position + 1]
        if quote not in ("'", '"') or not quote:
            raise InvalidPath(f"Expected a quoted name at position {self.position} in '{self.text}'")
        self.position += 1
        out: list[str] = []
        while not self.done():
            char = self.text[self.position]
            self.position += 1
            if char == "\\" and not self.done():
                out.append(self.text[self.position])
                self.position += 1
            elif char == quote:
                return "".join(out)
            else:
                out.append(char)
        raise InvalidPath(f"A quote is not closed in '{self.text}'")


def parse_filter(reader: Reader, path: Callable[[Reader], Any]) -> Predicate:
    """The predicate of a filter, from after its ``?``. ``path`` compiles a path after ``@`` or ``$``."""
    reader.expect("(")
    predicate = _either(reader, path)
    reader.spaces()
    reader.expect(")")
    return predicate


def _either(reader: Reader, path: Callable[[Reader], Any]) -> Predicate:
    terms = [_both(reader, path)]
    while reader.separator("||"):
        terms.append(_both(reader, path))
    return terms[0] if len(terms) == 1 else lambda node, root: any(each(node, root) for each in terms)


def _both(reader: Reader, path: Callable[[Reader], Any]) -> Predicate:
    terms = [_term(reader, path)]
    while reader.separator("&&"):
        terms.append(_term(reader, path))
    return terms[0] if len(terms) == 1 else lambda node, root: all(each(node, root) for each in terms)


def _term(reader: Reader, path: Callable[[Reader], Any]) -> Predicate:
    reader.spaces()
    if reader.peek("!") and not reader.peek("!="):
        reader.take("!")
        inner = _term(reader, path)
        return lambda node, root: not inner(node, root)
    if reader.take("("):
        inner = _either(reader, path)
        reader.spaces()
        reader.expect(")")
        return inner
    left = _operand(reader, path)
    reader.spaces()
    for word, compare in OPERATORS.items():
        if reader.take(word):
            reader.spaces()
            right = _operand(reader, path)
            return _comparison(left, compare, right)
    return lambda node, root: left(node, root) is not MISSING


def _comparison(left: Operand, compare: Callable[[Any, Any], bool], right: Operand) -> Predicate:
    def predicate(node: Any, root: Any) -> bool:
        return compare(left(node, root), right(node, root))

    return predicate


def _operand(reader: Reader, path: Callable[[Reader], Any]) -> Operand:
    if reader.peek("@") or reader.peek("$"):
        relative = reader.take("@") or not reader.take("$")
        compiled = path(reader)

        def value(node: Any, root: Any) -> Any:
            try:
                return compiled.get(node if relative else root)
            except LookupError:
                return MISSING

        return value
    literal = _literal(reader)
    return lambda node, root: literal


def _literal(reader: Reader) -> Any:
    if reader.peek("'") or reader.peek('"'):
        return reader.string()
    if reader.take("["):
        values = []
        reader.spaces()
        while not reader.take("]"):
            values.append(_literal(reader))
            if not reader.separator(",") and not reader.peek("]"):
                raise InvalidPath(f"A list is not closed in '{reader.text}'")
        return values
    if reader.take("/"):
        pattern = reader.until("/")
        reader.expect("/")
        return re.compile(pattern, re.IGNORECASE if reader.take("i") else 0)
    word = reader.until(" )],&|=<>!")
    named = {"true": True, "false": False, "null": None}
    if word in named:
        return named[word]
    for kind in (int, float):
        try:
            return kind(word)
        except ValueError:
            continue
    raise InvalidPath(f"Failed to parse filter: '{word}' in '{reader.text}'")


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _equal(left: Any, right: Any) -> bool:
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    return bool(left == right)


def _ordered(left: Any, right: Any) -> bool:
    return (_number(left) and _number(right)) or (isinstance(left, str) and isinstance(right, str))


def _among(value: Any, values: Any) -> bool:
    return isinstance(values, list) and any(_equal(value, each) for each in values)


OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "==": _equal,
    "!=": lambda left, right: not _equal(left, right),
    "=~": lambda left, right: isinstance(left, str) and re.fullmatch(right, left) is not None,
    "<=": lambda left, right: _ordered(left, right) and left <= right,
    ">=": lambda left, right: _ordered(left, right) and left >= right,
    "<": lambda left, right: _ordered(left, right) and left < right,
    ">": lambda left, right: _ordered(left, right) and left > right,
    "nin": lambda left, right: not _among(left, right),
    "in": _among,
    "subsetof": lambda left, right: isinstance(left, list) and all(_among(each, right) for each in left),
    "anyof": lambda left, right: isinstance(left, list) and any(_among(each, right) for each in left),
    "noneof": lambda left, right: isinstance(left, list) and not any(_among(each, right) for each in left),
    "contains": lambda left, right: (
        _among(right, left) or (isinstance(left, str) and isinstance(right, str) and right in left)
    ),
    "size": lambda left, right: isinstance(left, list | str) and len(left) == right,
    "empty": lambda left, right: isinstance(left, list | str | dict) and (len(left) == 0) is right,
}
