"""TestState: one state by itself, with its task mocked or really called.

https://docs.aws.amazon.com/step-functions/latest/apireference/API_TestState.html
https://docs.aws.amazon.com/step-functions/latest/dg/test-state-isolation.html
"""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from ....service import Call, NotSimulated, ServiceError
from .diagnostics import Report
from .patch_errors import catches
from .text import json_text
from .validation import refusal, transitions
from .validation_states import check_state

NAME = "TestState"
MOCKED = ("Task", "Map", "Parallel")


def state_of(params: dict[str, Any]) -> tuple[str, dict[str, Any], str]:
    """The name and definition of the state to test, and the query language around it."""
    try:
        given = json.loads(params["definition"])
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise ServiceError(
            "InvalidDefinition", "Invalid State Machine Definition: 'INVALID_JSON_DESCRIPTION' at null"
        )
    language = given.get("QueryLanguage", "JSONPath")
    name = params.get("stateName")
    if name is None:
        return NAME, given, language
    found = given.get("States", {}).get(name)
    if not isinstance(found, dict):
        raise ServiceError("ValidationException", f"State '{name}' is not found in the definition")
    return name, found, language


def check(state: dict[str, Any], language: str) -> None:
    """Raise InvalidDefinition for a state that is not valid."""
    report = Report("STANDARD")
    check_state(state, "", language, report)
    found = [dataclasses.replace(each, location=each.location or "/") for each in report.found]
    message = refusal(found)
    if message is not None:
        raise ServiceError("InvalidDefinition", message)


def machine_of(name: str, state: dict[str, Any], language: str) -> str:
    """A state machine around the state: what it leads to are states that end."""
    states: dict[str, Any] = {name: state}
    for _, target in transitions(state):
        states.setdefault(target, {"Type": "Succeed"})
    return json.dumps({"QueryLanguage": language, "StartAt": name, "States": states}, ensure_ascii=False)


def retrier(state: dict[str, Any], error: str, tried: int) -> dict[str, Any] | None:
    """What inspection says of the retrier that would retry; None if none would."""
    for index, each in enumerate(state.get("Retry") or ()):
        if not catches(each["ErrorEquals"], error):
            continue
        if tried >= each.get("MaxAttempts", 3):
            return None
        seconds = each.get("IntervalSeconds", 1) * each.get("BackoffRate", 2.0) ** tried
        limit = each.get("MaxDelaySeconds")
        return {
            "retryIndex": index,
            "retryBackoffIntervalSeconds": int(seconds if limit is None else min(seconds, limit)),
        }
    return None


def mocked(state: Any, mock: dict[str, Any]) -> Any:
    """What stands in the place of the task: its parameters are evaluated, and the mock is its answer."""
    from moto.stepfunctions.parser.api import HistoryEventType
    from moto.stepfunctions.parser.asl.component.common.error_name import failure_event
    from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import CustomErrorName

    module: Any = failure_event

    def evaluate(env: Any) -> None:
        parameters = getattr(state, "parargs", None)
        if parameters is not None:
            parameters.eval(env=env)
            env.stack.pop()
        error = mock.get("errorOutput")
        if error is not None:
            details = {key: error[key] for key in ("error", "cause") if key in error}
            kind = HistoryEventType.TaskFailed
            name = CustomErrorName(error.get("error"))
            raise module.FailureEventException(
                module.FailureEvent(env, name, kind, {"taskFailedEventDetails": details})
            )
        env.stack.append(json.loads(mock["result"]))
        if env.inspection is not None:
            env.inspection["result"] = mock["result"]

    return evaluate


def run(program: Any, env: Any, name: str, state: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """The answer of TestState for a program of one state."""
    from moto.stepfunctions.parser.asl.component.common.catch.catch_outcome import CatchOutcome
    from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEventException

    component = program.states.states[name]
    mock = params.get("mock")
    if mock is not None:
        component._eval_execution = mocked(component, mock)
    catch = getattr(component, "catch", None)
    if state["Type"] in MOCKED:
        component.retry = component.catch = None
    env.inspection = {"input": json_text(env.states.get_input())}
    env.next_state_name = name
    try:
        component.eval(env)
    except FailureEventException as error:
        details = error.get_execution_failed_event_details() or {}
        answer: dict[str, Any] = {"status": "FAILED", **details}
        failed = str(details.get("error") or "")
        configuration = params.get("stateConfiguration") or {}
        again = retrier(state, failed, configuration.get("retrierRetryCount", 0))
        if again is not None:
            env.inspection["errorDetails"] = again
            return {**answer, "status": "RETRIABLE"}
        if catch is not None:
            component.catch = catch
            output = component._construct_error_output_value(failure_event=error.failure_event)
            env.states.set_error_output(output)
            component._handle_catch(env=env, failure_event=error.failure_event)
            if env.stack[-1] == CatchOutcome.Caught:
                wanted = [each["ErrorEquals"] for each in state["Catch"]]
                index = next(index for index, names in enumerate(wanted) if catches(names, failed))
                env.inspection["errorDetails"] = {"catchIndex": index}
                caught = {"status": "CAUGHT_ERROR", "nextState": env.next_state_name}
                return {**answer, **caught, "output": json_text(env.states.get_input())}
        return answer
    answer = {"status": "SUCCEEDED", "output": json_text(env.states.get_input())}
    if env.is_running() and env.next_state_name != name:
        answer["nextState"] = env.next_state_name
    return answer


def inspection(state: dict[str, Any], found: dict[str, Any], jsonata: bool) -> dict[str, Any]:
    """What AWS shows of a state's data flow, from what was seen of it."""
    if jsonata:
        for name in ("afterInputPath", "afterParameters", "afterResultSelector", "afterResultPath"):
            found.pop(name, None)
    elif state["Type"] == "Pass" and "afterResultPath" in found:
        if "Result" in state:
            found.pop("afterInputPath", None)
            found["result"] = found["afterResultSelector"]
        else:
            found.setdefault("afterParameters", found["afterResultSelector"])
    elif state["Type"] in MOCKED and "afterResultPath" in found and "Parameters" not in state:
        found.setdefault("afterParameters", found["afterInputPath"])
    return found


def check_mock(kind: str, params: dict[str, Any]) -> None:
    """What goes with a mock, with the errors recorded from AWS (LocalStack, v2/test_state).

    A mocked result is not held against the model of the called API: that is the mode NONE.
    """
    mock, configuration = params.get("mock"), params.get("stateConfiguration") or {}
    ignored = [f"stateConfiguration.{name}" for name in _NOT_SIMULATED if name in configuration]
    if mock is not None and mock.get("fieldValidationMode", "NONE") != "NONE":
        ignored.append(f"mock.fieldValidationMode {mock['fieldValidationMode']}")
    if params.get("revealSecrets") and mock is None:
        ignored.append("revealSecrets")
    if ignored:
        raise NotSimulated(f"NotSimulated: stepfunctions:TestState {', '.join(ignored)}")
    if mock is None:
        if kind in ("Map", "Parallel"):
            raise ServiceError(
                "InvalidDefinition",
                "TestState API does not support Map or Parallel states. Supported state types include: "
                "[Task, Wait, Pass, Succeed, Fail, Choice]",
            )
        return
    problem = ""
    if kind in ("Pass", "Fail", "Succeed"):
        problem = f"State type '{kind}' is not supported when a mock is specified"
    elif "result" in mock and "errorOutput" in mock:
        problem = "A test mock should have only one of the following fields: [result, errorOutput]."
    elif params.get("revealSecrets"):
        problem = "TestState does not support RevealSecrets when a mock is specified."
    if problem:
        raise ServiceError("ValidationException", problem)


_NOT_SIMULATED = ("errorCausedByState", "mapItemReaderData", "mapIterationFailureCount")


def answer(service: Any, call: Call) -> dict[str, Any]:
    """The operation. Without a role, a task must be mocked."""
    from ..execution import Execution
    from ..machine import Revision

    params = call.params
    name, state, language = state_of(params)
    check(state, language)
    check_mock(state["Type"], params)
    if state["Type"] == "Task" and params.get("mock") is None and not params.get("roleArn"):
        problem = "RoleArn must be specified when testing a Task state without mock"
        raise ServiceError("ValidationException", problem)
    service.interpreter.install()
    from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser

    definition = machine_of(name, state, language)
    program: Any = AmazonStateLanguageParser.parse(definition)[0]
    arn = f"arn:aws:states:{call.region}:{call.account}:stateMachine:{NAME}"
    role = params.get("roleArn") or ""
    now = service.kernel.now
    revision = Revision(arn, NAME, call.region, definition, role, "STANDARD", "INITIAL", now, {}, {})
    execution = Execution(
        service,
        revision,
        arn.replace(":stateMachine:", ":execution:") + f":{NAME}",
        NAME,
        params.get("input") or "{}",
        call.caller.trace or service.world.new_trace(),
    )
    try:
        value = json.loads(execution.input)
    except ValueError as error:
        raise ServiceError(
            "InvalidExecutionInput", "Invalid State Machine Execution Input: 'Invalid execution input.'"
        ) from error
    env = execution._environment(value, None)
    for key, value in json.loads(params.get("variables") or "{}").items():
        env.variable_store._inner_scope[key] = value
    env.states.context_object.context_object_data.update(json.loads(params.get("context") or "{}"))
    found: list[dict[str, Any]] = []

    def turn() -> None:
        found.append(run(program, env, name, state, params))

    task = service.interpreter.threads.spawn(turn, "states.test", execution.caller)
    service.kernel.join(task)
    shown = found[0]
    if params.get("inspectionLevel", "INFO") != "INFO":
        jsonata = "JSONata" in (language, state.get("QueryLanguage"))
        shown["inspectionData"] = inspection(state, env.inspection, jsonata)
    return shown
