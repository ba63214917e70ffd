"""Runs ``states_tested.json``: TestState as AWS recorded it.

A case: the definition of a state or of a state machine, the other parameters of the call, and its whole
answer or the error. Texts that are JSON are written as values; ``*`` stands for any text, ``{role}`` for the
role.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.unit.stepfunctions_world import StepFunctionsWorld

CASES = json.loads(Path(__file__).with_name("states_tested.json").read_text(encoding="utf-8"))["tests"]


@pytest.fixture(scope="module")
def cloud() -> Iterator[StepFunctionsWorld]:
    cloud = StepFunctionsWorld()
    yield cloud
    cloud.close()


def _matches(expected: Any, found: Any) -> bool:
    if isinstance(expected, dict | list) and isinstance(found, str):
        found = json.loads(found)
    if isinstance(expected, dict):
        return expected.keys() == found.keys() and all(
            _matches(expected[key], found[key]) for key in expected
        )
    if isinstance(expected, list):
        return len(expected) == len(found) and all(map(_matches, expected, found))
    if isinstance(expected, str) and "*" in expected:
        return re.fullmatch(".*".join(map(re.escape, expected.split("*"))), found) is not None
    return bool(expected == found)


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in CASES])
def test_states(cloud: StepFunctionsWorld, case: dict[str, Any]) -> None:
    text = json.dumps({**case, "source": ""}).replace("{role}", cloud.role)
    case = json.loads(text)
    definition, params = json.dumps(case["definition"]), case.get("params", {})
    if "error" in case:
        with pytest.raises(ClientError) as raised:
            cloud.api.test_state(definition=definition, **params)
        error = raised.value.response["Error"]
        assert (error["Code"], error["Message"]) == (case["error"], case["message"])
        return
    answer = dict(cloud.api.test_state(definition=definition, **params))
    answer.pop("ResponseMetadata")
    assert _matches(case["answer"], answer), answer
