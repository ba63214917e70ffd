"""A stream: shards that hold records in order, for as long as they are retained. The rooms that use it are
Kinesis (``stores/kinesis``) and DynamoDB streams (``stores/dynamodb``); event source mappings and pipes read
both alike, through this.

A reader keeps a *position*: how many records of the shard lie before the next one it wants, counted from the
shard's first record ever. A position never changes its meaning when old records are trimmed, and reading from
one costs what it returns. Nothing polls: a reader that has read everything waits, and an append wakes it.

    position = shard.position("TRIM_HORIZON")
    while not shard.exhausted(position):
        shard.wait(position)
        records, position = shard.read(position, 100)

https://docs.aws.amazon.com/streams/latest/dev/key-concepts.html and
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from ..kernel import Event, Kernel

COMPACT = 1024
"""Trimmed records leave the memory when there are so many, and more of them than of those retained."""


class Record:
    """One record. A kind of stream adds what it needs to render it.

    ``sequence``  its sequence number; they rise within a shard
    ``arrived``   when it was accepted (µs): the approximate arrival or creation time
    ``size``      bytes, as its service counts them
    ``key``       what keeps its order under parallelization: the partition key, or the item's key as text
    ``trace``     the X-Ray trace of the write, or ""
    """

    __slots__ = ("arrived", "key", "sequence", "size", "trace")

    def __init__(self, sequence: int, arrived: int, size: int, key: str, trace: str = "") -> None:
        self.sequence = sequence
        self.arrived = arrived
        self.size = size
        self.key = key
        self.trace = trace

    def render(self, shard: Shard, role: str) -> str:
        """The record as Lambda's event holds it: JSON text, ASCII only. ``role`` is the reader's ARN."""
        raise NotImplementedError

    def filterable(self, shard: Shard, role: str) -> dict[str, Any]:
        """The record as filter criteria see it (Kinesis: with ``data`` still as text)."""
        raise NotImplementedError


class Shard:
    """An append-only list of records. ``parents`` are the ids of the shards it came from (none, one, two)."""

    def __init__(self, stream: Stream, shard_id: str, parents: tuple[str, ...] = ()) -> None:
        self.stream = stream
        self.id = shard_id
        self.parents = parents
        self.created = stream.kernel.now
        self.closed: int | None = None  # when (µs)
        self._records: list[Record] = []
        self._before = 0  # records that have left the list
        self._trimmed = 0  # records of the list that are older than the retention
        self._arrival: Event = stream.kernel.event(f"a record in {shard_id} of {stream.name}")

    # -- writing -----------------------------------------------------------------------------------

    def append(self, record: Record) -> None:
        """Add a record, whose sequence number is greater than the last one's, and wake who waits."""
        self._records.append(record)
        self.wake()

    def extend(self, records: Sequence[Record]) -> None:
        """Add several; readers are woken once."""
        if records:
            self._records.extend(records)
            self.wake()

    def close(self) -> None:
        """Take no more records. What is there can be read until it is too old."""
        if self.closed is None:
            self.closed = self.stream.kernel.now
            self.wake()

    def wake(self) -> None:
        """Let every waiting reader look again."""
        self._arrival.set()
        self._arrival.clear()

    # -- positions ---------------------------------------------------------------------------------

    @property
    def end(self) -> int:
        """The position after the last record."""
        return self._before + len(self._records)

    @property
    def horizon(self) -> int:
        """The position of the oldest record that is retained. Trims first: O(records that have expired)."""
        self._trim()
        return self._before + self._trimmed

    def position(self, kind: str, value: int = 0) -> int:
        """Where a reader starts: TRIM_HORIZON, LATEST, AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER (``value``
        is the number), AT_TIMESTAMP (``value`` in µs). What is trimmed already is passed over."""
        horizon, records = self.horizon, self._records
        if kind == "TRIM_HORIZON":
            return horizon
        if kind == "LATEST":
            return self.end
        if kind == "AT_SEQUENCE_NUMBER":
            found = bisect_left(records, value, self._trimmed, key=_sequence)
        elif kind == "AFTER_SEQUENCE_NUMBER":
            found = bisect_right(records, value, self._trimmed, key=_sequence)
        elif kind == "AT_TIMESTAMP":
            found = bisect_left(records, value, self._trimmed, key=_arrived)
        else:
            raise ValueError(f"{kind} is not a starting position")
        return self._before + found

    # -- reading -----------------------------------------------------------------------------------

    def read(self, position: int, limit: int, size: int | None = None) -> tuple[list[Record], int]:
        """Up to ``limit`` retained records from ``position`` on, and the position after them.

        ``size`` limits their bytes; one record is returned even if it is larger.
        """
        start = max(position, self.horizon) - self._before
        records = self._records[start : start + limit]
        if size is not None:
            total = 0
            for count, record in enumerate(records):
                total += record.size
                if total > size and count:
                    del records[count:]
                    break
        return records, self._before + start + len(records)

    def peek(self, position: int) -> Record | None:
        """The next retained record from ``position`` on, if there is one."""
        start = max(position, self.horizon) - self._before
        return self._records[start] if start < len(self._records) else None

    def wait(self, position: int, timeout: int | None = None) -> bool:
        """Wait, in a task, until something happens: a record (True if there is one at ``position``), the
        shard is closed, the time (µs) is up, ``wake``. Nothing can happen any more: returns at once."""
        if position >= self.end and self.closed is None and not self.stream.deleted:
            self._arrival.wait(timeout)
        return position < self.end

    def sleep_until_woken(self) -> None:
        """Wait, in a task, for the next record or ``wake``."""
        self._arrival.wait()

    def read_delay(self, records: Sequence[Record]) -> int:
        """Count these against what the shard gives per second; returns µs to wait before they are there."""
        return 0

    def note_read(self, records: Sequence[Record], reader: str, consumer: str) -> None:
        """A mapping has read these: for the stream's metrics. ``consumer`` is an ARN, or ""."""

    def exhausted(self, position: int) -> bool:
        """Is the shard closed, and everything before ``position``? Then its children come."""
        return self.closed is not None and position >= self.end

    @property
    def last(self) -> Record | None:
        """The newest record, if it is retained."""
        return self._records[-1] if self.end > self.horizon else None

    def _trim(self) -> None:
        records, first = self._records, self._trimmed
        oldest = self.stream.kernel.now - self.stream.retention
        while first < len(records) and records[first].arrived < oldest:
            first += 1
        self._trimmed = first
        if first >= COMPACT and first * 2 >= len(records):
            del records[:first]
            self._before += first
            self._trimmed = 0


class Stream:
    """A stream: its ARN and its shards, in the order of their creation. ``retention`` in µs."""

    def __init__(self, kernel: Kernel, name: str, arn: str, retention: int) -> None:
        self.kernel = kernel
        self.name = name
        self.arn = arn
        self.retention = retention
        self.shards: dict[str, Shard] = {}
        self.deleted = False
        self.added = 0  # shards, ever
        self._shards_changed: Event = kernel.event(f"another shard of {name}")

    def add(self, shard: Shard) -> None:
        self.shards[shard.id] = shard
        self.added += 1
        self.shards_changed()

    def shards_changed(self) -> None:
        """Wake who follows the shards of this stream."""
        self._shards_changed.set()
        self._shards_changed.clear()

    def wait_for_shards(self, known: int, timeout: int | None = None) -> bool:
        """Wait, in a task, until more than ``known`` were ``added``; False: time (µs) is up, or deleted."""
        kernel = self.kernel
        deadline = None if timeout is None else kernel.now + timeout
        while self.added <= known and not self.deleted:
            left = None if deadline is None else deadline - kernel.now
            if left is not None and left <= 0:
                return False
            self._shards_changed.wait(left)
        return not self.deleted

    def delete(self) -> None:
        """The stream is gone; who waits learns it."""
        self.deleted = True
        for shard in self.shards.values():
            shard.wake()
        self.shards_changed()


class Streams(Protocol):
    """What a service with streams offers to readers (``world.kinesis``, ``world.dynamodb_streams``)."""

    def stream(self, arn: str) -> Stream | None:
        """The stream of that ARN, if it exists and is active."""
        ...


def _sequence(record: Record) -> int:
    return record.sequence


def _arrived(record: Record) -> int:
    return record.arrived
