"""Look-alikes of ``threading`` and ``time`` for the interpreter: its threads are tasks of the kernel.

What a thread started ends with it, so nothing is left of an execution, a branch or an attempt that is over.
Locks lock nothing: a task keeps its turn until it waits, and nobody waits in a lock.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ...tasks import Event as KernelEvent
from ...tasks import Task

if TYPE_CHECKING:
    from ...kernel import Kernel

FOREVER = 99_999_999
"""Seconds: the interpreter's word for "no time-out". No timer is set for it, so that ``settle`` ends."""


def micros(seconds: float | None) -> int | None:
    """Microseconds of a time-out; None if there is none."""
    return None if seconds is None or seconds >= FOREVER else max(0, round(seconds * 1_000_000))


class Threads:
    """The namespace that stands where the interpreter's modules have ``threading`` or ``time``."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._ids = itertools.count(1)
        self._children: dict[Task, dict[Task, None]] = {}
        self._parents: dict[Task, Task] = {}
        threads = self

        class Thread:
            """As ``threading.Thread``, as far as the interpreter uses it."""

            def __init__(
                self,
                target: Callable[..., Any],
                name: str | None = None,
                args: Iterable[Any] = (),
                kwargs: Mapping[str, Any] | None = None,
                daemon: bool = True,
            ) -> None:
                self._target, self._args, self._kwargs = target, tuple(args), dict(kwargs or {})
                self._over = kernel.event("a thread of the interpreter")
                self.native_id = next(threads._ids)
                self.name = name or "thread"
                self.task: Task | None = None

            def start(self) -> None:
                self.task = threads.spawn(self._run, "states.thread")

            def _run(self) -> None:
                try:
                    self._target(*self._args, **self._kwargs)
                finally:
                    self._over.set()

            def join(self, timeout: float | None = None) -> None:
                self._over.wait(micros(timeout))

            def is_alive(self) -> bool:
                return self.task is not None and not self.task.done

        class Event:
            """As ``threading.Event``."""

            def __init__(self) -> None:
                self._event: KernelEvent = kernel.event("an event of the interpreter")

            def set(self) -> None:
                self._event.set()

            def clear(self) -> None:
                self._event.clear()

            def is_set(self) -> bool:
                return self._event.value

            def wait(self, timeout: float | None = None) -> bool:
                return self._event.wait(micros(timeout))

        class Lock:
            """As ``threading.Lock`` and ``RLock``."""

            def acquire(self) -> bool:
                return True

            def release(self) -> None:
                pass

            def __enter__(self) -> bool:
                return True

            def __exit__(self, *exc: object) -> None:
                pass

        class Condition(Lock):
            """As ``threading.Condition``: who waits is woken by the next notification."""

            def __init__(self) -> None:
                self._event: KernelEvent = kernel.event("a condition of the interpreter")

            def wait(self, timeout: float | None = None) -> bool:
                return self._event.wait(micros(timeout))

            def notify_all(self) -> None:
                self._event.set()
                self._event.clear()

            notify = notify_all

        self.Thread = Thread
        self.Event = Event
        self.Lock = Lock
        self.RLock = Lock
        self.Condition = Condition

    def spawn(self, function: Callable[[], Any], name: str, context: Any = None) -> Task:
        """Start a task that ends with the one that starts it, if that is ended first.

        With a ``context`` it is an execution, which belongs to nobody.
        """
        kernel = self._kernel
        parent = kernel.current if context is None else None

        def run() -> None:
            try:
                function()
            finally:
                self.end_children(task)
                if parent is not None:
                    self._parents.pop(task, None)
                    siblings = self._children.get(parent)
                    if siblings is not None:
                        siblings.pop(task, None)

        task = kernel.spawn(run, name=name, context=context)
        if parent is not None:
            self._parents[task] = parent
            self._children.setdefault(parent, {})[task] = None
        return task

    def within(self, limit: int, function: Callable[[], Any], name: str) -> bool:
        """Run the function in a task of its own, for so many microseconds: whether it ended in time.

        Raises what it raised; what is not done in time is killed.
        """
        errors: list[Exception] = []
        over = self._kernel.event(f"{name} to end")

        def run() -> None:
            try:
                function()
            except Exception as error:  # noqa: BLE001 - handed on to who waits
                errors.append(error)
            over.set()

        task = self.spawn(run, name)
        in_time = over.wait(limit)
        if errors:
            raise errors[0]
        if not in_time:
            self.end(task)
        return in_time

    def end(self, task: Task) -> None:
        """Kill a task and all that it started."""
        self.end_children(task)
        self._parents.pop(task, None)
        self._kernel.kill(task)

    def end_children(self, task: Task | None) -> None:
        """Kill all that a task started and that still runs."""
        if task is not None:
            for child in self._children.pop(task, ()):
                self.end(child)

    def end_siblings(self) -> None:
        """Kill what the parent of the current task started, but for that task."""
        current = self._kernel.current
        assert current is not None
        parent = self._parents.get(current)
        for task in list(self._children.get(parent, ())) if parent is not None else ():
            if task is not current:
                self.end(task)

    def sleep(self, seconds: float) -> None:
        self._kernel.sleep(max(0, round(seconds * 1_000_000)))

    def time(self) -> float:
        return self._kernel.now / 1_000_000
