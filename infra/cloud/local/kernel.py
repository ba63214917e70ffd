"""A discrete-event kernel: a virtual clock, tasks, timers and events, in one deterministic order.

Exactly one task runs at a time. A task runs until it waits (``sleep``, ``Event.wait``, ``join``); then
the kernel takes the earliest timer from one heap ordered by (time, sequence), moves the clock to it and
goes on. Nothing here ever waits in real time, and nothing here knows about AWS.

Times are integers: microseconds since the Unix epoch, durations in microseconds. Integers compare and
add exactly, so the order of events does not depend on a machine's floating point.

Two places drive the kernel: the code outside of any task (a notebook cell, a test) calls ``run_until``,
``advance``, ``settle`` or ``call``; everything else is called from tasks or timers.
"""

from __future__ import annotations

import contextlib
import hashlib
import heapq
import random
import threading
import time as real_time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import greenlet

from .interrupts import Interrupts
from .tasks import (
    Clock,
    Deadlock,
    Event,
    KernelError,
    Runaway,
    Scope,
    Task,
    TaskFailed,
    TaskKilled,
    Timer,
)

__all__ = [
    "MILLISECOND",
    "SECOND",
    "Clock",
    "Deadlock",
    "Event",
    "Kernel",
    "KernelError",
    "Runaway",
    "Scope",
    "Task",
    "TaskFailed",
    "TaskKilled",
    "Timer",
]

SECOND = 1_000_000  # microseconds
MILLISECOND = 1_000

EVENTS_WITHOUT_PROGRESS = 1_000_000
"""So many events at one instant of virtual time are taken for a loop that never ends."""

IGNORED_KILLS = 100
"""So often may a killed task catch its end and wait again before it is put aside for good."""

_monotonic = real_time.monotonic  # bound before anybody replaces it by virtual time


class Kernel:
    """The clock, the heap and the loop. ``start`` is in microseconds since the epoch."""

    def __init__(self, start: int, seed: int, clock: Clock | None = None) -> None:
        self.now = start
        self.seed = seed
        self.current: Task | None = None
        self.events = 0
        self._clock = clock
        self._heap: list[tuple[int, int, Timer]] = []
        self._sequence = 0
        self._foreground = 0
        self._cancelled = 0
        self._tasks: dict[Task, None] = {}  # an ordered set: every task that is not done
        self._hub: greenlet.greenlet | None = None
        self.thread = threading.get_ident()
        self._scope: Scope | None = None
        self._streams: dict[str, random.Random] = {}
        self._failed: list[Task] = []
        self.interrupts = Interrupts(self)
        self._deadline: float | None = None
        self._at_this_instant = 0
        self.pace: Callable[[int], None] | None = None
        """Called before the clock moves, with the time it will show: it may wait in real time (pace.py)."""

    # -- randomness ------------------------------------------------------------------------------

    def rng(self, name: str) -> random.Random:
        """The random stream of that name: independent of every other, repeatable from the seed."""
        stream = self._streams.get(name)
        if stream is None:
            stream = self._streams[name] = random.Random(self._origin(name))
        return stream

    def reseed(self, seed: int) -> None:
        """From here on every random stream is that of another seed; also one that somebody holds."""
        self.seed = seed
        for name, stream in self._streams.items():
            stream.seed(self._origin(name))

    def _origin(self, name: str) -> int:
        return int.from_bytes(hashlib.sha256(f"{self.seed}/{name}".encode()).digest(), "big")

    # -- from tasks and timers -------------------------------------------------------------------

    def spawn(
        self,
        function: Callable[..., Any],
        *args: Any,
        name: str = "",
        scope: Scope | None = None,
        context: Any = None,
        background: bool = False,
    ) -> Task:
        """Start a task; it takes its first turn at this instant, after what is already due.

        Without a ``context`` it inherits that of the current task. A ``background`` task's first turn
        does not keep ``settle`` from returning.
        """
        if context is None and self.current is not None:
            context = self.current.context
        task = Task(self, function, args, name or function.__name__, scope, context)
        self._tasks[task] = None
        task._wakeup = self.call_at(self.now, self._resume, task, background=background)
        return task

    def call_at(self, time: int, callback: Callable[..., Any], *args: Any, background: bool = False) -> Timer:
        """Call back at a time (a past one means now). The callback must not wait: spawn a task for that.

        ``background`` marks what goes on for ever or only tidies up (the next tick of a schedule, an
        idle environment's end): ``settle`` does not wait for it.
        """
        if time < self.now:
            time = self.now
        timer = Timer(self, time, callback, args, background)
        self._sequence += 1
        heapq.heappush(self._heap, (time, self._sequence, timer))
        if not background:
            self._foreground += 1
        return timer

    def call_later(
        self, delay: int, callback: Callable[..., Any], *args: Any, background: bool = False
    ) -> Timer:
        return self.call_at(self.now + delay, callback, *args, background=background)

    def event(self, name: str) -> Event:
        """``name`` completes the sentence "waits for …" in the report of a deadlock."""
        return Event(self, name)

    def sleep(self, duration: int) -> None:
        """Let ``duration`` microseconds of virtual time pass for the current task."""
        self._block(self._need_task("sleep"), "its sleep to end", max(duration, 0))

    def join(self, task: Task) -> Any:
        """Wait for a task; return its result or raise its error (TaskKilled if it was killed)."""
        if not task.done:
            if task._joiners is None:
                task._joiners = self.event(f"task {task.name}")
            task._joiners.wait()
        elif task in self._failed:
            self._failed.remove(task)
        if task.error is not None:
            raise task.error
        if task.killed:
            raise TaskKilled(f"task {task.name} was killed")
        return task.result

    def kill(self, task: Task) -> None:
        """End a task where it stands. Whatever it still tries to wait for ends it again."""
        if task.done or task.killed:
            return
        task.killed = True
        if task is self.current:
            raise TaskKilled(task.name)
        if task._wakeup is not None:
            task._wakeup.cancel()
        task._wakeup = self.call_at(self.now, self._resume, task)

    # -- from outside of any task ----------------------------------------------------------------

    def call(self, function: Callable[..., Any], *args: Any, name: str, context: Any = None) -> Any:
        """Run a function as a task and drive the kernel until it returns; from a task, just call it."""
        if self.current is not None:
            return function(*args)
        task = self.spawn(function, *args, name=name, context=context)
        task._joiners = self.event(f"task {task.name}")
        try:
            with self._driving():
                while not task.done:
                    if not self._step(None):
                        raise self._deadlock(task)
        except BaseException:
            self._abandon(task)
            raise
        if task.error is not None:
            raise task.error
        return task.result

    def run_until(self, time: int, wall: float | None = None) -> None:
        """Run everything that is due up to and including ``time``; then the clock shows ``time``."""
        with self._driving(wall):
            while self._step(time):
                pass
            self._paced(time)
        self.now = max(self.now, time)

    def advance(self, duration: int, wall: float | None = None) -> None:
        if duration < 0:
            raise ValueError(f"time only goes forward: cannot advance by {duration} microseconds")
        self.run_until(self.now + duration, wall)

    def settle(self, limit: int | None = None, wall: float | None = None) -> bool:
        """Run until only background timers are left; return False if ``limit`` µs passed before that."""
        end = None if limit is None else self.now + limit
        with self._driving(wall):
            while self._foreground:
                if not self._step(end):
                    break
        if self._foreground and end is not None:
            self.now = max(self.now, end)
            return False
        return True

    @property
    def blocked(self) -> list[Task]:
        """Every task that has started and waits, oldest first."""
        return list(self._tasks)

    def shutdown(self) -> None:
        """Kill every task and drop every timer."""
        with self._driving():
            for task in list(self._tasks):
                self.kill(task)
            while self._tasks and self._step(self.now):
                pass
        self._heap.clear()
        self._foreground = self._cancelled = 0
        self._failed.clear()

    def in_line(self) -> str:
        """Whose timers are set, the most frequent first: what a run that does not end is busy with."""
        names = Counter(
            timer.args[0].name if timer.args and isinstance(timer.args[0], Task) else _name(timer.callback)
            for _, _, timer in self._heap
            if timer.callback is not None
        )
        return ", ".join(f"{name} ({count})" for name, count in names.most_common(5)) or "nothing"

    @contextlib.contextmanager
    def uninterrupted(self) -> Iterator[None]:
        """Ctrl-C inside this block takes effect at its end, so that state is never left half changed."""
        self.interrupts.shielded += 1
        try:
            yield
        finally:
            self.interrupts.shielded -= 1

    # -- the loop --------------------------------------------------------------------------------

    def _step(self, until: int | None) -> bool:
        """Fire the earliest timer; False if there is none (or none up to ``until``)."""
        heap, interrupts = self._heap, self.interrupts
        while heap:
            time, _, timer = heap[0]
            callback = timer.callback
            if callback is None:
                heapq.heappop(heap)
                self._cancelled -= 1
                continue
            if until is not None and time > until:
                return False
            if time > self.now:
                if self.pace is not None:
                    self._paced(time)
                self.now = time
                self._at_this_instant = 0
                if self._clock is not None:
                    self._clock.move(time)
            self.events += 1
            self._at_this_instant += 1
            if self._at_this_instant > EVENTS_WITHOUT_PROGRESS:
                raise self._runaway(
                    f"{EVENTS_WITHOUT_PROGRESS:,} events happened at one instant of virtual time"
                )
            if not self.events & 1023 and self._deadline and _monotonic() > self._deadline:
                raise self._runaway("the wall-clock budget of this call is used up")
            heapq.heappop(heap)
            args = timer.args
            timer.callback = None
            timer.args = ()
            if not timer.background:
                self._foreground -= 1
            callback(*args)
            if self._failed:
                raise self._failure()
            if interrupts.pressed:
                interrupts.check()
            if interrupts.victim is not None:
                raise self._runaway("the wall-clock budget of this call is used up")
            return True
        return False

    def _paced(self, time: int) -> None:
        if self.pace is not None and time > self.now:
            self._enter_scope(None)
            self.pace(time)

    @contextlib.contextmanager
    def _driving(self, wall: float | None = None) -> Iterator[None]:
        if self.current is not None or self._hub is not None:
            raise KernelError(
                "run_until, advance, settle and call are for the code outside of tasks (a notebook cell, "
                "a test); a task uses sleep, wait and join"
            )
        if threading.get_ident() != self.thread:
            raise KernelError(
                "the simulation runs in the thread that made it; other threads cannot use it "
                "(start concurrent work with the load generator instead of threads)"
            )
        self._at_this_instant = 0
        self._deadline = None if wall is None else _monotonic() + wall
        with self.interrupts.watching(wall):  # outermost, so that Ctrl-C cannot come between the steps below
            self._hub = greenlet.getcurrent()
            if self._clock is not None:
                self._clock.start(self.now)
            try:
                yield
            finally:
                self._enter_scope(None)
                if self._clock is not None:
                    self._clock.stop()
                self._hub = None

    def _resume(self, task: Task) -> None:
        """Give a task its turn. Called by the loop only."""
        hub = greenlet.getcurrent()
        if task.parent is not hub:
            task.parent = hub
        if task.scope is not self._scope:
            self._enter_scope(task.scope)
        self.current = task
        task._wakeup = None
        try:
            if task.killed and not task:  # killed before its first turn
                task.done = True
                self._finished(task)
            elif task.killed:
                task.throw(TaskKilled(task.name))
            else:
                task.switch()
        finally:
            self.current = None

    def _block(self, task: Task, reason: str, timeout: int | None) -> None:
        if task.killed:
            task.ignored_kills += 1
            if task.ignored_kills > IGNORED_KILLS:
                self._park(task)
            raise TaskKilled(task.name)
        task.waiting_for = reason
        if timeout is not None:
            task._wakeup = self.call_at(self.now + timeout, self._resume, task)
        assert self._hub is not None
        self._hub.switch()

    def _park(self, task: Task) -> None:
        """A killed task that catches every TaskKilled and goes on waiting never gets another turn."""
        task.done = True
        self._finished(task)
        assert self._hub is not None
        self._hub.switch()

    def _wake(self, task: Task) -> None:
        """Give a waiting task its turn at this instant."""
        if task.done or task.killed:
            return
        if task._wakeup is not None:
            task._wakeup.cancel()
        task._wakeup = self.call_at(self.now, self._resume, task)

    def _finished(self, task: Task) -> None:
        self._tasks.pop(task, None)
        if task._joiners is not None:
            task._joiners.set()
        elif task.error is not None:
            self._failed.append(task)

    def _abandon(self, task: Task) -> None:
        """The cell that waited for this task was interrupted or failed: nobody wants its result."""
        if not task.done:
            task.killed = True
            if task._wakeup is not None:
                task._wakeup.cancel()
            if task:
                task._wakeup = self.call_at(self.now, self._resume, task)
            else:
                self._tasks.pop(task, None)

    def _enter_scope(self, scope: Scope | None) -> None:
        if self._scope is not None:
            self._scope.leave()
        self._scope = scope
        if scope is not None:
            scope.enter()

    def _need_task(self, verb: str) -> Task:
        task = self.current
        if task is None or task is not greenlet.getcurrent():
            raise KernelError(f"only a task can {verb}; this code runs outside of the simulation")
        return task

    def _forget(self, timer: Timer) -> None:
        """A timer was cancelled. Its heap entry goes when it surfaces, or now if most are dead."""
        if not timer.background:
            self._foreground -= 1
        self._cancelled += 1
        if self._cancelled > 1000 and self._cancelled * 2 > len(self._heap):
            self._heap = [entry for entry in self._heap if entry[2].callback is not None]
            heapq.heapify(self._heap)
            self._cancelled = 0

    # -- reports ---------------------------------------------------------------------------------

    def _failure(self) -> TaskFailed:
        task = self._failed.pop(0)
        failure = TaskFailed(f"task {task.name} failed: {type(task.error).__name__}: {task.error}")
        failure.__cause__ = task.error
        return failure

    def _deadlock(self, awaited: Task) -> Deadlock:
        lines = [f"  {task.name} waits for {task.waiting_for}" for task in self._tasks]
        return Deadlock(
            f"{awaited.name} can never finish: nothing is left that could happen.\n" + "\n".join(lines)
        )

    def _runaway(self, reason: str) -> Runaway:
        victim, self.interrupts.victim = self.interrupts.victim, None
        running = f" {victim} was running and never waited." if victim else ""
        return Runaway(
            f"{reason} ({self.events:,} events in all).{running} Next in line: {self.in_line()}. "
            "Look for a loop: a function that triggers itself, a retry without back-off, an endless job."
        )


def _name(callback: Callable[..., Any] | None) -> str:
    return getattr(callback, "__qualname__", repr(callback))
