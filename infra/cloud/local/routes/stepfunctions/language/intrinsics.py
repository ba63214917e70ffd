"""Intrinsic functions, ``States.Format('{} of {}', $.n, $$.Execution.Name)``, compiled once per text.

https://docs.aws.amazon.com/step-functions/latest/dg/intrinsic-functions.html
"""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Callable
from typing import Any

from .intrinsic_functions import FUNCTIONS, Chance, IntrinsicFailure
from .jsonpath import NoResult, compile_path
from .jsonpath_filter import InvalidPath
from .text import json_text

VARIABLE = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)(.*)", re.DOTALL)
"""``$name`` and the path that follows it: a variable, where ``$.`` and ``$[`` are the input."""


ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "'": "'", "{": "{", "}": "}", "\\": "\\"}
"""What may follow a backslash in a quoted text (a double quote may not: recorded on AWS)."""


class InvalidIntrinsic(ValueError):
    """A text that is no call of an intrinsic function."""


class ArgumentNotFound(LookupError):
    """A path in the arguments that finds nothing: States.Runtime, which nobody catches."""


@dataclasses.dataclass(frozen=True, slots=True)
class Scope:
    """What the paths of an expression are read from. ``variable`` looks one up, or raises LookupError."""

    input: Any
    context: Any
    variable: Callable[[str], Any]
    chance: Chance


Expression = Callable[[Scope], Any]


def find(path: str, scope: Scope) -> Any:
    """What ``$.a``, ``$$.a`` or ``$name.a`` stands for. Raises NoResult."""
    named = VARIABLE.match(path)
    if named:
        return compile_path("$" + named[2]).get(scope.variable(named[1]))
    if path.startswith("$$"):
        return compile_path(path[1:]).get(scope.context)
    return compile_path(path).get(scope.input)


def check_path(path: str) -> None:
    """Raises InvalidPath for what is no path of the input, the context object or a variable."""
    named = VARIABLE.match(path)
    compile_path("$" + named[2] if named else path[1:] if path.startswith("$$") else path)


@functools.lru_cache(4096)
def compile_intrinsic(text: str) -> Expression:
    """The call as a function of its scope. Raises InvalidIntrinsic with the reason."""
    parser = _Parser(text)
    expression = parser.call()
    parser.spaces()
    if parser.position < len(text):
        raise InvalidIntrinsic(f"Unexpected '{text[parser.position :]}'")
    return expression


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0

    def spaces(self) -> None:
        while self.position < len(self.text) and self.text[self.position].isspace():
            self.position += 1

    def _match(self, pattern: str) -> re.Match[str] | None:
        found = re.compile(pattern).match(self.text, self.position)
        if found:
            self.position = found.end()
        return found

    def call(self) -> Expression:
        self.spaces()
        named = self._match(r"States\.([A-Za-z0-9]+)\s*\(")
        if named is None:
            raise InvalidIntrinsic(f"'{self.text[self.position :]}' is not a call of an intrinsic function")
        found = FUNCTIONS.get(named[1])
        if found is None:
            raise InvalidIntrinsic(f"The function 'States.{named[1]}' is not supported")
        function, least, most = found
        arguments: list[Expression] = []
        self.spaces()
        while not self._match(r"\)"):
            if arguments and not self._match(r","):
                raise InvalidIntrinsic(f"Expected ',' or ')' at position {self.position}")
            arguments.append(self.argument(template=named[1] == "Format" and not arguments))
            self.spaces()
        if not least <= len(arguments) <= most:
            raise InvalidIntrinsic(
                f"The function 'States.{named[1]}' was called with {len(arguments)} arguments"
            )

        def evaluate(scope: Scope) -> Any:
            return function([argument(scope) for argument in arguments], scope.chance)

        return evaluate

    def argument(self, template: bool) -> Expression:
        self.spaces()
        rest = self.text[self.position : self.position + 1]
        if rest == "'":
            literal = self._string(template)
            return lambda scope: literal
        if rest == "$":
            return self._path()
        if self._match(r"null\b"):
            return lambda scope: None
        word = self._match(r"(true|false)\b")
        if word:
            value = word[0] == "true"
            return lambda scope: value
        number = self._match(r"-?\d+(\.\d+)?([eE][-+]?\d+)?")
        if number:
            plain = number[1] is None and number[2] is None
            amount = int(number[0]) if plain else float(number[0])
            return lambda scope: amount
        return self.call()

    def _string(self, template: bool) -> str:
        """A text in single quotes. Format's template keeps its escaped braces and backslashes."""
        found = self._match(r"'((?:\\.|[^'\\])*)'")
        if found is None:
            raise InvalidIntrinsic(f"A quote is not closed in '{self.text}'")

        def unescaped(escape: re.Match[str]) -> str:
            char = escape[1]
            if template and char in "{}\\":
                return escape[0]
            if char not in ESCAPES:
                raise InvalidIntrinsic(f"'\\{char}' is no escape in '{self.text}'")
            return ESCAPES[char]

        return re.sub(r"\\(.)", unescaped, found[1], flags=re.DOTALL)

    def _path(self) -> Expression:
        start = self.position
        depth, quote = 0, ""
        while self.position < len(self.text):
            char = self.text[self.position]
            if quote:
                quote = "" if char == quote else quote
            elif char in "'\"" and depth:
                quote = char
            elif char in "[(":
                depth += 1
            elif char in "])" and depth:
                depth -= 1
            elif not depth and (char in ",)" or char.isspace()):
                break
            self.position += 1
        path = self.text[start : self.position]
        try:
            check_path(path)
        except InvalidPath as error:
            raise InvalidIntrinsic(str(error)) from None

        def evaluate(scope: Scope) -> Any:
            try:
                return find(path, scope)
            except NoResult:
                source = scope.context if path.startswith("$$") else scope.input
                raise ArgumentNotFound(
                    f"The JsonPath argument for the field '{path}' could not be found in the input"
                    f" '{json_text(source)}'"
                ) from None

        return evaluate


__all__ = ["ArgumentNotFound", "IntrinsicFailure", "InvalidIntrinsic", "Scope", "compile_intrinsic", "find"]
