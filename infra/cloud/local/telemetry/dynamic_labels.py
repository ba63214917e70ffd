"""Dynamic labels: what ``${AVG}`` and its like in a query's label stand for. Pure.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/graph-dynamic-labels.html. The page does not
say how numbers are written: here with up to ten significant digits. Labels that show times are not simulated.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from ..service import NotSimulated
from .series import MetricId

_VARIABLE = re.compile(r"\$\{(?:PROP\('(?P<property>[^']*)'\)|(?P<value>\w+))\}")
_VALUES: dict[str, Callable[[Sequence[float]], float]] = {
    "AVG": lambda values: sum(values) / len(values),
    "FIRST": lambda values: values[0],
    "FIRST_LAST_RANGE": lambda values: abs(values[-1] - values[0]),
    "LAST": lambda values: values[-1],
    "MAX": max,
    "MIN": min,
    "MIN_MAX_RANGE": lambda values: max(values) - min(values),
    "SUM": sum,
}
_NONE = "--"
"""What a label shows of values where there are none."""


def check(label: str) -> None:
    """Raise NotSimulated for what a label cannot show here."""
    for match in _VARIABLE.finditer(label):
        value = match["value"]
        if value is not None and value not in {*_VALUES, "LABEL", "DATAPOINT_COUNT"}:
            raise NotSimulated(f"NotSimulated: ${{{value}}} in a label of CloudWatch metrics ({label})")


def filled(
    label: str,
    default: str,
    values: Sequence[float],
    metric: MetricId | None,
    properties: dict[str, str],
) -> str:
    """The label with what its variables stand for. ``default`` is ``${LABEL}``; ``values`` are oldest first;
    ``properties`` are Stat, Period, Region and AccountId."""

    def stands_for(match: re.Match[str]) -> str:
        name, value = match["property"], match["value"]
        if value == "LABEL":
            return default
        if value == "DATAPOINT_COUNT":
            return str(len(values))
        if value is not None:
            return f"{_VALUES[value](values):.10g}" if values else _NONE
        if metric is not None and name.startswith("Dim."):
            return metric.dimension(name.removeprefix("Dim.")) or ""
        known = {"MetricName": metric.name, "Namespace": metric.namespace} if metric is not None else {}
        return (known | properties).get(name, "")

    return _VARIABLE.sub(stands_for, label)
