"""Which errors are retried and caught, how a failure reads, and where in Catch an expression stands.

moto lets States.ALL take States.Runtime, lets States.TaskFailed take only errors without AWS's own name, does
not take a heartbeat's time-out under States.Timeout, and refuses to hand on an error named by AWS. It counts
events, not the state's entry, in "entered at the event id", and decorates only two errors. An error of the
definition or the data (States.Runtime) ends an execution without an event of the task.
"""

from __future__ import annotations

from typing import Any

from .failures import PREFIX, QUERY, RUNTIME, entered, failure
from .text import json_text

DECORATED = (RUNTIME, QUERY, "States.IntrinsicFailure", "States.NoChoiceMatched")


NO_TASK_FAILURE = ("States.Timeout", "States.DataLimitExceeded")
"""Errors that States.TaskFailed does not take."""


def catches(names: list[str], error: str | None) -> bool:
    """Whether ``ErrorEquals`` takes an error. States.Runtime is taken by nobody.

    The page says that States.ALL does not take States.DataLimitExceeded either; recorded on AWS, it does.

    https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
    """
    if error == RUNTIME:
        return False
    if "States.ALL" in names or error in names:
        return True
    if error == "States.HeartbeatTimeout" and "States.Timeout" in names:
        return True
    return "States.TaskFailed" in names and error not in NO_TASK_FAILURE


def patches() -> list[tuple[Any, str, Any]]:
    from moto.stepfunctions.parser.asl.component.common.catch.catch_decl import CatchDecl
    from moto.stepfunctions.parser.asl.component.common.catch.catch_outcome import CatchOutcome
    from moto.stepfunctions.parser.asl.component.common.catch.catcher_outcome import CatcherOutcomeCaught
    from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import CustomErrorName
    from moto.stepfunctions.parser.asl.component.common.error_name.error_equals_decl import ErrorEqualsDecl
    from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
        FailureEvent,
        FailureEventException,
    )
    from moto.stepfunctions.parser.asl.component.state.exec.execute_state import ExecutionState
    from moto.stepfunctions.parser.asl.utils.json_path import NoSuchJsonPathError

    def error_equals(self: Any, env: Any) -> None:
        name = env.stack.pop()
        wanted = [each.error_name for each in self.error_names]
        env.stack.append(catches(wanted, None if name is None else name.error_name))

    def named(self: Any, error_name: str | None) -> None:
        self.error_name = error_name  # a branch that fails hands on its error, whatever it is called

    def catch(self: Any, env: Any) -> None:
        env.states._states_data.pop("result", None)  # there is $states.errorOutput in its place (as recorded)
        for index, catcher in enumerate(self.catchers):
            env.location = f"Catch[{index}]"
            try:
                catcher.eval(env)
            finally:
                env.location = ""
            if isinstance(env.stack.pop(), CatcherOutcomeCaught):
                env.stack.append(CatchOutcome.Caught)
                return
        env.stack.append(CatchOutcome.NotCaught)

    def made(self: Any, env: Any, error_name: Any, event_type: Any, event_details: Any = None) -> None:
        self.state_name = env.next_state_name
        self.source_event_id = entered(env)
        self.error_name = error_name
        self.event_type = event_type
        self.event_details = event_details

    def execution_failed(self: Any) -> Any:
        pair = self.extract_error_cause_pair()
        if pair is None:
            return None
        error, cause = pair
        details: dict[str, Any] = {}
        if error:
            details["error"] = error
        if cause:
            event = self.failure_event
            if error in DECORATED and not cause.startswith(PREFIX):
                cause = (
                    f"{PREFIX}{event.state_name}' (entered at the event id #{event.source_event_id}). {cause}"
                )
            details["cause"] = cause
        return details

    def evaluation_failed(self: Any) -> Any:
        details = dict(self.failure_event.event_details["evaluationFailedEventDetails"])
        if details.get("error") != QUERY:
            return None
        event = self.failure_event
        if not details["cause"].startswith(PREFIX):
            where = f"{PREFIX}{event.state_name}' (entered at the event id #{event.source_event_id}). "
            details["cause"] = where + details["cause"]
        details.setdefault("state", event.state_name)
        return details

    def from_error(self: Any, env: Any, ex: Exception) -> Any:
        if isinstance(ex, NoSuchJsonPathError):
            field = getattr(ex, "field", None) or env.next_field_name
            path = f"The JSONPath '{ex.json_path}' specified for the field '{field}'"
            raise failure(env, RUNTIME, f"{path} could not be found in the input '{json_text(ex.data)}'")
        if not isinstance(ex, FailureEventException):
            raise failure(env, RUNTIME, str(ex)) from ex
        event = ex.failure_event
        if event.error_name is not None and event.error_name.error_name == RUNTIME:
            raise ex  # nobody takes it, and the task has no event of it
        return event

    return [
        (CustomErrorName, "__init__", named),
        (ErrorEqualsDecl, "_eval_body", error_equals),
        (CatchDecl, "_eval_body", catch),
        (FailureEvent, "__init__", made),
        (FailureEventException, "get_execution_failed_event_details", execution_failed),
        (FailureEventException, "get_evaluation_failed_event_details", evaluation_failed),
        (ExecutionState, "_from_error", from_error),
    ]
