"""Searches of metric math: which metrics ``{AWS/Lambda,FunctionName} MetricName="Errors"`` finds. Pure.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/search-expression-syntax.html. A schema is a
metric's namespace and all of its dimensions. A term that is not quoted is found by its tokens; one of several
tokens must find them side by side, in its own capitals unless other signs separate them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from ..service import NotSimulated
from .series import MetricId

MOST_FOUND = 500
"""Time series of one graph."""
_LONGEST = 1024

Test = Callable[[MetricId], bool]

_SCHEMA = re.compile(r"\s*\{(?P<names>[^}]*)\}\s*,?")
_NAME = re.compile(r'\s*(?:"(?P<quoted>(?:\\.|[^"\\])*)"|(?P<plain>[^,"]+?))\s*(?:,|$)')
_TERM = re.compile(
    r"\s*(?:(?P<sign>[()])|(?P<boolean>AND|OR|NOT)(?=[\s(]|$)"
    r'|(?:(?P<property>[^\s()="]+|"(?:\\.|[^"\\])*")\s*=\s*)?(?:"(?P<exact>(?:\\.|[^"\\])*)"|(?P<partial>[^\s()"]+)))'
)
_TOKEN = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


class SearchError(ValueError):
    """The search cannot be read."""


def parse_search(text: str) -> Test:
    """Whether the search finds a metric. Raises SearchError; NotSimulated for other accounts' metrics."""
    if len(text) > _LONGEST:
        raise SearchError(f"a search has at most {_LONGEST} characters, this has {len(text)}")
    schema: Test | None = None
    match = _SCHEMA.match(text)
    if match is not None:
        schema = _schema(match["names"])
        text = text[match.end() :]
    terms = _Terms(text)
    if schema is None and terms.empty:
        raise SearchError("a search needs a metric schema or a term")
    if terms.empty:
        assert schema is not None
        return schema
    wanted = terms.parse()
    if schema is None:
        return wanted
    of_schema = schema
    return lambda metric: of_schema(metric) and wanted(metric)


def label_of(metric: MetricId, others: list[MetricId]) -> str:
    """What tells a found metric from the others: its name, the values of its dimensions."""
    parts = [metric.name] if len({one.name for one in others}) > 1 else []
    parts += [value for name, value in metric.dimensions if len({one.dimension(name) for one in others}) > 1]
    return " ".join(parts) or metric.name


def _schema(names: str) -> Test:
    found = [
        _unescaped(one["quoted"]) if one["quoted"] is not None else one["plain"]
        for one in _NAME.finditer(names)
    ]
    if not found:
        raise SearchError("a metric schema begins with a namespace")
    namespace, dimensions = found[0], set(found[1:])
    return lambda metric: (
        metric.namespace == namespace and {name for name, _ in metric.dimensions} == dimensions
    )


class _Terms:
    """Terms joined by AND (which needs not be written), OR and NOT."""

    def __init__(self, text: str) -> None:
        self._left: list[re.Match[str]] = []
        position, text = 0, text.rstrip()
        while position < len(text):
            match = _TERM.match(text, position)
            if match is None:
                raise SearchError(f"unexpected {text[position:].strip()[:20]!r}")
            self._left.append(match)
            position = match.end()
        self._left.reverse()

    @property
    def empty(self) -> bool:
        return not self._left

    def parse(self) -> Test:
        test = self._either()
        if self._left:
            raise SearchError(f"unexpected {self._left[-1][0].strip()!r}")
        return test

    def _either(self) -> Test:
        tests = [self._both()]
        while self._take("boolean", "OR"):
            tests.append(self._both())
        return lambda metric: any(test(metric) for test in tests)

    def _both(self) -> Test:
        tests = [self._one()]
        while self._left and self._left[-1]["sign"] != ")" and self._left[-1]["boolean"] != "OR":
            self._take("boolean", "AND")
            tests.append(self._one())
        return lambda metric: all(test(metric) for test in tests)

    def _one(self) -> Test:
        if self._take("boolean", "NOT"):
            inner = self._one()
            return lambda metric: not inner(metric)
        if self._take("sign", "("):
            test = self._either()
            if not self._take("sign", ")"):
                raise SearchError("a parenthesis is not closed")
            return test
        if not self._left or self._left[-1]["boolean"] or self._left[-1]["sign"]:
            raise SearchError("a term is missing")
        return _term(self._left.pop())

    def _take(self, kind: str, text: str) -> bool:
        if self._left and self._left[-1][kind] == text:
            self._left.pop()
            return True
        return False


def _term(match: re.Match[str]) -> Test:
    if match["exact"] is not None:
        wanted = _unescaped(match["exact"])
        found: Callable[[str], bool] = lambda text: text == wanted  # noqa: E731
    else:
        found = _partial(match["partial"])
    name = match["property"]
    if name is None:
        return lambda metric: any(found(text) for text in _texts(metric))
    name = _unescaped(name.strip('"'))
    if name.startswith(":aws."):
        raise NotSimulated(f"NotSimulated: {name} in a search for CloudWatch metrics")
    if name == "MetricName":
        return lambda metric: found(metric.name)
    if name == "Namespace":
        return lambda metric: found(metric.namespace)
    return lambda metric: found(metric.dimension(name) or "")


def _texts(metric: MetricId) -> Iterator[str]:
    yield metric.namespace
    yield metric.name
    for name, value in metric.dimensions:
        yield name
        yield value


def _partial(term: str) -> Callable[[str], bool]:
    parts = _TOKEN.findall(term)
    separated = re.search(r"[^A-Za-z0-9]", term) is not None
    plain = "".join(parts).lower()

    def found(text: str) -> bool:
        tokens = _TOKEN.findall(text)
        if plain == "".join(tokens).lower():
            return True
        known, wanted = tokens, parts
        if separated or len(parts) == 1:
            known, wanted = [one.lower() for one in tokens], [one.lower() for one in parts]
        width = len(wanted)
        return any(known[at : at + width] == wanted for at in range(len(known) - width + 1))

    return found


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)
