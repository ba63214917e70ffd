"""Runs ``lambda_api.json``: what Lambda's API answers to requests that it refuses, and in what words.

Each case starts with a function ``worker``, its version 1 and an alias ``live``; ``before`` are calls that
come first (operation, parameters); ``call`` is the one that is refused. ``fields`` are the error's members
besides its message: the recordings show where AWS leaves ``Type`` out.
"""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from infra.cloud.local.service import ServiceError
from tests.unit.lambda_fakes import FakeWorld

CASES = json.loads(Path(__file__).with_name("lambda_api.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in CASES])
def test_refused(case: dict[str, Any]) -> None:
    world = FakeWorld()
    world.http = SimpleNamespace(register=lambda host, handler: None)  # type: ignore[attr-defined]
    world.create()
    world.do("PublishVersion", FunctionName="worker")
    world.do("CreateAlias", FunctionName="worker", Name="live", FunctionVersion="1")
    for operation, params in case.get("before", ()):
        world.do(operation, **params)
    operation, params = case["call"]
    act = world.create if operation == "CreateFunction" else partial(world.do, operation)
    with pytest.raises(ServiceError) as refused:
        act(**params)
    error, expected = refused.value, case["expected"]
    got = {"code": error.code, "status": error.status, "message": error.message, "fields": error.fields}
    assert got == {"fields": {"Type": "User"}, **expected}
