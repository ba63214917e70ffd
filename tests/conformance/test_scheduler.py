"""Runs ``scheduler.json``: CreateSchedule with ``params`` over a valid call, its answer or refusal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.unit.scheduler_world import OFF, SchedulerWorld

CASES = json.loads(Path(__file__).with_name("scheduler.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in CASES])
def test_create_schedule(case: dict[str, Any]) -> None:
    cloud = SchedulerWorld()
    params = {"Name": "job", "ScheduleExpression": "rate(1 hour)", "FlexibleTimeWindow": OFF}
    params |= {**case["params"], "Target": {**cloud.target, **case["params"].get("Target", {})}}
    try:
        if "arn" in case:
            assert cloud.api.create_schedule(**params)["ScheduleArn"] == case["arn"]
            return
        with pytest.raises(ClientError) as error:
            cloud.api.create_schedule(**params)
        code, message = case["refused"]
        assert error.value.response["Error"]["Code"] == code
        assert message in (None, error.value.response["Error"]["Message"])
    finally:
        cloud.close()
