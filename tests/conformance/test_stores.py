"""Runs what was recorded from AWS of the services that keep something (``kms.json``, ``dynamodb.json`` …).

A case is a list of calls in one world: service, operation, parameters, and what AWS answers: ``error`` (code
and message), or members of the answer (``has``), or members that are not there (``lacks``). ``save`` keeps a
member of an answer under a name; ``${name}`` in what follows is it.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.cloud.local.world import ACCOUNT, World

HERE = Path(__file__).parent
FILES = ("cognito", "dynamodb", "kms", "parameters")
CASES = [
    pytest.param(case, id=f"{name}: {case['name']}")
    for name in FILES
    for case in json.loads((HERE / f"{name}.json").read_text(encoding="utf-8"))
]


@pytest.mark.parametrize("case", CASES)
def test_store(case: dict[str, Any]) -> None:
    world, saved = World(), {"account": ACCOUNT}
    try:
        for step in case["steps"]:
            run(world, step, saved)
    finally:
        world.close()


def run(world: World, step: dict[str, Any], saved: dict[str, str]) -> None:
    service, _, operation = step["call"].partition(":")
    params, error = filled(step.get("with", {}), saved), filled(step.get("error"), saved)
    call = getattr(world.client(service), re.sub(r"(?<!^)(?=[A-Z])", "_", operation).lower())
    try:
        answer = call(**params)
    except ClientError as problem:
        told = problem.response["Error"]
        assert [told["Code"], told["Message"]] == error, (operation, params)
        answer = dict(problem.response)
    else:
        assert error is None, (operation, params, answer)
    for path, value in filled(step.get("has", {}), saved).items():
        assert member(answer, path) == value, (operation, path)
    for path in step.get("lacks", ()):
        assert member(answer, path) is None, (operation, path)
    for name, path in step.get("save", {}).items():
        saved[name] = member(answer, path)
    world.kernel.settle()


def member(answer: Any, path: str) -> Any:
    for name in path.split("."):
        if answer is not None:
            answer = answer[int(name)] if name.isdigit() and isinstance(answer, list) else answer.get(name)
    return answer


def filled(value: Any, saved: dict[str, Any]) -> Any:
    if isinstance(value, dict):
        if set(value) == {"bytes"}:
            return value["bytes"].encode()
        return {name: filled(each, saved) for name, each in value.items()}
    if isinstance(value, list):
        return [filled(each, saved) for each in value]
    if not isinstance(value, str):
        return value
    whole = re.fullmatch(r"\$\{(\w+)\}", value)
    if whole:
        return saved[whole[1]]
    times = re.fullmatch(r"(.+)\*(\d+)", value)
    if times:
        return times[1] * int(times[2])
    return re.sub(r"\$\{(\w+)\}", lambda found: str(saved[found[1]]), value)
