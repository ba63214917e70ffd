"""Runs ``apigateway.json``: what API Gateway's control plane answers, as plain data, recorded from AWS.

Steps, each a call by boto3, with the answer's values by path (keys and indexes joined by slashes; null:
nothing there) or the error's code and message. A text ``$name`` stands for a value that an earlier step kept.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.cloud.local.world import World

CASES = json.loads((Path(__file__).parent / "apigateway.json").read_text(encoding="utf-8"))


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    yield world
    world.close()


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in CASES])
def test_apigateway(case: dict[str, Any], world: World) -> None:
    kept: dict[str, str] = {}
    client = world.client("apigateway")
    for number, step in enumerate(case["steps"]):
        where = f"step {number}: {step}"
        call, params = getattr(client, step["call"]), _filled(step.get("with", {}), kept)
        if "refused" in step:
            with pytest.raises(ClientError) as refusal:
                call(**params)
            error = refusal.value.response["Error"]
            assert [error["Code"], error["Message"]] == _filled(step["refused"], kept), where
            continue
        answer = call(**params)
        for path, expected in step.get("answer", {}).items():
            assert _at(answer, path) == _filled(expected, kept), f"{where}: {path}"
        for name, path in step.get("keep", {}).items():
            kept[name] = _at(answer, path)


def _filled(value: Any, kept: dict[str, str]) -> Any:
    if isinstance(value, str):
        for name, found in kept.items():
            value = value.replace(f"${name}", found)
        return value
    if isinstance(value, list):
        return [_filled(item, kept) for item in value]
    if isinstance(value, dict):
        return {key: _filled(item, kept) for key, item in value.items()}
    return value


def _at(answer: Any, path: str) -> Any:
    for part in path.split("/"):
        if isinstance(answer, list):
            answer = answer[int(part)] if int(part) < len(answer) else None
        else:
            answer = answer.get(part) if isinstance(answer, dict) else None
    return answer
