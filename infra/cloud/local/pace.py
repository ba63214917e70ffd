"""Virtual time at a pace that can be watched: it never runs faster than so many seconds per real second.

What happens stays exactly the same, since it only waits between two moments of virtual time.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from .kernel import SECOND

FRAME = 0.2
"""Real seconds from one frame to the next."""

_monotonic, _sleep = time.monotonic, time.sleep  # bound before anybody replaces them by virtual time


class Pace:
    """What a kernel calls before its clock moves.

    ``speed`` is virtual microseconds per real second. ``frame`` is called with a virtual time every
    ``FRAME`` seconds, ``check`` as often: it may raise, to end the wait.
    """

    def __init__(
        self,
        now: int,
        speed: int,
        frame: Callable[[int], None],
        check: Callable[[], None],
        *,
        clock: Callable[[], float] = _monotonic,
        sleep: Callable[[float], None] = _sleep,
    ) -> None:
        self._speed = speed
        self._frame = frame
        self._check = check
        self._clock = clock
        self._sleep = sleep
        self._now = now
        self._real = clock()
        self._drawn = self._real - FRAME

    def __call__(self, until: int) -> None:
        """Wait until the clock may show ``until``."""
        due = self._real + (until - self._now) / self._speed
        while (left := due - self._clock()) > 0:
            self._draw(round(until - left * self._speed))
            self._check()
            self._sleep(min(left, FRAME))
        self._draw(until)
        self._now = until
        self._real = max(due, self._clock() - FRAME)  # what took longer by itself is not made up for

    def _draw(self, at: int) -> None:
        if self._clock() - self._drawn >= FRAME:
            self._drawn = self._clock()
            self._frame(at)


def shown(microseconds: int) -> str:
    """Virtual time since ``connect``, for a heading: ``0:02:05.3``."""
    tenths = microseconds * 10 // SECOND
    minutes, seconds = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds // 10:02}.{seconds % 10}"
