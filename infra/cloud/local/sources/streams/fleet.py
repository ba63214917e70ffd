"""The readers of one mapping: one per shard, children after their parents.

https://docs.aws.amazon.com/streams/latest/dev/kinesis-using-sdk-java-after-resharding.html: a parent is
read to its end before its children, so that the order of a key's records holds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ...kernel import Task
from ..filters import Filters
from ..mapping import Mapping
from ..sink import FunctionSink, Sink
from .processor import Job
from .settings import StreamSettings
from .shard_reader import Progress, ShardReader

if TYPE_CHECKING:
    from ...stores.stream import Shard, Stream
    from ...world import World


GONE = "PROBLEM: The stream does not exist"


class StreamFleet:
    """From ``start`` to ``stop``. What is in flight at ``stop`` is finished, and not tried again."""

    def __init__(
        self,
        world: World,
        mapping: Mapping,
        stream: Stream,
        filters: Filters,
        role: Callable[[], str | None],
        sink: Sink | None = None,
    ) -> None:
        """Batches go to the mapping's function, or to ``sink``."""
        self._world = world
        self._kernel = world.kernel
        self._stream = stream
        settings: StreamSettings = mapping.settings
        self._job = Job(
            mapping,
            settings,
            mapping.function,
            mapping.function_name,
            mapping.report_failures,
            filters,
            sink or FunctionSink(world, mapping.function),
            role,
            world.kernel.event(f"the end of mapping {mapping.function_name}"),
        )
        self._consumer = mapping.source_arn if "/consumer/" in mapping.source_arn else ""
        self._reading: dict[str, None] = {}
        self._follower: Task | None = None

    def start(self) -> None:
        first = self._job.mapping.progress is None
        if first:
            self._job.mapping.progress = {}
        self._begin(first=first)
        self._follower = self._kernel.spawn(self._follow, name=f"shards of {self._stream.name}")

    def stop(self) -> None:
        self._job.stop.set()
        for shard in self._stream.shards.values():
            shard.wake()
        if self._follower is not None:
            self._kernel.kill(self._follower)

    @property
    def _progress(self) -> dict[str, Progress]:
        progress: dict[str, Progress] = self._job.mapping.progress
        return progress

    def _follow(self) -> None:
        """Begin with shards that come later; without a stream there is nothing more to do."""
        stream = self._stream
        known = stream.added
        while stream.wait_for_shards(known):
            known = stream.added
            self._begin(first=False)
        self._job.mapping.last_result = GONE

    def _begin(self, *, first: bool) -> None:
        """Read every shard whose parents have been read. The starting position is for the shards that are
        there at first; those that come later are read from their beginning."""
        settings, progress = self._job.settings, self._progress
        for shard in list(self._stream.shards.values()):
            if shard.id not in progress:
                kind = settings.position if first else "TRIM_HORIZON"
                position = shard.position(kind, settings.timestamp or 0)
                progress[shard.id] = Progress(position, self._kernel.event("the last batch before an update"))
        for gone in [known for known in progress if known not in self._stream.shards]:
            del progress[gone]
        for shard in list(self._stream.shards.values()):
            parents = (progress.get(parent) for parent in shard.parents)
            if shard.id in self._reading or not all(parent is None or parent.done for parent in parents):
                continue
            self._reading[shard.id] = None
            reader = ShardReader(
                self._world, self._job, shard, progress[shard.id], self._consumer, self._finished
            )
            self._kernel.spawn(reader.run, name=f"reader of {shard.id} for {self._job.function_name}")

    def _finished(self, shard: Shard) -> None:
        if not self._job.stop.value:
            self._begin(first=False)
