"""A schedule's clockwork: one timer each, an invocation at its moment, retries, the dead-letter queue.

A schedule's next invocation is a ``background`` timer, also that of a one-time schedule: ``settle()`` waits
for what is under way, and a time that has not come is not under way. ``advance`` brings it. What has been
invoked is in the foreground until it is delivered, dropped or in the dead-letter queue.

- the moment: within the minute of the scheduled time, or within its flexible window
  (https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-flexible-time-windows.html)
- retries and dead-letter queue, with its message attributes:
  https://docs.aws.amazon.com/scheduler/latest/UserGuide/configuring-schedule-dlq.html
- deletion after completion: https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-delete.html
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ...kernel import SECOND
from ...service import Caller, ServiceError
from ..retries import next_attempt, retriable
from ..targets import Delivery, deliver
from .model import Schedule, moment
from .targets import Invocation, invoke, payload

if TYPE_CHECKING:
    from ...world import World


@dataclasses.dataclass(frozen=True, slots=True)
class _Run:
    """One invocation: of which schedule, with the target as it was then, by whose right, for which time."""

    schedule: Schedule
    target: dict[str, Any]
    caller: Caller
    execution: str
    scheduled: str


class Clockwork:
    """``completed`` is called for a schedule after its last invocation has ended."""

    def __init__(self, world: World, completed: Callable[[Schedule], None]) -> None:
        self._world = world
        self._kernel = world.kernel
        self._completed = completed

    def offset(self) -> int:
        """Where in its minute a new schedule fires, in µs: whole seconds, as seen on AWS."""
        return self._kernel.rng("scheduler.precision").randrange(60) * SECOND

    def arm(self, schedule: Schedule) -> None:
        """Set the timer for the next invocation, if there is one."""
        self.disarm(schedule)
        if not schedule.enabled:
            return
        time = schedule.next_time()
        if time is None:
            return
        window = schedule.window_us
        offset = self._kernel.rng("scheduler.window").randrange(window) if window else schedule.offset
        schedule.timer = self._kernel.call_at(
            max(time + offset, self._kernel.now), self._fire, schedule, time, background=True
        )

    def disarm(self, schedule: Schedule) -> None:
        if schedule.timer is not None:
            schedule.timer.cancel()
            schedule.timer = None

    def _fire(self, schedule: Schedule, time: int) -> None:
        schedule.timer = None
        schedule.last = time
        self.arm(schedule)
        self._kernel.spawn(self._run, schedule, dict(schedule.request["Target"]), time, name="scheduler")

    def _run(self, schedule: Schedule, target: dict[str, Any], time: int) -> None:
        """One invocation, until it is delivered or given up."""
        kernel = self._kernel
        trace = self._world.new_trace()
        run = _Run(
            schedule,
            target,
            Caller("service", "scheduler", role=target["RoleArn"], trace=trace),
            f"{kernel.rng('scheduler.execution').getrandbits(64):016x}",
            moment(time).strftime("%Y-%m-%dT%H:%M:%SZ"),
        )
        policy = target["RetryPolicy"]
        began = kernel.now
        attempt = 1
        while True:
            body = payload(Invocation(schedule, run.scheduled, run.execution, attempt), self._world.account)
            error = self._attempt(run, body, attempt)
            if error is None:
                break
            exhausted, delay = next_attempt(
                attempt,
                kernel.now - began,
                policy["MaximumRetryAttempts"],
                policy["MaximumEventAgeInSeconds"] * SECOND,
                kernel.rng("scheduler.backoff").random(),
            )
            if exhausted or not retriable(error):
                self._give_up(run, body, error, exhausted, attempt)
                break
            kernel.sleep(delay)
            attempt += 1
        if schedule.timer is None and schedule.enabled and schedule.next_time() is None:
            self._completed(schedule)

    def _attempt(self, run: _Run, body: str, attempt: int) -> ServiceError | None:
        """Call the target and write it down; returns what was wrong."""
        started = self._kernel.now
        error = None
        try:
            invoke(self._world, run.target, body, run.caller, run.schedule.region)
        except ServiceError as raised:
            error = raised
        self._world.journal.record(
            "scheduler.delivery",
            run.schedule.arn,
            actor="scheduler",
            duration=self._kernel.now - started,
            outcome="ok" if error is None else error.code,
            trace=run.caller.trace,
            data={"to": run.target["Arn"], "id": run.execution, "attempt": attempt},
        )
        return error

    def _give_up(self, run: _Run, body: str, error: ServiceError, exhausted: str, attempt: int) -> None:
        """What was to be sent goes to the dead-letter queue, if there is one."""
        record, trace, arn = self._world.journal.record, run.caller.trace, run.schedule.arn
        data = {"to": run.target["Arn"], "id": run.execution, "attempt": attempt}
        reason = exhausted or error.code
        record("scheduler.dropped", arn, actor="scheduler", trace=trace, data={**data, "reason": reason})
        queue = (run.target.get("DeadLetterConfig") or {}).get("Arn")
        if queue is None:
            return
        values = {
            "ERROR_CODE": error.code,
            "ERROR_MESSAGE": error.message or error.code,
            "EXECUTION_ID": run.execution,
            "EXHAUSTED_RETRY_CONDITION": exhausted,
            "IS_PAYLOAD_TRUNCATED": "false",
            "RETRY_ATTEMPTS": str(attempt - 1),
            "SCHEDULED_TIME": run.scheduled,
            "SCHEDULE_ARN": arn,
            "TARGET_ARN": run.target["Arn"],
        }
        attributes = {
            name: {"DataType": "String", "StringValue": value} for name, value in values.items() if value
        }
        outcome = "ok"
        try:
            deliver(self._world, Delivery(queue, body, run.caller, message_attributes=attributes))
        except ServiceError as raised:
            outcome = raised.code
        record(
            "scheduler.dead_letter",
            arn,
            actor="scheduler",
            outcome=outcome,
            trace=trace,
            data={**data, "to": queue},
        )
