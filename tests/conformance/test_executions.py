"""Runs ``executions.json``: a definition and an input; how it ends, after how long, with which events."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.stepfunctions_world import FUNCTION, QUEUE, StepFunctionsWorld

TEXT = Path(__file__).with_name("executions.json").read_text(encoding="utf-8")
CASES = json.loads(TEXT.replace("{FUNCTION}", FUNCTION).replace("{QUEUE}", QUEUE))


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in CASES])
def test_execution(case: dict[str, Any]) -> None:
    cloud = StepFunctionsWorld()
    try:
        arn = cloud.start(case["definition"], case["input"])
        cloud.kernel.settle()
        shown = cloud.describe(arn)
        assert {key: shown.get(key) for key in ("status", "output", "error")} == {
            key: case.get(key) for key in ("status", "output", "error")
        }, shown.get("cause")
        if "cause" in case:
            assert shown["cause"] == case["cause"]
        if "seconds" in case:
            assert shown["seconds"] == case["seconds"]
        if "events" in case:
            assert cloud.types(arn) == case["events"]
    finally:
        cloud.close()
