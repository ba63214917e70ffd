"""The history of an execution: its events, numbered as AWS numbers them.

https://docs.aws.amazon.com/step-functions/latest/apireference/API_GetExecutionHistory.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .execution import Execution

LIMIT = 25_000
"""Events in the history of a standard execution.
https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html"""


class Full(Exception):
    """The history has as many events as a standard execution may have."""


class History:
    """Stands in place of the interpreter's ``EventManager``."""

    def __init__(self, execution: Execution) -> None:
        self._execution = execution
        self._kernel = execution.world.kernel
        self.events: list[dict[str, Any]] = []

    def add_event(
        self,
        context: Any,
        event_type: str,
        event_details: dict[str, Any] | None = None,
        timestamp: Any = None,
        update_source_event_id: bool = True,
    ) -> int:
        number = len(self.events) + 1
        event: dict[str, Any] = dict(event_details) if event_details else {}
        event["id"] = number
        event["previousEventId"] = context.source_event_id
        event["type"] = getattr(event_type, "value", event_type)
        event["timestamp"] = self._kernel.now
        context.last_published_event_id = number
        if update_source_event_id:
            context.source_event_id = number
        self.events.append(event)
        return number
