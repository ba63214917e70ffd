"""What JSON and space-delimited filter patterns share: comparisons of one value, joined by && and ||.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html, and for %regex% values
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/regex-expressions.html.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

Condition = Callable[[Any], bool]

MAX_REGEXES = 2


class PatternError(ValueError):
    """A pattern that CloudWatch Logs refuses (InvalidParameterException)."""


# -- regular expressions -------------------------------------------------------------------------------------

_REGEX_TEXT = re.compile(r"(?:[A-Za-z0-9 :_#=@/;,\-^$?\[\]{}|*+.]|\\[\x21-\x7e])+")
"""With spaces, which the page does not name: https://github.com/aws/aws-cdk/issues/36901 has some, and so has
the example of FilterPattern.regexValue in the CDK's reference."""


def regex(source: str) -> re.Pattern[str]:
    if not _REGEX_TEXT.fullmatch(source):
        raise PatternError(
            f"Invalid regex pattern %{source}%: parentheses, multibyte characters and symbols "
            "other than : _ # = @ / ; , - are not supported"
        )
    try:
        return re.compile(source, re.ASCII)
    except re.error as error:
        raise PatternError(f"Invalid regex pattern %{source}%: {error}") from None


def limit_regexes(count: int) -> None:
    if count > MAX_REGEXES:
        raise PatternError(
            f"A filter pattern can have at most {MAX_REGEXES} regex patterns, this has {count}"
        )


# -- values and boolean expressions, shared by JSON and space-delimited patterns -----------------------------

_OPERATOR = re.compile(r"<=|>=|!=|=|<|>")
_VALUE = re.compile(
    r'%(?P<regex>(?:\\.|[^%\\])+)%|"(?P<quoted>(?:\\.|[^"\\])*)"|(?P<bare>[^\s"%&|()<>=!,{}\'@$\\\x80-\U0010ffff]+)'
)
"""What has a quote, @, $, a backslash or a letter beyond ASCII must stand in double quotes:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html (STRING)."""
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?")


class Scanner:
    """Reads a pattern from left to right."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.regexes = 0

    def take(self, pattern: re.Pattern[str] | str) -> re.Match[str] | None:
        space = re.compile(r"\s*").match(self.text, self.position)
        start = space.end() if space else self.position
        match = re.compile(pattern).match(self.text, start)
        if match is not None:
            self.position = match.end()
        return match

    def expect(self, pattern: re.Pattern[str] | str, what: str) -> re.Match[str]:
        match = self.take(pattern)
        if match is None:
            rest = self.text[self.position :].strip() or "the end"
            raise PatternError(f"Invalid filter pattern: expected {what} at '{rest}'")
        return match

    @property
    def at_end(self) -> bool:
        return not self.text[self.position :].strip()

    def either(self, comparison: Callable[[], Condition]) -> Condition:
        """``a && b || (c)``: parentheses before "and" before "or"."""
        choices = [self._both(comparison)]
        while self.take(r"\|\|"):
            choices.append(self._both(comparison))
        return choices[0] if len(choices) == 1 else lambda subject: any(choice(subject) for choice in choices)

    def _both(self, comparison: Callable[[], Condition]) -> Condition:
        parts = [self._one(comparison)]
        while self.take(r"&&"):
            parts.append(self._one(comparison))
        return parts[0] if len(parts) == 1 else lambda subject: all(part(subject) for part in parts)

    def _one(self, comparison: Callable[[], Condition]) -> Condition:
        if self.take(r"\("):
            inner = self.either(comparison)
            self.expect(r"\)", "')'")
            return inner
        return comparison()

    def test(self) -> Callable[[Any], bool]:
        """An operator and a value: a test of one value node (text, number or boolean)."""
        operator = self.expect(_OPERATOR, "an operator (=, !=, <, <=, >, >=)")[0]
        value = self.expect(_VALUE, "a value")
        if value["regex"] is not None:
            self.regexes += 1
            search = regex(value["regex"]).search
            return _equality(operator, lambda found: search(_text(found)) is not None)
        bare = value["bare"]
        if bare is not None and _NUMBER.fullmatch(bare):
            return _numeric(operator, float(bare), bare)
        if bare is None:
            wanted = unescape(value["quoted"])
            return _equality(operator, lambda found: isinstance(found, str) and _like(found, wanted))
        return _equality(operator, lambda found: _like(_text(found), bare))


def _equality(operator: str, equals: Callable[[Any], bool]) -> Callable[[Any], bool]:
    if operator == "=":
        return equals
    if operator == "!=":
        return lambda found: not equals(found)
    raise PatternError(f"Invalid filter pattern: {operator} needs a number; text is compared with = or !=")


def _numeric(operator: str, wanted: float, written: str) -> Callable[[Any], bool]:
    def compare(found: Any) -> bool:
        number = _as_number(found)
        if number is None:
            return operator == "!="
        if operator == "=":
            return number == wanted
        if operator == "!=":
            return number != wanted
        if operator == "<":
            return number < wanted
        if operator == "<=":
            return number <= wanted
        return number > wanted if operator == ">" else number >= wanted

    return compare


def _as_number(found: Any) -> float | None:
    if isinstance(found, bool):
        return None
    if isinstance(found, (int, float)):
        return float(found)
    return float(found) if isinstance(found, str) and _NUMBER.fullmatch(found) else None


def _like(found: str, wanted: str) -> bool:
    """An asterisk at the beginning or the end stands for any text; elsewhere it is an asterisk."""
    if wanted == "*":
        return True
    if wanted.startswith("*") and wanted.endswith("*"):
        return wanted[1:-1] in found
    if wanted.startswith("*"):
        return found.endswith(wanted[1:])
    if wanted.endswith("*"):
        return found.startswith(wanted[:-1])
    return found == wanted


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def unescape(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)
