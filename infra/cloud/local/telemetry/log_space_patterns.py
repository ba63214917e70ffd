"""Space-delimited filter patterns: ``[ip, user, ..., status = 4*, bytes]``.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/matching-terms-space-delimited-events.html. Values in
brackets or double quotes are one field.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import Any

from .log_pattern_values import Condition, PatternError, Scanner, limit_regexes

_WORD = re.compile(r'\[(?P<bracketed>[^\]]*)\]|"(?P<quoted>[^"]*)"|(?P<plain>\S+)')
_FIELD = re.compile(r"\w*", re.ASCII)


class SpaceDelimited:
    """``[ip, user, ..., status = 4*, bytes]``: the last field takes the rest of the line."""

    def __init__(self, text: str) -> None:
        self._before: list[Condition | None] = []
        self._after: list[Condition | None] | None = None
        self._names: list[str] = []
        names = self._names
        regexes = 0
        for part in _split(text):
            if part in ("...", "…"):
                if self._after is not None:
                    raise PatternError("Invalid filter pattern: a pattern can have one ellipsis")
                self._after = []
                continue
            scan = Scanner(part)
            name = self._name(scan)
            if name and name in names:
                raise PatternError(f"Invalid filter pattern: the field {name} is named twice")
            names.append(name)
            condition = None
            if not scan.at_end:
                scan.position = 0
                condition = scan.either(functools.partial(self._comparison, scan, name))
                if not scan.at_end:
                    raise PatternError(
                        f"Invalid filter pattern: unexpected '{part[scan.position :].strip()}'"
                    )
            regexes += scan.regexes
            (self._before if self._after is None else self._after).append(condition)
        limit_regexes(regexes)

    @staticmethod
    def _name(scan: Scanner) -> str:
        while scan.take(r"\("):
            pass
        return scan.expect(_FIELD, "a field name")[0]

    @classmethod
    def _comparison(cls, scan: Scanner, name: str) -> Condition:
        found = scan.expect(_FIELD, "a field name")[0]
        if found != name:
            raise PatternError(f"Invalid filter pattern: one field speaks of {name} and of {found}")
        return scan.test()

    def matches(self, message: str) -> bool:
        values = self._values(message)
        if values is None:
            return False
        after = self._after or []
        first, last = values[: len(self._before)], values[len(values) - len(after) :]
        return _all_hold(self._before, first) and _all_hold(after, last)

    def has(self, selector: str) -> bool:
        """Fields without a name, and those that an ellipsis stands for, go by their number."""
        if re.fullmatch(r"\$[1-9]\d*", selector):
            number = int(selector[1:])
            return self._after is not None or (number <= len(self._names) and not self._names[number - 1])
        return selector.startswith("$") and selector[1:] in self._names and len(selector) > 1

    def select(self, selector: str, message: str) -> Any:
        return self.extracted(message).get(selector)

    def extracted(self, message: str) -> dict[str, str]:
        values = self._values(message) or []
        hidden = len(values) - len(self._names)
        names = [*self._names[: len(self._before)], *[""] * hidden, *self._names[len(self._before) :]]
        return {
            f"${name or number}": value
            for number, (name, value) in enumerate(zip(names, values, strict=True), 1)
        }

    def _values(self, message: str) -> list[str] | None:
        """The message's fields, as many as the pattern has or, with an ellipsis, at least; None for fewer."""
        words = list(_WORD.finditer(message))
        count = len(self._before) + len(self._after or ())
        if len(words) < count:
            return None
        if self._after is not None:
            return [_value(word) for word in words]
        values = [_value(word) for word in words[:count]]
        if len(words) > count:
            values[-1] = message[words[count - 1].start() :].rstrip()
        return values


def _value(word: re.Match[str]) -> str:
    if word["bracketed"] is not None:
        return word["bracketed"]
    return word["plain"] if word["quoted"] is None else word["quoted"]


def _all_hold(conditions: Sequence[Condition | None], values: Sequence[str]) -> bool:
    return all(test is None or test(value) for test, value in zip(conditions, values, strict=True))


def _split(text: str) -> list[str]:
    """At the commas that are not within quotes or a regular expression."""
    parts = re.findall(r'(?:"(?:\\.|[^"\\])*"|%(?:\\.|[^%\\])*%|[^,])+|(?<=,)(?=,|$)|^(?=,)', text.strip())
    return [part.strip() for part in parts] or [""]
