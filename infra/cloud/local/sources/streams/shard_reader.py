"""Reads one shard for a mapping and hands batches on.

Lambda polls a shard of a Kinesis stream once a second and of a DynamoDB stream four times a second; a
consumer with enhanced fan-out is pushed to. While there are more records it goes on without waiting. Here
nothing polls: the reader wakes when a record arrives and then waits for the poll that would find it.
https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html and
https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html (polling and batching)

A batch ends at BatchSize, at 6 MB, at the end of the batching window (counted from its first record), and at
the boundary of a tumbling window. With parallelization, records go to as many lanes by their key; a lane has
one batch in flight, so records of one key are processed in order.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from ...kernel import MILLISECOND, SECOND, Event
from ...service import Caller, ServiceError
from . import cuts
from .lanes import Lanes
from .processor import Job, Processor, Window

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...stores.stream import Record, Shard
    from ...world import World

KINESIS_POLL = SECOND
DYNAMODB_POLL = 250 * MILLISECOND
REFUSED_PAUSE = 60 * SECOND
"""How long a mapping waits that may not read its stream any more (its role has changed)."""

REFUSED = "PROBLEM: Lambda does not have the permissions to read from the stream"


@dataclasses.dataclass(eq=False, slots=True)
class Progress:
    """How far a mapping has come in a shard; it outlives updates of the mapping. ``pending`` has been read
    and not been processed."""

    position: int
    released: Event
    pending: list[Record] = dataclasses.field(default_factory=list)
    window: Window | None = None
    done: bool = False
    busy: bool = False


@dataclasses.dataclass(eq=False, slots=True)
class Batch:
    """Records on their way to the function, as JSON text too, and how many the filters dropped."""

    records: list[Record] = dataclasses.field(default_factory=list)
    texts: list[str] = dataclasses.field(default_factory=list)
    size: int = 0
    dropped: int = 0
    full: bool = False
    final: bool = False


class ShardReader:
    """Reads from ``progress`` on until the mapping is stopped or the shard is exhausted."""

    def __init__(
        self,
        world: World,
        job: Job,
        shard: Shard,
        progress: Progress,
        consumer: str,
        finished: Callable[[Shard], None],
    ) -> None:
        """``consumer`` is the ARN of the consumer with enhanced fan-out, or "". ``finished`` is called when
        all of a closed shard is processed."""
        self._world = world
        self._kernel = world.kernel
        self._job = job
        self._shard = shard
        self._progress = progress
        self._finished = finished
        self._processor = self._new_processor()
        dynamodb = ":dynamodb:" in shard.stream.arn
        self._service = "dynamodbstreams" if dynamodb else "kinesis"
        self._consumer = consumer
        self._interval = 0 if consumer else DYNAMODB_POLL if dynamodb else KINESIS_POLL
        self._operation = "SubscribeToShard" if consumer else "GetRecords"
        self._asked = (
            {"ConsumerARN": consumer}
            if consumer
            else {"StreamArn" if dynamodb else "StreamARN": shard.stream.arn}
        )
        self._latency = f"{self._service}.{'fan_out' if consumer else 'GetRecords'}"
        self._phase = world.kernel.now
        self._most = job.settings.batch_size * job.settings.parallel
        self._exhausted = False
        self._lanes = Lanes(world.kernel, job, self._new_processor) if job.settings.parallel > 1 else None

    def run(self) -> None:
        progress, stop = self._progress, self._job.stop
        while progress.busy:  # what was in flight when the mapping was stopped is not done yet
            progress.released.wait()
        if stop.value or progress.done:
            return
        progress.busy = True
        try:
            while not stop.value:
                batch = self._collect()
                if batch is None:
                    break
                self._process(batch)
            if self._lanes is not None:
                progress.pending = self._lanes.drain() + progress.pending
            progress.done = self._exhausted and not progress.pending
        finally:
            progress.busy = False
            progress.released.set()
            progress.released.clear()
        if progress.done:
            self._finished(self._shard)

    def _new_processor(self) -> Processor:
        return Processor(self._world, self._job, self._shard)

    # -- collecting --------------------------------------------------------------------------------

    def _collect(self) -> Batch | None:
        """The next batch; None when the mapping is stopped or the shard exhausted."""
        progress, kernel, shard = self._progress, self._kernel, self._shard
        stop, window = self._job.stop, self._job.settings.window_s * SECOND
        batch = Batch()
        self._refill(batch)
        deadline: int | None = None
        while not stop.value:
            if not batch.full:
                self._fill(batch)
            if batch.full:
                return batch
            if batch.records:
                if not window:
                    return batch
                deadline = kernel.now + window if deadline is None else deadline
                if kernel.now >= deadline:
                    return batch
            elif batch.dropped:
                self._note_filtered(batch)
                batch = Batch()
            if shard.stream.deleted or shard.exhausted(progress.position):
                if batch.records:
                    return batch
                if progress.window is not None:
                    return Batch(final=True)
                self._exhausted = True
                return None
            if not batch.records and progress.window is not None:
                deadline = progress.window.start + self._job.settings.tumbling_s * SECOND + cuts.WINDOW_GRACE
                if kernel.now >= deadline:
                    return Batch(final=True)
            self._await(deadline)
            if not batch.records:
                deadline = None
        progress.pending = batch.records + progress.pending
        return None

    def _refill(self, batch: Batch) -> None:
        """What an earlier reader has read and not processed comes first."""
        progress = self._progress
        role = self._job.role() or ""
        taken = 0
        for record in progress.pending:
            if batch.full or not self._take(batch, record, record.render(self._shard, role)):
                break
            taken += 1
        del progress.pending[:taken]

    def _take(self, batch: Batch, record: Record, text: str) -> bool:
        """Add a record to the batch if it still belongs there."""
        length = self._job.settings.tumbling_s * SECOND
        if length:
            start = cuts.window_start(record.arrived, length)
            open_window = self._progress.window
            if open_window is None:
                self._progress.window = Window(start)
            elif open_window.start != start:
                batch.full = True
                batch.final = not batch.records
                return False
        size = len(text) + 1
        if batch.records and batch.size + size > cuts.ROOM - (cuts.STATE_LIMIT + 1024 if length else 0):
            batch.full = True
            return False
        batch.records.append(record)
        batch.texts.append(text)
        batch.size += size
        batch.full = len(batch.records) >= self._most
        return True

    def _fill(self, batch: Batch) -> None:
        """Add what a poll up to now has found."""
        progress, shard, filters = self._progress, self._shard, self._job.filters
        visible = self._visible()
        if progress.position >= visible or not self._may() or self._struck():
            return
        role = self._job.role() or ""
        while progress.position < visible and not batch.full:
            room = min(self._most - len(batch.records), visible - progress.position)
            records, after = shard.read(progress.position, room)
            self._note_expired(after - len(records) - progress.position)
            progress.position = after - len(records)
            if not records:
                break
            delay = shard.read_delay(records) if self._interval else 0
            shard.note_read(records, self._job.mapping.uuid, self._consumer)
            if delay:
                self._job.stop.wait(delay)
            for record in records:
                if filters and not filters.passes(record.filterable(shard, role)):
                    batch.dropped += 1
                elif not self._take(batch, record, record.render(shard, role)):
                    return
                progress.position += 1

    def _visible(self) -> int:
        """The position up to which records have been found."""
        shard = self._shard
        if not self._interval:
            return shard.end
        last = shard.last
        polled = self._phase + (self._kernel.now - self._phase) // self._interval * self._interval
        if last is None or last.arrived <= polled:
            return shard.end
        return shard.position("AT_TIMESTAMP", polled + 1)

    def _await(self, deadline: int | None) -> None:
        """Wait for the poll that finds the next record, at most until the deadline."""
        kernel, shard, stop = self._kernel, self._shard, self._job.stop
        left = None if deadline is None else deadline - kernel.now
        record = shard.peek(self._progress.position)
        if record is None:
            if not shard.wait(self._progress.position, left):
                return
            record = shard.peek(self._progress.position)
            if record is None:
                return
        if not self._interval:
            stop.wait(self._world.latency.sample(self._latency))
            return
        due = cuts.next_tick(record.arrived, self._phase, self._interval)
        if deadline is not None and deadline < due:
            stop.wait(deadline - kernel.now)
            return
        if due > kernel.now:
            stop.wait(due - kernel.now)
        if not stop.value:
            stop.wait(self._world.latency.sample(self._latency))

    def _may(self) -> bool:
        """Does the execution role, as it is now, allow reading? If not, wait: a background matter."""
        world = self._world
        caller = Caller("service", self._job.sink.actor, self._job.role())
        try:
            world.identity.check(
                caller, self._service, self._operation, self._asked, world.region, world.account
            )
            if self._service == "kinesis":
                world.kinesis.may_decrypt(self._shard.stream.arn, caller)
        except ServiceError:
            self._job.mapping.last_result = REFUSED
            self._kernel.call_later(REFUSED_PAUSE, self._shard.wake, background=True)
            self._shard.sleep_until_woken()
            return False
        return True

    def _struck(self) -> bool:
        """Has a fault hit this read? Then nothing was read, and the next poll tries again."""
        world = self._world
        if not world.faults.active:
            return False
        arn = self._shard.stream.arn
        delay, refusal = world.faults.before_call(self._service, self._operation, arn)
        if delay:
            self._job.stop.wait(delay)
        if refusal is not None:
            self._job.stop.wait(self._interval or KINESIS_POLL)
        return refusal is not None

    def _note_expired(self, records: int) -> None:
        """So many records were retained no longer when their turn came."""
        if records > 0:
            data = {"function": self._job.function_name, "shard": self._shard.id, "records": records}
            if self._job.settings.metrics:
                data["metrics"] = True
            actor = self._job.sink.actor
            self._world.journal.record(
                "esm.discarded", self._job.mapping.uuid, actor=actor, outcome="RecordExpired", data=data
            )

    def _note_filtered(self, batch: Batch) -> None:
        """Nothing passed the filters: there is no invocation, and the reader goes on."""
        data = {
            "function": self._job.function_name,
            "stream": self._shard.stream.arn,
            "shard": self._shard.id,
            "records": 0,
            "failed": 0,
            "polled": batch.dropped,
            "dropped": batch.dropped,
            **({"metrics": True} if self._job.settings.metrics else {}),
        }
        self._world.journal.record("esm.batch", self._job.mapping.uuid, actor=self._job.sink.actor, data=data)

    # -- processing --------------------------------------------------------------------------------

    def _process(self, batch: Batch) -> None:
        progress = self._progress
        if self._lanes is not None:
            self._lanes.put(batch.records, batch.texts, batch.dropped)
            return
        if batch.records:
            window = progress.window
            left = self._processor.process(batch.records, batch.texts, batch.dropped, window)
            progress.pending = left + progress.pending
        elif batch.final and progress.window is not None:
            self._processor.finish(progress.window)
            if not self._job.stop.value:
                progress.window = None
