"""TestState: what one state does with its input, with a mocked task, retries and catchers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.cloud.local.service import NotSimulated
from infra.cloud.local.world import World

VALUE = {"Value": "HelloWorld"}
TASK = {
    "Type": "Task",
    "Resource": "arn:aws:states:::lambda:invoke",
    "Parameters": {"FunctionName": "f", "Payload.$": "$.Value"},
    "End": True,
}


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    world = World()
    yield world
    world.close()


def _tested(world: World, state: dict[str, Any], value: Any = VALUE, **more: Any) -> dict[str, Any]:
    api = world.client("stepfunctions")
    found = dict(api.test_state(definition=json.dumps(state), input=json.dumps(value), **more))
    found.pop("ResponseMetadata")
    if "output" in found:
        found["output"] = json.loads(found["output"])
    if "inspectionData" in found:
        found["inspectionData"] = {
            key: json.loads(each) if isinstance(each, str) else each
            for key, each in found["inspectionData"].items()
        }
    return found


def test_the_data_flow_of_a_pass_state(world: World) -> None:
    """As recorded on AWS (localstack/localstack, test_test_state_scenarios)."""
    result = {"resultKey": "result value"}
    state = {"Type": "Pass", "Result": result, "End": True}
    assert _tested(world, state, inspectionLevel="DEBUG") == {
        "status": "SUCCEEDED",
        "output": result,
        "inspectionData": {
            "input": VALUE,
            "result": result,
            "afterResultSelector": result,
            "afterResultPath": result,
        },
    }
    plain = _tested(world, {"Type": "Pass", "End": True}, inspectionLevel="TRACE")["inspectionData"]
    steps = ("input", "afterInputPath", "afterParameters", "afterResultSelector", "afterResultPath")
    assert plain == dict.fromkeys(steps, VALUE)


def test_a_choice_says_where_it_leads(world: World) -> None:
    rule = {"Variable": "$.Value", "StringMatches": "Hello*", "Next": "Greet"}
    state = {"Type": "Choice", "Choices": [rule], "Default": "Leave"}
    assert _tested(world, state) == {"status": "SUCCEEDED", "output": VALUE, "nextState": "Greet"}
    assert _tested(world, state, {"Value": "Bye"})["nextState"] == "Leave"


def test_a_mocked_task(world: World) -> None:
    state = {**TASK, "ResultSelector": {"p.$": "$.Payload"}, "ResultPath": "$.r"}
    found = _tested(world, state, mock={"result": '{"Payload": "1"}'}, inspectionLevel="DEBUG")
    assert found["output"] == {**VALUE, "r": {"p": "1"}}
    assert found["inspectionData"]["afterParameters"] == {"FunctionName": "f", "Payload": "HelloWorld"}
    with pytest.raises(ClientError, match="RoleArn must be specified"):
        _tested(world, TASK)


def test_a_mocked_failure_is_retried_then_caught(world: World) -> None:
    retry = [
        {"ErrorEquals": ["Other"]},
        {"ErrorEquals": ["Declined"], "IntervalSeconds": 3, "MaxAttempts": 2},
    ]
    catch = [{"ErrorEquals": ["States.TaskFailed"], "Next": "Undo", "ResultPath": "$.e"}]
    state = {**TASK, "Retry": retry, "Catch": catch}
    mock = {"errorOutput": {"error": "Declined", "cause": "no money"}}
    error = {"error": "Declined", "cause": "no money"}
    again = _tested(
        world, state, mock=mock, inspectionLevel="DEBUG", stateConfiguration={"retrierRetryCount": 1}
    )
    details = again.pop("inspectionData")["errorDetails"]
    assert again == {"status": "RETRIABLE", **error}
    assert details == {"retryIndex": 1, "retryBackoffIntervalSeconds": 6}
    caught = _tested(world, state, mock=mock, stateConfiguration={"retrierRetryCount": 2})
    assert caught == {
        "status": "CAUGHT_ERROR",
        **error,
        "nextState": "Undo",
        "output": {**VALUE, "e": {"Error": "Declined", "Cause": "no money"}},
    }
    assert _tested(world, TASK, mock=mock) == {"status": "FAILED", **error}


def test_a_state_in_jsonata_with_variables_and_context(world: World) -> None:
    state = {
        "Type": "Task",
        "Resource": TASK["Resource"],
        "Arguments": {"FunctionName": "f"},
        "QueryLanguage": "JSONata",
        "Output": "{% $v & $states.context.Execution.Id & $states.input.Value %}",
        "End": True,
    }
    more = {"variables": '{"v": "a"}', "context": '{"Execution": {"Id": "b"}}', "mock": {"result": "{}"}}
    assert _tested(world, state, **more)["output"] == "abHelloWorld"
    with pytest.raises(ClientError, match="may only be specified if a mock is specified"):
        _tested(world, {"Type": "Pass", "End": True}, context="{}")


def test_a_state_that_is_not_valid_is_refused(world: World) -> None:
    with pytest.raises(ClientError, match="Value is not a Reference Path at /ResultPath"):
        _tested(world, {"Type": "Pass", "ResultPath": "$.a[*]", "End": True})


def test_validation_lists_what_is_wrong(world: World) -> None:
    api = world.client("stepfunctions")
    state = {"Type": "Pass", "Parameters": {"a": "$.x"}, "End": True}
    definition = json.dumps({"StartAt": "A", "States": {"A": state}})
    quiet = api.validate_state_machine_definition(definition=definition)
    assert (quiet["result"], quiet["diagnostics"]) == ("OK", [])
    loud = api.validate_state_machine_definition(definition=definition, severity="WARNING")
    assert [each["code"] for each in loud["diagnostics"]] == ["NO_DOLLAR"]
    wrong = api.validate_state_machine_definition(definition='{"States": {}}', maxResults=1)
    assert (wrong["result"], len(wrong["diagnostics"]), wrong["truncated"]) == ("FAIL", 1, True)


PASS = {"Type": "Pass", "End": True}
RESULT = {"result": "{}"}


@pytest.mark.parametrize(
    ("state", "params", "code", "message"),
    [
        (PASS, {"mock": RESULT}, "ValidationException", "State type 'Pass' is not supported when a mock"),
        (
            TASK,
            {"mock": {**RESULT, "errorOutput": {"error": "E"}}},
            "ValidationException",
            "A test mock should have only one of the following fields",
        ),
        (
            TASK,
            {"mock": RESULT, "revealSecrets": True},
            "ValidationException",
            "TestState does not support RevealSecrets when a mock is specified.",
        ),
        (
            {"Type": "Parallel", "Branches": [{"StartAt": "A", "States": {"A": PASS}}], "End": True},
            {},
            "InvalidDefinition",
            "TestState API does not support Map or Parallel states.",
        ),
    ],
)
def test_what_a_mock_does_not_go_with(
    world: World, state: dict[str, Any], params: dict[str, Any], code: str, message: str
) -> None:
    with pytest.raises(ClientError) as error:
        _tested(world, state, **params)
    assert error.value.response["Error"]["Code"] == code
    assert error.value.response["Error"]["Message"].startswith(message)


def test_what_a_test_cannot_do_says_so(world: World) -> None:
    with pytest.raises(NotSimulated, match="revealSecrets"):
        _tested(world, TASK, revealSecrets=True)


def test_a_map_shows_its_items(world: World) -> None:
    """What the page says of afterItemSelector; the threshold as a percentage of the items."""
    state = {
        "Type": "Map",
        "ItemsPath": "$.v",
        "ItemSelector": {"i.$": "$$.Map.Item.Index", "x.$": "$$.Map.Item.Value"},
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": "A",
            "States": {"A": {"Type": "Pass", "End": True}},
        },
        "ToleratedFailurePercentage": 50,
        "End": True,
    }
    more = {"mock": {"result": "[]"}, "inspectionLevel": "DEBUG"}
    value = {"v": ["a", "b", "c"]}
    found = _tested(world, state, value, stateConfiguration={"mapIterationFailureCount": 1}, **more)
    assert found["status"] == "SUCCEEDED"
    assert found["inspectionData"]["afterItemSelector"] == [
        {"i": 0, "x": "a"},
        {"i": 1, "x": "b"},
        {"i": 2, "x": "c"},
    ]
    assert found["inspectionData"]["toleratedFailurePercentage"] == 50.0
    found = _tested(world, state, value, stateConfiguration={"mapIterationFailureCount": 2}, **more)
    assert found["error"] == "States.ExceedToleratedFailureThreshold"
