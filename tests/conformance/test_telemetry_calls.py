"""Runs ``telemetry_calls.json``: calls to CloudWatch, Logs and X-Ray with the answers recorded from AWS.

A case's ``calls`` are [service, operation, parameters, answer], in order, in a cloud of its own; an answer is
null (not looked at), what the call returns, or {"error": [code, message]}. In it ``<any>`` is anything,
``<x 513>`` (in parameters, too) that many times x, and a text that begins with ``~`` a regular expression.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

from infra.cloud.local.world import World

CASES = json.loads(Path(__file__).with_name("telemetry_calls.json").read_text(encoding="utf-8"))


def written_out(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: written_out(each) for key, each in value.items()}
    if isinstance(value, list):
        return [written_out(each) for each in value]
    if isinstance(value, str):
        return re.sub(r"<(.) (\d+)>", lambda match: match[1] * int(match[2]), value)
    return value


def matches(found: Any, wanted: Any) -> bool:
    if wanted == "<any>":
        return True
    if isinstance(wanted, dict):
        return (
            isinstance(found, dict)
            and found.keys() == wanted.keys()
            and all(matches(found[key], each) for key, each in wanted.items())
        )
    if isinstance(wanted, list):
        return (
            isinstance(found, list)
            and len(found) == len(wanted)
            and all(matches(*each) for each in zip(found, wanted, strict=True))
        )
    if isinstance(wanted, str) and wanted.startswith("~"):
        return isinstance(found, str) and re.fullmatch(wanted[1:], found) is not None
    return bool(found == wanted)


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in CASES])
def test_calls(world: World, case: dict[str, Any]) -> None:
    for service, operation, params, wanted in case["calls"]:
        call = getattr(world.client(service), xform_name(operation))
        answer: Any
        try:
            answer = call(**written_out(params))
            answer.pop("ResponseMetadata", None)
        except ClientError as error:
            told = error.response["Error"]
            answer = {"error": [told["Code"], told["Message"]]}
        expected = {} if wanted is None else written_out(wanted)
        if wanted is None:
            assert "error" not in answer, answer
        else:
            assert matches(answer, expected), (operation, answer, expected)
