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
from typing import Any

from .log_pattern_values import Condition, PatternError, Scanner, limit_regexes, regex, unescape

Matcher = Callable[[str], bool]

MAX_WILDCARD_SELECTORS = 3


@functools.lru_cache(maxsize=256)
def compile_pattern(pattern: str) -> Matcher:
    """A function that says whether a message matches. Raises ``PatternError``."""
    text = pattern.strip()
    if not text:
        return lambda message: True
    if text.startswith("{") and text.endswith("}"):
        return _JsonPattern(text[1:-1]).matches
    if text.startswith("[") and text.endswith("]"):
        return _SpaceDelimited(text[1:-1]).matches
    return _terms(text)


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
        path: list[Any] = []
        for step in _STEP.finditer(selector[1:]):
            if step["index"] is not None:
                path.append(int(step["index"]))
            elif step["any"] or step["all"]:
                path.append(_ANY)
            else:
                path.append(step["name"] if step["quoted"] is None else step["quoted"])
        wildcards = path.count(_ANY)
        if wildcards > 1:
            raise PatternError(f"A property selector can have one wildcard, {selector} has {wildcards}")
        self._wildcards += wildcards
        return path


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


# -- space-delimited -----------------------------------------------------------------------------------------

_WORD = re.compile(r'\[(?P<bracketed>[^\]]*)\]|"(?P<quoted>[^"]*)"|(?P<plain>\S+)')
_FIELD = re.compile(r"\w*", re.ASCII)


class _SpaceDelimited:
    """``[ip, user, ..., status = 4*, bytes]``: the last field takes the rest of the line."""

    def __init__(self, text: str) -> None:
        self._before: list[Condition | None] = []
        self._after: list[Condition | None] | None = None
        names: list[str] = []
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
        words = list(_WORD.finditer(message))
        if self._after is None:
            count = len(self._before)
            if len(words) < count:
                return False
            values = [_value(word) for word in words[:count]]
            if len(words) > count:
                values[-1] = message[words[count - 1].start() :].rstrip()
            return _all_hold(self._before, values)
        if len(words) < len(self._before) + len(self._after):
            return False
        first = [_value(word) for word in words[: len(self._before)]]
        last = [_value(word) for word in words[len(words) - len(self._after) :]]
        return _all_hold(self._before, first) and _all_hold(self._after, last)


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
