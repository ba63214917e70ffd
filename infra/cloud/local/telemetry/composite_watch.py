"""Composite alarms: evaluated when an alarm of their rule changes its state, and held back by a suppressor.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-combining.html: a composite alarm is in
INSUFFICIENT_DATA only until its first evaluation; one that depends on itself is not evaluated.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-suppression.html: while the suppressor is
in ALARM no actions are taken. A change of state begins a wait period, in which the suppressor may still go to
ALARM; a suppressor that leaves ALARM begins an extension period, in which the composite alarm may still
change. A change of the composite alarm ends either period and begins a wait period. At the end of a period
the actions of the present state are taken; that is an update of the state, too, as the documented event of a
function shows. What the page leaves open, here: actions that were taken are not taken again when a suppressor
comes and goes without a change of the composite alarm.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from typing import Any

from ..journal import Journal
from ..kernel import SECOND, Kernel, Timer
from .alarm_states import Actions, Stated
from .alarm_watch import AlarmWatch
from .alarms import State
from .composite_rules import Rule, alarm_name
from .queries import moment


@dataclasses.dataclass(slots=True, kw_only=True)
class Composite(Stated):
    """``given`` are PutCompositeAlarm's parameters."""

    rule: Rule
    timer: Timer | None = None
    """When the wait period or the extension period ends."""

    @property
    def suppressor(self) -> str:
        return alarm_name(self.given.get("ActionsSuppressor") or "")

    @property
    def wait_period(self) -> int:
        return int(self.given.get("ActionsSuppressorWaitPeriod", 0)) * SECOND

    @property
    def extension_period(self) -> int:
        return int(self.given.get("ActionsSuppressorExtensionPeriod", 0)) * SECOND


class CompositeWatch:
    """``alarms`` is in the order in which they were created."""

    def __init__(
        self,
        kernel: Kernel,
        journal: Journal,
        metric_alarms: AlarmWatch,
        actions: Actions[Composite],
        arns: str,
    ) -> None:
        """``arns`` is what every alarm's ARN begins with."""
        self.alarms: dict[str, Composite] = {}
        self._kernel = kernel
        self._journal = journal
        self._metric_alarms = metric_alarms
        self._actions = actions
        self._arns = arns
        metric_alarms.listeners.append(self._changed)

    def put(self, alarm: Composite) -> None:
        """Watch an alarm, in place of the one of its name if there is one; it is evaluated in a moment."""
        known = self.alarms.get(alarm.name)
        self.alarms[alarm.name] = alarm
        if known is not None:
            alarm.keep_state_of(known)
            self._take_over(alarm, known)
        verb = "created" if known is None else "updated"
        self._kernel.call_at(self._kernel.now, self._evaluate_put, alarm, verb, background=True)

    def remove(self, name: str) -> None:
        self._stop_waiting(self.alarms.pop(name))

    def dependents(self, name: str) -> list[str]:
        """The composite alarms that cannot do without the alarm."""
        return [
            one.name for one in self.alarms.values() if name in one.rule.children or name == one.suppressor
        ]

    def parents(self, name: str) -> list[Composite]:
        return [one for one in self.alarms.values() if name in one.rule.children]

    def set_state(self, alarm: Composite, state: State, reason: str, reason_data: str) -> None:
        """Change the state and write it down. An alarm that keeps its state keeps its reason."""
        if state == alarm.state:
            return
        data: dict[str, Any] = {"alarm": alarm.name, "from": alarm.state, "to": state, "reason": reason}
        if reason_data:
            data["reason_data"] = reason_data
        data["composite"] = True
        self._stop_waiting(alarm)
        by, length = self._suppression(alarm)
        before = alarm.switch(state, reason, reason_data, self._kernel.now, by)
        self._wait(alarm, length)
        trace = self._actions.announce(alarm, before)
        left = [] if by else self._actions.perform(alarm, before, trace)
        if left:
            data["actions"] = "not simulated: " + ", ".join(left)
        if by:
            data["suppressed_by"] = by
        self._journal.record("cloudwatch.alarm", alarm.name, actor="cloudwatch", data=data)
        self._changed(alarm.name)

    # -- evaluation ------------------------------------------------------------------------------

    def _changed(self, name: str) -> None:
        """An alarm of either kind has another state now."""
        for alarm in list(self.alarms.values()):
            if name in alarm.rule.children:
                found = self._find(name)
                moved = (
                    f"transitioned to {found.state} at {moment(found.updated_at):%A %d %B, %Y %H:%M:%S} UTC"
                )
                self._evaluate(alarm, f"{self._arns}{name} {moved}", [name])
            if name == alarm.suppressor:
                self._suppressor_changed(alarm)

    def _evaluate_put(self, alarm: Composite, verb: str) -> None:
        if self.alarms.get(alarm.name) is alarm:
            reason = (
                f"{self._arns}{alarm.name} was {verb} and its alarm rule evaluates to {self._result(alarm)}"
            )
            # The last of the rule comes first, in AWS's documentation and as it was recorded.
            self._evaluate(alarm, reason, alarm.rule.children[::-1])

    def _evaluate(self, alarm: Composite, reason: str, triggering: Sequence[str]) -> None:
        if self._depends_on_itself(alarm):
            return
        children = []
        for name in triggering:
            found = self._find(name)
            state = {"value": found.state, "timestamp": _time(found.updated_at)}
            children.append({"arn": f"{self._arns}{name}", "state": state})
        data = json.dumps({"triggeringAlarms": children}, separators=(",", ":"))
        self.set_state(alarm, self._result(alarm), reason, data)

    def _result(self, alarm: Composite) -> State:
        return "ALARM" if alarm.rule.holds(lambda name: self._find(name).state) else "OK"

    def _depends_on_itself(self, alarm: Composite) -> bool:
        seen: set[str] = set()
        waiting = list(alarm.rule.children)
        while waiting:
            name = waiting.pop()
            if name == alarm.name:
                return True
            if name not in seen and name in self.alarms:
                seen.add(name)
                waiting += self.alarms[name].rule.children
        return False

    def _find(self, name: str) -> Stated:
        return self._metric_alarms.alarms.get(name) or self.alarms[name]

    # -- suppression -----------------------------------------------------------------------------

    def _suppression(self, alarm: Composite) -> tuple[str, int]:
        """What suppresses the actions of a change that happens now, and for how long (0: until told)."""
        if not alarm.suppressor:
            return "", 0
        if self._find(alarm.suppressor).state == "ALARM":
            return "Alarm", 0
        return ("WaitPeriod", alarm.wait_period) if alarm.wait_period else ("", 0)

    def _suppressor_changed(self, alarm: Composite) -> None:
        if not alarm.suppressed_by:
            return
        if self._find(alarm.suppressor).state == "ALARM":
            self._suppress(alarm, "Alarm", 0)
        elif alarm.suppressed_by == "Alarm":
            length = alarm.extension_period
            self._suppress(alarm, "ExtensionPeriod" if length else "", length)

    def _suppress(self, alarm: Composite, by: str, length: int) -> None:
        """Something else suppresses the actions now; if nothing does, the present state's are taken."""
        self._stop_waiting(alarm)
        before = alarm.suppress(by, self._kernel.now)
        self._wait(alarm, length)
        trace = self._actions.announce(alarm, before)
        if not by:
            self._actions.perform(alarm, before, trace)
        data = {"alarm": alarm.name, "from": before.suppressed_by, "to": by, "state": alarm.state}
        self._journal.record("cloudwatch.alarm.suppression", alarm.name, actor="cloudwatch", data=data)

    def _take_over(self, alarm: Composite, known: Composite) -> None:
        """Go on suppressing what the alarm's configuration before this one did. Another suppressor ends a
        period that ran, and begins one of its own; none lets the actions go."""
        due = known.timer.time if known.timer is not None else None
        self._stop_waiting(known)
        if not alarm.suppressed_by:
            return
        if alarm.suppressor != known.suppressor:
            self._suppress(alarm, *self._suppression(alarm))
        elif due is not None:
            self._wait(alarm, due - self._kernel.now)

    def _wait(self, alarm: Composite, length: int) -> None:
        if length:
            due = self._kernel.now + length
            alarm.timer = self._kernel.call_at(due, self._suppress, alarm, "", 0, background=True)

    @staticmethod
    def _stop_waiting(alarm: Composite) -> None:
        if alarm.timer is not None:
            alarm.timer.cancel()
            alarm.timer = None


def _time(micros: int) -> str:
    return f"{moment(micros):%Y-%m-%dT%H:%M:%S}.{micros % SECOND // 1000:03d}+0000"
