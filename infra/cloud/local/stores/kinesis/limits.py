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
