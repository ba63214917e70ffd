"""JSONata expressions, and what the reference implementation answers: a value, nothing, or an error."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from infra.cloud.local.routes.stepfunctions.language.jsonata_engine import (
    EvaluationError,
    InvalidExpression,
    Undefined,
    compile_expression,
)

CASES = json.loads(Path(__file__).with_name("jsonata.json").read_text(encoding="utf-8"))["cases"]


def answer(expression: str) -> dict[str, Any]:
    try:
        return {"value": compile_expression(expression).evaluate({}, {}, random.Random(1))}
    except Undefined:
        return {"nothing": True}
    except (EvaluationError, InvalidExpression) as error:
        return {"error": str(error)}


def text(value: dict[str, Any]) -> str:
    """As JSON, which tells true from 1 and keeps the order of keys; numbers as JavaScript has them."""
    return json.dumps(json.loads(json.dumps(value), parse_int=float))


@pytest.mark.parametrize("part", range(8))
def test_expressions(part: int) -> None:
    """In eight parts: a thousand tests would cost more to collect than to run."""
    for case in CASES[part::8]:
        expected = {key: value for key, value in case.items() if key != "expression"}
        assert text(answer(case["expression"])) == text(expected), case["expression"]
