"""Wakes who waits with an eye on alarms: CloudFormation, while it shifts an alias of a state machine."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ..journal import Entry
from ..kernel import Event

if TYPE_CHECKING:
    from ..world import World


class AlarmBell:
    """Rings some seconds after an alarm has gone off: who watches alarms looks at them every few seconds."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._waiting: dict[Event, tuple[str, ...]] = {}
        self._listening = False

    @contextlib.contextmanager
    def watching(self, names: Sequence[str]) -> Iterator[Event]:
        """The event is set once one of these alarms has gone off."""
        if not self._listening:
            self._listening = True
            self._world.journal.listen("cloudwatch.alarm", self._heard)
        event = self._world.kernel.event("an alarm to go off")
        self._waiting[event] = tuple(names)
        try:
            yield event
        finally:
            del self._waiting[event]

    def _heard(self, entry: Entry) -> None:
        for event, names in self._waiting.items():
            if entry.resource in names and entry.data["to"] == "ALARM":
                delay = self._world.latency.sample("codedeploy.alarm_poll")
                self._world.kernel.call_later(delay, event.set)
