"""Runs ``schedules.json``: expressions of rules and of Scheduler.

A case gives the times at which an expression fires in turn (``next``; null: never again) after a moment, or
the text with which a service refuses it, or says that it is accepted.
"""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import pytest

from infra.cloud.local import InvalidSchedule, next_fire, validate_schedule

CASES = json.loads(Path(__file__).with_name("schedules.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in CASES])
def test_schedule(case: dict[str, Any]) -> None:
    expression, service = case["expression"], case.get("service", "scheduler")
    if "refused" in case:
        with pytest.raises(InvalidSchedule) as error:
            validate_schedule(expression, service=service)
        assert str(error.value) == case["refused"]
        return
    validate_schedule(expression, service=service)
    if "next" in case:
        start = datetime.datetime.fromisoformat(case["start"]) if "start" in case else None
        after: Any = datetime.datetime.fromisoformat(case["after"])
        for expected in case["next"] or [None]:
            after = next_fire(expression, after, case.get("timezone", "UTC"), start=start, service=service)
            assert (after and after.isoformat()) == expected
