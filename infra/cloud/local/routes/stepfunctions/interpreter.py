"""moto's interpreter of the Amazon States Language, made to run in virtual time, one execution at a time.

The interpreter was written for threads. Its modules get look-alikes of ``threading`` and ``time``
(``threads.py``) and of its boto3 clients (``integrations.py``); a definition is parsed once; and the places
where it polled, or copied a whole program to ask whether it still runs, are replaced. ``language/`` adds what
differs from AWS in the language itself. All of it is undone when the world closes.

Importing the interpreter takes a second, so that waits until a state machine is made.
"""

from __future__ import annotations

import copy
import itertools
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from .threads import FOREVER, Threads

if TYPE_CHECKING:
    from ...world import World

PREFIX = "moto.stepfunctions.parser"
_MISSING = object()
_programs: dict[str, Any] = {}
"""Definitions by their text: a program holds no state of an execution, so it serves all worlds."""

_heap_keys = itertools.count()


class Interpreter:
    """The patches on moto, from the first state machine of a world until the world closes."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.threads = Threads(world.kernel)
        self._undo: list[tuple[Any, str, Any]] | None = None

    def program(self, definition: str) -> Any:
        """The program of a definition, parsed once. Raises what the parser raises."""
        self.install()
        found = _programs.get(definition)
        if found is None:
            from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser

            found = _programs[definition] = AmazonStateLanguageParser.parse(definition)[0]
        return found

    def install(self) -> None:
        if self._undo is not None:
            return
        self._undo = []
        from . import language
        from .integrations import client_maker

        _import_all()
        threads = self.threads
        replacements = [
            (threading, threads),
            (time, threads),
            (threading.Thread, threads.Thread),
            (threading.Event, threads.Event),
            (threading.Lock, threads.Lock),
            (copy, FastCopy),
        ]
        client = client_maker(self._world)
        for name in sorted(sys.modules):
            if not name.startswith(PREFIX):
                continue
            module = sys.modules[name]
            for attribute, value in list(vars(module).items()):
                for old, new in replacements:
                    if value is old:
                        self._patch(module, attribute, new)
                if attribute == "boto_client_for":
                    self._patch(module, attribute, client)
                elif attribute == "TMP_THREADS":
                    self._patch(module, attribute, _Nowhere())
        for owner, attribute, value in [*_own_patches(self._world, threads), *language.patches(self._world)]:
            self._patch(owner, attribute, value)

    def uninstall(self) -> None:
        for owner, attribute, value in reversed(self._undo or ()):
            if value is _MISSING:
                delattr(owner, attribute)
            else:
                setattr(owner, attribute, value)
        self._undo = None

    def _patch(self, owner: Any, attribute: str, value: Any) -> None:
        assert self._undo is not None
        self._undo.append((owner, attribute, vars(owner).get(attribute, _MISSING)))
        setattr(owner, attribute, value)


class _Nowhere:
    """Where the interpreter keeps every thread that it ever started."""

    def append(self, thread: Any) -> None:
        pass


class FastCopy:
    """``copy`` for values that are JSON, which need no memory of what was already copied."""

    copy = staticmethod(copy.copy)

    @staticmethod
    def deepcopy(value: Any) -> Any:
        return copy_json(value)


_ATOMS = frozenset({str, int, float, bool, type(None)})


def copy_json(value: Any) -> Any:
    """A deep copy; quick for JSON, right for everything else."""
    kind = value.__class__
    if kind in _ATOMS:
        return value
    if kind is dict:
        return {key: each if each.__class__ in _ATOMS else copy_json(each) for key, each in value.items()}
    if kind is list:
        return [each if each.__class__ in _ATOMS else copy_json(each) for each in value]
    return copy.deepcopy(value)


def _import_all() -> None:
    """Everything that the interpreter imports only when it first needs it."""
    import moto.stepfunctions.parser.asl.eval.environment
    import moto.stepfunctions.parser.asl.parse.asl_parser  # noqa: F401


def _own_patches(world: World, threads: Threads) -> list[tuple[Any, str, Any]]:
    from moto.stepfunctions.parser.api import ExecutionFailedEventDetails
    from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEventException
    from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl  # noqa: F401
    from moto.stepfunctions.parser.asl.component.common.timeouts.timeout import EvalTimeoutError
    from moto.stepfunctions.parser.asl.component.eval_component import EvalComponent
    from moto.stepfunctions.parser.asl.component.program.program import Program
    from moto.stepfunctions.parser.asl.component.state import state as state_module
    from moto.stepfunctions.parser.asl.component.state.exec.execute_state import ExecutionState
    from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration import (
        inline_iteration_component,
    )
    from moto.stepfunctions.parser.asl.component.state.exec.state_parallel.branches_decl import BranchesDecl
    from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction
    from moto.stepfunctions.parser.asl.eval.environment import Environment

    InlineIterationComponent = inline_iteration_component.InlineIterationComponent  # noqa: N806
    kernel = world.kernel
    transition = world.latency.sample

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
        row = "stepfunctions.transition" if env.is_standard_workflow() else "stepfunctions.express_transition"
        try:
            while env.is_running():
                kernel.sleep(transition(row))
                states[env.next_state_name].eval(env)
                env.stack.clear()
                env.heap.clear()
        except FailureEventException as failure:
            env.set_error(error=failure.get_execution_failed_event_details())
        except Exception as error:  # noqa: BLE001 - what the interpreter did not expect fails the execution
            cause = f"{type(error).__name__}({error})"
            env.set_error(ExecutionFailedEventDetails(error="States.Runtime", cause=cause))

    def evaluate_with_timeout(self: Any, env: Any) -> None:
        self.timeout.eval(env=env)
        seconds = env.stack.pop()
        frame = env.open_frame()
        frame.states.reset(input_value=env.states.get_input())
        frame.stack = list(env.stack)
        try:
            if seconds is None or seconds >= FOREVER:
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
        errors: list[Exception] = []
        over = kernel.event("a state to end")

        def run() -> None:
            try:
                self._eval_execution(frame)
            except Exception as error:  # noqa: BLE001 - handed on to the state
                errors.append(error)
            over.set()

        task = threads.spawn(run, "states.attempt")
        in_time = over.wait(round(seconds * 1_000_000))
        if errors:
            raise errors[0]
        if not in_time:
            threads.end(task)
            raise EvalTimeoutError

    def wait_interval(self: Any, env: Any, wait_seconds: float) -> None:
        threads.sleep(wait_seconds)

    def ending_its_threads(original: Any) -> Any:
        def evaluate(self: Any, env: Any) -> None:
            try:
                original(self, env)
            finally:
                threads.end_children(kernel.current)

        return evaluate

    def program_state(self: Any) -> Any:
        return self._program_state

    return [
        (EvalComponent, "heap_key", property(heap_key)),
        (Program, "eval", run_program),
        (Program, "_eval_body", run_states),
        (ExecutionState, "_evaluate_with_timeout", evaluate_with_timeout),
        (WaitFunction, "_wait_interval", wait_interval),
        (BranchesDecl, "_eval_body", ending_its_threads(BranchesDecl._eval_body)),
        (InlineIterationComponent, "_eval_body", ending_its_threads(InlineIterationComponent._eval_body)),
        (Environment, "program_state", program_state),
        (EvalComponent, "_log_failure_event_exception", lambda self, failure_event_exception: None),
        (EvalComponent, "_log_exception", lambda self, exception: None),
        (state_module, "datetime", Moments(world)),
    ]


class Moments:
    """``datetime`` for the context object: times as AWS writes them, ``2026-01-05T09:00:00.000Z``."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.datetime = self
        self.timezone = self
        self.utc = None

    def now(self, tz: Any = None) -> Moments:
        return self

    def isoformat(self) -> str:
        return iso(self._world.kernel.now)


def iso(micros: int) -> str:
    """A time as the context object shows it."""
    import datetime

    when = datetime.datetime.fromtimestamp(micros // 1_000_000, datetime.UTC)
    return f"{when:%Y-%m-%dT%H:%M:%S}.{micros // 1000 % 1000:03d}Z"
