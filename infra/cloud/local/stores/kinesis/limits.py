"""How much a shard takes and gives per second: token buckets in virtual time, in whole numbers.

https://docs.aws.amazon.com/streams/latest/dev/service-sizes-and-limits.html
"""

from __future__ import annotations

from ...kernel import SECOND

MIB = 1024 * 1024
WRITE_RECORDS = 1000
WRITE_BYTES = MIB
READ_BYTES = 2 * MIB
READS = 5

MINUTE = 60 * SECOND
BETWEEN_SCALINGS = 15 * MINUTE


class Bucket:
    """``rate`` tokens per second, at most one second's. Counted in millionths, so that nothing is rounded."""

    __slots__ = ("_at", "_full", "_rate", "_tokens")

    def __init__(self, rate: int, now: int) -> None:
        self._rate = rate
        self._full = rate * SECOND
        self._tokens = self._full
        self._at = now

    def _fill(self, now: int) -> None:
        if now > self._at:
            self._tokens = min(self._full, self._tokens + (now - self._at) * self._rate)
            self._at = now

    def has(self, amount: int, now: int) -> bool:
        """Are there so many tokens? More than a second's worth is there when the bucket is full."""
        self._fill(now)
        return self._tokens >= min(amount * SECOND, self._full)

    def take(self, amount: int) -> None:
        """Take them, going into debt if need be."""
        self._tokens -= amount * SECOND

    def wait(self, now: int) -> int:
        """µs until the debt is paid."""
        self._fill(now)
        return 0 if self._tokens >= 0 else -(self._tokens // self._rate)


class Load:
    """The write traffic of an on-demand stream, by the minute, and the shards it asks for.

    https://docs.aws.amazon.com/streams/latest/dev/how-do-i-size-a-stream.html: the stream takes up to double
    the highest throughput it has seen; one that more than doubles within 15 minutes is refused meanwhile.
    When exactly AWS scales it does not say: here at the first write after a minute that asks for it.
    """

    def __init__(self) -> None:
        self._minute = 0
        self._records = self._bytes = 0
        self._needed = 0
        self._scaled: int | None = None

    def note(self, now: int, records: int, size: int) -> None:
        """Count what was written at a time (µs)."""
        minute = now // MINUTE
        if minute != self._minute:
            by_records = -(-2 * self._records // (60 * WRITE_RECORDS))
            by_bytes = -(-2 * self._bytes // (60 * WRITE_BYTES))
            self._needed = max(self._needed, by_records, by_bytes)
            self._minute, self._records, self._bytes = minute, 0, 0
        self._records += records
        self._bytes += size

    def wanted(self, now: int, shards: int) -> int:
        """How many shards a stream of so many should have now: at most twice as many, every 15 minutes."""
        if self._needed <= shards or (self._scaled is not None and now < self._scaled + BETWEEN_SCALINGS):
            return shards
        self._scaled = now
        return min(self._needed, 2 * shards)
