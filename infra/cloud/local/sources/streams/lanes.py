"""The parallel batches of a shard (ParallelizationFactor): records of one key always go the same lane.

https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-parameters.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ...kernel import Event, Kernel
from . import cuts
from .processor import Job, Processor

if TYPE_CHECKING:
    from ...stores.stream import Record


class Lanes:
    """The parallel batches of a shard, a task for each that has something to do."""

    def __init__(self, kernel: Kernel, job: Job, new_processor: Callable[[], Processor]) -> None:
        self._kernel = kernel
        self._stop = job.stop
        self._new_processor = new_processor
        settings = job.settings
        self._size = settings.batch_size
        self._queues: list[list[tuple[Record, str]]] = [[] for _ in range(settings.parallel)]
        self._running = [False] * settings.parallel
        self._waiting = 0
        self._changed: Event = kernel.event("a free lane of a shard")

    def put(self, records: list[Record], texts: list[str], dropped: int) -> None:
        """Hand the records to their lanes; wait while the lanes have as much as they can take at once."""
        for record, text in zip(records, texts, strict=True):
            self._queues[cuts.lane(record.key, len(self._queues))].append((record, text))
        self._waiting += len(records)
        for number, queue in enumerate(self._queues):
            if queue and not self._running[number]:
                self._running[number] = True
                self._kernel.spawn(self._work, number, dropped, name=f"lane {number} of a shard")
                dropped = 0
        while self._waiting >= self._size * len(self._queues) and not self._stop.value:
            self._changed.wait()

    def drain(self) -> list[Record]:
        """Wait for what is in flight; returns what was not begun or not finished, in the shard's order."""
        while any(self._running):
            self._changed.wait()
        left = [record for queue in self._queues for record, _ in queue]
        return sorted(left, key=lambda record: record.sequence)

    def _work(self, number: int, dropped: int) -> None:
        queue = self._queues[number]
        processor = self._new_processor()
        try:
            while queue and not self._stop.value:
                count = size = 0
                while count < min(len(queue), self._size):
                    size += len(queue[count][1]) + 1
                    if count and size > cuts.ROOM:
                        break
                    count += 1
                records = [record for record, _ in queue[:count]]
                texts = [text for _, text in queue[:count]]
                left = processor.process(records, texts, dropped)
                dropped = 0
                done = count - len(left)
                del queue[:done]
                self._waiting -= done
                self._changed.set()
                self._changed.clear()
        finally:
            self._running[number] = False
            self._changed.set()
            self._changed.clear()
