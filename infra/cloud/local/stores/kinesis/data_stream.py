"""A data stream: its open shards by hash key, its state, how it is split and merged.

https://docs.aws.amazon.com/streams/latest/dev/kinesis-using-sdk-java-resharding.html
"""

from __future__ import annotations

import dataclasses
from bisect import bisect_right
from typing import TYPE_CHECKING, Any

from ...kernel import SECOND
from ..stream import Stream
from .limits import Load
from .shard import HASH_KEYS, KinesisShard

if TYPE_CHECKING:
    from ...journal import Journal
    from ...kernel import Kernel

HOUR = 3600 * SECOND
DAY = 24 * HOUR


@dataclasses.dataclass(eq=False, slots=True)
class Consumer:
    """A consumer with enhanced fan-out. ``created`` in µs, and when it last subscribed to a shard."""

    name: str
    arn: str
    created: int
    status: str = "CREATING"
    tags: dict[str, str] = dataclasses.field(default_factory=dict)
    subscribed: dict[str, int] = dataclasses.field(default_factory=dict)


class DataStream(Stream):
    """What the API knows of a stream. ``open`` are the shards that take records, by hash key."""

    def __init__(self, kernel: Kernel, journal: Journal, name: str, arn: str, mode: str, shards: int) -> None:
        super().__init__(kernel, name, arn, DAY)
        self.journal = journal
        self.mode = mode
        self.status = "CREATING"
        self.created = kernel.now
        self.tags: dict[str, str] = {}
        self.consumers: dict[str, Consumer] = {}
        self.encryption: str | None = None  # the key's id
        self.shard_metrics: list[str] = []
        self.policy: str | None = None
        self.max_record_kib = 1024
        self.load = Load()
        self._numbers = 0
        self.open: list[KinesisShard] = []
        self._lows: list[int] = []
        for position in range(shards):
            low, high = HASH_KEYS * position // shards, HASH_KEYS * (position + 1) // shards - 1
            self._open(low, high)

    # -- shards ------------------------------------------------------------------------------------

    def shard_for(self, hash_key: int) -> KinesisShard:
        """The open shard whose range holds the hash key."""
        return self.open[bisect_right(self._lows, hash_key) - 1]

    def split(self, shard: KinesisShard, at: int) -> None:
        """Close a shard; its children begin at its low end and at ``at``."""
        shard.close()
        self.open.remove(shard)
        self._open(shard.low, at - 1, (shard.id,))
        self._open(at, shard.high, (shard.id,))

    def merge(self, one: KinesisShard, other: KinesisShard) -> None:
        for shard in (one, other):
            shard.close()
            self.open.remove(shard)
        self._open(min(one.low, other.low), max(one.high, other.high), (one.id, other.id))

    def resize(self, count: int) -> None:
        """To ``count`` equal shards: where the ranges of now and then differ, shards are split, then merged.

        https://docs.aws.amazon.com/kinesis/latest/APIReference/API_UpdateShardCount.html: "splits or merges
        individual shards"; the intermediate shards are closed at once.
        """
        bounds = [HASH_KEYS * position // count for position in range(count)]
        for bound in bounds:
            shard = self.shard_for(bound)
            if shard.low != bound:
                self.split(shard, bound)
        for low, high in zip(bounds, [*bounds[1:], HASH_KEYS], strict=True):
            while True:
                inside = [shard for shard in self.open if low <= shard.low < high]
                if len(inside) == 1:
                    break
                self.merge(inside[0], inside[1])

    def _open(self, low: int, high: int, parents: tuple[str, ...] = ()) -> None:
        shard = KinesisShard(self, self._numbers, low, high, parents)
        self._numbers += 1
        self.open.append(shard)
        self.open.sort(key=_low)
        self._lows = [each.low for each in self.open]
        self.add(shard)

    def listed(self) -> list[KinesisShard]:
        """Every shard but those that were closed before the oldest record that is retained."""
        oldest = self.kernel.now - self.retention
        for shard in [one for one in self.shards.values() if one.closed is not None and one.closed < oldest]:
            del self.shards[shard.id]
        return [shard for shard in self.shards.values() if isinstance(shard, KinesisShard)]

    # -- as the API shows it -----------------------------------------------------------------------

    def shown(self) -> dict[str, Any]:
        """What DescribeStream and DescribeStreamSummary have in common, the time in µs."""
        answer: dict[str, Any] = {
            "StreamName": self.name,
            "StreamARN": self.arn,
            "StreamStatus": self.status,
            "StreamModeDetails": {"StreamMode": self.mode},
            "RetentionPeriodHours": self.retention // HOUR,
            "EnhancedMonitoring": [{"ShardLevelMetrics": list(self.shard_metrics)}],
            "EncryptionType": "KMS" if self.encryption else "NONE",
        }
        if self.encryption:
            answer["KeyId"] = self.encryption
        return answer


def _low(shard: KinesisShard) -> int:
    return shard.low
