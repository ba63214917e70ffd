"""The counted metrics of AWS/Lambda. Concurrency is sampled: ``lambda_metrics.py``.

https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
"""

from __future__ import annotations

from collections.abc import Callable

from ...journal import Entry
from ..series import Dimensions
from . import Row, at_end


def invoked(entry: Entry) -> int:
    """An invocation's metrics carry the time of the invocation, not of its end:
    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-view.html"""
    return entry.start - int(entry.data.get("init_us", 0))


def function_dimensions(entry: Entry) -> list[Dimensions]:
    """Across all functions, by function, by resource (version or alias), by alias and executed version.

    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-view.html
    """
    name = entry.resource
    version = entry.data.get("version", "$LATEST")
    qualifier = entry.data.get("qualifier") or ("" if version == "$LATEST" else version)
    function = ("FunctionName", name)
    resource = ("Resource", f"{name}:{qualifier}" if qualifier else name)
    found: list[Dimensions] = [(), (function,), (function, resource)]
    if qualifier and qualifier != version:
        found.append((("ExecutedVersion", version), function, resource))
    return found


def _lambda(
    name: str,
    kind: str,
    value: Callable[[Entry], float | list[float] | None],
    unit: str = "Count",
    time: Callable[[Entry], int] = at_end,
) -> Row:
    return Row("AWS/Lambda", name, unit, kind, value, time, function_dimensions)


ROWS: tuple[Row, ...] = (
    _lambda("Invocations", "lambda.invocation", lambda entry: 1, time=invoked),
    _lambda("Errors", "lambda.invocation", lambda entry: int(entry.outcome != "ok"), time=invoked),
    _lambda("Duration", "lambda.invocation", lambda entry: entry.duration / 1000, "Milliseconds", invoked),
    _lambda("Throttles", "lambda.throttle", lambda entry: 1),
    _lambda("RecursiveInvocationsDropped", "lambda.recursion", lambda entry: 1),
    _lambda("AsyncEventsReceived", "lambda.async.queued", lambda entry: 1),
    _lambda(
        "AsyncEventAge",
        "lambda.invocation",
        lambda entry: (
            (invoked(entry) - entry.data["arrived"]) / 1000 if entry.data["invoked_by"] == "async" else None
        ),
        "Milliseconds",
        invoked,
    ),
    _lambda("AsyncEventsDropped", "lambda.async.dropped", lambda entry: 1),
    _lambda(
        "DeadLetterErrors",
        "lambda.async.destination",
        lambda entry: int(entry.outcome != "ok") if entry.data["reason"] == "dead-letter queue" else None,
    ),
    _lambda(
        "DestinationDeliveryFailures",
        "lambda.async.destination",
        lambda entry: int(entry.outcome != "ok") if entry.data["reason"] != "dead-letter queue" else None,
    ),
)
