"""The pollers of one queue's mapping: receive, filter, invoke, delete.

One dispatcher waits for messages (a long poll: no timer, no cost while the queue is empty) and hands them to
workers, one task per batch that is being processed. A worker that is done receives again by itself, until the
queue is empty or there are too many workers.

- https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
- https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
- https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html

With a batching window only one batch is open at a time: it is filled by as many parallel receives as there
may be pollers, until it is full, its window is over or it has reached 6 MB. (AWS may open several; it
documents only the three limits.)
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..kernel import MILLISECOND, SECOND, Event, Task
from ..lineage import LIMIT, linked, rounds, runs
from ..service import ServiceError
from . import batches
from .filters import Filters
from .reader import Reader
from .scaling import Scaling, retry_delay
from .sink import FunctionSink, Sink

if TYPE_CHECKING:
    from ..stores.sqs.message import Message
    from ..world import World

REFUSED_PAUSE = 60 * SECOND
"""How long a mapping waits that may not read its queue any more (its role has changed)."""


@dataclasses.dataclass(frozen=True, slots=True)
class Settings:
    """What a mapping asks of its pollers. ``window`` in µs; ``maximum`` is MaximumConcurrency."""

    uuid: str
    function: str  # ARN, as invoked
    function_name: str
    queue_arn: str
    batch_size: int
    window: int
    report_failures: bool
    filters: Filters
    maximum: int | None
    metrics: bool = False


class Batch:
    """Messages on their way to the function, and those that the filters dropped."""

    __slots__ = ("dropped", "messages", "received", "records", "size")

    def __init__(self, received: int) -> None:
        self.received = received
        self.messages: list[Message] = []
        self.records: list[str] = []
        self.dropped: list[Message] = []
        self.size = 0


class Fleet:
    """Pollers of one mapping, from ``start`` to ``stop``. What is in flight at ``stop`` is finished."""

    def __init__(
        self, world: World, settings: Settings, role: Callable[[], str | None], sink: Sink | None = None
    ) -> None:
        """``role`` tells the function's execution role as it is now: the queue is read as that role. Batches
        go to the mapping's function, or to ``sink``."""
        self.settings = settings
        self.scaling = Scaling(settings.maximum)
        self.busy = 0
        self._world = world
        self._sink = sink or FunctionSink(world, settings.function)
        self._kernel = world.kernel
        self._reader = Reader(world, settings.queue_arn, settings.uuid, role)
        self._queue = self._reader.queue
        self._stopping = False
        self._free: Event = world.kernel.event(f"a free poller of {settings.function_name}")
        self._dispatcher: Task | None = None
        self._waiting = False

    def start(self) -> None:
        self._dispatcher = self._kernel.spawn(
            self._dispatch, name=f"mapping {self.settings.function_name}", context=self._reader.caller
        )

    def stop(self) -> None:
        """Receive no more."""
        self._stopping = True
        if self._dispatcher is not None and self._waiting:
            self._kernel.kill(self._dispatcher)

    # -- the dispatcher ----------------------------------------------------------------------------

    def _dispatch(self) -> None:
        queue, kernel, scaling = self._queue, self._kernel, self.scaling
        while not self._stopping:
            self._waiting = True
            queue.wait_for_messages(None)
            if self.busy >= scaling.allowed:
                due = scaling.saturated(kernel.now)
                if self.busy >= scaling.allowed:
                    self._free.clear()
                    self._free.wait(None if due is None else due - kernel.now)
                    continue
            self._waiting = False
            if queue.deleted:
                return
            if not self._reader.may("ReceiveMessage"):
                self._pause()
                continue
            self.busy += 1
            if self.settings.window:
                batch = self._gather()
                self._spawn(self._work_once, batch)
                continue
            messages = self._reader.receive(self.settings.batch_size)
            if messages:
                self._spawn(self._work, messages)
            else:  # only dead letters, or a fault: ask again, like a poller that got an empty answer
                self.busy -= 1
                kernel.sleep(max(self._reader.latency("ReceiveMessage"), MILLISECOND))

    def _spawn(self, work: Any, load: Any) -> None:
        self._kernel.spawn(
            work, load, name=f"poller of {self.settings.function_name}", context=self._reader.caller
        )

    def _pause(self) -> None:
        """The role may not read the queue: nothing to do until it changes. A background matter."""
        self._waiting = True
        wake = self._kernel.event("a change of the execution role")
        self._kernel.call_later(REFUSED_PAUSE, wake.set, background=True)
        wake.wait()
        self._waiting = False

    def _gather(self) -> Batch:
        """Fill a batch for at most the window."""
        kernel, settings = self._kernel, self.settings
        batch = Batch(kernel.now)
        deadline = kernel.now + settings.window
        while True:
            latency = self._reader.latency("ReceiveMessage")
            found: list[Message] = []
            for _ in range(self.scaling.allowed):
                missing = settings.batch_size - len(batch.messages) - len(found)
                if missing <= 0 or not self._queue.wait_for_messages(0):
                    break
                received = self._reader.receive(missing)
                if not received:
                    break
                found += received
            kernel.sleep(latency if found else max(latency, MILLISECOND))
            self._add(batch, found)
            if (
                len(batch.messages) >= settings.batch_size
                or batch.size >= batches.PAYLOAD_LIMIT
                or self._stopping
                or not self._queue.wait_for_messages(deadline - kernel.now)
                or self._queue.deleted
            ):
                return batch

    # -- the workers -------------------------------------------------------------------------------

    def _work(self, messages: list[Message]) -> None:
        """Process batch after batch while there are messages and this poller is still wanted."""
        kernel, queue = self._kernel, self._queue
        try:
            latency = self._reader.latency("ReceiveMessage")
            kernel.sleep(latency - (latency >> 1))  # the answer travels; the request was there already
            while True:
                batch = Batch(kernel.now)
                self._add(batch, messages)
                self._process(batch)
                if self._stopping or self.busy > self.scaling.allowed:
                    return
                latency = self._reader.latency("ReceiveMessage")
                kernel.sleep(latency >> 1)
                if self._stopping or not queue.wait_for_messages(0) or queue.deleted:
                    return
                if not self._reader.may("ReceiveMessage"):
                    return
                messages = self._reader.receive(self.settings.batch_size)
                if not messages:
                    return
                kernel.sleep(latency - (latency >> 1))
        finally:
            self._done()

    def _work_once(self, batch: Batch) -> None:
        try:
            self._process(batch)
        finally:
            self._done()

    def _done(self) -> None:
        self.busy -= 1
        if self.busy < self.scaling.allowed and not self._queue.visible:
            self.scaling.relaxed(self._kernel.now)
        self._free.set()

    def _add(self, batch: Batch, messages: list[Message]) -> None:
        settings = self.settings
        arn, region, filters = settings.queue_arn, self._world.region, settings.filters
        windowed = settings.window > 0
        for message in messages:
            record = batches.record(message, arn, region, windowed=windowed)
            if filters and not filters.accept(record, message.body):
                batch.dropped.append(message)
                continue
            batch.messages.append(message)
            batch.records.append(record)
            batch.size += len(record) + 1

    def _process(self, batch: Batch) -> None:
        """Invoke the function with what passed the filters; delete what did not, and what was processed."""
        if batch.dropped:
            left = self._reader.delete(batch.dropped)
            if not batch.messages:
                self._record(batch.received, "ok", [], [], batch.dropped, left, "")
                return
        start = 0
        counts = batches.cut([len(record) for record in batch.records])
        for position, count in enumerate(counts):
            end = start + count
            self._invoke(
                batch.messages[start:end],
                batch.records[start:end],
                batch.received,
                batch.dropped if position == 0 else [],
            )
            start = end

    def _invoke(
        self, messages: list[Message], records: list[str], received: int, dropped: list[Message]
    ) -> None:
        settings = self.settings
        ids = [message.message_id for message in messages]
        payload = batches.event(records)
        outcome, failed = self._call(payload, ids, messages)
        if outcome == "RecursiveInvocationException":
            self._stop_loop(messages, records, received, dropped)
            return
        if failed and not settings.report_failures:
            self.scaling.failed(self._kernel.now)
        left: list[str] = []
        if len(failed) < len(ids):
            refused = set(failed)
            left = self._reader.delete([item for item in messages if item.message_id not in refused])
        self._record(received, outcome, ids, failed, dropped, left, messages[0].trace)

    def _stop_loop(
        self, messages: list[Message], records: list[str], received: int, dropped: list[Message]
    ) -> None:
        """Give up the messages that go round in a loop; the rest of the batch is invoked without them."""
        function = self._world.functions.target(self.settings.function).function.arn
        stopped = [message for message in messages if runs(message.trace, function) >= LIMIT]
        self._queue.give_up(stopped)
        ids = [message.message_id for message in stopped]
        self._record(received, "RecursiveInvocationException", ids, ids, dropped, [], stopped[0].trace)
        kept = [place for place, message in enumerate(messages) if message not in stopped]
        if kept:
            self._invoke([messages[at] for at in kept], [records[at] for at in kept], received, [])

    def _call(self, payload: bytes, ids: list[str], messages: list[Message]) -> tuple[str, list[str]]:
        """Invoke until the function takes the batch or the first message's visibility ends.

        Returns the outcome for the journal and the ids of the messages that have failed: Lambda leaves those
        alone, so they come back when their visibility timeout is over, and count as received once more.
        """
        kernel = self._kernel
        if len(payload) > batches.PAYLOAD_LIMIT:
            return "RequestTooLargeException", ids
        arrived = kernel.now
        traces = [message.trace for message in messages]
        trace = linked(max(traces, key=rounds), traces)
        until = min(message.invisible_until for message in messages)
        attempt = 0
        while True:
            try:
                answer = self._sink.take(payload, ids, source="sqs", trace=trace, arrived=arrived)
                break
            except ServiceError as error:
                if error.code != "TooManyRequestsException":
                    return error.code, ids
                attempt += 1
                self.scaling.failed(kernel.now)
                delay = retry_delay(attempt)
                if self._stopping or kernel.now + delay >= until:
                    return error.code, ids
                kernel.sleep(delay)
        if answer.function_error:
            return answer.error_type or answer.function_error, ids
        if self.settings.report_failures:
            return "ok", batches.failed_items(answer.payload, ids)
        return "ok", []

    def _record(
        self,
        received: int,
        outcome: str,
        ids: list[str],
        failed: list[str],
        dropped: list[Message],
        left: list[str],
        trace: str,
    ) -> None:
        settings = self.settings
        data: dict[str, Any] = {
            "function": settings.function_name,
            "queue": settings.queue_arn,
            "messages": ids,
            "failed": failed,
            "filtered": [message.message_id for message in dropped],
        }
        if left:
            data["not_deleted"] = left
        if settings.metrics:
            data["metrics"] = True
        self._world.journal.record(
            "esm.batch",
            settings.uuid,
            actor=self._sink.actor,
            duration=self._kernel.now - received,
            outcome=outcome,
            trace=trace,
            data=data,
        )
