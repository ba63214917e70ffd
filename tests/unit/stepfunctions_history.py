"""Histories of executions, as GetExecutionHistory answers them, cut to what a plot reads.

https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html
"""

from __future__ import annotations

import datetime
from typing import Any

START = datetime.datetime(2026, 1, 5, 9, tzinfo=datetime.UTC)


def event(number: int, before: int, at: float, kind: str, **details: str) -> dict[str, Any]:
    """One event. Details go where AWS puts them: an entry and an exit share their names among all kinds."""
    made: dict[str, Any] = {
        "id": number,
        "previousEventId": before,
        "timestamp": START + datetime.timedelta(seconds=at),
        "type": kind,
    }
    for shared in ("StateEntered", "StateExited"):
        if kind.endswith(shared):
            kind = shared
    if details:
        made[f"{kind[0].lower()}{kind[1:]}EventDetails"] = details
    return made


RETRIED = [
    event(1, 0, 0, "ExecutionStarted"),
    event(2, 0, 0, "TaskStateEntered", name="Charge"),
    event(3, 2, 0, "LambdaFunctionScheduled"),
    event(4, 3, 0.5, "LambdaFunctionFailed", error="Throttled"),
    event(5, 4, 1.5, "LambdaFunctionScheduled"),
    event(6, 5, 2.5, "LambdaFunctionSucceeded"),
    event(7, 6, 2.5, "TaskStateExited", name="Charge"),
    event(8, 7, 2.5, "TaskStateEntered", name="Release"),
    event(9, 8, 2.5, "TaskScheduled"),
    event(10, 9, 3.5, "TaskFailed", error="Declined"),
    event(11, 10, 3.5, "TaskStateExited", name="Release"),
    event(12, 11, 3.5, "FailStateEntered", name="Refused"),
    event(13, 12, 3.5, "ExecutionFailed", error="Payment"),
]
"""A retry that works, a failure that is caught, and a Fail state."""

PARALLEL = [
    event(1, 0, 0, "ExecutionStarted"),
    event(2, 0, 0, "ParallelStateEntered", name="Both"),
    event(3, 2, 0, "ParallelStateStarted"),
    event(4, 3, 0, "TaskStateEntered", name="Left"),
    event(5, 4, 0, "TaskScheduled"),
    event(6, 3, 0, "WaitStateEntered", name="Right"),
    event(7, 5, 1, "TaskFailed", error="Boom"),
    event(8, 6, 1, "WaitStateAborted"),
    event(9, 7, 1, "ParallelStateFailed", error="Boom"),
    event(10, 9, 1, "ExecutionFailed", error="Boom"),
]
"""A branch that fails takes the other one down."""
