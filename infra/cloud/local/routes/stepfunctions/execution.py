"""One execution of a state machine: from its start to its end, whichever way it ends.

https://docs.aws.amazon.com/step-functions/latest/dg/concepts-state-machine-executions.html
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ...service import Caller
from .history import LIMIT, History
from .interpreter import copy_json, iso

if TYPE_CHECKING:
    from ...tasks import Task, Timer
    from .machine import Revision
    from .service import StepFunctions

SECOND = 1_000_000
LONGEST = {"STANDARD": 366 * 86_400 * SECOND - 86_400 * SECOND, "EXPRESS": 300 * SECOND}
"""A standard execution may take one year, an Express one five minutes.
https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html"""

REDRIVABLE_FOR = 14 * 86_400 * SECOND
"""https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html"""

_ENDINGS = {"SUCCEEDED": "Succeeded", "FAILED": "Failed", "ABORTED": "Aborted", "TIMED_OUT": "TimedOut"}


class Execution:
    """Times are virtual microseconds. ``input`` is the text that was given."""

    def __init__(
        self,
        service: StepFunctions,
        revision: Revision,
        arn: str,
        name: str,
        input: str,
        trace: str,
        version: str = "",
        alias: str = "",
    ) -> None:
        self.world = service.world
        self.service = service
        self.revision = revision
        self.arn = arn
        self.name = name
        self.input = input
        self.trace = trace
        self.version = version
        self.alias = alias
        self.status = "RUNNING"
        self.started = service.kernel.now
        self.stopped: int | None = None
        self.output: str | None = None
        self.error: str | None = None
        self.cause: str | None = None
        self.redrives = 0
        self.redriven: int | None = None
        self.resume: tuple[str, Any, Any] | None = None
        """Where a redrive goes on: the state that failed, its input, the variables."""
        self.map_runs: list[Any] = []
        self.doomed = False
        """Its state machine was deleted: it is terminated at its next transition."""
        self.log: Callable[[dict[str, Any]], None] | None = None
        self.over = service.kernel.event(f"execution {name} to end")
        self.history = History(self)
        self.branching: dict[str, int] = {}
        """µs that a transition inside a branch or an iteration takes; empty before there is one."""
        self._task: Task | None = None
        self._env: Any = None
        self._deadline: Timer | None = None

    @property
    def limited(self) -> bool:
        return self.revision.kind == "STANDARD"

    @property
    def caller(self) -> Caller:
        """Who makes the calls of the tasks: the state machine's role."""
        return Caller("service", "states", role=self.revision.role, trace=self.trace, invocation=self.arn)

    def pace(self, row: str) -> int:
        """How long a transition inside a branch or an iteration takes: the same for all of them."""
        if row not in self.branching:
            self.branching[row] = max(1, self.world.latency.sample(row))
        return self.branching[row]

    # -- from outside --------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin, in a task of its own."""
        self.service.executed(self, "RUNNING")
        self._task = self.service.interpreter.threads.spawn(self._run, "states.execution", self.caller)

    def stop(self, status: str, error: str | None = None, cause: str | None = None) -> None:
        """End it from outside: ABORTED by StopExecution, TIMED_OUT by its time-out. Its tasks end with it."""
        if self.stopped is not None:
            return
        task = self._task
        if status == "ABORTED" and self._env is not None:
            self._env.event_history_context.source_event_id = 0
        self._end(status, error, cause, None)
        if task is not None:
            self.service.interpreter.threads.end(task)

    def redrive(self) -> None:
        """Go on at the state that failed. The caller has checked that it may."""
        self.redrives += 1
        self.redriven = self.service.kernel.now
        self.status, self.stopped, self.error, self.cause = "RUNNING", None, None, None
        self.over.clear()
        self.service.executed(self, "RUNNING")
        self._task = self.service.interpreter.threads.spawn(self._rerun, "states.execution", self.caller)

    @property
    def redrivable(self) -> tuple[str, str]:
        """Its redrive status, and the reason why it cannot be redriven."""
        if self.status in ("RUNNING", "SUCCEEDED"):
            return "NOT_REDRIVABLE", f"Execution is {self.status} and cannot be redriven"
        if len(self.history.events) >= LIMIT - 1:
            return "NOT_REDRIVABLE", "Execution history event limit exceeded"
        if self.service.kernel.now - self.started > REDRIVABLE_FOR:
            return "NOT_REDRIVABLE", "Execution redrivable period exceeded"
        return "REDRIVABLE", ""

    def overflow(self, context: Any) -> None:
        """The history is full: the execution fails, and the task that would have written goes no further.

        https://docs.aws.amazon.com/step-functions/latest/dg/sfn-best-practices.html#bp-history-limit
        """
        kernel = self.service.kernel
        cause = f"The execution reached the maximum number of history events ({LIMIT})."
        kernel.call_at(kernel.now, self.stop, "FAILED", None, cause)
        assert kernel.current is not None
        kernel.kill(kernel.current)

    # -- in its own task -----------------------------------------------------------------------------

    def _run(self) -> None:
        from moto.stepfunctions.parser.asl.eval import variable_store

        variables: Any = variable_store.VariableStore  # moto's own annotations are not complete
        program = self.service.interpreter.program(self.revision.definition)
        env = self._begin(program, json.loads(self.input), variables())
        details: dict[str, Any] = {
            "input": self.input,
            "inputDetails": {"truncated": False},
            "roleArn": self.revision.role,
        }
        if self.version:
            details["stateMachineVersionArn"] = self.version
        if self.alias:
            details["stateMachineAliasArn"] = self.alias
        self.history.add_event(
            env.event_history_context,
            "ExecutionStarted",
            {"executionStartedEventDetails": details},
            update_source_event_id=False,
        )
        program.eval(env)
        self._finish(env)

    def _rerun(self) -> None:
        if self.resume is None:  # it ended before its first state
            self._run()
            return
        state, value, variables = self.resume
        program = self.service.interpreter.program(self.revision.definition)
        env = self._begin(program, json.loads(self.input), variables)
        env.event_history_context.source_event_id = len(self.history.events)
        env.states.reset(input_value=value)
        details = {"executionRedrivenEventDetails": {"redriveCount": self.redrives}}
        self.history.add_event(env.event_history_context, "ExecutionRedriven", details)
        self.history.resuming = True
        env.next_state_name = state
        program._eval_body(env)
        self._finish(env)

    def _begin(self, program: Any, value: Any, variables: Any) -> Any:
        kernel, longest = self.service.kernel, LONGEST[self.revision.kind]
        asked = program.timeout_seconds
        bounded = asked is not None and asked.timeout_seconds * SECOND < longest
        after = asked.timeout_seconds * SECOND if bounded else longest
        # Nobody waits for the end of a year: that timer is a background one.
        self._deadline = kernel.call_later(
            after, self.stop, "TIMED_OUT", background=not bounded and self.limited
        )
        self._env = self._environment(value, variables)
        return self._env

    def _finish(self, env: Any) -> None:
        from moto.stepfunctions.parser.asl.eval.program_state import ProgramError

        state = env.program_state()
        if isinstance(state, ProgramError):
            failure = state.error or {}
            self._end("FAILED", failure.get("error"), failure.get("cause"), None)
        else:
            output = json.dumps(env.states.get_input(), separators=(",", ":"), ensure_ascii=False)
            self._end("SUCCEEDED", None, None, output)

    def _end(self, status: str, error: str | None, cause: str | None, output: str | None) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        kind = _ENDINGS[status]
        details: dict[str, Any] = {}
        if status == "SUCCEEDED":
            details = {"output": output, "outputDetails": {"truncated": False}}
        else:
            details.update({"error": error} if error is not None else {})
            details.update({"cause": cause} if cause is not None else {})
        context = self._env.event_history_context if self._env is not None else _Nowhere()
        self.history.add_event(context, f"Execution{kind}", {f"execution{kind}EventDetails": details})
        self.status, self.error, self.cause, self.output = status, error, cause, output
        self.stopped = self.service.kernel.now
        self._env = self._task = None
        self.service.executed(self, status)
        self.over.set()

    def _environment(self, value: Any, variables: Any) -> Any:
        from moto.stepfunctions.parser.asl.eval.environment import Environment
        from moto.stepfunctions.parser.asl.eval.evaluation_details import AWSExecutionDetails
        from moto.stepfunctions.parser.asl.eval.event.event_manager import EventHistoryContext

        revision = self.revision
        context: dict[str, Any] = {
            "Id": self.arn,
            "Input": copy_json(value),
            "Name": self.name,
            "RoleArn": revision.role,
            "StartTime": iso(self.started),
        }
        if self.limited:  # an Express execution cannot be redriven and does not tell (as recorded)
            context["RedriveCount"] = self.redrives
        if self.redriven is not None:
            context["RedriveTime"] = iso(self.redriven)
        machine = {"Id": self.alias or self.version or revision.machine_arn, "Name": revision.name}
        make: Any = Environment  # it gets look-alikes of what its annotations name
        env = make(
            aws_execution_details=AWSExecutionDetails(
                account=self.world.account, region=revision.region, role_arn=revision.role
            ),
            execution_type=revision.kind,
            context={"Execution": context, "StateMachine": machine},
            event_history_context=EventHistoryContext.of_program_start(),
            cloud_watch_logging_session=None,
            activity_store=self.service.activities,
            variable_store=variables,
        )
        env.event_manager = self.history
        env.callback_pool_manager = self.service.callbacks
        return env


class _Nowhere:
    """The context of an execution that ended before its first turn."""

    source_event_id = 0
    last_published_event_id = 0
