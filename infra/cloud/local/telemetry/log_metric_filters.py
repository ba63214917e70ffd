"""Metric filters of CloudWatch Logs: what PutMetricFilter accepts, and what follows from a log event. Pure.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntaxForMetricFilters.html and
https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutMetricFilter.html. A default value
is emitted for each event that does not match; an event that matches without a number at the selector of the
value, or without something at that of a dimension, gives nothing.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from .log_checks import constraint, invalid
from .log_pattern_values import PatternError
from .log_patterns import Pattern, read_pattern

MOST_FILTERS = 100
"""Of one log group: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html"""
MOST_DIMENSIONS = 3

Datum = tuple[Mapping[str, Any], float, list[list[str]]]
"""Transformation, value, dimensions as [name, value]."""


MOST_WITH_REGEX = 5
"""Filters of one log group, of both kinds:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html"""


def compiled(pattern: str, kind: str = "filter pattern") -> Pattern:
    """Raises InvalidParameterException. AWS says no more than ``Invalid metric filter pattern``, for metric
    filters (https://github.com/aws/aws-cdk/issues/16278); what is wrong follows here."""
    try:
        return read_pattern(pattern)
    except PatternError as error:
        detail = str(error).removeprefix("Invalid filter pattern: ")
        raise invalid(f"Invalid {kind}: {detail}") from None


def has_regex(pattern: str) -> bool:
    """Whether a pattern that can be read has a regular expression in it."""
    return "%" in re.sub(r'"(?:\\.|[^"\\])*"', "", pattern)


_MEMBERS = ("metricName", "metricNamespace", "metricValue", "defaultValue", "unit", "dimensions")


def check_one(transformations: Sequence[Mapping[str, Any]]) -> None:
    """Raise InvalidParameterException unless there is exactly one, as recorded: localstack/localstack,
    test_logs_metric_filters.snapshot.json (test_put_metric_filter_too_many_transformations)."""
    if len(transformations) == 1:
        return
    shown = [
        f"MetricTransformation({', '.join(f'{name}={each.get(name)}' for name in _MEMBERS)})".replace(
            "=None", "=null"
        )
        for each in transformations
    ]
    bound = "greater than or equal to 1" if not transformations else "less than or equal to 1"
    raise constraint(f"[{', '.join(shown)}]", "metricTransformations", f"have length {bound}")


def check_transformations(pattern: Pattern, transformations: Sequence[Mapping[str, Any]]) -> None:
    """Raise InvalidParameterException, in the words that users report where there are any."""
    (each,) = transformations
    value, dimensions = each["metricValue"], each.get("dimensions") or {}
    if number(value) is None and not pattern.has(value):
        raise invalid(f"Invalid metric transformation: metric value {value} must be a valid number")
    if dimensions and "defaultValue" in each:
        raise invalid(
            "Invalid metric transformation: dimensions and default value are mutually exclusive properties"
        )
    if len(dimensions) > MOST_DIMENSIONS:
        raise constraint(
            f"[{len(dimensions)} items]",
            "metricTransformations.1.member.dimensions",
            f"have length less than or equal to {MOST_DIMENSIONS}",
        )
    for selector in dimensions.values():
        if not selector.startswith("$"):
            raise invalid("Invalid metric transformation: dimension value must be valid selector")
        if not pattern.has(selector):
            raise invalid("The specified filter pattern does not support dimensions")


def measure(found: Mapping[str, Any], message: str) -> list[Datum]:
    """The data points that an event gives by a filter (as DescribeMetricFilters shows it)."""
    pattern = read_pattern(found["filterPattern"])
    data: list[Datum] = []
    matched = pattern.matches(message)
    for each in found["metricTransformations"]:
        if not matched:
            if each.get("defaultValue") is not None:
                data.append((each, float(each["defaultValue"]), []))
            continue
        wanted = each["metricValue"]
        value = number(pattern.select(wanted, message) if wanted.startswith("$") else wanted)
        selected = {
            name: pattern.select(selector, message)
            for name, selector in (each.get("dimensions") or {}).items()
        }
        if value is not None and None not in selected.values():
            data.append((each, value, [[name, _text(selected[name])] for name in sorted(selected)]))
    return data


def number(value: Any) -> float | None:
    """A finite number that the value is or reads as."""
    if isinstance(value, bool):
        return None
    try:
        found = float(value)
    except (TypeError, ValueError):
        return None
    return found if math.isfinite(found) else None


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
