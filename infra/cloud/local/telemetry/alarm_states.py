"""What metric alarms and composite alarms have in common: a configuration, and a state with its reason."""

from __future__ import annotations

import dataclasses
from typing import Any, Protocol, TypeVar

from .alarms import State

ACTIONS: dict[State, str] = {
    "OK": "OKActions", "ALARM": "AlarmActions", "INSUFFICIENT_DATA": "InsufficientDataActions",
}  # fmt: skip


@dataclasses.dataclass(frozen=True, slots=True)
class Change:
    """What an alarm was before its state changed."""

    state: State
    reason: str
    reason_data: str
    updated_at: int
    suppressed_by: str = ""


@dataclasses.dataclass(slots=True, kw_only=True)
class Stated:
    """An alarm: what was asked for (``given``, the parameters of the operation that put it), and its state.
    Times in microseconds."""

    name: str
    given: dict[str, Any]
    configured_at: int
    state: State = "INSUFFICIENT_DATA"
    reason: str = "Unchecked: Initial alarm creation"
    reason_data: str = ""
    updated_at: int = 0
    transitioned_at: int = 0
    suppressed_by: str = ""
    """Of a composite alarm: ``WaitPeriod``, ``ExtensionPeriod``, ``Alarm``; "" if its actions are taken."""

    def switch(
        self, state: State, reason: str, reason_data: str, now: int, suppressed_by: str = ""
    ) -> Change:
        """Take another state; returns what was before."""
        before = self._change()
        self.state, self.reason, self.reason_data = state, reason, reason_data
        self.suppressed_by = suppressed_by
        self.updated_at = self.transitioned_at = now
        return before

    def suppress(self, by: str, now: int) -> Change:
        """Keep the state; its actions are suppressed by something else now, or ("") not any more."""
        before = self._change()
        self.suppressed_by, self.updated_at = by, now
        return before

    def _change(self) -> Change:
        return Change(self.state, self.reason, self.reason_data, self.updated_at, self.suppressed_by)

    def keep_state_of(self, known: Stated) -> None:
        """An alarm that is put again keeps its state."""
        self.state, self.reason, self.reason_data = known.state, known.reason, known.reason_data
        self.updated_at, self.transitioned_at = known.updated_at, known.transitioned_at
        self.suppressed_by = known.suppressed_by

    def wanted_actions(self) -> list[str]:
        """ARNs of the actions of the present state; none if the alarm's actions are disabled."""
        if not self.given.get("ActionsEnabled", True):
            return []
        return list(self.given.get(ACTIONS[self.state]) or [])


_Kind = TypeVar("_Kind", bound=Stated, contravariant=True)


class Actions(Protocol[_Kind]):
    """What becomes of a change of state."""

    def announce(self, alarm: _Kind, before: Change) -> str:
        """Tell EventBridge; returns the trace that the change belongs to."""

    def perform(self, alarm: _Kind, before: Change, trace: str) -> list[str]:
        """Start the actions of the state that the alarm has; returns those that are not simulated."""

    def repeat(self, alarm: _Kind, values: list[float]) -> None:
        """Its state stays, on these data points, oldest first: call what is called for as long as it does."""
