"""Runs ``executions_recorded.json``: executions as AWS recorded them, event by event.

A case: a definition (the first state is where it starts), its input, the functions it calls, how it ends, and
its events, each ``[id of the previous, type, details]`` (the details that matter; ``*`` stands for any text).
Input, output, parameters and causes that are JSON are written as values. ``tail``: what the last events are.
``calls``: a call of the API and what AWS says of it. ``references``: a definition, and the variables that its
states read as DescribeStateMachine tells them.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.unit.stepfunctions_world import StepFunctionsWorld

DATA = json.loads(Path(__file__).with_name("executions_recorded.json").read_text(encoding="utf-8"))
FUNCTIONS = {
    "raise": 'def handler(event, context):\n    raise Exception("Some exception was raised.")\n',
    "echo": "def handler(event, context):\n    return event\n",
    "slow": "import time\ndef handler(event, context):\n    time.sleep(30)\n",
    "large": 'def handler(event, context):\n    return "\\u00e9" * 200_000\n',
}
ROWS = "Value4,Value5,Value6\n,,,\ntrue,1,'HelloWorld'\nNull,None,\n   ,,\n"
FILES = {
    "typed.csv": "0,True,{}\n" + ROWS,
    "one.csv": "H1,\n" + ROWS,
    "plain.csv": "Value1,Value2,Value3\n" + ROWS,
    "object.json": '{"Hello": "world"}',
    "list.json": '[{"verdict": "true"}, {"verdict": "false"}, {"verdict": "mostly-true"}]',
}


@pytest.fixture(scope="module")
def cloud() -> Iterator[StepFunctionsWorld]:
    cloud = StepFunctionsWorld()
    for name, code in FUNCTIONS.items():
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("handler.py", code)
        cloud.world.client("lambda").create_function(
            FunctionName=name,
            Role=cloud.role,
            Runtime="python3.12",
            Handler="handler.handler",
            Timeout=60,
            Code={"ZipFile": buffer.getvalue()},
        )
    s3 = cloud.world.client("s3")
    s3.create_bucket(Bucket="bucket")
    for key, text in FILES.items():
        s3.put_object(Bucket="bucket", Key=key, Body=text.encode())
    yield cloud
    cloud.close()


def _matches(expected: Any, found: Any) -> bool:
    if isinstance(expected, dict | list) and isinstance(found, str):
        found = json.loads(found)
    if isinstance(expected, dict):
        return isinstance(found, dict) and all(
            _matches(each, found.get(key)) for key, each in expected.items()
        )
    if isinstance(expected, list):
        return len(expected) == len(found) and all(map(_matches, expected, found))
    if isinstance(expected, str) and "*" in expected:
        return re.fullmatch(".*".join(map(re.escape, expected.split("*"))), found, re.DOTALL) is not None
    return bool(expected == found)


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in DATA["executions"]])
def test_executions(cloud: StepFunctionsWorld, case: dict[str, Any]) -> None:
    arn = cloud.start(case["definition"], case.get("input", {}))
    cloud.kernel.settle()
    shown = cloud.describe(arn)
    assert shown["status"] == case["status"]
    for key in ("output", "error", "cause"):
        if key in case:
            assert _matches(case[key], shown.get(key)), shown.get(key)
    events = cloud.events(arn)
    expected, first = case.get("events"), 0
    if expected is None:
        expected = case.get("tail", [])
        first = len(events) - len(expected)
    else:
        assert [event["type"] for event in events] == [kind for _, kind, *_ in expected]
    for event, (previous, kind, *details) in zip(events[first:], expected, strict=True):
        assert (event["type"], event["previousEventId"]) == (kind, previous), event
        given: dict[str, Any] = next((value for key, value in event.items() if key.endswith("Details")), {})
        assert _matches(details[0] if details else {}, given), event


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in DATA["calls"]])
def test_calls(cloud: StepFunctionsWorld, case: dict[str, Any]) -> None:
    machine = cloud.machine({"A": {"Type": "Pass", "End": True}})
    text = json.dumps(case["params"]).replace("{machine}", machine).replace("{role}", cloud.role)
    text = re.sub(r"\{x(\d+)\}", lambda found: "x" * int(found[1]), text)
    with pytest.raises(ClientError) as raised:
        getattr(cloud.api, case["call"])(**json.loads(text))
    error = raised.value.response["Error"]
    message = re.sub(r"\{x(\d+)\}", lambda found: "x" * int(found[1]), case["message"])
    assert (error["Code"], error["Message"]) == (case["error"], message.replace("{machine}", machine))


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in DATA["references"]])
def test_references(cloud: StepFunctionsWorld, case: dict[str, Any]) -> None:
    shown = cloud.api.describe_state_machine(stateMachineArn=cloud.machine(case["definition"]))
    assert shown.get("variableReferences") == case["references"]
    assert shown["encryptionConfiguration"] == {"type": "AWS_OWNED_KEY"}
