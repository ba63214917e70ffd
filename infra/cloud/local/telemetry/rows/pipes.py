"""The metrics of AWS/EventBridge/Pipes, by pipe.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-monitoring.html
"""

from __future__ import annotations

from collections.abc import Callable

from ...journal import Entry
from ..series import Dimensions
from . import Row, at_end


def pipe_dimensions(entry: Entry) -> list[Dimensions]:
    return [(("PipeName", entry.resource.rpartition("/")[2]),)]


def _row(name: str, kind: str, value: Callable[[Entry], float | None], unit: str = "Count") -> Row:
    return Row("AWS/EventBridge/Pipes", name, unit, kind, value, at_end, pipe_dimensions)


def _only(condition: bool) -> int | None:
    return 1 if condition else None


ROWS: tuple[Row, ...] = (
    _row("Invocations", "pipes.execution", lambda entry: 1),
    _row("Duration", "pipes.execution", lambda entry: entry.duration / 1000, "Milliseconds"),
    _row("EventCount", "pipes.execution", lambda entry: entry.data["events"]),
    _row("EventSize", "pipes.execution", lambda entry: entry.data["bytes"], "Bytes"),
    _row("ExecutionFailed", "pipes.execution", lambda entry: _only(entry.outcome == "failed")),
    _row("ExecutionPartiallyFailed", "pipes.execution", lambda entry: _only(entry.outcome == "partial")),
    _row(
        "EnrichmentStageDuration",
        "pipes.enrichment",
        lambda entry: entry.duration / 1000,
        "Milliseconds",
    ),
    _row("EnrichmentStageFailed", "pipes.enrichment", lambda entry: _only(entry.outcome != "ok")),
    _row("TargetStageDuration", "pipes.delivery", lambda entry: entry.duration / 1000, "Milliseconds"),
    _row("TargetStageFailed", "pipes.delivery", lambda entry: _only(entry.outcome != "ok")),
)
