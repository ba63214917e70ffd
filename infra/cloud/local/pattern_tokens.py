"""The JSON of an event pattern as tokens, and the error that AWS answers where they are wrong.

EventBridge compiles patterns with the open-source Event Ruler. Its messages, and the position that its JSON
reader (Jackson) has reached, end up in ``InvalidEventPatternException``; so this reader stands where that
one does.
https://github.com/aws/event-ruler (``JsonRuleCompiler``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Literal, NoReturn

Kind = Literal["{", "}", "[", "]", "name", "string", "number", "true", "false", "null"]


class InvalidPattern(ValueError):
    """``reason`` is what AWS puts behind "Event pattern is not valid. Reason: "."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"Event pattern is not valid. Reason: {reason}")
        self.reason = reason


_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x1f]")
_ESCAPE = re.compile(r'\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})')
_WORD = re.compile(r"(?:[^\W\d]|\$)[\w$]*")
_LITERALS: dict[str, Kind] = {"true": "true", "false": "false", "null": "null"}
_EXPECTED_VALUE = "JSON String, Number, Array, Object or token 'null', 'true' or 'false'"


class Tokens:
    """JSON tokens one by one. ``at`` is how far the reader has come, which errors report as Jackson does:

    a string counts as read up to its opening quote until its text is asked for, and reading a field's name
    already opens its value.
    """

    def __init__(self, source: str, millionths: Callable[[Any], int | None] = lambda value: None) -> None:
        self.source = source
        self.millionths = millionths  # how numbers are compared
        self.at = 0
        self.kind: Kind | None = None
        self.name = ""
        self._start = 0  # of the current token
        self._end = 0  # of the current token, where the next one is looked for
        self._open: list[tuple[str, int]] = []
        self._value_pending: Kind | None = None
        self._first = True

    def next(self) -> Kind:
        if self._value_pending is not None:
            self.kind, self._value_pending = self._value_pending, None
            return self.kind
        self.kind = self._advance()
        return self.kind

    def text(self) -> str:
        """The current token's text; of a string, without quotes and escapes."""
        raw = self.source[self._start : self._end]
        self.at = self._end
        if self.kind == "string":
            return str(self._decode(raw))
        return raw

    def number(self) -> int | Decimal:
        raw = self.source[self._start : self._end]
        try:
            return int(raw)
        except ValueError:
            return Decimal(raw)

    def fail(self, reason: str) -> NoReturn:
        raise InvalidPattern(reason + self._location(self.at))

    def _location(self, offset: int) -> str:
        before = self.source[:offset]
        line = before.count("\n") + 1
        column = offset - (before.rfind("\n") + 1) + 1
        shown = self.source[:500]
        if len(self.source) > 500:
            shown += f'"[truncated {len(self.source) - 500} chars]'
        else:
            shown += '"'
        return f'\n at [Source: (String)"{shown}; line: {line}, column: {column}]'

    def _advance(self) -> Kind:
        offset = self._skip_space(self._end)
        inside = self._open[-1][0] if self._open else ""
        if offset >= len(self.source):
            self._end_of_input(offset)
        letter = self.source[offset]
        if inside and letter == ("}" if inside == "{" else "]"):
            self._open.pop()
            self._first = False
            return self._token("}" if letter == "}" else "]", offset, offset + 1)
        if inside and not self._first:
            if letter != ",":
                what = "Object entries" if inside == "{" else "Array entries"
                self._unexpected(offset, f"was expecting comma to separate {what}")
            offset = self._skip_space(offset + 1)
            if offset >= len(self.source):
                self._end_of_input(offset)
        self._first = False
        if inside != "{":
            return self._value(offset)
        if self.source[offset] != '"':
            self._unexpected(offset, "was expecting double-quote to start field name")
        end = self._string_end(offset)
        self.name = str(self._decode(self.source[offset:end]))
        colon = self._skip_space(end)
        if self.source[colon : colon + 1] != ":":
            self._unexpected(colon, "was expecting a colon to separate field name and value")
        value = self._skip_space(colon + 1)
        if value >= len(self.source):
            self._end_of_input(value)
        self._value_pending = self._value(value)
        return "name"

    def _value(self, offset: int) -> Kind:
        letter = self.source[offset]
        if letter in "{[":
            self._open.append((letter, offset))
            self._first = True
            return self._token("{" if letter == "{" else "[", offset, offset + 1)
        if letter == '"':
            kind = self._token("string", offset, self._string_end(offset))
            self.at = offset + 1
            return kind
        number = _NUMBER.match(self.source, offset)
        if number:
            self._number_ends(offset, number.end())
            return self._token("number", offset, number.end())
        if letter in "+-":
            self._bad_number(offset + 1, "expected digit (0-9) to follow minus sign, for valid numeric value")
        word = _WORD.match(self.source, offset)
        if word is None:
            self._unexpected(offset, f"expected a valid value ({_EXPECTED_VALUE})")
        literal = _LITERALS.get(word.group())
        if literal is None:
            self.at = word.end()
            self.fail(f"Unrecognized token '{word.group()}': was expecting ({_EXPECTED_VALUE})")
        return self._token(literal, offset, word.end())

    def _number_ends(self, start: int, end: int) -> None:
        """Fail where a number goes on in a way that JSON does not know."""
        letter = self.source[end : end + 1]
        if letter.isdigit() and self.source[start:end].lstrip("-") == "0":
            self.at = end
            self.fail("Invalid numeric value: Leading zeroes not allowed")
        if letter == ".":
            self._bad_number(end + 1, "Decimal point not followed by a digit")
        if letter in ("e", "E"):
            sign = self.source[end + 1 : end + 2] in ("+", "-")
            self._bad_number(end + 1 + sign, "Exponent indicator not followed by a digit")

    def _bad_number(self, offset: int, what: str) -> NoReturn:
        letter = self.source[offset : offset + 1]
        if not letter:
            self._end_of_input(offset)
        self.at = offset + 1
        self.fail(f"Unexpected character ('{letter}' (code {ord(letter)})) in numeric value: {what}")

    def _token(self, kind: Kind, start: int, end: int) -> Kind:
        self._start, self._end, self.at = start, end, end
        return kind

    def _string_end(self, offset: int) -> int:
        found = _STRING.match(self.source, offset)
        if found is None:
            self.at = len(self.source)
            self.fail("Unexpected end-of-input: was expecting closing quote for a string value")
        control = _CONTROL.search(self.source, offset, found.end())
        if control:
            self.at = control.start() if control.group() == "\n" else control.end()
            self.fail(
                f"Illegal unquoted character ((CTRL-CHAR, code {ord(control.group())})): has to be escaped "
                "using backslash to be included in string value"
            )
        return found.end()

    def _decode(self, raw: str) -> Any:
        try:
            return json.loads(raw, strict=False)
        except ValueError:
            wrong = _ESCAPE.sub("", raw).partition("\\")[2][:1]
            self.fail(f"Unrecognized character escape '{wrong}' (code {ord(wrong)})")

    def _skip_space(self, offset: int) -> int:
        while offset < len(self.source) and self.source[offset] in " \t\r\n":
            offset += 1
        if self.source[offset : offset + 1] == "/":
            self._unexpected(
                offset,
                "maybe a (non-standard) comment? (not recognized as one since Feature 'ALLOW_COMMENTS' not "
                "enabled for parser)",
            )
        return offset

    def _unexpected(self, offset: int, expected: str) -> NoReturn:
        letter = self.source[offset : offset + 1]
        self.at = offset
        if not letter:
            self._end_of_input(offset)
        self.fail(f"Unexpected character ('{letter}' (code {ord(letter)})): {expected}")

    def _end_of_input(self, offset: int) -> NoReturn:
        self.at = offset
        if not self._open:
            self.fail("No content to map due to end-of-input")
        opened, start = self._open[-1]
        what = "Object" if opened == "{" else "Array"
        marker = self._location(start).removeprefix("\n at ")
        self.fail(f"Unexpected end-of-input: expected close marker for {what} (start marker at {marker})")
