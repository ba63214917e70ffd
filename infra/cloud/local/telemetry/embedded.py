"""Metrics that log lines carry: the embedded metric format, as Powertools prints it. Pure.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html:
a line that breaks the specification carries no metric. Such lines are counted in AWS/Logs
(``EMFParsingErrors``, ``EMFValidationErrors``):
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CloudWatch-Logs-Monitoring-CloudWatch-Metrics.html
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ..journal import Entry
from .series import MINUTE, UNITS, Dimensions, MetricId

MOST_DIMENSIONS = 30
MOST_METRICS = 100
"""Metric definitions of one directive."""
MOST_VALUES = 100
"""Values of one metric's array."""
SECOND = 1_000_000
TOO_OLD = 14 * 86_400 * SECOND
TOO_NEW = 2 * 3600 * SECOND
Found = tuple[MetricId, str, int, list[float]]
"""Metric, unit, time (µs, the beginning of its second or minute), values."""

# Lambda puts this before what a logger writes in plain text: level, time, request id.
_PREFIX = re.compile(r"\[[A-Z]+\]\t\S+\t[0-9a-f-]{36}\t(?=\{)")


def embedded_metrics(entry: Entry) -> list[Found]:
    """What a ``logs.event`` carries; what is wrong with it counts as a metric of AWS/Logs."""
    message = entry.data["message"]
    if '"_aws"' not in message:
        return []
    text = message[match.end() :] if (match := _PREFIX.match(message)) else message
    if not text.startswith("{"):
        return []
    try:
        root = json.loads(text)
    except ValueError:
        return [_failure(entry, "EMFParsingErrors")]
    metadata = root.get("_aws")
    if not isinstance(metadata, dict) or "CloudWatchMetrics" not in metadata:
        return []
    try:
        return list(_extract(root, metadata, entry.time))
    except (KeyError, TypeError, ValueError, AttributeError):
        return [_failure(entry, "EMFValidationErrors")]


def _failure(entry: Entry, name: str) -> Found:
    metric = MetricId("AWS/Logs", name, (("LogGroupName", entry.resource),))
    return metric, "None", entry.time // MINUTE * MINUTE, [1.0]


def _extract(root: Mapping[str, Any], metadata: Mapping[str, Any], now: int) -> Iterator[Found]:
    """Raises KeyError, TypeError or ValueError for a document that breaks the specification."""
    time = int(metadata["Timestamp"]) * 1000
    _require(not isinstance(metadata["Timestamp"], str | bool) and now - TOO_OLD <= time <= now + TOO_NEW)
    for directive in metadata["CloudWatchMetrics"]:
        namespace, definitions = directive["Namespace"], directive["Metrics"]
        _require(isinstance(namespace, str) and 1 <= len(namespace) <= 255)
        _require(isinstance(definitions, list) and len(definitions) <= MOST_METRICS)
        dimension_sets = [_dimensions(root, names) for names in directive["Dimensions"]]
        for definition in definitions:
            name, unit = definition["Name"], definition.get("Unit", "None")
            resolution = definition.get("StorageResolution", 60)
            _require(isinstance(name, str) and bool(name) and unit in UNITS and resolution in (1, 60))
            step = resolution * SECOND
            values = _values(root[name])
            for dimensions in dimension_sets:
                yield MetricId(namespace, name, dimensions), unit, time // step * step, values


def _dimensions(root: Mapping[str, Any], names: Any) -> Dimensions:
    _require(isinstance(names, list) and len(names) <= MOST_DIMENSIONS)
    values = [root[name] for name in names]
    _require(all(isinstance(value, str) and value for value in values))
    return tuple(sorted(set(zip(names, values, strict=True))))


def _values(target: Any) -> list[float]:
    values = target if isinstance(target, list) else [target]
    _require(len(values) <= MOST_VALUES)
    _require(all(isinstance(value, int | float) and not isinstance(value, bool) for value in values))
    numbers = [float(value) for value in values]
    _require(all(math.isfinite(number) for number in numbers))
    return numbers


def _require(condition: bool) -> None:
    if not condition:
        raise ValueError
