"""The metrics of AWS/SQS: one value per metric, queue and minute, while the queue is active.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/monitoring-using-cloudwatch.html

SQS pushes its metrics every minute for queues that are active: that hold messages, or were used in the last
six hours. A gauge (the number of visible messages, say) is the state at the beginning of its minute, a
counter (the number sent) is what happened in its minute, zero if nothing did. Messages that a redrive policy
moves to a dead-letter queue do not count as sent to it:
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator

from infra.cloud.views.queue_depth import queue_name

from ..journal import Entry, Journal
from .queue_depth import QueueReplay
from .series import MINUTE, MetricId

NAMESPACE = "AWS/SQS"
ACTIVE = 6 * 60 * MINUTE
"""A queue without messages counts as active for six hours after its last use."""

AGE = "ApproximateAgeOfOldestMessage"
GAUGES = {
    "ApproximateNumberOfMessagesVisible": 0,
    "ApproximateNumberOfMessagesNotVisible": 1,
    "ApproximateNumberOfMessagesDelayed": 2,
}
COUNTERS = (
    "NumberOfMessagesSent",
    "NumberOfMessagesReceived",
    "NumberOfMessagesDeleted",
    "NumberOfEmptyReceives",
)
NAMES = (*GAUGES, AGE, *COUNTERS)
KINDS = (
    "sqs.sent", "sqs.received", "sqs.deleted", "sqs.visibility", "sqs.moved", "sqs.expired", "sqs.purged",
)  # fmt: skip

Sample = tuple[int, int, int, int | None]  # visible, in flight, delayed, when the oldest message arrived


class QueueMinutes:
    """One queue, minute by minute. Only the minutes at which something is different are kept."""

    def __init__(self, fifo: bool) -> None:
        self.replay = QueueReplay()
        self.fifo = fifo
        self.marks: list[int] = []
        self.samples: list[Sample] = []
        self.counts: dict[str, dict[int, int]] = {name: {} for name in COUNTERS}
        self.active: list[tuple[int, int | None]] = []  # first minute, last moment (None: still)
        self._pending: int | None = None  # the minute at which the present state will be sampled

    def take(self, entry: Entry, arrived: bool) -> None:
        self.pass_time(entry.time)
        minute = entry.time // MINUTE * MINUTE
        self._begin_change(minute + MINUTE)
        self.replay.apply(entry, arrived)
        last = self.active[-1][1] if self.active else 0
        begin = minute if last is not None and entry.time > last else self.active.pop()[0]
        self.active.append((begin, None if self.replay.messages else entry.time + ACTIVE))
        if not arrived:
            self._tally(entry, minute)

    def pass_time(self, now: int) -> None:
        """Bring the state to ``now``: visibility timeouts and delays end without an entry."""
        while (due := self.replay.next_step) is not None and due <= now:
            self._begin_change(-(-due // MINUTE) * MINUTE)
            self.replay.step(due)
        self._keep(now + 1)

    @property
    def oldest(self) -> int | None:
        return self.replay.oldest if self.fifo else self.replay.oldest_below_three_receives

    def value(self, name: str, minute: int) -> float | None:
        """The metric's value of a minute that has begun; None where SQS would not report one."""
        if not self.is_active(minute):
            return None
        if name in self.counts:
            return float(self.counts[name].get(minute, 0))
        index = bisect_right(self.marks, minute) - 1
        sample: Sample = self.samples[index] if index >= 0 else (0, 0, 0, None)
        if name != AGE:
            return float(sample[:3][GAUGES[name]])
        return None if sample[3] is None else (minute - sample[3]) / 1e6

    def is_active(self, minute: int) -> bool:
        index = bisect_right([begin for begin, _ in self.active], minute) - 1
        if index < 0:
            return False
        last = self.active[index][1]
        return last is None or minute <= last

    def steps(self, name: str, since: int) -> Iterator[int]:
        """Minutes from ``since`` on whose value differs from that of the minute before or after."""
        for begin, last in self.active:
            yield begin
            if last is not None:
                yield last // MINUTE * MINUTE
                yield last // MINUTE * MINUTE + MINUTE
        changes = self.counts[name] if name in self.counts else self.marks[bisect_left(self.marks, since) :]
        for minute in changes:
            if minute >= since:
                yield minute - MINUTE
                yield minute
                if name in self.counts:
                    yield minute + MINUTE

    def next_step(self) -> int | None:
        """When the next change comes if nothing more is written: a message becomes visible, the queue
        inactive."""
        ends = [time for time in (self.replay.next_step, self.active[-1][1] if self.active else None) if time]
        return min(ends, default=None)

    def _begin_change(self, mark: int) -> None:
        """The state is about to change, which the sample at ``mark`` will show: keep the one due before
        it."""
        self._keep(mark)
        self._pending = mark

    def _keep(self, before: int) -> None:
        if self._pending is not None and self._pending < before:
            sample = (self.replay.visible, self.replay.in_flight, self.replay.delayed, self.oldest)
            if not self.samples or self.samples[-1] != sample:
                self.marks.append(self._pending)
                self.samples.append(sample)
            self._pending = None

    def _tally(self, entry: Entry, minute: int) -> None:
        if entry.what not in ("sqs.sent", "sqs.received", "sqs.deleted"):
            return
        count = len(entry.data["messages"])
        if entry.what == "sqs.sent":
            name = "NumberOfMessagesSent"
        elif entry.what == "sqs.deleted":
            name = "NumberOfMessagesDeleted"
        elif count:
            name = "NumberOfMessagesReceived"
        else:
            name, count = "NumberOfEmptyReceives", 1
        self.counts[name][minute] = self.counts[name].get(minute, 0) + count


class SqsMetrics:
    """Every queue's minutes, read from the journal when asked for, each entry once."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._read = 0
        self._queues: dict[str, QueueMinutes] = {}

    def owns(self, metric: MetricId) -> bool:
        return metric.namespace == NAMESPACE and metric.name in NAMES

    def read(self, now: int) -> None:
        entries = self._journal.entries
        for index in range(self._read, len(entries)):
            entry = entries[index]
            if entry.what in KINDS:
                self._queue(entry.resource).take(entry, False)
                if entry.what == "sqs.moved":
                    self._queue(entry.data["to"]).take(entry, True)
        self._read = len(entries)
        for queue in self._queues.values():
            queue.pass_time(now)

    def ids(self) -> Iterator[tuple[MetricId, int]]:
        """Every metric there is, and the last minute for which it has a value (the far future: still
        does)."""
        for name, queue in self._queues.items():
            last = queue.active[-1][1]
            for metric in NAMES:
                yield MetricId(NAMESPACE, metric, (("QueueName", name),)), (1 << 62 if last is None else last)

    def unit(self, metric: MetricId) -> str:
        return "Seconds" if metric.name == AGE else "Count"

    def points(self, metric: MetricId, start: int, end: int, now: int) -> Iterator[tuple[int, float]]:
        queue = self._of(metric)
        if queue is None:
            return
        for begin, last in queue.active:
            first = max(-(-start // MINUTE) * MINUTE, begin)
            for minute in range(first, min(end, (now if last is None else min(last, now)) + 1), MINUTE):
                value = queue.value(metric.name, minute)
                if value is not None:
                    yield minute, value

    def steps(self, metric: MetricId, since: int) -> Iterator[int]:
        queue = self._of(metric)
        return iter(()) if queue is None else queue.steps(metric.name, since)

    def next_step(self, metric: MetricId) -> int | None:
        queue = self._of(metric)
        return None if queue is None else queue.next_step()

    def growing_since(self, metric: MetricId) -> int | None:
        """When the oldest message arrived, for the one metric that changes while nothing happens: the age."""
        queue = self._of(metric) if metric.name == AGE else None
        return None if queue is None else queue.oldest

    def _of(self, metric: MetricId) -> QueueMinutes | None:
        name = metric.dimension("QueueName")
        return self._queues.get(name) if name and len(metric.dimensions) == 1 else None

    def _queue(self, arn: str) -> QueueMinutes:
        name = queue_name(arn)
        queue = self._queues.get(name)
        if queue is None:
            queue = self._queues[name] = QueueMinutes(name.endswith(".fifo"))
        return queue
