"""Asynchronous invocation: Lambda takes the event, answers at once, and then keeps trying.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html:

- a function error is retried after 1 minute, then after 2 (MaximumRetryAttempts 0 to 2, default 2);
- a throttle or a system error puts the event back; the interval grows exponentially from 1 second to 5
  minutes, for up to 6 hours or MaximumEventAgeInSeconds; it does not count as an attempt (that it doubles,
  and is spread over its upper half, are assumptions: AWS publishes neither);
- an event whose next attempt would come after its maximum age is discarded at once (as observed on AWS; the
  documentation does not say whether Lambda looks ahead);
- with reserved concurrency 0 an event goes to the failure destination and dead-letter queue without a retry
  (https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html).

Nothing polls: each event has one timer, for its next attempt, in the foreground, so the cloud settles only
when every event has been processed or discarded."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..backoff import doubling, upper_half
from ..kernel import SECOND
from ..lineage import extended, under
from ..service import ServiceError
from .destinations import (
    EVENT_AGE_EXCEEDED,
    RECURSIVE_LOOP,
    RETRIES_EXHAUSTED,
    SUCCESS,
    ZERO_RESERVED,
    Destinations,
    dead_letter_attributes,
    invocation_record,
    response_context,
)
from .invocation import Invocation, Invoker, Request
from .model import ACTIVE, EventInvokeConfig, Function, Version
from .names import LATEST
from .recursion import loops

if TYPE_CHECKING:
    from ..world import World
    from .concurrency import Slot
    from .registry import Target

RETRY_DELAYS_US = (60 * SECOND, 120 * SECOND)
DEFAULT_RETRIES = 2
DEFAULT_MAX_AGE_US = 6 * 3600 * SECOND
BACKOFF_LIMIT_US = 300 * SECOND


@dataclasses.dataclass(eq=False, slots=True)
class Event:
    """An event in Lambda's internal queue, from ``invoked_by`` (the invocations themselves are by "async").
    ``attempts`` counts runs of the function, ``refusals`` throttles since."""

    function: str
    target: str
    payload: bytes
    request_id: str
    invoked_by: str
    trace: str
    queued_at: int
    attempts: int = 0
    refusals: int = 0
    throttled: bool = False
    last: Invocation | None = None


def backoff(refusals: int, draw: float) -> int:
    """µs until the next attempt after the nth throttle or system error in a row (n from 1).

    The interval is 1, 2, 4 … 300 s, of which ``draw`` (0 to 1) takes the upper half.
    """
    return upper_half(doubling(refusals, SECOND, BACKOFF_LIMIT_US), draw)


def next_step(attempts: int, retries: int, age: int, max_age: int) -> tuple[str, int]:
    """After a function error: ("retry", delay in µs), or (the condition it is discarded with, 0)."""
    if attempts > retries:
        return RETRIES_EXHAUSTED, 0
    delay = RETRY_DELAYS_US[min(attempts, len(RETRY_DELAYS_US)) - 1]
    return (EVENT_AGE_EXCEEDED, 0) if age + delay > max_age else ("retry", delay)


class EventQueue:
    """The internal queues of all functions. ``resolve`` and ``choose`` come from the registry."""

    def __init__(
        self,
        world: World,
        invoker: Invoker,
        resolve: Callable[[str], Target],
        choose: Callable[[Target], Version],
        stop_loop: Callable[[Function, str, str], None],
    ) -> None:
        self._world = world
        self._kernel = world.kernel
        self._journal = world.journal
        self._invoker = invoker
        self._resolve = resolve
        self._choose = choose
        self._stop_loop = stop_loop
        self._destinations = Destinations(world)

    def put(self, event: Event) -> None:
        """Take an event; its first attempt comes after Lambda's own delivery time."""
        self._note("queued", event, "")
        self._kernel.call_later(self._world.latency.sample("lambda.async_delivery"), self._attempt, event)

    def _attempt(self, event: Event) -> None:
        """A timer's callback: decide without waiting, and start a task only for what runs."""
        try:
            target = self._resolve(event.target)
            version = self._choose(target)
        except ServiceError:
            self._note("dropped", event, "ResourceNotFoundException")
            return
        max_age = self._max_age(target)
        age = self._kernel.now - event.queued_at
        if target.function.reserved == 0:
            self._discard(event, target, version, ZERO_RESERVED)
            return
        if age > max_age:
            self._discard(event, target, version, EVENT_AGE_EXCEEDED)
            return
        if loops(target.function, event.trace, event.invoked_by):
            self._stop_loop(target.function, event.invoked_by, event.trace)
            self._discard(event, target, version, RECURSIVE_LOOP)
            return
        if version.configuration.tracing == ACTIVE:  # decided once, whatever attempts follow
            trace = extended(event.trace, target.function.arn, event.invoked_by)
            decided = self._world.xray.functions.decided(version, trace, event.invoked_by)
            event.trace = under(event.trace, decided.parent, decided.sampled)
        request = Request(
            event.payload,
            event.request_id,
            target.invoked_arn,
            "async",
            event.queued_at,
            extended(event.trace, target.function.arn, event.invoked_by),
        )
        try:
            slot = self._invoker.acquire(version, target.qualifier, request, synchronous=False)
        except ServiceError as error:
            event.refusals += 1
            event.throttled = True
            delay = backoff(event.refusals, self._kernel.rng("lambda.backoff").random())
            if age + delay > max_age:
                self._discard(event, target, version, EVENT_AGE_EXCEEDED)
                return
            self._note("retry", event, str(error.fields.get("Reason", error.code)))
            self._kernel.call_later(delay, self._attempt, event)
            return
        self._kernel.spawn(
            self._run, event, target, version, slot, request, name=f"lambda.async {event.function}"
        )

    def _run(self, event: Event, target: Target, version: Version, slot: Slot, request: Request) -> None:
        event.attempts += 1
        event.refusals = 0
        event.throttled = False
        invocation = event.last = self._invoker.execute(version, slot, request)
        config = self._config(target)
        if invocation.ok:
            if config is not None and config.on_success:
                self._send(event, target, version, SUCCESS, config.on_success)
            return
        retries = DEFAULT_RETRIES if config is None or config.retries is None else config.retries
        age = self._kernel.now - event.queued_at
        step, delay = next_step(event.attempts, retries, age, self._max_age(target))
        if step == "retry":
            self._note("retry", event, invocation.error_type)
            self._kernel.call_later(delay, self._attempt, event)
        else:
            self._discard(event, target, version, step)

    def _discard(self, event: Event, target: Target, version: Version, condition: str) -> None:
        """The end of an event that was not processed; destination and dead-letter queue each get their
        copy."""
        self._note("dropped", event, condition)
        config = self._config(target)
        if config is not None and config.on_failure:
            self._kernel.spawn(
                self._send,
                event,
                target,
                version,
                condition,
                config.on_failure,
                name="lambda.async destination",
            )
        if version.configuration.dead_letter_arn:
            self._kernel.spawn(
                self._destinations.bury,
                event,
                version.configuration.role,
                version.configuration.dead_letter_arn,
                event.payload.decode() or "{}",
                dead_letter_attributes(event.request_id, condition, event.last, event.throttled),
                name="lambda.async dead-letter queue",
            )

    def _send(self, event: Event, target: Target, version: Version, condition: str, to: str) -> None:
        response = None
        if condition not in (ZERO_RESERVED, RECURSIVE_LOOP):
            response = response_context(event.last, event.throttled)
        answered = response is not None and not event.throttled and event.last is not None
        body = invocation_record(
            timestamp=self._world.datetime().isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            request_id=event.request_id,
            function_arn=f"{target.function.arn}:{target.qualifier or LATEST}",
            condition=condition,
            attempts=event.attempts,
            payload=event.payload,
            response=response,
            response_payload=event.last.payload if answered and event.last is not None else None,
        )
        self._destinations.deliver(event, target, version.configuration.role, to, body, condition)

    @staticmethod
    def _config(target: Target) -> EventInvokeConfig | None:
        return target.function.event_invoke.get(target.qualifier or LATEST)

    def _max_age(self, target: Target) -> int:
        config = self._config(target)
        return DEFAULT_MAX_AGE_US if config is None or config.max_age_s is None else config.max_age_s * SECOND

    def _note(self, fact: str, event: Event, reason: str) -> None:
        self._journal.record(
            f"lambda.async.{fact}",
            event.function,
            actor=event.invoked_by,
            trace=event.trace,
            data={"request_id": event.request_id, "attempt": event.attempts, "reason": reason},
        )
