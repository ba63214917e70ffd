"""How the interpreter goes from state to state, made to run in virtual time.

The loop over states takes a transition's latency; an attempt at a state runs in place unless it has a
time-out of its own; a wait is a sleep; and what a state started (branches, attempts) ends with it.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from ...ids import uuid4
from . import aborted
from .interpreter import Moments
from .names import task_token, unqualified
from .threads import FOREVER

if TYPE_CHECKING:
    from ...world import World

Patch = tuple[Any, str, Any]

_heap_keys = itertools.count()


def patches(world: World) -> list[Patch]:
    """What is replaced in the interpreter's states and programs."""
    from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import CustomErrorName
    from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEventException
    from moto.stepfunctions.parser.asl.component.common.retry import jitter_strategy_decl
    from moto.stepfunctions.parser.asl.component.common.timeouts.timeout import EvalTimeoutError
    from moto.stepfunctions.parser.asl.component.eval_component import EvalComponent
    from moto.stepfunctions.parser.asl.component.program.program import Program
    from moto.stepfunctions.parser.asl.component.state import state as state_module
    from moto.stepfunctions.parser.asl.component.state.exec.execute_state import ExecutionState
    from moto.stepfunctions.parser.asl.component.state.exec.state_parallel import branch_worker, branches_decl
    from moto.stepfunctions.parser.asl.component.state.exec.state_parallel.branches_decl import BranchesDecl
    from moto.stepfunctions.parser.asl.component.state.exec.state_task.state_task import StateTask
    from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction
    from moto.stepfunctions.parser.asl.eval.callback.callback import HeartbeatTimeoutError
    from moto.stepfunctions.parser.asl.eval.environment import Environment
    from moto.stepfunctions.parser.asl.eval.states import ContextObject

    kernel, threads = world.kernel, world.stepfunctions.interpreter.threads
    sample, record = world.latency.sample, world.journal.record

    def heap_key(self: Any) -> str:
        key = self.__dict__.get("_heap_key")
        if key is None:
            key = self.__dict__["_heap_key"] = str(next(_heap_keys))
        return str(key)

    def run_program(self: Any, env: Any) -> None:
        env.next_state_name = self.start_at.start_at_name
        run_states(self, env)

    def run_states(self: Any, env: Any) -> None:
        states = self.states.states
        standard = env.is_standard_workflow()
        row = "stepfunctions.transition" if standard else "stepfunctions.express_transition"
        history = env.event_manager
        execution = getattr(history, "execution", None)
        top = not env.is_frame()
        while env.is_running():
            # Branches and iterations of an execution keep step, so that they go on in their order, as on AWS.
            kernel.sleep(sample(row) if top or execution is None else execution.pace(row))
            if execution is not None and execution.doomed:
                execution.stop("ABORTED")
            name = env.next_state_name
            state, began, outcome = states[name], kernel.now, "ok"
            if top and execution is not None:
                execution.resume = (name, env.states._states_data["input"], env.variable_store)
            env.open_state = kind = type_of(state)
            try:
                state.eval(env)
                env.open_state = ""
            except FailureEventException as failure:
                if kind in ("Map", "Parallel"):
                    env.open_state = ""  # that has an event of its own
                details = failure.get_execution_failed_event_details() or {}
                env.set_error(error=details)
                outcome = details.get("error") or "States.TaskFailed"
            except Exception as error:  # noqa: BLE001 - what the interpreter did not expect fails the execution
                outcome = "States.Runtime"
                cause = str(error) or type(error).__name__
                env.set_error(error={"error": outcome, "cause": cause})
            if execution is not None:
                data = {"execution": execution.arn, "state": name, "type": kind}
                if execution.limited and not standard:
                    data["child"] = "EXPRESS"
                record(
                    "states.state",
                    execution.revision.machine_arn,
                    actor="states",
                    duration=kernel.now - began,
                    outcome=outcome,
                    trace=execution.trace,
                    data=data,
                )
            env.stack.clear()
            env.heap.clear()
        if not top and env.open_state:
            kernel.sleep(0)  # what fails at the same time has its event before the state that it is in ends

    def evaluate_with_timeout(self: Any, env: Any) -> None:
        self.timeout.eval(env=env)
        seconds = env.stack.pop()
        frame = env.open_frame()
        frame.states.reset(input_value=env.states.get_input())
        frame.stack = list(env.stack)
        try:
            if self.timeout.is_default_value() or seconds is None or seconds >= FOREVER:
                self._eval_execution(frame)
            else:
                attempt(self, frame, seconds)
        finally:
            frame.set_ended()
            env.close_frame(frame)
        output = frame.stack.pop()
        env.stack.append(output)
        if not self._is_language_query_jsonpath():
            env.states.set_result(output)
        if self.assign_decl:
            self.assign_decl.eval(env=env)
        if self.result_selector:
            self.result_selector.eval(env=env)
        if self.result_path:
            self.result_path.eval(env)
        else:
            env.states.reset(input_value=env.stack.pop())

    def attempt(self: Any, frame: Any, seconds: float) -> None:
        limit = round(seconds * 1_000_000)
        if not threads.within(limit, lambda: self._eval_execution(frame), "states.attempt"):
            raise EvalTimeoutError

    def wait_interval(self: Any, env: Any, wait_seconds: float) -> None:
        threads.sleep(wait_seconds)

    def task_from_error(original: Any) -> Any:
        """Who lacks a heartbeat is caught as that, and shown as a time-out, as recorded on AWS."""

        def translate(self: Any, env: Any, ex: Exception) -> Any:
            event = original(self, env=env, ex=ex)
            if isinstance(ex, HeartbeatTimeoutError):
                event.error_name = CustomErrorName("States.HeartbeatTimeout")
            return event

        return translate

    branch_ended = branches_decl.BranchWorkerPool.on_terminated

    def branch_over(self: Any, env: Any) -> None:
        """Which branch failed first."""
        running = self._terminated_with_error is None
        branch_ended(self, env)
        if running and self._terminated_with_error is not None:
            self.failed = env
            threads.end_siblings()

    def stop_branch(self: Any, stop_date: Any, cause: str | None, error: str | None) -> None:
        """Another branch, or this one, has failed."""
        failed = self._branch_worker_comm.failed
        aborted.record([self.env], failed.event_history_context, failed)

    def update_task_token(self: Any) -> str:
        data = self.context_object_data
        token = task_token(unqualified(data["StateMachine"]["Id"]), uuid4(kernel.rng("states.tokens")))
        data["Task"] = {"Token": token}
        return token

    def program_state(self: Any) -> Any:
        return self._program_state

    return [
        (EvalComponent, "heap_key", property(heap_key)),
        (EvalComponent, "_log_failure_event_exception", lambda self, failure_event_exception: None),
        (EvalComponent, "_log_exception", lambda self, exception: None),
        (Program, "eval", run_program),
        (Program, "_eval_body", run_states),
        (ExecutionState, "_evaluate_with_timeout", evaluate_with_timeout),
        (StateTask, "_from_error", task_from_error(StateTask._from_error)),
        (WaitFunction, "_wait_interval", wait_interval),
        (Environment, "open_state", ""),
        (Environment, "iteration", None),
        (branches_decl.BranchWorkerPool, "on_terminated", branch_over),
        (branch_worker.BranchWorker, "stop", stop_branch),
        (BranchesDecl, "_eval_body", ending_its_threads(world, BranchesDecl._eval_body)),
        (Environment, "program_state", program_state),
        (ContextObject, "update_task_token", update_task_token),
        (state_module, "datetime", Moments(world)),
        (jitter_strategy_decl, "random", kernel.rng("states.jitter")),
    ]


def ending_its_threads(world: World, original: Any) -> Any:
    """Whatever way a state ends, what it started and still runs ends with it."""
    kernel, threads = world.kernel, world.stepfunctions.interpreter.threads

    def evaluate(self: Any, env: Any) -> None:
        try:
            original(self, env)
        finally:
            threads.end_children(kernel.current)

    return evaluate


def type_of(state: Any) -> str:
    """``Task``, ``Choice`` …"""
    return str(getattr(state.state_type, "name", state.state_type))
