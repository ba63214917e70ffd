"""Runs ``filter_policies.json`` and ``sns.json``: what SNS does, as plain data, and where that is known from.

``filter_policies.json``: a policy with its scope, and either a message (attributes or body) and whether it is
accepted, or the reason why the policy is refused. ``sns.json``: steps, each a call by boto3, with the
answer's values by path (keys and indexes joined by slashes; null: nothing there) or the error's code and
message. A text ``$name`` stands for a value that an earlier step kept, ``{"repeat": [text, n]}`` for a long
text.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.cloud.local import InvalidFilterPolicy, matches_filter_policy, validate_filter_policy
from infra.cloud.local.world import World

_HERE = Path(__file__).parent


def _cases(name: str) -> list[Any]:
    cases = json.loads((_HERE / f"{name}.json").read_text(encoding="utf-8"))
    return [pytest.param(case, id=case["name"]) for case in cases]


@pytest.mark.parametrize("case", _cases("filter_policies"))
def test_filter_policy(case: dict[str, Any]) -> None:
    policy, scope = case["policy"], case["scope"]
    if "refused" in case:
        with pytest.raises(InvalidFilterPolicy) as error:
            validate_filter_policy(policy, scope)
        assert error.value.reason == case["refused"]
        return
    validate_filter_policy(policy, scope)
    if "matches" in case:
        found = matches_filter_policy(policy, case.get("attributes"), case.get("body", ""), scope)
        assert found is case["matches"]


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    yield world
    world.close()


@pytest.mark.parametrize("case", _cases("sns"))
def test_sns(case: dict[str, Any], world: World) -> None:
    kept: dict[str, Any] = {"topic": "arn:aws:sns:us-east-1:123456789012:topic"}
    for number, step in enumerate(case["steps"]):
        where = f"step {number}: {step}"
        if step["call"] == "settle":
            world.kernel.settle()
            continue
        call = getattr(world.client(step.get("service", "sns")), step["call"])
        params = _filled(step.get("with", {}), kept)
        if "refused" in step:
            with pytest.raises(ClientError) as refusal:
                call(**params)
            error = refusal.value.response["Error"]
            assert [error["Code"], error["Message"]] == step["refused"], where
            assert error["Type"] == "Sender", where
            continue
        answer = call(**params)
        for path, expected in step.get("answer", {}).items():
            assert _at(answer, path) == _filled(expected, kept), f"{where}: {path}"
        for name, path in step.get("keep", {}).items():
            kept[name] = _at(answer, path)


def _filled(value: Any, kept: dict[str, Any]) -> Any:
    if isinstance(value, str):
        for name, found in kept.items():
            value = value.replace(f"${name}", str(found))
        return value
    if isinstance(value, dict):
        if "repeat" in value:
            text, times = value["repeat"]
            return text * times
        return {key: _filled(inner, kept) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, kept) for inner in value]
    return value


def _at(answer: Any, path: str) -> Any:
    """What stands at a path; a text that is passed through is JSON."""
    for part in path.split("/"):
        if isinstance(answer, str):
            answer = json.loads(answer)
        if isinstance(answer, list):
            answer = answer[int(part)] if int(part) < len(answer) else None
        elif answer is not None:
            answer = answer.get(part)
    return answer
