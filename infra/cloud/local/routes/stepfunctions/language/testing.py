"""TestState: one state by itself, with its task mocked or really called.

https://docs.aws.amazon.com/step-functions/latest/apireference/API_TestState.html
https://docs.aws.amazon.com/step-functions/latest/dg/test-state-isolation.html
"""

from __future__ import annotations

import dataclasses
import json
import re
from typing import TYPE_CHECKING, Any

from botocore.exceptions import UnknownServiceError
from botocore.model import Shape

from ....ids import uuid4
from ....service import Call, NotSimulated, ServiceError
from ..integrations import Client, sdk_service
from . import testing_mocks
from .diagnostics import Report
from .failures import PREFIX, RUNTIME
from .patch_errors import catches
from .testing_checks import MOCKED, NOT_VALIDATED, check_context, check_mock, refuse
from .text import json_text
from .validation import refusal, transitions
from .validation_resources import PATTERN
from .validation_states import check_state

if TYPE_CHECKING:
    from ....world import World

NAME = "StateName"
"""What the context object calls a state that is tested by its definition alone (as recorded)."""


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
    found = _named(given, name)
    if found is None:
        raise refuse("State not found in definition")
    return name, found, language


def _named(machine: dict[str, Any], name: str) -> dict[str, Any] | None:
    """The state of that name, also inside Map and Parallel states (as recorded)."""
    states = machine.get("States")
    for each, state in states.items() if isinstance(states, dict) else ():
        if not isinstance(state, dict):
            continue
        inner = [state.get("ItemProcessor"), state.get("Iterator"), *(state.get("Branches") or ())]
        found = state if each == name else None
        for scope in inner:
            if found is None and isinstance(scope, dict):
                found = _named(scope, name)
        if found is not None:
            return found
    return None


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
    """What inspection says of the retrier of the error; without a back-off, it has no attempts left."""
    for index, each in enumerate(state.get("Retry") or ()):
        if not catches(each["ErrorEquals"], error):
            continue
        if tried >= each.get("MaxAttempts", 3):
            return {"retryIndex": index}
        seconds = each.get("IntervalSeconds", 1) * each.get("BackoffRate", 2.0) ** tried
        limit = each.get("MaxDelaySeconds")
        return {
            "retryIndex": index,
            "retryBackoffIntervalSeconds": int(seconds if limit is None else min(seconds, limit)),
        }
    return None


def answer_shape(world: World, resource: str) -> Shape | None:
    """What a called operation answers with, if that is what the mock of the task is held against."""
    found = PATTERN.fullmatch(resource)
    if found is None or found[3] or found[1] in NOT_VALIDATED:
        return None
    service, operation = found[1], found[2]
    if service == "aws-sdk":
        service, operation = operation.split(":")
    try:
        client = Client(world, sdk_service(service), world.region, None)
    except UnknownServiceError as error:
        raise NotSimulated(f"NotSimulated: stepfunctions:TestState of {resource}") from error
    shape: Shape | None = client.model.operation_model(client.operation(operation)).output_shape
    return shape


def run(
    program: Any,
    env: Any,
    name: str,
    state: dict[str, Any],
    params: dict[str, Any],
    context: dict[str, Any] | None,
) -> dict[str, Any]:
    """The answer of TestState for a program of one state."""
    from moto.stepfunctions.parser.asl.component.common.catch.catch_outcome import CatchOutcome
    from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEventException

    component = program.states.states[name]
    if params.get("mock") is not None:
        testing_mocks.put(component, state, params, context)
    catch = getattr(component, "catch", None)
    if state["Type"] in MOCKED:
        component.retry = component.catch = None
    env.inspection = {"input": json_text(env.states.get_input())}
    env.next_state_name = name
    try:
        component.eval(env)
    except FailureEventException as error:
        details = error.get_execution_failed_event_details() or {}
        failed = str(details.get("error") or "")
        if failed == RUNTIME:  # as recorded: a test has no events that the cause could name
            details["cause"] = re.sub(rf"^{PREFIX}.*?'.*?\)\. ", "", str(details["cause"]), count=1)
        answer: dict[str, Any] = {"status": "FAILED", **details}
        configuration = params.get("stateConfiguration") or {}
        again = retrier(state, failed, configuration.get("retrierRetryCount", 0))
        if again is not None:
            env.inspection["errorDetails"] = again
        if again is not None and len(again) > 1:
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
    elif state["Type"] in ("Task", "Parallel") and "afterResultPath" in found and "Parameters" not in state:
        found.setdefault("afterParameters", found["afterInputPath"])
    return found


def answer(service: Any, call: Call) -> dict[str, Any]:
    """The operation. Without a role, a task must be mocked."""
    from ..execution import Execution
    from ..machine import Revision

    params = call.params
    name, state, language = state_of(params)
    check(state, language)
    check_mock(state, params, lambda resource: answer_shape(service.world, resource))
    context = check_context(state, params.get("context"))
    if state["Type"] == "Task" and params.get("mock") is None and not params.get("roleArn"):
        raise refuse("RoleArn must be specified when testing a Task state")
    service.interpreter.install()
    from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser

    definition = machine_of(name, state, language)
    program: Any = AmazonStateLanguageParser.parse(definition)[0]
    ids = service.kernel.rng("states.testing")
    machine = uuid4(ids)
    arn = f"arn:aws:states:{call.region}:{call.account}:stateMachine:{machine}"
    role = params.get("roleArn") or ""
    now = service.kernel.now
    revision = Revision(arn, machine, call.region, definition, role, "STANDARD", "INITIAL", now, {}, {})
    test = uuid4(ids)
    execution = Execution(
        service,
        revision,
        arn.replace(":stateMachine:", ":express:") + f":{test}",
        test,
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
    about = env.states.context_object.context_object_data["Execution"]
    del about["RedriveCount"]  # as recorded
    about["RoleArn"] = params.get("roleArn")
    found: list[dict[str, Any]] = []

    def turn() -> None:
        found.append(run(program, env, name, state, params, context))

    task = service.interpreter.threads.spawn(turn, "states.test", execution.caller)
    service.kernel.join(task)
    shown = found[0]
    if params.get("inspectionLevel", "INFO") != "INFO":
        jsonata = "JSONata" in (language, state.get("QueryLanguage"))
        variables = env.variable_store._inner_scope
        if variables:
            env.inspection["variables"] = json_text(variables)
        shown["inspectionData"] = inspection(state, env.inspection, jsonata)
    return shown
