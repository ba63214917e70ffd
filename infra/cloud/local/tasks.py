"""What the kernel is made of: timers, tasks, events, and the errors that it reports.

They are made by the kernel (``call_at``, ``spawn``, ``event``), never by hand.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

import greenlet

if TYPE_CHECKING:
    from .kernel import Kernel


class KernelError(Exception):
    """Base of what the kernel itself has to report."""


class Deadlock(KernelError):
    """Somebody waits for what can never come: no timer is left that could wake them."""


class Runaway(KernelError):
    """The simulation makes events without end, or the caller's wall-clock budget is used up."""


class TaskFailed(KernelError):
    """A task that nobody waited for raised; the original exception is the ``__cause__``."""


class TaskKilled(BaseException):
    """Thrown into a task that is being killed. Not an ``Exception``, so handlers do not swallow it."""


class Scope(Protocol):
    """What must be in place in the process while a task of this scope runs (see ``functions``)."""

    def enter(self) -> None: ...
    def leave(self) -> None: ...


class Clock(Protocol):
    """Shows virtual time to the process while the kernel runs (see ``clock.py``)."""

    def start(self, now: int) -> None: ...
    def move(self, now: int) -> None: ...
    def stop(self) -> None: ...


class Timer:
    """A callback at a time. Keep it to cancel it; a cancelled timer costs nothing and never fires."""

    __slots__ = ("args", "background", "callback", "kernel", "time")

    def __init__(
        self,
        kernel: Kernel,
        time: int,
        callback: Callable[..., Any] | None,
        args: tuple[Any, ...],
        background: bool,
    ) -> None:
        self.kernel = kernel
        self.time = time
        self.callback = callback
        self.args = args
        self.background = background

    @property
    def pending(self) -> bool:
        return self.callback is not None

    def cancel(self) -> None:
        """Cancelling twice, or after it fired, does nothing."""
        if self.callback is not None:
            self.callback = None
            self.args = ()
            self.kernel._forget(self)


class Task(greenlet.greenlet):  # type: ignore[misc]
    """One thread of control. Made by ``Kernel.spawn``; ``context`` belongs to the caller (who am I?)."""

    def __init__(
        self,
        kernel: Kernel,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        name: str,
        scope: Scope | None,
        context: Any,
    ) -> None:
        super().__init__(self._main)
        self.kernel = kernel
        self.function = function
        self.args = args
        self.name = name
        self.scope = scope
        self.context = context
        self.done = False
        self.killed = False
        self.ignored_kills = 0
        self.result: Any = None
        self.error: BaseException | None = None
        self.waiting_for = "its first turn"
        self._joiners: Event | None = None
        self._wakeup: Timer | None = None

    def _main(self) -> None:
        try:
            self.result = self.function(*self.args)
        except TaskKilled:
            self.killed = True
        except BaseException as error:  # noqa: BLE001 - handed on below, never dropped
            self.error = error
        self.done = True
        self.kernel._finished(self)


class Event:
    """Tasks wait for it; ``set`` wakes them all, in the order they came."""

    __slots__ = ("_waiters", "kernel", "name", "value")

    def __init__(self, kernel: Kernel, name: str) -> None:
        self.kernel = kernel
        self.name = name
        self.value = False
        self._waiters: list[Task] = []

    def set(self) -> None:
        self.value = True
        waiters, self._waiters = self._waiters, []
        for task in waiters:
            self.kernel._wake(task)

    def clear(self) -> None:
        self.value = False

    def wait(self, timeout: int | None = None) -> bool:
        """Wait until set, or for ``timeout`` microseconds; return whether it is set."""
        if self.value:
            return True
        if timeout is not None and timeout <= 0:
            return False
        task = self.kernel._need_task(f"wait for {self.name}")
        self._waiters.append(task)
        try:
            self.kernel._block(task, self.name, timeout)
        finally:
            if task in self._waiters:
                self._waiters.remove(task)
        return self.value
