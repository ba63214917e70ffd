"""Runs the cases of this folder: what AWS does, as plain data, each with where that is known from.

``patterns.json``: a pattern and either an event and whether it matches, or the reason why it is refused.
``sqs.json``: steps, each a call of SQS by boto3 (or a wait in virtual seconds). A text ``$name`` in
``with`` stands for a value that an earlier step kept (``keep``: name -> path in the answer). ``answer``
gives values by path; a path is keys and indexes joined by slashes, ``*`` stands for every element, and null
means that nothing is there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.cloud.local.kernel import SECOND
from infra.cloud.local.patterns import InvalidPattern, matches, validate
from infra.cloud.local.world import World

_HERE = Path(__file__).parent


def _cases(name: str) -> list[Any]:
    cases = json.loads((_HERE / f"{name}.json").read_text(encoding="utf-8"))
    return [pytest.param(case, id=case["name"]) for case in cases]


@pytest.mark.parametrize("case", _cases("patterns"))
def test_pattern(case: dict[str, Any]) -> None:
    if "refused" in case:
        with pytest.raises(InvalidPattern) as error:
            validate(case["pattern"])
        assert error.value.reason.startswith(case["refused"])
    else:
        assert matches(case["pattern"], case["event"]) is case["matches"]


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    yield world
    world.close()


@pytest.mark.parametrize("case", _cases("sqs"))
def test_sqs(case: dict[str, Any], world: World) -> None:
    client = world.client("sqs")
    kept: dict[str, Any] = {}
    for number, step in enumerate(case["steps"]):
        where = f"step {number}: {step}"
        if "wait" in step:
            world.kernel.run_until(world.kernel.now + int(step["wait"] * SECOND))
            continue
        call, params = getattr(client, step["call"]), _filled(step.get("with", {}), kept)
        if "refused" in step:
            with pytest.raises(ClientError) as refusal:
                call(**params)
            shown = refusal.value.response
            found = [shown["Error"]["Code"], shown["ResponseMetadata"]["HTTPStatusCode"]]
            assert found == step["refused"], where
            if "message" in step:
                assert shown["Error"]["Message"] == _filled(step["message"], kept), where
            continue
        answer = call(**params)
        for path, expected in step.get("answer", {}).items():
            assert _at(answer, path.split("/")) == _filled(expected, kept), f"{where}: {path}"
        for name, path in step.get("keep", {}).items():
            kept[name] = _at(answer, path.split("/"))


def _filled(value: Any, kept: dict[str, Any]) -> Any:
    if isinstance(value, dict):
        return {key: _filled(inner, kept) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, kept) for inner in value]
    if isinstance(value, str):
        if value.startswith("$") and value[1:] in kept:
            return kept[value[1:]]
        for name, text in kept.items():
            value = value.replace("{" + name + "}", str(text))
    return value


def _at(value: Any, path: list[str]) -> Any:
    for position, key in enumerate(path):
        if key == "*":
            return [_at(element, path[position + 1 :]) for element in value]
        if isinstance(value, list):
            value = value[int(key)] if int(key) < len(value) else None
        else:
            value = value.get(key) if isinstance(value, dict) else None
        if value is None:
            return [] if "*" in path[position:] else None
    return value
