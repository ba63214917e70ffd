"""The line of tasks that wait for a queue's messages, served in the order they came."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...kernel import Event, Kernel


class Line:
    """Tasks in the order of their arrival. Only the first is woken: a thousand pollers cost one wake-up."""

    __slots__ = ("_available", "_kernel", "_left", "_name", "_tickets")

    def __init__(
        self, kernel: Kernel, name: str, available: Callable[[], bool], left: Callable[[], None]
    ) -> None:
        self._kernel = kernel
        self._name = name
        self._available = available  # is there something to receive at this instant?
        self._left = left  # called when the line has become shorter or longer
        self._tickets: dict[Event, None] = {}

    def __bool__(self) -> bool:
        return bool(self._tickets)

    def wait(self, timeout: int | None) -> bool:
        """Wait until something is available to this task; False after ``timeout`` µs. None waits for ever."""
        kernel = self._kernel
        deadline = None if timeout is None else kernel.now + timeout
        ticket = kernel.event(self._name)
        self._tickets[ticket] = None
        served = False
        try:
            self._left()
            while True:
                served = self._available()
                if served:
                    return True
                ticket.clear()
                remaining = None if deadline is None else deadline - kernel.now
                if remaining is not None and remaining <= 0:
                    return False
                ticket.wait(remaining)
        finally:
            del self._tickets[ticket]
            if not served and ticket.value:
                self.wake()  # it was this task's turn, and it leaves without having used it
            self._left()

    def wake(self) -> None:
        """Something is available: it is the first one's turn. Who has been woken already is not woken
        again.
        """
        if self._tickets:
            first = next(iter(self._tickets))
            if not first.value:
                first.set()

    def wake_all(self) -> None:
        """Nothing will come any more."""
        for ticket in list(self._tickets):
            ticket.set()
