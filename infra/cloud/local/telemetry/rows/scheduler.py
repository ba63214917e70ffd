"""The metrics of AWS/Scheduler, by schedule group.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/monitoring-cloudwatch.html
"""

from __future__ import annotations

from collections.abc import Callable

from ...journal import Entry
from ...routes.retries import THROTTLES
from ..series import Dimensions
from . import Row, at_end


def group_dimensions(entry: Entry) -> list[Dimensions]:
    """``arn:aws:scheduler:REGION:ACCOUNT:schedule/GROUP/NAME``"""
    return [(("ScheduleGroup", entry.resource.split("/")[1]),)]


def _row(name: str, kind: str, value: Callable[[Entry], float | None]) -> Row:
    return Row("AWS/Scheduler", name, "Count", kind, value, at_end, group_dimensions)


def _only(condition: bool) -> int | None:
    return 1 if condition else None


ROWS: tuple[Row, ...] = (
    _row("InvocationAttemptCount", "scheduler.delivery", lambda entry: 1),
    _row(
        "TargetErrorCount",
        "scheduler.delivery",
        lambda entry: _only(entry.outcome != "ok" and entry.outcome not in THROTTLES),
    ),
    _row("TargetErrorThrottledCount", "scheduler.delivery", lambda entry: _only(entry.outcome in THROTTLES)),
    _row("InvocationDroppedCount", "scheduler.dropped", lambda entry: 1),
    _row(
        "InvocationsSentToDeadLetterCount",
        "scheduler.dead_letter",
        lambda entry: _only(entry.outcome == "ok"),
    ),
    _row(
        "InvocationsFailedToBeSentToDeadLetterCount",
        "scheduler.dead_letter",
        lambda entry: _only(entry.outcome != "ok"),
    ),
)
