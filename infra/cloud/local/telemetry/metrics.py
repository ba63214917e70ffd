"""Which metric data points follow from which journal entries: one row per metric, in a table.

A row of ``rows/`` names the metric, the kind of entry it comes from, and what one entry contributes: a value
(or None: nothing), at which time, under which sets of dimensions. Metrics that are sampled rather than
counted have a module of their own (``sqs_metrics``, ``lambda_metrics``) with the same methods; custom metrics
come from PutMetricData (``cloudwatch.put_metric``) and from log lines in the embedded metric format.

A new service's metrics: add rows to its module in ``rows/``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from ..journal import Entry, Journal
from .dynamodb_capacity import ProvisionedCapacity
from .embedded import embedded_metrics
from .lambda_metrics import LambdaConcurrency
from .rows import (
    Row,
    apigateway,
    dynamodb,
    events,
    httpapi,
    kinesis,
    lambda_,
    logs,
    pipes,
    s3,
    scheduler,
    sns,
    sqs,
    states,
)
from .rows.logs import Incoming
from .series import MINUTE, Dimensions, MetricId, Series
from .sqs_metrics import KINDS as SQS_KINDS
from .sqs_metrics import SqsMetrics
from .statistics import Samples, StatisticSet

SECOND = 1_000_000


TABLE: tuple[Row, ...] = tuple(
    row
    for module in (
        apigateway,
        dynamodb,
        events,
        httpapi,
        kinesis,
        lambda_,
        logs,
        pipes,
        s3,
        scheduler,
        sns,
        sqs,
        states,
    )
    for row in module.ROWS
)

ROWS: dict[str, list[Row]] = {}
for _row in TABLE:
    ROWS.setdefault(_row.kind, []).append(_row)

KINDS_OF_NAMESPACE: dict[str, tuple[str, ...]] = {
    namespace: (*dict.fromkeys(row.kind for row in TABLE if row.namespace == namespace),)
    for namespace in dict.fromkeys(row.namespace for row in TABLE)
} | {"AWS/SQS": SQS_KINDS}
"""What to listen for to learn that a metric of this namespace has new data."""

KINDS_OF_NAMESPACE["AWS/DynamoDB"] += ("dynamodb.capacity",)
KINDS_OF_NAMESPACE["AWS/Logs"] += ("logs.event",)

CUSTOM_KINDS = ("cloudwatch.put_metric", "logs.event")


class Sampled(Protocol):
    """Metrics that are not simply counted: they know their values minute by minute."""

    def owns(self, metric: MetricId) -> bool: ...
    def read(self, now: int) -> None: ...
    def ids(self) -> Iterator[tuple[MetricId, int]]: ...
    def unit(self, metric: MetricId) -> str: ...
    def points(self, metric: MetricId, start: int, end: int, now: int) -> Iterator[tuple[int, float]]: ...
    def steps(self, metric: MetricId, since: int) -> Iterator[int]: ...
    def next_step(self, metric: MetricId) -> int | None: ...
    def growing_since(self, metric: MetricId) -> int | None: ...


class Metrics:
    """Every metric of a run, indexed from the journal when it is asked for; each entry is read once."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._read = 0
        self._series: dict[MetricId, dict[str, Series]] = {}
        self._sampled: tuple[Sampled, ...] = (
            SqsMetrics(journal),
            LambdaConcurrency(journal),
            ProvisionedCapacity(journal),
        )

    def read(self, now: int) -> None:
        """Take in what was written since the last time."""
        entries = self._journal.entries
        logged = Incoming()
        for index in range(self._read, len(entries)):
            entry = entries[index]
            rows = ROWS.get(entry.what)
            if rows is not None:
                self._take(entry, rows)
            elif entry.what == "cloudwatch.put_metric":
                self._put(entry.data)
            elif entry.what == "logs.event":
                logged.add(entry)
                self._embedded(entry)
        self._read = len(entries)
        for metric, unit, time, value, count in logged.points():
            self._one(metric, unit).add(time, value, count)
        for source in self._sampled:
            source.read(now)

    def ids(self) -> list[tuple[MetricId, int]]:
        """Every metric, with the time of its last data point."""
        found = [
            (metric, max(series.latest for series in by_unit.values()))
            for metric, by_unit in self._series.items()
        ]
        for source in self._sampled:
            found += source.ids()
        return found

    def units(self, metric: MetricId) -> list[str]:
        source = self._source(metric)
        return [source.unit(metric)] if source is not None else list(self._series.get(metric, ()))

    def collect(
        self, metric: MetricId, start: int, end: int, period: int, now: int, unit: str | None = None
    ) -> dict[int, Samples]:
        """The samples of each period of ``period`` µs that begins at ``start + n * period`` and holds any."""
        found: dict[int, Samples] = {}
        source = self._source(metric)
        if source is not None:
            if unit in (None, source.unit(metric)):
                for time, value in source.points(metric, start, end, now):
                    begin = start + (time - start) // period * period
                    found.setdefault(begin, Samples()).values.append((value, 1.0))
            return found
        for known, series in self._series.get(metric, {}).items():
            if unit in (None, known):
                series.collect(start, end, found, start, period)
        return found

    def is_sampled(self, metric: MetricId) -> bool:
        """Whether every minute has a value, whatever happens."""
        return self._source(metric) is not None

    def steps(self, metric: MetricId, since: int, step: int) -> Iterator[int]:
        """Beginnings of the steps (``step`` µs) from ``since`` on whose data differs from a neighbour's."""
        source = self._source(metric)
        if source is not None:
            yield from source.steps(metric, since)
            return
        for series in self._series.get(metric, {}).values():
            yield from series.steps(since, step)

    def next_step(self, metric: MetricId) -> int | None:
        """When the metric changes next if nothing more is written to the journal; None for never."""
        source = self._source(metric)
        return None if source is None else source.next_step(metric)

    def growing_since(self, metric: MetricId) -> int | None:
        """If the metric is an age, growing by a second each second: since when."""
        source = self._source(metric)
        return None if source is None else source.growing_since(metric)

    def _source(self, metric: MetricId) -> Sampled | None:
        return next((source for source in self._sampled if source.owns(metric)), None)

    def _take(self, entry: Entry, rows: list[Row]) -> None:
        dimension_sets: list[Dimensions] = []
        made_by = None
        for row in rows:
            value = row.value(entry)
            if value is None:
                continue
            if row.dimensions is not made_by:
                made_by = row.dimensions
                dimension_sets = made_by(entry)
            time = row.time(entry) // MINUTE * MINUTE
            for dimensions in dimension_sets:
                series = self._one(MetricId(row.namespace, row.name, dimensions), row.unit)
                for number in value if isinstance(value, list) else (value,):
                    series.add(time, number)

    def _put(self, data: dict[str, Any]) -> None:
        dimensions = tuple(sorted((name, value) for name, value in data["dimensions"]))
        series = self._one(MetricId(data["namespace"], data["metric"], dimensions), data["unit"])
        resolution = SECOND if data.get("resolution") == 1 else MINUTE
        time = data["time"] // resolution * resolution
        if "statistics" in data:
            series.add_set(time, StatisticSet(*data["statistics"]))
        else:
            for value, count in zip(data["values"], data["counts"], strict=True):
                series.add(time, value, count)

    def _embedded(self, entry: Entry) -> None:
        for metric, unit, time, values in embedded_metrics(entry):
            series = self._one(metric, unit)
            for value in values:
                series.add(time, value)

    def _one(self, metric: MetricId, unit: str) -> Series:
        by_unit = self._series.get(metric)
        if by_unit is None:
            by_unit = self._series[metric] = {}
        series = by_unit.get(unit)
        if series is None:
            series = by_unit[unit] = Series(unit)
        return series
