"""How much a table may read and write: token buckets, exact in integers, that cost nothing while nobody asks.

- Unused provisioned capacity of the last 300 seconds can be spent in a burst:
  https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/burst-adaptive-capacity.html
- A partition serves at most 3,000 read and 1,000 write units a second. Adaptive capacity gives a busy
  partition all that the table has left up to that, and isolates items that are read or written often, so a
  partition key value is taken to have a partition of its own (same page). That DynamoDB may also divide the
  items of one partition key value by their sort keys is not simulated.
- A new table on demand serves 4,000 write and 12,000 read units a second, and later twice its previous peak;
  more than that within 30 minutes may be throttled:
  https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html
- A table or index on demand serves at most 40,000 of each, by default:
  https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html

As recorded from AWS, an operation whose cost is not known beforehand runs if there is any credit at all, and
may overdraw it. A new table has its burst in hand; AWS does not say.
"""

from __future__ import annotations

from ...kernel import SECOND
from .units import UNIT

BURST_SECONDS = 300
PARTITION = {"Read": 3_000, "Write": 1_000}
FIRST_PEAK = {"Read": 6_000, "Write": 2_000}
"""A new table on demand serves twice as much, as if it had seen this before."""
ACCOUNT_MAXIMUM = 40_000
PEAK_WINDOW = 30 * 60 * SECOND
LOG = 4_096


class Bucket:
    """``rate`` units a second, up to ``seconds`` of them saved. Credit is in halves of units times 10^6."""

    __slots__ = ("_at", "_depth", "rate", "saved")

    def __init__(self, rate: int, seconds: int, now: int) -> None:
        self.rate = rate
        self._depth = rate * seconds * UNIT * SECOND
        self.saved = self._depth
        """The credit when something was last taken: at any later time there is at least as much."""
        self._at = now

    def credit(self, now: int) -> int:
        found = self.saved + (now - self._at) * self.rate * UNIT
        return found if found < self._depth else self._depth

    def take(self, now: int, halves: int) -> None:
        credit = self.saved + (now - self._at) * self.rate * UNIT
        self.saved = (credit if credit < self._depth else self._depth) - halves * SECOND
        self._at = now

    def resize(self, rate: int, seconds: int, now: int) -> None:
        """What is saved stays, as far as the new depth holds it."""
        credit = self.credit(now)
        self.rate = rate
        self._depth = rate * seconds * UNIT * SECOND
        self.saved, self._at = min(credit, self._depth), now


class KeyRanges:
    """What each partition key value was asked for in the last second.

    While all of them together stay below what one may have, nothing is kept but a list; it is gone over, key
    by key, only when that changes. The result is the same, and most tables never pay for it.
    """

    __slots__ = ("_at", "_found", "_log", "_rate", "_saved", "quiet")

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._saved = rate * UNIT * SECOND
        self._at = 0
        self._found: dict[object, Bucket] = {}
        self._log: list[tuple[int, object, int]] = []
        self.quiet = True
        """No key can be exhausted."""

    def exhausted(self, now: int, key: object) -> bool:
        if self.quiet:
            return False
        bucket = self._found.get(key)
        return bucket is not None and bucket.credit(now) <= 0

    def take(self, now: int, key: object, halves: int) -> None:
        refill = self._rate * UNIT
        saved = self._saved + (now - self._at) * refill
        log = self._log
        if saved >= refill * SECOND:
            saved = refill * SECOND
            log.clear()
            if not self.quiet:
                self._found, self.quiet = {}, True
        self._saved = saved = saved - halves * SECOND
        self._at = now
        if not self.quiet:
            self._take(now, key, halves)
            return
        log.append((now, key, halves))
        if saved <= 0 or len(log) > LOG:
            self.quiet = False
            for one in log:
                self._take(*one)
            log.clear()

    def _take(self, now: int, key: object, halves: int) -> None:
        bucket = self._found.get(key)
        if bucket is None:
            bucket = self._found[key] = Bucket(self._rate, 1, now)
        bucket.take(now, halves)


class Peak:
    """What a table on demand is ready for: twice the most it was asked for in a second, half an hour ago."""

    __slots__ = ("_began", "_previous", "_second", "_seen", "_used", "bucket")

    def __init__(self, previous: int, now: int) -> None:
        """``previous`` in units a second."""
        self._previous = previous
        self._began = now
        self._seen = self._used = self._second = 0
        self.bucket = Bucket(self._ready, 1, now)

    @property
    def _ready(self) -> int:
        return min(2 * self._previous, ACCOUNT_MAXIMUM)

    @property
    def at_maximum(self) -> bool:
        return self._ready == ACCOUNT_MAXIMUM

    def exhausted(self, now: int) -> bool:
        if now - self._began >= PEAK_WINDOW:
            self._roll(now)
        bucket = self.bucket
        return bucket.saved <= 0 and bucket.credit(now) <= 0

    def take(self, now: int, halves: int) -> None:
        second = now // SECOND
        if second != self._second:
            self._second, self._used = second, 0
        self._used += halves
        if self._used > self._seen:
            self._seen = self._used
        self.bucket.take(now, halves)

    def warm(self, previous: int, now: int) -> None:
        """Be ready as if it had seen so many units a second."""
        if previous > self._previous:
            self._previous = previous
            self.bucket.resize(self._ready, 1, now)

    def _roll(self, now: int) -> None:
        self._began = now
        self.warm(self._seen // UNIT, now)
        self._seen = 0
