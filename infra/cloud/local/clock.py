"""Shows virtual time to the process: ``time.time`` and ``datetime.now`` by time-machine, the rest here.

time-machine moves the wall clock (C level, so every library sees it). ``time.sleep``, ``time.monotonic``
and ``time.perf_counter`` answer in virtual time only inside a task; everybody else in the process (Jupyter's
own threads) keeps the real ones.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable
from typing import Any

import greenlet
import time_machine

from .kernel import Kernel

# Bound at import, before anything is replaced.
_REAL: dict[str, Callable[..., Any]] = {
    name: getattr(time, name)
    for name in ("sleep", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns")
}


class VirtualClock:
    """The kernel's view of the process clock. ``start`` and ``stop`` come in pairs around each drive."""

    def __init__(self) -> None:
        self._traveller: time_machine.Traveller | None = None
        self._travel: time_machine.travel | None = None
        self._shown = 0

    def start(self, now: int) -> None:
        self._travel = time_machine.travel(
            datetime.datetime.fromtimestamp(0, datetime.UTC) + datetime.timedelta(microseconds=now),
            tick=False,
        )
        self._traveller = self._travel.start()
        self._shown = now

    def move(self, now: int) -> None:
        assert self._traveller is not None
        self._traveller.shift(datetime.timedelta(microseconds=now - self._shown))
        self._shown = now

    def stop(self) -> None:
        if self._travel is not None:
            self._travel.stop()
        self._travel = self._traveller = None


class TimeFunctions:
    """Replaces the functions of ``time`` that time-machine leaves alone, while a cloud is connected."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._zero = kernel.now

    def install(self) -> None:
        kernel, zero = self._kernel, self._zero

        def in_task() -> bool:
            return kernel.current is not None and greenlet.getcurrent() is kernel.current

        def sleep(seconds: float) -> None:
            if not in_task():
                _REAL["sleep"](seconds)
                return
            if seconds < 0:
                raise ValueError("sleep length must be non-negative")
            kernel.sleep(round(seconds * 1_000_000))

        def reader(real: Callable[[], Any], virtual: Callable[[], Any]) -> Callable[[], Any]:
            return lambda: virtual() if in_task() else real()

        setattr(time, "sleep", sleep)  # noqa: B010 - mypy refuses the plain assignment
        for name in ("monotonic", "perf_counter"):
            setattr(time, name, reader(_REAL[name], lambda: (kernel.now - zero) / 1_000_000))
            setattr(time, name + "_ns", reader(_REAL[name + "_ns"], lambda: (kernel.now - zero) * 1_000))

    @staticmethod
    def uninstall() -> None:
        for name, function in _REAL.items():
            setattr(time, name, function)


def sleep_anywhere(kernel: Kernel) -> Callable[[float], None]:
    """``sleep`` for library code that waits on AWS's behalf (botocore's retries and waiters).

    In a task it is a virtual sleep; called from a cell it drives the simulation for that long.
    """

    def sleep(seconds: float) -> None:
        duration = round(seconds * 1_000_000)
        if kernel.current is not None:
            kernel.sleep(duration)
        else:
            kernel.advance(duration)

    return sleep
