"""What one request set off, over all services: a time line of segments."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True)
class Segment:
    """One thing that took time.

    ``kind`` is ``wait`` (nobody works on it: a message in a queue), ``call`` (an API call), ``deliver`` (a
    service hands it on), ``init`` (a cold start), ``run`` (a function), ``state`` or ``execution`` (of a
    state machine), ``lost`` (given up: a dead-letter queue, an event dropped). Times are seconds since the
    trace began; ``outcome`` is ``ok`` or an error code.
    """

    start: float
    end: float
    name: str
    kind: str
    what: str
    outcome: str = "ok"

    @property
    def seconds(self) -> float:
        return self.end - self.start


@dataclasses.dataclass(frozen=True, slots=True)
class Trace:
    """Segments in the order in which they began. ``began`` is in seconds since ``connect``."""

    id: str
    began: float
    segments: list[Segment]

    @property
    def seconds(self) -> float:
        """From the first beginning to the last end."""
        return max((segment.end for segment in self.segments), default=0.0)

    @property
    def failures(self) -> list[Segment]:
        return [segment for segment in self.segments if segment.outcome != "ok"]
