"""Filter patterns: the language of FilterLogEvents, metric filters and subscription filters.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html and its pages on
unstructured, JSON and space-delimited events and on regular expressions. ``compile_pattern`` turns a pattern
into a function from message to bool; it knows nothing of groups, streams or time.

Where the pages are silent, this is what happens here: a JSON comparison with a field that is missing, or that
is an object or array, is false for every operator; an unquoted value that reads as a number is compared as
one, a quoted value as text.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from .log_pattern_values import Condition, PatternError, Scanner, limit_regexes, regex, unescape
from .log_space_patterns import SpaceDelimited

Matcher = Callable[[str], bool]

MAX_WILDCARD_SELECTORS = 3


class Pattern(Protocol):
    """A pattern that has been read."""

    def matches(self, message: str) -> bool: ...

    def has(self, selector: str) -> bool:
        """Whether a metric's value or dimension may name this (``$.latency``, ``$size``)."""

    def select(self, selector: str, message: str) -> Any:
        """What the selector finds in a message that matches; None for nothing."""

    def extracted(self, message: str) -> dict[str, str]:
        """What the pattern's own fields find in a message that matches, as TestMetricFilter shows it."""


def compile_pattern(pattern: str) -> Matcher:
    """A function that says whether a message matches. Raises ``PatternError``."""
    return read_pattern(pattern).matches


@functools.lru_cache(maxsize=256)
def read_pattern(pattern: str) -> Pattern:
    """Raises ``PatternError``."""
    text = pattern.strip()
    for opening, closing in ("{}", "[]"):
        if text.startswith(opening) and not text.endswith(closing):
            # As users report: https://github.com/jorgebastida/awslogs/issues/210
            raise PatternError(f"If a filter pattern starts with '{opening}' it must end with '{closing}'")
    if text.startswith("{") and text.endswith("}"):
        return _JsonPattern(text[1:-1])
    if text.startswith("[") and text.endswith("]"):
        return SpaceDelimited(text[1:-1])
    return _Terms(_terms(text) if text else lambda message: True)


class _Terms:
    """Of unstructured text nothing can be selected."""

    def __init__(self, matches: Matcher) -> None:
        self._matches = matches

    def matches(self, message: str) -> bool:
        return self._matches(message)

    def has(self, selector: str) -> bool:
        return False

    def select(self, selector: str, message: str) -> Any:
        return None

    def extracted(self, message: str) -> dict[str, str]:
        return {}


# -- unstructured: terms -------------------------------------------------------------------------------------

_TERM = re.compile(
    r'(?P<sign>[-?]?)(?:"(?P<phrase>(?:\\.|[^"\\])*)"|%(?P<regex>(?:\\.|[^%\\])+)%|(?P<word>\w+))(?=\s|$)',
    re.ASCII,
)


def _terms(text: str) -> Matcher:
    required: list[Matcher] = []
    excluded: list[Matcher] = []
    optional: list[Matcher] = []
    groups = {"": required, "-": excluded, "?": optional}
    position = 0
    regexes = 0
    while position < len(text):
        match = _TERM.match(text, position)
        if match is None:
            bad = re.search(r"[^\w\s]+", re.sub(r"^[-?]", "", text[position:]), re.ASCII)
            raise PatternError(f"Invalid character(s) in term '{bad[0] if bad else text[position:]}'")
        if match["regex"] is not None:
            regexes += 1
        groups[match["sign"]].append(_term(match))
        position = match.end()
        position += len(text[position:]) - len(text[position:].lstrip())
    limit_regexes(regexes)
    if optional and not required and not excluded:
        return lambda message: any(found(message) for found in optional)
    # Next to other terms the optional ones are ignored, as documented.
    return lambda message: (
        all(found(message) for found in required) and not any(found(message) for found in excluded)
    )


def _term(match: re.Match[str]) -> Matcher:
    if match["regex"] is not None:
        search = regex(match["regex"]).search
        return lambda message: search(message) is not None
    phrase = match["word"] if match["phrase"] is None else unescape(match["phrase"])
    if not phrase.strip():
        return lambda message: True  # '" "' matches everything
    return lambda message: phrase in message


# -- JSON ----------------------------------------------------------------------------------------------------

_SELECTOR = re.compile(r"\$(?:\.(?:[\w-]+|\*)|\.?\[(?:\d+|\*|'[^']*'|\"[^\"]*\")\])+")
_STEP = re.compile(
    r"\.?\[(?:(?P<index>\d+)|(?P<any>\*)|['\"](?P<quoted>[^'\"]*)['\"])\]|\.(?:(?P<name>[\w-]+)|(?P<all>\*))"
)
_ANY = object()


class _JsonPattern:
    """``{ $.a = "x" && $.b > 3 }``"""

    def __init__(self, text: str) -> None:
        self._scan = Scanner(text)
        self._wildcards = 0
        self._selectors: list[str] = []
        self._condition = self._scan.either(self._comparison)
        if not self._scan.at_end:
            raise PatternError(f"Invalid filter pattern: unexpected '{text[self._scan.position :].strip()}'")
        limit_regexes(self._scan.regexes)
        if self._wildcards > MAX_WILDCARD_SELECTORS:
            raise PatternError(
                f"A filter pattern can have at most {MAX_WILDCARD_SELECTORS} wildcard selectors, "
                f"this has {self._wildcards}"
            )

    def matches(self, message: str) -> bool:
        if "{" not in message:
            return False
        try:
            document = json.loads(message)
        except ValueError:
            return False
        return isinstance(document, dict) and self._condition(document)

    def has(self, selector: str) -> bool:
        return _SELECTOR.fullmatch(selector) is not None

    def select(self, selector: str, message: str) -> Any:
        path, _ = _parse_path(selector)
        found = next(_select(json.loads(message), path), (None,))[0]
        return None if isinstance(found, dict | list) else found

    def extracted(self, message: str) -> dict[str, str]:
        found = {selector: self.select(selector, message) for selector in self._selectors}
        return {
            name: value if isinstance(value, str) else json.dumps(value)
            for name, value in found.items()
            if value is not None
        }

    def _comparison(self) -> Condition:
        path = self._path()
        if self._scan.take(r"NOT\s+EXISTS\b"):
            return lambda document: next(_select(document, path), None) is None
        if self._scan.take(r"IS\b"):
            wanted = {"NULL": None, "TRUE": True, "FALSE": False}[
                self._scan.expect(r"(NULL|TRUE|FALSE)\b", "NULL, TRUE or FALSE")[1]
            ]
            return lambda document: any(found is wanted for (found,) in _select(document, path))
        test = self._scan.test()

        def compare(document: Any) -> bool:
            return any(
                test(found)
                for (found,) in _select(document, path)
                if isinstance(found, (str, int, float))  # bool is an int
            )

        return compare

    def _path(self) -> list[Any]:
        selector = self._scan.expect(_SELECTOR, "a property selector such as $.name")[0]
        self._selectors.append(selector)
        path, wildcards = _parse_path(selector)
        if wildcards > 1:
            raise PatternError(f"A property selector can have one wildcard, {selector} has {wildcards}")
        self._wildcards += wildcards
        return path


def _parse_path(selector: str) -> tuple[list[Any], int]:
    """The steps of a selector, and how many of them are wildcards."""
    path: list[Any] = []
    for step in _STEP.finditer(selector[1:]):
        if step["index"] is not None:
            path.append(int(step["index"]))
        elif step["any"] or step["all"]:
            path.append(_ANY)
        else:
            path.append(step["name"] if step["quoted"] is None else step["quoted"])
    return path, path.count(_ANY)


def _select(node: Any, path: Sequence[Any]) -> Iterator[tuple[Any]]:
    """Every value the path leads to, each in a tuple (so that a null is not mistaken for nothing)."""
    if not path:
        yield (node,)
        return
    step, rest = path[0], path[1:]
    children: Sequence[Any] = ()
    if step is _ANY:
        children = list(node.values()) if isinstance(node, dict) else node if isinstance(node, list) else ()
    elif isinstance(step, int):
        children = node[step : step + 1] if isinstance(node, list) else ()
    elif isinstance(node, dict) and step in node:
        children = (node[step],)
    for child in children:
        yield from _select(child, rest)
