"""Ctrl-C and the wall-clock budget: how a simulation is stopped from outside, without harm to it.

Both arrive as signals, in the middle of whatever runs. So a signal only leaves a note; the hub reads it when
the running task next waits, and no step is left half done. Only a task that does not wait within the grace is
killed where it stands.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from .tasks import TaskKilled

if TYPE_CHECKING:
    from .kernel import Kernel

GRACE = 0.5
"""Real seconds that the running task has to come to its next wait after Ctrl-C, or after the wall budget."""


class Interrupts:
    """The notes that signals leave for the kernel.

    ``pressed``    Ctrl-C was pressed and has not been raised in the cell yet
    ``victim``     the name of a task that was killed because the wall-clock budget ran out
    ``shielded``   while it is not 0, no task is killed where it stands (a step on shared state)
    """

    def __init__(self, kernel: Kernel) -> None:
        self.pressed = False
        self.victim: str | None = None
        self.shielded = 0
        self._kernel = kernel
        self._alarm_before: Any = None
        self._watched = 0

    @contextlib.contextmanager
    def watching(self, wall: float | None) -> Iterator[None]:
        """While the kernel is driven from the main thread (others never get signals)."""
        self.pressed = False
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = signal.signal(signal.SIGINT, self._interrupt)
        if wall is not None:
            self._watch(wall)
        try:
            yield
        finally:
            if self._alarm_before is not None:
                signal.setitimer(signal.ITIMER_REAL, 0)
                signal.signal(signal.SIGALRM, self._alarm_before)
                self._alarm_before = None
            signal.signal(signal.SIGINT, before)
        self.check()

    def check(self) -> None:
        """Raise KeyboardInterrupt if Ctrl-C was pressed."""
        if self.pressed:
            self.pressed = False
            raise KeyboardInterrupt

    def _interrupt(self, signum: int, frame: Any) -> None:
        again, self.pressed = self.pressed, True
        if not again:
            self._watch(GRACE)
        elif not hasattr(signal, "setitimer"):  # no interval timers here: the second Ctrl-C ends the grace
            self._break_in()

    def _watch(self, delay: float) -> None:
        if hasattr(signal, "setitimer"):
            if self._alarm_before is None:
                self._alarm_before = signal.signal(signal.SIGALRM, self._alarm) or signal.SIG_DFL
            self._watched = self._kernel.events
            signal.setitimer(signal.ITIMER_REAL, delay, GRACE)

    def _alarm(self, signum: int, frame: Any) -> None:
        stuck, self._watched = self._watched == self._kernel.events, self._kernel.events
        if stuck:
            self._break_in()

    def _break_in(self) -> None:
        """Kill the task that is running, from a signal handler; it dies, and the hub reports it."""
        if self._kernel.current is not None and not self.shielded:
            if not self.pressed:
                self.victim = self._kernel.current.name
            raise TaskKilled("interrupted")
