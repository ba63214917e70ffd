"""The history of an execution: its events, numbered as AWS numbers them.

https://docs.aws.amazon.com/step-functions/latest/apireference/API_GetExecutionHistory.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .execution import Execution

LIMIT = 25_000
"""Events in the history of a standard execution.
https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html"""

_TASK_ENDS = re.compile(r"(Task|LambdaFunction|Activity)(Succeeded|Failed|TimedOut)$")

_STARTED = ("TaskStarted", "LambdaFunctionStarted")

_KINDS = {"Task": "service", "Lamb": "lambda", "Acti": "activity"}


class History:
    """Stands in place of the interpreter's ``EventManager``. Times are virtual microseconds."""

    def __init__(self, execution: Execution) -> None:
        self.execution = execution
        self._kernel = execution.world.kernel
        self.events: list[dict[str, Any]] = []
        self.resuming = False

    def add_event(
        self,
        context: Any,
        event_type: str,
        event_details: dict[str, Any] | None = None,
        timestamp: Any = None,
        update_source_event_id: bool = True,
    ) -> int:
        """One event. After the end of the execution nothing happens any more."""
        kind = event_type if event_type.__class__ is str else str(getattr(event_type, "value", event_type))
        events, execution = self.events, self.execution
        if execution.branching and kind in _STARTED:
            self._kernel.sleep(0)  # a task starts when all that was decided at that time is recorded
        if execution.stopped is not None:
            return len(events)
        if self.resuming and kind.endswith("StateEntered"):
            self.resuming = False  # a redriven execution goes on in a state that was entered before
            return len(events)
        number = len(events) + 1
        if number >= LIMIT and execution.limited and not kind.startswith("Execution"):
            execution.overflow(context)
        event: dict[str, Any] = dict(event_details) if event_details else {}
        if kind.endswith("Failed"):  # who says nothing of the error or the cause has no such member
            event = {key: _said(value) for key, value in event.items()}
        event["id"] = number
        event["previousEventId"] = self._before(context, kind)
        event["type"] = kind
        event["timestamp"] = self._kernel.now
        context.last_published_event_id = number
        if update_source_event_id:
            context.source_event_id = number
        events.append(event)
        if kind.endswith("Scheduled"):
            execution.world.xray.states.scheduled(execution, number)
        if _TASK_ENDS.match(kind):
            self._task_ended(event, kind)
        if execution.log is not None:
            execution.log(event)
        return number

    def _before(self, context: Any, kind: str) -> int:
        """The event before: for an expression that fails at once, the one before its state was entered.

        As recorded on AWS (LocalStack, assign/test_assign_reference_variables, test_undefined_reference).
        """
        number = int(context.source_event_id)
        if kind == "EvaluationFailed" and number and self.events[number - 1]["type"].endswith("StateEntered"):
            return int(self.events[number - 1]["previousEventId"])
        return number

    def details(self, event: dict[str, Any]) -> dict[str, Any]:
        """What an event says beyond its number, type and time."""
        for key, value in event.items():
            if key.endswith("Details"):
                return dict(value)
        return {}

    def _task_ended(self, event: dict[str, Any], kind: str) -> None:
        """One ``states.task`` entry: from scheduling to the end of one attempt."""
        scheduled, started = None, None
        at = event
        for _ in range(5):
            if not at["previousEventId"]:
                break
            at = self.events[at["previousEventId"] - 1]
            if at["type"].endswith("Started"):
                started = at
            elif at["type"].endswith("Scheduled"):
                scheduled = at
                break
        if scheduled is None:
            return
        asked, said = self.details(scheduled), self.details(event)
        resource = asked["resource"]
        if "resourceType" in asked:
            resource = f"arn:aws:states:::{asked['resourceType']}:{resource}"
        execution, now = self.execution, self._kernel.now
        execution.world.journal.record(
            "states.task",
            resource,
            actor="states",
            duration=now - scheduled["timestamp"],
            outcome="ok" if kind.endswith("Succeeded") else said.get("error") or "States.TaskFailed",
            trace=execution.trace,
            data={
                "execution": execution.arn,
                "event": kind,
                "kind": _KINDS[kind[:4]],
                "waited": (started or scheduled)["timestamp"] - scheduled["timestamp"],
            },
        )


def _said(details: Any) -> Any:
    if not isinstance(details, dict):
        return details
    return {key: value for key, value in details.items() if value is not None}


class Aside:
    """The history of what is not in the execution's own: the iterations of a distributed Map."""

    def __init__(self, execution: Execution | None) -> None:
        self.execution = execution

    def add_event(
        self,
        context: Any,
        event_type: str,
        event_details: dict[str, Any] | None = None,
        timestamp: Any = None,
        update_source_event_id: bool = True,
    ) -> int:
        context.last_published_event_id = context.source_event_id
        return int(context.source_event_id)
