"""Metric math: expressions over time series, as in GetMetricData's ``Expression`` and alarms.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html

A value is a number, a time series (a ``TimeSeries``), a list of time series, or a string. An operator between
two time series takes 0 for the one that has no point where the other has one, and so does IF() for what it
chooses if the condition holds. AVG() of an array takes 0 too; SUM(), MIN(), MAX() and STDDEV() skip what is
missing. Where none of them has a point, or a condition has none, neither has the result. A division by zero
has no result.
"""

from __future__ import annotations

import dataclasses
import datetime
import itertools
import math
import re
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..service import NotSimulated
from .series import MetricId

NOT_SIMULATED = (
    "ANOMALY_DETECTION_BAND", "INSIGHT_RULE_METRIC", "LAMBDA", "SERVICE_QUOTA", "DB_PERF_INSIGHTS",
)  # fmt: skip


class ExpressionError(ValueError):
    """The expression cannot be read, or asks for what its parts do not have."""


@dataclasses.dataclass(slots=True)
class TimeSeries:
    """``points`` maps the beginning of a period (microseconds) to its value."""

    label: str
    points: dict[int, float]
    metric: MetricId | None = None
    """The metric that a search found."""


Value = float | TimeSeries | list[TimeSeries] | str


@dataclasses.dataclass(slots=True)
class Scope:
    """What an expression may refer to. ``metrics`` are the queries that retrieve a metric, for METRICS().

    ``times`` are all period beginnings of the query, ``period`` its length, both in microseconds.
    """

    values: Mapping[str, Value]
    metrics: Sequence[str]
    times: Sequence[int]
    period: int
    search: Callable[[str, str, int], list[TimeSeries]] | None = None
    """Finds metrics: (search, statistic, period in seconds). None where searches are not allowed."""
    dropped: bool = False
    """Whether a point has been left out because its value was no number, as after a division by zero."""


def evaluate(expression: str, scope: Scope) -> Value:
    """The expression's value. Raises ExpressionError, and NotSimulated for what is not simulated."""
    if re.match(r"\s*SELECT\b", expression, re.IGNORECASE):
        raise NotSimulated(f"NotSimulated: CloudWatch Metrics Insights queries ({expression.strip()[:60]})")
    return _Parser(expression, scope).parse()


def names(expression: str) -> list[str]:
    """Ids of other queries that an expression refers to."""
    return [text for kind, text in _tokens(expression) if kind == "name" and text[0].islower()]


_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+)|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<string>\"[^\"]*\"|'[^']*')|(?P<sign>&&|\|\||[<>=!]=|[-+*/^()\[\],<>]))"
)

_BINDING = {
    "OR": 1, "||": 1, "AND": 2, "&&": 2, "==": 3, "!=": 3, "<": 3, "<=": 3, ">": 3, ">=": 3,
    "+": 4, "-": 4, "*": 5, "/": 5, "^": 7,
}  # fmt: skip


def _tokens(expression: str) -> list[tuple[str, str]]:
    found, position = [], 0
    text = expression.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise ExpressionError(f"unexpected character at position {position}: {text[position]!r}")
        found.append((str(match.lastgroup), match[str(match.lastgroup)]))
        position = match.end()
    return found


class _Parser:
    """Precedence climbing; each production computes its value at once."""

    def __init__(self, expression: str, scope: Scope) -> None:
        self._scope = scope
        self._left = _tokens(expression)
        self._left.reverse()

    def parse(self) -> Value:
        value = self._expression(0)
        if self._left:
            raise ExpressionError(f"unexpected {self._left[-1][1]!r}")
        return value

    def _expression(self, binding: int) -> Value:
        left = self._operand()
        while self._left and (mine := _BINDING.get(self._left[-1][1].upper(), 0)) > binding:
            operator = self._left.pop()[1].upper()
            left = _binary(self._scope, operator, left, self._expression(mine))
        return left

    def _operand(self) -> Value:
        if not self._left:
            raise ExpressionError("it ends too early")
        kind, text = self._left.pop()
        if kind == "number":
            return float(text)
        if kind == "string":
            return text[1:-1]
        if text == "-":
            return _binary(self._scope, "*", -1.0, self._expression(6))
        if text == "(":
            value = self._expression(0)
            self._expect(")")
            return value
        if text == "[":
            return [series for item in self._list("]") for series in _as_list(item)]
        if kind == "name" and self._left and self._left[-1][1] == "(":
            self._left.pop()
            return self._call(text.upper(), self._list(")"))
        if kind == "name":
            if text in self._scope.values:
                return self._scope.values[text]
            if text.upper() in ("REPEAT", "LINEAR", "ASC", "DESC", "DSC", "MIN", "MAX", "AVG", "SUM"):
                return text.upper()
            raise ExpressionError(f"unknown id {text!r}")
        raise ExpressionError(f"unexpected {text!r}")

    def _list(self, closing: str) -> list[Value]:
        items: list[Value] = []
        if self._left and self._left[-1][1] == closing:
            self._left.pop()
            return items
        while True:
            items.append(self._expression(0))
            if self._left and self._left[-1][1] == ",":
                self._left.pop()
                continue
            self._expect(closing)
            return items

    def _expect(self, text: str) -> None:
        if not self._left or self._left.pop()[1] != text:
            raise ExpressionError(f"{text!r} is missing")

    def _search(self, arguments: list[Value]) -> Value:
        if self._scope.search is None:
            raise ExpressionError("SEARCH is not supported on Metric Alarms.")
        texts, period = arguments[:2], arguments[2] if len(arguments) == 3 else self._scope.period / 1_000_000
        if len(texts) != 2 or len(arguments) > 3 or not isinstance(period, float):
            raise ExpressionError("SEARCH takes a search, a statistic and a period")
        return self._scope.search(str(texts[0]), str(texts[1]), int(period))

    def _call(self, name: str, arguments: list[Value]) -> Value:
        if name in NOT_SIMULATED:
            raise NotSimulated(f"NotSimulated: {name}() in a CloudWatch metric math expression")
        if name == "SEARCH":
            return self._search(arguments)
        if name == "METRICS":
            wanted = arguments[0] if arguments else ""
            return [
                series
                for known in self._scope.metrics
                if isinstance(wanted, str) and wanted in known
                for series in _as_list(self._scope.values[known])
            ]
        function = _FUNCTIONS.get(name)
        if function is None:
            raise ExpressionError(f"unknown function {name}()")
        try:
            value: Value = function(self._scope, *arguments)
            return value
        except (TypeError, AttributeError, ValueError) as error:
            if isinstance(error, ExpressionError):
                raise
            raise ExpressionError(f"{name}() does not take these arguments") from None


# -- operators ---------------------------------------------------------------------------------------


def _binary(scope: Scope, operator: str, left: Value, right: Value) -> Value:
    if isinstance(left, str) or isinstance(right, str):
        raise ExpressionError(f"a string cannot be an operand of {operator!r}")
    if isinstance(left, list):
        if isinstance(right, list):
            raise ExpressionError(f"{operator!r} takes one array at most")
        return [TimeSeries(one.label, _points(_binary(scope, operator, one, right))) for one in left]
    if isinstance(right, list):
        return [TimeSeries(one.label, _points(_binary(scope, operator, left, one))) for one in right]
    if isinstance(left, TimeSeries) or isinstance(right, TimeSeries):
        firsts, seconds = _operands(left, right)
        results = {time: _compute(operator, first, seconds[time]) for time, first in firsts.items()}
        label = left.label if isinstance(left, TimeSeries) else right.label  # type: ignore[union-attr]
        return TimeSeries(label, _numbers(scope, results))
    result = _compute(operator, left, right)
    if result is None:
        raise ExpressionError("division by zero")
    return result


def _operands(left: Value, right: Value) -> tuple[dict[int, float], dict[int, float]]:
    """Both operands at every time at which one of them has a point: a missing one is 0."""
    times = sorted({time for each in (left, right) if isinstance(each, TimeSeries) for time in each.points})
    first, second = (
        {time: each.points.get(time, 0.0) if isinstance(each, TimeSeries) else each for time in times}
        for each in (left, right)
    )
    return first, second  # type: ignore[return-value]


def _numbers(scope: Scope, results: Mapping[int, float | None]) -> dict[int, float]:
    numbers = {time: value for time, value in results.items() if value is not None}
    scope.dropped |= len(numbers) < len(results)
    return numbers


def _compute(operator: str, left: float, right: float) -> float | None:
    if operator == "/":
        return left / right if right else None
    if operator == "^":
        try:
            result = left**right
        except (OverflowError, ZeroDivisionError):
            return None
        return result if isinstance(result, float) else None
    return float(_OPERATORS[operator](left, right))


_OPERATORS: dict[str, Callable[[float, float], float]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "==": lambda left, right: left == right,
    "!=": lambda left, right: left != right,
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
    "AND": lambda left, right: bool(left) and bool(right),
    "&&": lambda left, right: bool(left) and bool(right),
    "OR": lambda left, right: bool(left) or bool(right),
    "||": lambda left, right: bool(left) or bool(right),
}


# -- functions ---------------------------------------------------------------------------------------


def _as_list(value: Value) -> list[TimeSeries]:
    if isinstance(value, TimeSeries):
        return [value]
    if isinstance(value, list):
        return value
    raise ExpressionError("an array holds time series")


def _points(value: Value) -> dict[int, float]:
    if not isinstance(value, TimeSeries):
        raise ExpressionError("a time series is needed")
    return value.points


def _each(change: Callable[[Scope, dict[int, float]], dict[int, float]]) -> Callable[..., Value]:
    """A function of a time series, applied to each of an array."""

    def call(scope: Scope, value: Value) -> Value:
        if isinstance(value, list):
            return [TimeSeries(one.label, change(scope, one.points)) for one in value]
        if isinstance(value, int | float):
            return next(iter(change(scope, {0: float(value)}).values()))
        return TimeSeries(value.label if isinstance(value, TimeSeries) else "", change(scope, _points(value)))

    return call


def _map(function: Callable[[float], float | None]) -> Callable[..., Value]:
    def change(scope: Scope, points: dict[int, float]) -> dict[int, float]:
        return _numbers(scope, {time: function(value) for time, value in points.items()})

    return _each(change)


def _reduce(function: Callable[[list[float]], float], *, zeros: bool = False) -> Callable[..., Value]:
    """Of a time series: a number. Of an array: a time series, at each time over the series that have a
    point; with ``zeros``, over all of them if one has a point."""

    def call(_: Scope, value: Value) -> Value:
        if isinstance(value, TimeSeries):
            if not value.points:
                return TimeSeries(value.label, {})
            return function(list(value.points.values()))
        series = _as_list(value)
        columns: dict[int, list[float]] = {}
        for one in series:
            for time, point in one.points.items():
                columns.setdefault(time, []).append(point)
        if zeros:
            for column in columns.values():
                column.extend([0.0] * (len(series) - len(column)))
        return TimeSeries("", {time: function(columns[time]) for time in sorted(columns)})

    return call


def _count(_: Scope, value: Value) -> Value:
    """Of a time series: how many points. Of an array: how many of them have a point, at each time."""
    if isinstance(value, TimeSeries):
        return float(len(value.points))
    times = sorted({time for one in _as_list(value) for time in one.points})
    return TimeSeries("", {time: float(sum(time in one.points for one in _as_list(value))) for time in times})


def _fill(scope: Scope, value: Value, filler: Value) -> Value:
    if isinstance(value, list):
        return [TimeSeries(one.label, _points(_fill(scope, one, filler))) for one in value]
    points = _points(value)
    label = value.label if isinstance(value, TimeSeries) else ""
    if isinstance(filler, TimeSeries):
        return TimeSeries(label, {**{t: v for t, v in filler.points.items() if t in scope.times}, **points})
    known = sorted(points)
    filled: dict[int, float] = {}
    last: float | None = None
    for time in scope.times:
        if time in points:
            last = filled[time] = points[time]
        elif filler == "REPEAT":
            if last is not None:
                filled[time] = last
        elif filler == "LINEAR":
            before = max((t for t in known if t < time), default=None)
            after = min((t for t in known if t > time), default=None)
            if before is not None and after is not None:
                share = (time - before) / (after - before)
                filled[time] = points[before] + (points[after] - points[before]) * share
        elif isinstance(filler, int | float):
            filled[time] = float(filler)
        else:
            raise ExpressionError("FILL() takes a number, a time series, REPEAT or LINEAR")
    return TimeSeries(label, filled)


def _if(scope: Scope, condition: Value, then: Value, otherwise: Value | None = None) -> Value:
    if isinstance(condition, int | float):
        chosen = then if condition else otherwise
        return TimeSeries("", {}) if chosen is None else chosen
    found: dict[int, float] = {}
    times = {time: bool(value) for time, value in _points(condition).items()}
    for time, true in times.items():
        chosen = then if true else otherwise
        if isinstance(chosen, TimeSeries):
            if true or time in chosen.points:
                found[time] = chosen.points.get(time, 0.0)
        elif isinstance(chosen, int | float):
            found[time] = float(chosen)
        elif chosen is not None:
            raise ExpressionError("IF() takes numbers and time series")
    return TimeSeries("", found)


def _differences(per_second: bool) -> Callable[..., Value]:
    def change(_: Scope, points: dict[int, float]) -> dict[int, float]:
        times = sorted(points)
        return {
            after: (points[after] - points[before]) / ((after - before) / 1e6 if per_second else 1)
            for before, after in itertools.pairwise(times)
        }

    return _each(change)


def _diff_time(_: Scope, points: dict[int, float]) -> dict[int, float]:
    times = sorted(points)
    return {after: (after - before) / 1e6 for before, after in itertools.pairwise(times)}


def _running_sum(_: Scope, points: dict[int, float]) -> dict[int, float]:
    total, found = 0.0, {}
    for time in sorted(points):
        total += points[time]
        found[time] = total
    return found


def _edge(last: bool) -> Callable[..., Value]:
    def call(_: Scope, value: Value) -> Value:
        if isinstance(value, list):
            return value[-1 if last else 0]
        points = _points(value)
        return points[(max if last else min)(points)] if points else TimeSeries("", {})

    return call


def _calendar(part: Callable[[datetime.datetime], int]) -> Callable[..., Value]:
    def change(_: Scope, points: dict[int, float]) -> dict[int, float]:
        zero = datetime.datetime.fromtimestamp(0, datetime.UTC)
        return {time: float(part(zero + datetime.timedelta(microseconds=time))) for time in points}

    return _each(change)


def _sort(_: Scope, value: Value, by: str, order: str, limit: float | None = None) -> Value:
    keys: dict[str, Callable[[list[float]], float]] = {
        "MIN": min,
        "MAX": max,
        "SUM": sum,
        "AVG": statistics.fmean,
    }
    ranked = sorted(
        (one for one in _as_list(value) if one.points),
        key=lambda one: keys[by](list(one.points.values())),
        reverse={"ASC": False, "DESC": True, "DSC": True}[order],
    )
    return list(ranked if limit is None else ranked[: int(limit)])


def _slice(_: Scope, value: Value, start: float, end: float | None = None) -> Value:
    return _as_list(value)[int(start) : None if end is None else int(end)]


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "ABS": _map(abs),
    "CEIL": _map(lambda value: float(math.ceil(value))),
    "FLOOR": _map(lambda value: float(math.floor(value))),
    "LOG": _map(lambda value: math.log(value) if value > 0 else None),
    "LOG10": _map(lambda value: math.log10(value) if value > 0 else None),
    "SUM": _reduce(sum),
    "AVG": _reduce(statistics.fmean, zeros=True),
    "MIN": _reduce(min),
    "MAX": _reduce(max),
    "STDDEV": _reduce(statistics.pstdev),
    "FILL": _fill,
    "IF": _if,
    "RATE": _differences(per_second=True),
    "DIFF": _differences(per_second=False),
    "DIFF_TIME": _each(_diff_time),
    "RUNNING_SUM": _each(_running_sum),
    "FIRST": _edge(last=False),
    "LAST": _edge(last=True),
    "PERIOD": lambda scope, value: scope.period / 1e6,
    "DATAPOINT_COUNT": _count,
    "METRIC_COUNT": lambda scope, value: float(len(_as_list(value))),
    "TIME_SERIES": lambda scope, value: TimeSeries("", {time: float(value) for time in scope.times}),
    "REMOVE_EMPTY": lambda scope, value: [one for one in _as_list(value) if one.points],
    "SORT": _sort,
    "SLICE": _slice,
    "EPOCH": _each(lambda _, points: {time: time / 1e6 for time in points}),
    "MINUTE": _calendar(lambda moment: moment.minute),
    "HOUR": _calendar(lambda moment: moment.hour),
    "DAY": _calendar(lambda moment: moment.isoweekday()),
    "DATE": _calendar(lambda moment: moment.day),
    "MONTH": _calendar(lambda moment: moment.month),
    "YEAR": _calendar(lambda moment: moment.year),
}
