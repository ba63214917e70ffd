"""What TestState accepts as a mock and as a context object, with the errors recorded from AWS.

Recorded by LocalStack (tests/aws/services/stepfunctions/v2/test_state, November 2025 to February 2026):
test_state_mock_validation, test_field_validation_mode, …_present, …_none, test_state_context_object.
https://docs.aws.amazon.com/step-functions/latest/apireference/API_MockInput.html
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from botocore.model import Shape

from ....service import NotSimulated, ServiceError
from ..casing import shown_name

MOCKED = ("Task", "Map", "Parallel")
PATTERNS = (".sync", ".sync:2", ".waitForTaskToken")
NOT_VALIDATED = ("apigateway", "http")
"""Integrations whose answers are not an operation's own: their mocks are not held against a model. Nor are
those of tasks that wait, whose answer is another's (of .sync, what AWS does is not recorded)."""

_CONTEXT = {
    "Execution": ("Id", "Input", "Name", "RoleArn", "StartTime", "RedriveCount", "RedriveTime"),
    "State": ("EnteredTime", "Name", "RetryCount"),
    "StateMachine": ("Id", "Name"),
    "Task": ("Token",),
}
_NO_TEXT = ("Input", "RedriveCount", "RetryCount")
"""Members of the context object that are not strings."""

_EXPECTED = {
    "structure": (dict, "an object"),
    "map": (dict, "an object"),
    "list": (list, "an array"),
    "string": (str, "a string"),
    "character": (str, "a string"),
    "blob": (str, "a string"),
    "timestamp": (str, "a string"),
    "boolean": (bool, "a boolean"),
}


def refuse(message: str) -> ServiceError:
    return ServiceError("ValidationException", message)


def check_mock(state: dict[str, Any], params: dict[str, Any], model: Callable[[str], Shape | None]) -> None:
    """Raise what AWS says of a mock that does not go with the state; ``model``: a resource's answer."""
    mock, kind = params.get("mock"), state["Type"]
    if mock is None:
        if params.get("revealSecrets"):
            raise NotSimulated("NotSimulated: stepfunctions:TestState revealSecrets")
        if kind in ("Map", "Parallel"):
            raise ServiceError(
                "InvalidDefinition",
                "TestState API does not support Map or Parallel states. Supported state types include: "
                "[Task, Wait, Pass, Succeed, Fail, Choice]",
            )
        if params.get("context") is not None:  # the rule is the page's, the words are not recorded
            raise refuse("A Context object may only be specified if a mock is specified")
        return
    if kind not in MOCKED:
        raise refuse(f"State type '{kind}' is not supported when a mock is specified")
    if "result" in mock and "errorOutput" in mock:
        raise refuse("A test mock should have only one of the following fields: [result, errorOutput].")
    if params.get("revealSecrets"):
        raise refuse("TestState does not support RevealSecrets when a mock is specified.")
    if "result" in mock:
        check_result(state, mock["result"], mock.get("fieldValidationMode", "STRICT"), model)


def check_result(state: dict[str, Any], text: str, mode: str, model: Callable[[str], Shape | None]) -> None:
    """A mocked result: JSON, of the form that the state's own result has."""
    try:
        result = json.loads(text)
    except ValueError:
        raise refuse("Mocked result must be valid JSON") from None
    kind = state["Type"]
    if kind == "Map" and "Resource" in state.get("ResultWriter", {}):
        if not isinstance(result, dict):
            raise refuse("Mocked result must be a JSON object.")
    elif kind in ("Map", "Parallel") and not isinstance(result, list):
        raise refuse("Mocked result must be an array.")
    elif kind == "Parallel" and len(result) != len(state["Branches"]):
        raise refuse("Mocked result must contain the same number of items as number of Parallel branches.")
    elif kind == "Task" and mode != "NONE":
        shape = model(state["Resource"])
        problem = None if shape is None else schema_problem(result, shape, "", strict=mode == "STRICT")
        if problem is not None:
            raise refuse(f"Mock result schema validation error: {problem}")


def schema_problem(value: Any, shape: Shape, name: str, strict: bool) -> str | None:
    """The first thing that is wrong with a value that should be ``shape``; fields have Java's names.

    Fields that the model does not have pass. The text for a length over the maximum follows the others
    (unverified); patterns are not looked at.
    """
    kind = shape.type_name
    if kind in _EXPECTED:
        wanted, expected = _EXPECTED[kind]
        right = isinstance(value, wanted)
    else:
        expected, right = "a number", isinstance(value, int | float) and not isinstance(value, bool)
    if getattr(shape, "is_document_type", False):
        return None
    if not right:
        return f"Field '{name}' must be {expected}"
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if kind in ("string", "blob"):
        if shape.metadata.get("enum") and value not in shape.metadata["enum"]:
            return f"Field '{name}' is not an expected value"
        if least is not None and len(value) < least:
            return f"Field '{name}' is smaller than the minimum length"
        if most is not None and len(value) > most:
            return f"Field '{name}' exceeds the maximum length"
    elif kind in ("integer", "long", "float", "double"):
        if least is not None and value < least:
            return f"Field '{name}' is less than the minimum value"
        if most is not None and value > most:
            return f"Field '{name}' exceeds the maximum value"
    return _problem_inside(value, shape, name, strict)


def _problem_inside(value: Any, shape: Shape, name: str, strict: bool) -> str | None:
    found: list[tuple[Any, Shape, str]] = []
    if shape.type_name == "structure":
        members = {shown_name(member): inner for member, inner in shape.members.items()}
        for member in shape.required_members if strict else ():
            if shown_name(member) not in value:
                return f"Required field '{shown_name(member)}' is missing"
        found = [(each, members[key], key) for key, each in value.items() if key in members]
    elif shape.type_name == "list":
        found = [(each, shape.member, name) for each in value]
    elif shape.type_name == "map":
        found = [(each, shape.value, key) for key, each in value.items()]
    for each, inner, label in found:
        problem = schema_problem(each, inner, label, strict)
        if problem is not None:
            return problem
    return None


def check_context(state: dict[str, Any], text: str | None) -> dict[str, Any] | None:
    """The context object of the test, or None if the test has none."""
    if text is None:
        return None
    prefix = "Invalid Context object provided: "
    try:
        given = json.loads(text)
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise refuse(f"{prefix}must be a JSON object")  # the words are not recorded
    for field, inner in given.items():
        if field == "Map":
            raise refuse(f"{prefix}'Map' field is not supported when mocking a Context object")
        if field not in _CONTEXT:
            raise refuse(f"{prefix}Field '{field}' is not allowed")
        if field == "Task" and not state.get("Resource", "").endswith(PATTERNS):
            raise refuse(
                f"{prefix}Context object contains 'Task' when state is not a Task state with a '.sync' or "
                "'.waitForTaskToken' service integration pattern"
            )
        if not isinstance(inner, dict):
            raise refuse(f"{prefix}{field} must be an object")  # the words are not recorded
        for member, value in inner.items():
            if member not in _CONTEXT[field]:
                raise refuse(f"{prefix}Field '{member}' is not allowed")
            if member not in _NO_TEXT and not isinstance(value, str):
                raise refuse(f"{prefix}{field}.{member} must be a string")
    return given
