"""How full a queue is, over time."""

from __future__ import annotations

import dataclasses
from bisect import bisect_right


@dataclasses.dataclass(frozen=True, slots=True)
class QueueDepth:
    """Steps: from ``times[i]`` until ``times[i + 1]`` the numbers at ``i`` hold. Times in seconds since the
    start.

    ``oldest[i]`` is when the oldest message arrived (seconds since the start, negative if before it), None if
    the queue is empty: at a time t its age is ``t - oldest[i]``.
    """

    times: list[float]
    visible: list[int]
    in_flight: list[int]
    delayed: list[int]
    oldest: list[float | None]

    @property
    def total(self) -> list[int]:
        return [sum(counts) for counts in zip(self.visible, self.in_flight, self.delayed, strict=True)]

    @property
    def peak(self) -> int:
        return max(self.total)

    def at(self, time: float) -> tuple[int, int, int]:
        """(visible, in flight, delayed) at a time."""
        index = max(bisect_right(self.times, time) - 1, 0)
        return self.visible[index], self.in_flight[index], self.delayed[index]

    def age(self) -> tuple[list[float], list[float]]:
        """Age of the oldest message in seconds as a line to plot: (times, ages). It grows between the steps
        and drops where the oldest message leaves; 0 where the queue is empty."""
        times: list[float] = []
        ages: list[float] = []
        for index, time in enumerate(self.times):
            before = self.oldest[index - 1] if index else None
            after = self.oldest[index]
            if index and before != after:
                times.append(time)
                ages.append(0.0 if before is None else round(time - before, 6))
            times.append(time)
            ages.append(0.0 if after is None else round(time - after, 6))
        return times, ages

    @property
    def oldest_age(self) -> float:
        """The greatest age that any message reached, in seconds."""
        return max(self.age()[1])


def queue_name(queue: str) -> str:
    """The name of a queue given as name, ARN or URL."""
    return queue.rsplit("/", 1)[-1].rsplit(":", 1)[-1]
