"""How a state fails: the interpreter's exception, with AWS's error, cause and place."""

from __future__ import annotations

from typing import Any

from .jsonpath import Path, compile_path

RUNTIME = "States.Runtime"
QUERY = "States.QueryEvaluationError"
OF_RUNS = (
    "States.ItemReaderFailed",
    "States.ExceedToleratedFailureThreshold",
    "States.ResultWriterFailed",
)
"""Errors of a map run, whose causes AWS does not begin with the state and its event (as recorded)."""


def failure(env: Any, error: str, cause: str) -> Exception:
    """An error of the state that is running in ``env``."""
    from moto.stepfunctions.parser.api import HistoryEventType
    from moto.stepfunctions.parser.asl.component.common.error_name import failure_event

    module: Any = failure_event
    from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
    from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import (
        StatesErrorNameType,
    )

    name = StatesErrorName(typ=StatesErrorNameType.from_name(error))
    if error == QUERY:
        kind = HistoryEventType.EvaluationFailed
        details: dict[str, Any] = {
            "evaluationFailedEventDetails": {
                "cause": f"{where(env)}{cause}",
                "error": error,
                "location": location(env),
                "state": env.next_state_name,
            }
        }
    elif error == RUNTIME:
        kind = HistoryEventType.ExecutionFailed
        details = {"executionFailedEventDetails": {"error": error, "cause": cause}}
    else:
        kind = HistoryEventType.TaskFailed
        said = cause if error in OF_RUNS else f"{where(env)}{cause}"
        details = {"taskFailedEventDetails": {"error": error, "cause": said}}
    made: Exception = module.FailureEventException(module.FailureEvent(env, name, kind, details))
    return made


PREFIX = "An error occurred while executing the state '"


def where(env: Any) -> str:
    """What AWS puts before the cause of an error that is the definition's or the data's."""
    return f"{PREFIX}{env.next_state_name}' (entered at the event id #{entered(env)}). "


def entered(env: Any) -> int:
    """The id of the event with which the running state was entered."""
    found = getattr(env, "entered", None)
    return int(env.event_history_context.source_event_id if found is None else found)


def location(env: Any) -> str:
    """The field that is being evaluated, as AWS writes it: ``Output/a/b[0]``, ``Choices[1]/Condition``."""
    return str(getattr(env, "location", "") or env.next_field_name or "")


def no_results(path: str, document: Any) -> str:
    """What the path library of AWS says of a path that finds nothing."""
    compiled: Path = compile_path(path)
    if not compiled.reference:
        return f"Invalid path '{path}' : No results for path: {path}"
    keys = compiled.keys()
    shown = "$"
    node = document
    for position, key in enumerate(keys):
        shown += f"['{key}']" if isinstance(key, str) else f"[{key}]"
        try:
            node = node[key]
        except (LookupError, TypeError):
            if position < len(keys) - 1:
                return f"Invalid path '{path}' : Missing property in path {shown}"
            return f"Invalid path '{path}' : No results for path: {shown}"
    return f"Invalid path '{path}' : No results for path: {shown}"
