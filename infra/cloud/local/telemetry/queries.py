"""Metric queries as GetMetricData and alarms state them: checked, then computed.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDataQuery.html
"""

from __future__ import annotations

import dataclasses
import datetime
import re
from collections.abc import Mapping, Sequence
from typing import Any

from botocore.utils import parse_to_aware_datetime

from ..service import NotSimulated
from . import dynamic_labels, expressions, metric_search
from .expressions import TimeSeries, Value
from .metrics import Metrics
from .refusals import invalid
from .series import UNITS, Dimensions, MetricId
from .statistics import UnknownStatisticError, statistic

SECOND = 1_000_000
DAY = 86_400 * SECOND
SHORT_PERIODS = (1, 5, 10, 20, 30)


@dataclasses.dataclass(frozen=True, slots=True)
class Query:
    """One entry of ``MetricDataQueries``: either a metric's statistic, or an expression. Period in
    microseconds."""

    id: str
    label: str
    returned: bool
    metric: MetricId | None = None
    stat: str = ""
    period: int = 0
    unit: str | None = None
    expression: str = ""


def micros(value: Any) -> int:
    """A timestamp parameter in microseconds. What has no time zone is UTC, as in botocore."""
    aware: datetime.datetime = parse_to_aware_datetime(value)
    return (aware - datetime.datetime.fromtimestamp(0, datetime.UTC)) // datetime.timedelta(microseconds=1)


def moment(time: int) -> datetime.datetime:
    """Virtual microseconds as a datetime in UTC."""
    return datetime.datetime.fromtimestamp(0, datetime.UTC) + datetime.timedelta(microseconds=time)


def dimensions(given: Sequence[Mapping[str, str]] | None) -> Dimensions:
    return tuple(sorted((one["Name"], one["Value"]) for one in given or ()))


def check_period(seconds: int, allowed: Sequence[int], name: str = "Period") -> int:
    """A period in microseconds, or InvalidParameterValue."""
    if seconds not in allowed and (seconds < 60 or seconds % 60):
        values = ", ".join(str(one) for one in allowed)
        raise invalid(
            f"The parameter {name} must be one of {values}, 60 or a multiple of 60; it is {seconds}.",
            "InvalidParameterValue",
        )
    if seconds > 86_400:
        raise invalid(
            f"The parameter {name} must be at most 86400; it is {seconds}.", "InvalidParameterValue"
        )
    return seconds * SECOND


def check_statistic(name: str, words: str = "The value {} for parameter Stat is not supported.") -> str:
    try:
        statistic(name)
    except UnknownStatisticError:
        raise invalid(words.format(name), "InvalidParameterValue") from None
    return name


def _known(name: str) -> bool:
    try:
        statistic(name)
    except UnknownStatisticError:
        return False
    return True


def parse(
    given: Sequence[Mapping[str, Any]], account: str, allowed: Sequence[int] = SHORT_PERIODS
) -> list[Query]:
    """Checked queries. Raises ValidationError, InvalidParameterValue; NotSimulated for another account's
    metrics. In the words that users report, a line for each query that is wrong:
    https://github.com/prometheus-community/yet-another-cloudwatch-exporter/issues/385"""
    if not 1 <= len(given) <= 500:
        raise invalid("The collection MetricDataQueries must not have a size greater than 500, nor be empty.")
    queries: dict[str, Query] = {}
    problems = [
        problem for number, one in enumerate(given, 1) if (problem := _problem(one, f"member.{number}"))
    ]
    if problems:
        raise invalid("\n".join(problems))
    for one in given:
        query = _parse_one(one, account, allowed)
        if query.id in queries:
            raise invalid("The values for parameter id in MetricDataQueries are not unique.")
        queries[query.id] = query
    return list(queries.values())


def _problem(one: Mapping[str, Any], member: str) -> str:
    """What is wrong with a query by itself, or ""."""
    path = f"MetricDataQueries.{member}"
    both = "The parameters {0}.{1} and {0}.{2} are mutually exclusive and you have specified both."
    if not re.fullmatch(r"[a-z][a-zA-Z0-9_]{0,254}", one["Id"]):
        pattern = "^[a-z][a-zA-Z0-9_]*$"
        return (
            f"The value {one['Id']} for parameter {path}.Id is not matching the expected pattern {pattern}."
        )
    if "MetricStat" in one:
        for other in ("Expression", "Period"):
            if other in one:
                return both.format(path, other, "MetricStat")
        for part in ("Namespace", "MetricName"):
            if not one["MetricStat"]["Metric"].get(part):
                return f"The parameter {path}.MetricStat.Metric.{part} is required."
        if not _known(stat := one["MetricStat"]["Stat"]):
            return f"The value {stat} for parameter {path}.MetricStat.Stat is not a valid statistic."
    elif "Expression" not in one:
        return f"The parameter {path}.MetricStat is required.\n"  # "AWS also returns the empty line" (moto)
    return ""


def _parse_one(one: Mapping[str, Any], account: str, allowed: Sequence[int]) -> Query:
    name = one["Id"]
    if one.get("AccountId", account) != account:
        raise NotSimulated(f"NotSimulated: metrics of another account ({one['AccountId']})")
    label, returned = one.get("Label", ""), one.get("ReturnData", True)
    dynamic_labels.check(label)
    if "Expression" in one:
        period = check_period(one["Period"], allowed) if "Period" in one else 0
        return Query(name, label, returned, period=period, expression=one["Expression"])
    stat, metric = one["MetricStat"], one["MetricStat"]["Metric"]
    return Query(
        name,
        label,
        returned,
        MetricId(metric["Namespace"], metric["MetricName"], dimensions(metric.get("Dimensions"))),
        stat["Stat"],
        check_period(stat["Period"], allowed),
        stat.get("Unit"),
    )


def first_period(start: int, period: int, now: int) -> int:
    """Where the first period begins: the start time rounded down, the coarser the longer ago it is.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html (StartTime)
    """
    age = now - start
    grid = 3600 if age > 63 * DAY else 300 if age > 15 * DAY else 60
    if grid == 60 and period < 60 * SECOND:
        grid = period // SECOND
    return start // (grid * SECOND) * (grid * SECOND)


def retained(start: int, period: int, now: int) -> bool:
    """Whether data of that resolution still exists: below a minute for 3 hours, a minute for 15 days, five
    minutes for 63 days, an hour for 455 days (same page, Period)."""
    age = now - start
    if age > 455 * DAY:
        return False
    if age > 63 * DAY:
        return period % (3600 * SECOND) == 0
    if age > 15 * DAY:
        return period % (300 * SECOND) == 0
    return age <= 3 * 3600 * SECOND or period % (60 * SECOND) == 0


def metric_points(
    metrics: Metrics, query: Query, start: int, end: int, now: int
) -> dict[int, tuple[float, float]]:
    """Of each period with data: (the statistic, the number of samples). Call ``metrics.read`` before."""
    assert query.metric is not None
    compute = statistic(query.stat)
    found: dict[int, tuple[float, float]] = {}
    for time, samples in metrics.collect(query.metric, start, end, query.period, now, query.unit).items():
        value = compute(samples)
        if value is not None:
            found[time] = (value, samples.count)
    return found


def in_one_unit(
    metrics: Metrics, queries: Sequence[Query], start: int, end: int, now: int
) -> tuple[list[Query], dict[str, list[str]]]:
    """The queries, each with one unit where its metric has several in [start, end); and those units by id."""
    metrics.read(now)
    found, several = [], {}
    for query in queries:
        if query.metric is not None and query.unit is None:
            known = metrics.units(query.metric)
            units = [
                unit
                for unit in sorted(known, key=UNITS.index)
                if len(known) == 1 or metrics.collect(query.metric, start, end, query.period, now, unit)
            ]
            if len(units) > 1:
                several[query.id] = units
                query = dataclasses.replace(query, unit=units[0])
        found.append(query)
    return found, several


def labels(queries: Sequence[Query]) -> dict[str, str]:
    """What results are called: the metric's name, with its statistic and period where queries differ in them.

    As recorded: same file, test_label_generation.
    """
    of_metrics = [query for query in queries if query.metric is not None]
    stats = len({query.stat for query in of_metrics}) > 1
    periods = len({query.period for query in of_metrics}) > 1
    made = {}
    for query in of_metrics:
        assert query.metric is not None
        parts = [
            query.metric.name,
            query.stat if stats else "",
            f"{query.period // SECOND}" if periods else "",
        ]
        made[query.id] = " ".join(part for part in parts if part)
    return made


def _found(
    metrics: Metrics, text: str, stat: str, period: int, times: tuple[int, int, int]
) -> list[TimeSeries]:
    """The time series that a search finds among the metrics of the last two weeks."""
    start, end, now = times
    try:
        wanted = metric_search.parse_search(text)
    except metric_search.SearchError as error:
        raise expressions.ExpressionError(f"SEARCH: {error}") from None
    recent = sorted(metric for metric, last in metrics.ids() if last >= now - 14 * DAY and wanted(metric))
    found = []
    for metric in recent[: metric_search.MOST_FOUND]:
        query = Query("", "", True, metric, stat, period)
        points = {}
        if retained(start, period, now):
            points = metric_points(metrics, query, first_period(start, period, now), end, now)
        values = {time: points[time][0] for time in sorted(points)}
        if values:
            found.append(TimeSeries(metric_search.label_of(metric, recent), values, metric))
    return found


def run(
    metrics: Metrics,
    queries: Sequence[Query],
    start: int,
    end: int,
    now: int,
    dropped: set[str] | None = None,
) -> dict[str, Value]:
    """The value of every query over [start, end). Raises ValidationError for an expression that does not
    compute. ``dropped`` gathers the ids of the expressions that left out what is no number."""
    metrics.read(now)
    names = labels(queries)
    known = {query.id: query for query in queries}

    def search(text: str, stat: str, seconds: int) -> list[TimeSeries]:
        return _found(
            metrics, text, check_statistic(stat), check_period(seconds, SHORT_PERIODS), (start, end, now)
        )

    values: dict[str, Value] = {}
    for query in queries:
        if query.metric is not None:
            points: dict[int, tuple[float, float]] = {}
            begin = first_period(start, query.period, now)
            if retained(start, query.period, now):
                points = metric_points(metrics, query, begin, end, now)
            label = query.label or names[query.id]
            values[query.id] = TimeSeries(label, {time: points[time][0] for time in sorted(points)})
    retrieved = list(values)

    def compute(query: Query, path: tuple[str, ...]) -> None:
        if query.id in path:
            raise invalid(f"Error in expression '{query.id}': it refers to itself")
        try:
            for name in expressions.names(query.expression):
                if name in known and name not in values:
                    compute(known[name], (*path, query.id))
            period = query.period or max((one.period for one in queries), default=0) or 300 * SECOND
            times = range(first_period(start, period, now), end, period)
            scope = expressions.Scope(values, retrieved, times, period, search)
            values[query.id] = expressions.evaluate(query.expression, scope)
            if scope.dropped and dropped is not None:
                dropped.add(query.id)
        except expressions.ExpressionError as error:
            raise invalid(f"Error in expression '{query.id}': {error}") from None

    for query in queries:
        if query.id not in values:
            compute(query, ())
    return values
