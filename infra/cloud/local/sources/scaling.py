"""How many batches a queue's mapping processes at once: numbers and times only, nothing acts here.

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html: five concurrent batches at first;
while messages are still available, up to 300 more per minute, up to 1,250 (or MaximumConcurrency, which
does not change how it rises); when traffic is low, back to five, and "as few as 2", which is where backing
off ends here. A FIFO queue follows the same curve; it cannot use more pollers than it has active message
groups, because the queue does not hand out a group twice.

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html: when invocations fail, Lambda
"gradually backs off, reducing the amount of concurrency". AWS gives no rates for that nor for the way
back; estimates: one less for each failed invocation, and back to five as fast as it rises.
"""

from __future__ import annotations

from ..backoff import doubling
from ..kernel import MILLISECOND, SECOND

START = 5
FLOOR = 2
CEILING = 1250
RISE = 60 * SECOND // 300
"""µs for one more (or, when nothing is to do, one less)."""

RETRY_FIRST = 100 * MILLISECOND
RETRY_LAST = 10 * SECOND


class Scaling:
    """The number of concurrent batches that is allowed now; it changes lazily, when somebody asks."""

    def __init__(self, maximum: int | None = None) -> None:
        self.ceiling = CEILING if maximum is None else maximum
        self.start = min(START, self.ceiling)
        self.allowed = self.start
        self._busy_since: int | None = None
        self._calm_since: int | None = None

    def saturated(self, now: int) -> int | None:
        """All pollers are busy and messages wait. Returns when one more is allowed; None: never."""
        if self._busy_since is None:
            self._settle(now)
            self._calm_since = None
            self._busy_since = now
        waited = now - self._busy_since
        if waited >= RISE:
            if waited == RISE:  # longer: nobody had to wait in between, and the count begins anew
                self.allowed = min(self.ceiling, self.allowed + 1)
            self._busy_since = now
        return self._busy_since + RISE if self.allowed < self.ceiling else None

    def relaxed(self, now: int) -> None:
        """A poller has found nothing to do."""
        if self._calm_since is None:
            self._calm_since = now
            self._busy_since = None
        self._settle(now)

    def failed(self, now: int) -> None:
        """An invocation has failed or was throttled."""
        self.allowed = max(min(FLOOR, self.ceiling), self.allowed - 1)
        if self._busy_since is not None:
            self._busy_since = now

    def _settle(self, now: int) -> None:
        """Without pressure the number returns to where it started."""
        if self._calm_since is None:
            return
        steps = (now - self._calm_since) // RISE
        if steps:
            self._calm_since += steps * RISE
            if self.allowed > self.start:
                self.allowed = max(self.start, self.allowed - steps)
            else:
                self.allowed = min(self.start, self.allowed + steps)


def retry_delay(attempt: int) -> int:
    """µs before a throttled invocation is tried again; ``attempt`` counts from 1. AWS: "gradually"."""
    return doubling(attempt, RETRY_FIRST, RETRY_LAST)
