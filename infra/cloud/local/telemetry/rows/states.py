"""The metrics of AWS/States.

https://docs.aws.amazon.com/step-functions/latest/dg/procedure-cw-metrics.html
"""

from __future__ import annotations

from collections.abc import Callable

from ...journal import Entry
from ..series import Dimensions
from . import Row, at_end


def at_start(entry: Entry) -> int:
    return entry.start


def machine_dimensions(entry: Entry) -> list[Dimensions]:
    """By state machine; and, started by a version or an alias, by that as well."""
    machine = ("StateMachineArn", entry.resource)
    found: list[Dimensions] = [(machine,)]
    for name in ("Version", "Alias"):
        arn = entry.data[name.lower()]
        if arn:
            found.append((machine, (name, arn.rsplit(":", 1)[1])))
    return found


def _execution(
    name: str, value: Callable[[Entry], float | None], unit: str = "Count", kind: str = "states.execution"
) -> Row:
    return Row("AWS/States", name, unit, kind, value, at_end, machine_dimensions)


def _ended(name: str, status: str) -> Row:
    return _execution(name, lambda entry: int(entry.data["status"] == status))


def _express(entry: Entry, value: float) -> float | None:
    return value if entry.data["type"] == "EXPRESS" else None


def billed(duration: int) -> int:
    """Milliseconds that an Express execution of so many microseconds is billed for.

    https://docs.aws.amazon.com/step-functions/latest/apireference/API_BillingDetails.html
    """
    return max(100, -(-duration // 100_000) * 100)


def _tasks(kind: str, dimension: str, one: str, many: str) -> tuple[Row, ...]:
    """The eight metrics that functions, activities and service integrations have alike."""

    def row(
        name: str, value: Callable[[Entry], float], unit: str = "Count", time: Callable[[Entry], int] = at_end
    ) -> Row:
        def of_kind(entry: Entry) -> float | None:
            return value(entry) if entry.data["kind"] == kind else None

        def dimensions(entry: Entry) -> list[Dimensions]:
            return [((dimension, entry.resource),)]

        return Row("AWS/States", name, unit, "states.task", of_kind, time, dimensions)

    def ended(how: str) -> Callable[[Entry], float]:
        return lambda entry: int(entry.data["event"].endswith(how))

    millis = "Milliseconds"
    return (
        row(f"{one}Time", lambda entry: entry.duration / 1000, millis),
        row(f"{one}ScheduleTime", lambda entry: entry.data["waited"] / 1000, millis),
        row(f"{one}RunTime", lambda entry: (entry.duration - entry.data["waited"]) / 1000, millis),
        row(f"{many}Scheduled", lambda entry: 1, time=at_start),
        row(f"{many}Started", lambda entry: 1, time=lambda entry: entry.start + int(entry.data["waited"])),
        row(f"{many}Succeeded", ended("Succeeded")),
        row(f"{many}Failed", ended("Failed")),
        row(f"{many}TimedOut", ended("TimedOut")),
    )


ROWS: tuple[Row, ...] = (
    _execution("ExecutionsStarted", lambda entry: 1, kind="states.started"),
    _ended("ExecutionsSucceeded", "SUCCEEDED"),
    _ended("ExecutionsFailed", "FAILED"),
    _ended("ExecutionsTimedOut", "TIMED_OUT"),
    _ended("ExecutionsAborted", "ABORTED"),
    _execution("ExecutionTime", lambda entry: entry.duration / 1000, "Milliseconds"),
    _execution(
        "ExpressExecutionBilledDuration",
        lambda entry: _express(entry, billed(entry.duration)),
        "Milliseconds",
    ),
    _execution("ExpressExecutionBilledMemory", lambda entry: _express(entry, 64.0), "Megabytes"),
    *_tasks("lambda", "LambdaFunctionArn", "LambdaFunction", "LambdaFunctions"),
    *_tasks("activity", "ActivityArn", "Activity", "Activities"),
    *_tasks("service", "ServiceIntegrationResourceArn", "ServiceIntegration", "ServiceIntegrations"),
)
