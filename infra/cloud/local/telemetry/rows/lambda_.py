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


def _url_dimensions(entry: Entry) -> list[Dimensions]:
    """https://docs.aws.amazon.com/lambda/latest/dg/urls-monitoring.html#urls-cloudwatch"""
    function = ("FunctionName", entry.resource)
    return [(function,), (function, ("Resource", f"{entry.resource}:{entry.data['qualifier'] or '$LATEST'}"))]


def _url(name: str, value: Callable[[Entry], float], unit: str = "Count") -> Row:
    return Row("AWS/Lambda", name, unit, "lambda.url", value, at_end, _url_dimensions)


def _reader_dimensions(entry: Entry) -> list[Dimensions]:
    """Of what a mapping did for its function."""
    name = entry.data["function"]
    function = ("FunctionName", name)
    return [(), (function,), (function, ("Resource", name))]


def _mapping_dimensions(entry: Entry) -> list[Dimensions]:
    return [(("EventSourceMappingUUID", entry.resource),)]


def _counted(name: str, kind: str, value: Callable[[Entry], float | None]) -> Row:
    """A metric of a mapping whose MetricsConfig asks for EventCount.

    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html#event-source-mapping-metrics
    """
    return Row(
        "AWS/Lambda",
        name,
        "Count",
        kind,
        lambda entry: value(entry) if entry.data.get("metrics") else None,
        at_end,
        _mapping_dimensions,
    )


def _invoked(entry: Entry) -> int:
    """How many events a batch had that the function was, or should have been, invoked with."""
    messages = entry.data.get("messages")
    return int(entry.data["records"]) if messages is None else len(messages)


def _failed(entry: Entry) -> int:
    failed = entry.data["failed"]
    return failed if isinstance(failed, int) else len(failed)


def _filtered(entry: Entry) -> int:
    filtered = entry.data.get("filtered")
    return int(entry.data["dropped"]) if filtered is None else len(filtered)


def _polled(entry: Entry) -> int:
    polled = entry.data.get("polled")
    return _invoked(entry) + _filtered(entry) if polled is None else int(polled)


def _deleted(entry: Entry) -> int | None:
    """Of a queue's messages: those that were processed or filtered out."""
    if "messages" not in entry.data:
        return None
    return _invoked(entry) - _failed(entry) + _filtered(entry) - len(entry.data.get("not_deleted", ()))


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
    _url("UrlRequestCount", lambda entry: 1),
    _url("Url4xxCount", lambda entry: int(400 <= entry.data["status"] < 500)),
    _url("Url5xxCount", lambda entry: int(entry.data["status"] >= 500)),
    _url("UrlRequestLatency", lambda entry: entry.duration / 1000, "Milliseconds"),
    Row(
        "AWS/Lambda",
        "IteratorAge",
        "Milliseconds",
        "esm.batch",
        lambda entry: entry.data.get("age_ms") if entry.actor == "lambda" else None,  # not a pipe's
        lambda entry: entry.start,
        _reader_dimensions,
    ),
    Row(
        "AWS/Lambda",
        "DestinationDeliveryFailures",
        "Count",
        "esm.delivery",
        lambda entry: int(entry.outcome != "ok") if entry.actor == "lambda" else None,
        at_end,
        _reader_dimensions,
    ),
    _counted("PolledEventCount", "esm.batch", _polled),
    _counted("FilteredOutEventCount", "esm.batch", _filtered),
    _counted("InvokedEventCount", "esm.batch", _invoked),
    _counted("FailedInvokeEventCount", "esm.batch", _failed),
    _counted("DeletedEventCount", "esm.batch", _deleted),
    _counted("DroppedEventCount", "esm.discarded", lambda entry: entry.data["records"]),
    _counted(
        "OnFailureDestinationDeliveredEventCount",
        "esm.delivery",
        lambda entry: entry.data["records"] if entry.outcome == "ok" else None,
    ),
)
