"""The kernel: order, time, waiting, killing, reports. Every test asserts the whole log of what happened."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from infra.cloud.local import kernel as kernel_module
from infra.cloud.local.clock import VirtualClock
from infra.cloud.local.kernel import (
    SECOND,
    Deadlock,
    Kernel,
    KernelError,
    Runaway,
    TaskFailed,
    TaskKilled,
)


@pytest.fixture
def kernel() -> Kernel:
    return Kernel(start=0, seed=7)


def test_tasks_run_in_the_order_of_time_and_then_of_their_timers(kernel: Kernel) -> None:
    """Three sleepers, two of them due at the same instant."""
    log = []

    def sleeper(name: str, duration: int) -> None:
        kernel.sleep(duration)
        log.append((name, kernel.now))

    for name, duration in (("slow", 20), ("first", 10), ("second", 10)):
        kernel.spawn(sleeper, name, duration, name=name)
    assert kernel.settle()
    assert log == [("first", 10), ("second", 10), ("slow", 20)]


def test_call_drives_until_the_function_returns_and_no_further(kernel: Kernel) -> None:
    log = []
    kernel.call_later(50, log.append, "later")
    assert kernel.call(lambda: kernel.sleep(30) or "done", name="call") == "done"
    assert (kernel.now, log) == (30, [])
    kernel.advance(20)
    assert (kernel.now, log) == (50, ["later"])


def test_advance_moves_the_clock_to_the_end_even_if_nothing_happens(kernel: Kernel) -> None:
    kernel.advance(14 * 86_400 * SECOND)
    assert (kernel.now, kernel.events) == (14 * 86_400 * SECOND, 0)


def test_an_event_wakes_its_waiters_in_order_and_a_timeout_gives_up(kernel: Kernel) -> None:
    event = kernel.event("the gate")
    log = []

    def waiter(name: str, timeout: int | None) -> None:
        log.append((name, event.wait(timeout), kernel.now))

    for name, timeout in (("a", None), ("impatient", 5), ("b", 100)):
        kernel.spawn(waiter, name, timeout, name=name)
    kernel.call_later(10, event.set)
    assert kernel.settle()
    assert log == [("impatient", False, 5), ("a", True, 10), ("b", True, 10)]


def test_a_timer_that_was_cancelled_neither_fires_nor_keeps_settle_waiting(kernel: Kernel) -> None:
    log = []
    timer = kernel.call_later(99_999_999 * SECOND, log.append, "never")
    timer.cancel()
    timer.cancel()
    assert kernel.settle()
    assert (kernel.now, log, timer.pending) == (0, [], False)


def test_settle_does_not_wait_for_background_timers_but_runs_those_that_are_due_before(
    kernel: Kernel,
) -> None:
    log = []
    kernel.call_later(5, log.append, "background", background=True)
    kernel.call_later(10, log.append, "foreground")
    kernel.call_later(15, log.append, "later background", background=True)
    assert kernel.settle()
    assert (log, kernel.now) == (["background", "foreground"], 10)


def test_settle_gives_up_at_its_limit(kernel: Kernel) -> None:
    kernel.call_later(100, lambda: None)
    assert not kernel.settle(limit=40)
    assert kernel.now == 40


def test_an_error_in_a_task_is_raised_where_the_kernel_is_driven(kernel: Kernel) -> None:
    def broken() -> None:
        kernel.sleep(3)
        raise ValueError("boom")

    kernel.spawn(broken, name="worker")
    with pytest.raises(TaskFailed, match="task worker failed: ValueError: boom") as raised:
        kernel.settle()
    assert isinstance(raised.value.__cause__, ValueError)
    assert kernel.settle()  # the kernel is usable afterwards


def test_join_returns_the_result_or_raises_the_error_of_a_task(kernel: Kernel) -> None:
    def broken() -> None:
        raise KeyError("x")

    def main() -> list[str]:
        good = kernel.spawn(lambda: "result", name="good")
        bad = kernel.spawn(broken, name="bad")
        with pytest.raises(KeyError):
            kernel.join(bad)
        return [kernel.join(good)]

    assert kernel.call(main, name="main") == ["result"]


def test_a_killed_task_stops_where_it_waits_and_cannot_wait_again(kernel: Kernel) -> None:
    log = []

    def victim() -> None:
        try:
            kernel.sleep(100)
        finally:
            log.append(("cleanup", kernel.now))
            try:
                kernel.sleep(1)
            except TaskKilled:
                log.append(("refused", kernel.now))
                raise

    task = kernel.spawn(victim, name="victim")
    kernel.call_later(10, kernel.kill, task)
    assert kernel.settle()
    assert log == [("cleanup", 10), ("refused", 10)]
    assert (task.done, task.killed) == (True, True)


def test_a_killed_task_that_catches_everything_is_put_aside(kernel: Kernel) -> None:
    def stubborn() -> None:
        while True:
            try:
                kernel.sleep(100)
            except BaseException:  # noqa: BLE001 - that is the point
                pass

    task = kernel.spawn(stubborn, name="stubborn")
    kernel.call_later(10, kernel.kill, task)
    assert kernel.settle()
    assert (task.done, kernel.now) == (True, 10)


def test_killing_a_task_before_its_first_turn(kernel: Kernel) -> None:
    task = kernel.spawn(lambda: pytest.fail("it ran"), name="never")
    kernel.kill(task)
    assert kernel.settle()
    assert task.done


def test_a_deadlock_says_who_waits_for_what(kernel: Kernel) -> None:
    never = kernel.event("a message that nobody sends")
    kernel.spawn(never.wait, name="consumer")
    with pytest.raises(Deadlock) as raised:
        kernel.call(kernel.event("the consumer's answer").wait, name="client")
    text = str(raised.value)
    assert "client can never finish" in text
    assert "consumer waits for a message that nobody sends" in text
    assert "client waits for the consumer's answer" in text


def test_events_without_progress_of_time_are_a_runaway(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernel_module, "EVENTS_WITHOUT_PROGRESS", 1_000)

    def loop() -> None:
        while True:
            kernel.sleep(0)

    kernel.spawn(loop, name="recursive function")
    with pytest.raises(Runaway, match=r"1,000 events happened at one instant.*recursive function"):
        kernel.settle()


def test_the_wall_clock_budget_stops_a_simulation_that_goes_on_for_ever(kernel: Kernel) -> None:
    def tick() -> None:
        kernel.call_later(SECOND, tick)

    tick()
    with pytest.raises(Runaway, match="wall-clock budget"):
        kernel.settle(wall=0.05)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs interval timers")
def test_the_wall_clock_budget_stops_a_task_that_never_waits(kernel: Kernel) -> None:
    def busy() -> None:
        while True:
            pass

    kernel.spawn(busy, name="busy handler")
    with pytest.raises(Runaway, match="busy handler was running and never waited"):
        kernel.settle(wall=0.01)
    assert kernel.settle()


def test_ctrl_c_ends_the_call_and_its_task_and_leaves_the_rest_working(kernel: Kernel) -> None:
    log = []

    def background() -> None:
        kernel.sleep(100)
        log.append(("background", kernel.now))

    kernel.spawn(background, name="background")
    kernel.call_later(10, os.kill, os.getpid(), signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        kernel.call(lambda: (kernel.sleep(1000), log.append("the interrupted call")), name="cell")
    assert kernel.settle()
    assert log == [("background", 100)]
    assert kernel.call(lambda: "works", name="next cell") == "works"


def test_ctrl_c_inside_an_atomic_step_takes_effect_after_it(kernel: Kernel) -> None:
    log = []

    def step() -> None:
        with kernel.uninterrupted():
            os.kill(os.getpid(), signal.SIGINT)
            log.append("whole")

    with pytest.raises(KeyboardInterrupt):
        kernel.call(step, name="cell")
    assert log == ["whole"]


def test_random_streams_are_independent_and_repeatable() -> None:
    one, two = Kernel(0, seed=1), Kernel(0, seed=1)
    one.rng("other").random()
    assert [one.rng("a").random() for _ in range(3)] == [two.rng("a").random() for _ in range(3)]
    assert Kernel(0, seed=2).rng("a").random() != Kernel(0, seed=1).rng("a").random()


def test_waiting_outside_of_a_task_and_driving_inside_of_one_are_refused(kernel: Kernel) -> None:
    with pytest.raises(KernelError, match="only a task can sleep"):
        kernel.sleep(1)
    with pytest.raises(KernelError, match="are for the code outside of tasks"):
        kernel.call(lambda: kernel.advance(1), name="main")
    with pytest.raises(ValueError, match="time only goes forward"):
        kernel.advance(-1)


def test_another_thread_cannot_drive(kernel: Kernel) -> None:
    errors: list[BaseException] = []

    def drive() -> None:
        try:
            kernel.advance(1)
        except KernelError as error:
            errors.append(error)

    thread = threading.Thread(target=drive)
    thread.start()
    thread.join()
    assert "other threads cannot use it" in str(errors[0])


def test_the_process_clock_shows_virtual_time_inside_and_real_time_outside() -> None:
    kernel = Kernel(start=1_700_000_000 * SECOND, seed=0, clock=VirtualClock())
    seen = []

    def look() -> None:
        seen.append(time.time())
        kernel.sleep(3600 * SECOND)
        seen.append(time.time())

    before = time.time()
    kernel.call(look, name="look")
    assert seen == [1_700_000_000.0, 1_700_003_600.0]
    assert abs(time.time() - before) < 60


def test_an_idle_year_costs_one_step(kernel: Kernel) -> None:
    kernel.spawn(kernel.event("work").wait, name="poller")
    kernel.advance(365 * 86_400 * SECOND)
    assert kernel.events == 1


def test_shutdown_ends_every_task(kernel: Kernel) -> None:
    log = []

    def waiter() -> None:
        try:
            kernel.event("ever").wait()
        finally:
            log.append("ended")

    kernel.spawn(waiter, name="waiter")
    kernel.advance(1)
    kernel.shutdown()
    assert (log, kernel.blocked) == (["ended"], [])
