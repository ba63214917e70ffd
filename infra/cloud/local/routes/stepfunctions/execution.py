"""One execution of a state machine: from its start to its end, whichever way it ends."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ...service import Caller
from .history import History
from .interpreter import copy_json, iso

if TYPE_CHECKING:
    from ...tasks import Task
    from .machine import Revision
    from .service import StepFunctions


class Execution:
    """Times are virtual microseconds. ``input`` is the text that was given."""

    def __init__(
        self, service: StepFunctions, revision: Revision, arn: str, name: str, input: str, caller: Caller
    ) -> None:
        self.world = service.world
        self.service = service
        self.revision = revision
        self.arn = arn
        self.name = name
        self.input = input
        self.trace = caller.trace or service.world.new_trace()
        self.status = "RUNNING"
        self.started = service.kernel.now
        self.stopped: int | None = None
        self.output: str | None = None
        self.error: str | None = None
        self.cause: str | None = None
        self.over = service.kernel.event(f"execution {name} to end")
        self.history = History(self)
        self._task: Task | None = None
        self._env: Any = None

    @property
    def caller(self) -> Caller:
        """Who makes the calls of the tasks: the state machine's role."""
        return Caller("service", "states", role=self.revision.role, trace=self.trace, invocation=self.arn)

    def start(self) -> None:
        """Begin, in a task of its own."""
        self._task = self.service.interpreter.threads.spawn(self._run, "states.execution", self.caller)

    def stop(self, status: str, error: str | None, cause: str | None) -> None:
        """End it from outside: StopExecution (ABORTED) or its time-out (TIMED_OUT)."""
        if self._task is not None:
            self.service.interpreter.threads.end(self._task)
        self._end(status, error, cause, None)

    def _run(self) -> None:
        from moto.stepfunctions.parser.asl.eval.program_state import ProgramEnded, ProgramError

        program = self.service.interpreter.program(self.revision.definition)
        env = self._env = self._environment(json.loads(self.input))
        details = {"input": self.input, "inputDetails": {"truncated": False}, "roleArn": self.revision.role}
        self.history.add_event(
            env.event_history_context,
            "ExecutionStarted",
            {"executionStartedEventDetails": details},
            update_source_event_id=False,
        )
        if program.timeout_seconds is not None:
            seconds = program.timeout_seconds.timeout_seconds
            self._deadline = self.service.kernel.call_later(
                seconds * 1_000_000, self.stop, "TIMED_OUT", None, None
            )
        program.eval(env)
        state = env.program_state()
        if isinstance(state, ProgramEnded):
            output = json.dumps(env.states.get_input(), separators=(",", ":"), ensure_ascii=False)
            self._end("SUCCEEDED", None, None, output)
        elif isinstance(state, ProgramError):
            failure = state.error or {}
            self._end("FAILED", failure.get("error"), failure.get("cause"), None)
        else:
            raise RuntimeError(f"an execution ended as {type(state).__name__}")

    _deadline: Any = None

    def _end(self, status: str, error: str | None, cause: str | None, output: str | None) -> None:
        if self.status != "RUNNING":
            return
        if self._deadline is not None:
            self._deadline.cancel()
        self.status, self.error, self.cause, self.output = status, error, cause, output
        self.stopped = self.service.kernel.now
        kind = _ENDINGS[status]
        details: dict[str, Any] = {}
        if status == "SUCCEEDED":
            details = {"output": output, "outputDetails": {"truncated": False}}
        else:
            if error is not None:
                details["error"] = error
            if cause is not None:
                details["cause"] = cause
        context = self._env.event_history_context
        if status == "ABORTED":
            context.source_event_id = 0
        self.history.add_event(context, f"Execution{kind}", {f"execution{kind}EventDetails": details})
        self._env = self._task = None
        self.world.journal.record(
            "states.execution",
            self.revision.machine_arn,
            actor="states",
            duration=self.stopped - self.started,
            outcome="ok" if status == "SUCCEEDED" else status,
            trace=self.trace,
            data={"execution": self.arn, "status": status, "error": error or ""},
        )
        self.over.set()

    def _environment(self, value: Any) -> Any:
        from moto.stepfunctions.parser.asl.eval.environment import Environment
        from moto.stepfunctions.parser.asl.eval.evaluation_details import AWSExecutionDetails
        from moto.stepfunctions.parser.asl.eval.event.event_manager import EventHistoryContext

        revision = self.revision
        env = Environment(
            aws_execution_details=AWSExecutionDetails(
                account=self.world.account, region=revision.region, role_arn=revision.role
            ),
            execution_type=revision.kind,
            context={
                "Execution": {
                    "Id": self.arn,
                    "Input": copy_json(value),
                    "Name": self.name,
                    "RoleArn": revision.role,
                    "StartTime": iso(self.started),
                    "RedriveCount": 0,
                },
                "StateMachine": {"Id": revision.machine_arn, "Name": revision.name},
            },
            event_history_context=EventHistoryContext.of_program_start(),
            cloud_watch_logging_session=None,
            activity_store=self.service.activities,
        )
        env.event_manager = self.history
        env.callback_pool_manager = self.service.callbacks
        return env


_ENDINGS = {"SUCCEEDED": "Succeeded", "FAILED": "Failed", "ABORTED": "Aborted", "TIMED_OUT": "TimedOut"}
