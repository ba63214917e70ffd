"""Runs ``kinesis.json``: what Kinesis refuses, as plain data, and where that is known from.

A case is one call by boto3, in an account with the stream ``orders`` of three shards, and the error's code
and message. ``{"repeat": [text, n]}`` stands for a long text, ``{"times": [value, n]}`` for a long list.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.cloud.local.world import World

_CASES = json.loads((Path(__file__).parent / "kinesis.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    world = World(latency={"*": 0})
    world.client("kinesis").create_stream(StreamName="orders", ShardCount=3)
    world.kernel.settle()
    yield world
    world.close()


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in _CASES])
def test_kinesis(case: dict[str, Any], world: World) -> None:
    with pytest.raises(ClientError) as refusal:
        getattr(world.client("kinesis"), case["call"])(**_filled(case["with"]))
    error = refusal.value.response["Error"]
    assert [error["Code"], error["Message"]] == case["refused"]


def _filled(value: Any) -> Any:
    if isinstance(value, dict):
        if "repeat" in value:
            return value["repeat"][0] * value["repeat"][1]
        if "times" in value:
            return [_filled(value["times"][0])] * int(value["times"][1])
        return {key: _filled(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner) for inner in value]
    return value
