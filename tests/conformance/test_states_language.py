"""Runs the cases of the Amazon States Language, as plain data with where each is known from.

``definitions.json``: a definition (an object, or its text) and what validation finds in it.
``intrinsics.json``: a call, its input, and its value or error. ``executions_….json``: a definition, an input,
and how the execution ends.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.cloud.local.routes.stepfunctions.language.validation import validate
from infra.cloud.local.world import World

_HERE = Path(__file__).parent
_ROLE = "arn:aws:iam::123456789012:role/states"


def _cases(*names: str) -> list[Any]:
    rows = [row for name in names for row in json.loads((_HERE / f"{name}.json").read_text(encoding="utf-8"))]
    return [pytest.param(row, id=row.get("name") or row["call"]) for row in rows]


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    world = World()
    yield world
    world.close()


def _run(world: World, definition: Any, value: Any) -> dict[str, Any]:
    api = world.client("stepfunctions")
    name = f"case{len(world.stepfunctions.machines)}"
    machine = api.create_state_machine(name=name, definition=json.dumps(definition), roleArn=_ROLE)
    started = api.start_execution(stateMachineArn=machine["stateMachineArn"], input=json.dumps(value))
    world.kernel.settle()
    shown: dict[str, Any] = api.describe_execution(executionArn=started["executionArn"])
    return shown


def _repeated(value: Any) -> Any:
    """``{"repeat": [text, n]}`` is a long text."""
    if isinstance(value, dict) and set(value) == {"repeat"}:
        return value["repeat"][0] * value["repeat"][1]
    return {key: _repeated(each) for key, each in value.items()} if isinstance(value, dict) else value


@pytest.mark.parametrize("case", _cases("definitions"))
def test_definitions(case: dict[str, Any]) -> None:
    given = case["definition"]
    found = validate(given if isinstance(given, str) else json.dumps(given), case["kind"])
    assert [[each.severity, each.code, each.message, each.location] for each in found] == case["diagnostics"]


@pytest.mark.parametrize("case", _cases("executions_jsonpath", "executions_jsonata"))
def test_executions(world: World, case: dict[str, Any]) -> None:
    shown = _run(world, case["definition"], _repeated(case["input"]))
    assert shown["status"] == case["status"], shown
    if "output" in case:
        assert json.loads(shown["output"]) == case["output"]
    assert shown.get("error") == case.get("error")
    assert shown.get("cause") == case.get("cause")


@pytest.mark.parametrize("case", _cases("intrinsics"))
def test_intrinsics(world: World, case: dict[str, Any]) -> None:
    state = {"Type": "Pass", "Parameters": {"r.$": case["call"]}, "End": True}
    shown = _run(world, {"StartAt": "A", "States": {"A": state}}, case["input"])
    if "error" in case:
        assert (shown["status"], shown["error"]) == ("FAILED", case["error"])
    else:
        assert json.loads(shown["output"])["r"] == case["value"]
