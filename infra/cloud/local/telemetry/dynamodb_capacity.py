"""ProvisionedReadCapacityUnits and ProvisionedWriteCapacityUnits of AWS/DynamoDB: gauges, every five minutes.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator

from ..journal import Journal
from .series import MINUTE, Dimensions, MetricId

NAMESPACE = "AWS/DynamoDB"
READ, WRITE = "ProvisionedReadCapacityUnits", "ProvisionedWriteCapacityUnits"
EVERY = 5 * MINUTE

History = list[tuple[int, int, int]]
"""(Time, read units, write units) of each change; 0 once there is no provisioned capacity."""


class ProvisionedCapacity:
    """Read from the journal when asked for, each entry once."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._read = self._now = 0
        self._known: dict[Dimensions, History] = {}

    def owns(self, metric: MetricId) -> bool:
        return metric.namespace == NAMESPACE and metric.name in (READ, WRITE)

    def read(self, now: int) -> None:
        entries = list(self._journal.select("dynamodb.capacity"))
        for entry in entries[self._read :]:
            dimensions: Dimensions = (("TableName", entry.resource),)
            if entry.data["index"]:
                dimensions = (("GlobalSecondaryIndexName", entry.data["index"]), *dimensions)
            history = self._known.setdefault(dimensions, [])
            history.append((entry.time, entry.data["read"], entry.data["write"]))
        self._read, self._now = len(entries), now

    def ids(self) -> Iterator[tuple[MetricId, int]]:
        for dimensions, history in self._known.items():
            last, units, _ = history[-1]
            time = self._now if units else last
            for name in (READ, WRITE):
                yield MetricId(NAMESPACE, name, dimensions), time // EVERY * EVERY

    def unit(self, metric: MetricId) -> str:
        return "Count"

    def points(self, metric: MetricId, start: int, end: int, now: int) -> Iterator[tuple[int, float]]:
        history = self._known.get(metric.dimensions, [])
        times = [time for time, _, _ in history]
        column = 1 if metric.name == READ else 2
        for time in range(-(-start // EVERY) * EVERY, min(end, now + 1), EVERY):
            index = bisect_right(times, time) - 1
            if index >= 0 and history[index][column]:
                yield time, float(history[index][column])

    def steps(self, metric: MetricId, since: int) -> Iterator[int]:
        """A change shows at the next sample, and until then nothing does: both are borders."""
        for time, _, _ in self._known.get(metric.dimensions, []):
            sample = -(-time // EVERY) * EVERY
            if sample >= since:
                yield sample

    def next_step(self, metric: MetricId) -> int | None:
        return None

    def growing_since(self, metric: MetricId) -> int | None:
        return None
