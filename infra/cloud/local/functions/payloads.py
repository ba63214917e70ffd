"""What Lambda says of a payload that is no JSON: the words and the place of Jackson, which reads it there.

Recorded from AWS: LocalStack's test_lambda, test_lambda_invoke_payload_encoding_error (November 2025); the
others as users quote them: https://github.com/aws/aws-cli/issues/6433 (a token that is none, and the place
behind it), and messages of ``aws lambda invoke`` with "was expecting double-quote to start field name" and
"was expecting comma to separate Object entries". What is wrong in a way that is quoted nowhere is told in
Python's words.
"""

from __future__ import annotations

import json

_VALUE = "JSON String, Number, Array, Object or token 'null', 'true' or 'false'"
_SPACE = b" \t\r\n"


def complaint(payload: bytes) -> str | None:
    """None: the payload is JSON."""
    try:
        json.loads(payload, parse_constant=_constant)
    except ValueError as error:
        said = _Scan(payload).said()
        return f"{error}" if said is None else said
    return None


def _constant(text: str) -> None:
    raise ValueError(f"Unrecognized token '{text}'")


class _Stop(Exception):
    """Where Jackson gives up: its words, and the place it names (from 0)."""

    def __init__(self, message: str, at: int) -> None:
        super().__init__(message)
        self.at = at


class _Scan:
    """Reads as far as Jackson does."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def said(self) -> str | None:
        try:
            self._value()
        except _Stop as stop:
            before = self._data[: stop.at]
            line, column = before.count(b"\n") + 1, stop.at - (before.rfind(b"\n") + 1) + 1
            source = "REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled)"
            return f"{stop}\n at [Source: {source}; line: {line}, column: {column}]"
        except IndexError:  # the payload ends too early
            return None
        return None

    def _peek(self) -> int:
        while self._data[self._at] in _SPACE:
            self._at += 1
        return self._data[self._at]

    def _value(self) -> None:
        first = self._peek()
        if first == ord("{"):
            self._members()
        elif first == ord("["):
            self._items()
        elif first == ord('"'):
            self._string()
        elif chr(first).isalpha() and first < 128:
            self._word()
        elif chr(first) in "-0123456789":
            while self._at < len(self._data) and chr(self._data[self._at]) in "+-.0123456789eE":
                self._at += 1
        else:
            self._unexpected(f"expected a valid value ({_VALUE})")

    def _members(self) -> None:
        self._at += 1
        if self._peek() == ord("}"):
            self._at += 1
            return
        while True:
            if self._peek() != ord('"'):
                self._unexpected("was expecting double-quote to start field name")
            self._string()
            if self._peek() != ord(":"):
                self._unexpected("was expecting a colon to separate field name and value")
            self._at += 1
            self._value()
            if self._ends("}", "Object"):
                return

    def _items(self) -> None:
        self._at += 1
        if self._peek() == ord("]"):
            self._at += 1
            return
        while True:
            self._value()
            if self._ends("]", "Array"):
                return

    def _ends(self, close: str, kind: str) -> bool:
        """Behind an entry: is it the last one?"""
        found = chr(self._peek())
        if found not in (",", close):
            self._unexpected(f"was expecting comma to separate {kind} entries")
        self._at += 1
        return found == close

    def _string(self) -> None:
        self._at += 1
        while (byte := self._data[self._at]) != ord('"'):
            self._at += 2 if byte == ord("\\") else 1
        self._at += 1

    def _word(self) -> None:
        """``true``, ``false``, ``null``, or a token that is none of them; Jackson names the place behind the
        character that ended it."""
        start = end = self._at
        while self._at < len(self._data):
            byte = self._data[self._at]
            self._at += 1
            if 0x80 <= byte < 0xC2 or byte >= 0xF5:
                raise _Stop(f"Invalid UTF-8 start byte 0x{byte:x}", self._at)
            if byte < 128 and not (chr(byte).isalnum() or byte in b"_$"):
                break
            end = self._at
        token = self._data[start:end].decode(errors="replace")
        if token not in ("true", "false", "null"):
            raise _Stop(f"Unrecognized token '{token}': was expecting ({_VALUE})", self._at)
        self._at = end

    def _unexpected(self, wanted: str) -> None:
        code = self._data[self._at]
        control = code < 32 or 127 <= code < 160
        shown = f"(CTRL-CHAR, code {code})" if control else f"'{chr(code)}' (code {code})"
        raise _Stop(f"Unexpected character ({shown}): {wanted}", self._at)
