"""The probe in a function's zip: it changes nothing but adds one line to the log, and we read that line."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from infra.assembly import synthesize
from infra.cloud.aws import instrument
from infra.cloud.aws.invocations import Handled, Report, invocation, is_probe, report
from infra.stacks.queue_processing import QueueProcessing

QUEUE = "arn:aws:sqs:eu-west-1:123456789012:Orders"
EVENT = {
    "Records": [
        {
            "messageId": name,
            "eventSource": "aws:sqs",
            "eventSourceARN": QUEUE,
            "attributes": {"SentTimestamp": "1764000000500", "ApproximateReceiveCount": "2"},
        }
        for name in ("a", "b")
    ]
}


def run(tmp_path: Path, handler: str, event: object = EVENT) -> list[str]:
    """What a function with this handler prints, invoked twice with the probe before it."""
    (tmp_path / "app.py").write_text(handler, encoding="utf-8")
    (tmp_path / instrument.PROBE.name).write_bytes(instrument.PROBE.read_bytes())
    code = f"""
import workshop_probe
class Context: aws_request_id = "r"
for _ in range(2):
    try: print("answer", workshop_probe.handler({event!r}, Context))
    except Exception as error: print("raised", repr(error))
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "WORKSHOP_HANDLER": "app.handler", "PYTHONPATH": ""},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout.splitlines()


def test_an_invocation_is_one_line_and_the_answer_is_the_handlers(tmp_path: Path) -> None:
    lines = run(
        tmp_path, "def handler(event, context):\n    return {'batchItemFailures': [{'itemIdentifier': 'b'}]}"
    )
    assert lines[1] == lines[3] == "answer {'batchItemFailures': [{'itemIdentifier': 'b'}]}"
    first, second = (invocation("Worker", line) for line in (lines[0], lines[2]))
    assert first is not None
    assert second is not None
    assert (first.first, second.first) == (True, False)
    assert first.environment == second.environment
    assert first.init >= 0
    assert first.start <= first.end
    assert first.messages == (
        Handled("a", 1764000000.5, 2, "Orders", True),
        Handled("b", 1764000000.5, 2, "Orders", False),
    )


@pytest.mark.parametrize(
    ("handler", "answer", "succeeded"),
    [
        ("raise KeyError('items')", "raised KeyError('items')", [False, False]),
        ("return None", "answer None", [True, True]),
        (
            "return {'batchItemFailures': [{'itemIdentifier': ''}]}",  # then Lambda fails the whole batch
            "answer {'batchItemFailures': [{'itemIdentifier': ''}]}",
            [False, False],
        ),
    ],
)
def test_which_messages_failed(tmp_path: Path, handler: str, answer: str, succeeded: list[bool]) -> None:
    lines = run(tmp_path, f"def handler(event, context):\n    {handler}")
    found = invocation("Worker", lines[0])
    assert found is not None
    assert [message.succeeded for message in found.messages] == succeeded
    assert lines[1] == answer
    assert found.raised == ("KeyError" if "raise" in handler else "")


@pytest.mark.parametrize(
    "event", [None, [], "text", {"Records": "x"}, {"Records": [{"eventSource": "aws:s3"}]}]
)
def test_any_event_goes_through(tmp_path: Path, event: object) -> None:
    found = invocation("Worker", run(tmp_path, "def handler(event, context):\n    return 1", event)[0])
    assert found is not None
    assert found.messages == ()


def test_every_python_function_of_an_assembly_gets_the_probe() -> None:
    assembly = synthesize(QueueProcessing, "QueueProcessing", {})
    probed = instrument.instrument(assembly)
    before = json.loads(assembly.template)["Resources"]
    after = json.loads(probed.template)["Resources"]
    functions = [name for name, each in before.items() if each["Type"] == "AWS::Lambda::Function"]
    assert len(functions) == 2
    assets = {asset.key: asset for asset in probed.assets}
    for name in functions:
        properties = after[name]["Properties"]
        assert properties["Handler"] == "workshop_probe.handler"
        real = properties["Environment"]["Variables"].pop("WORKSHOP_HANDLER")
        assert real == before[name]["Properties"]["Handler"]
        with zipfile.ZipFile(io.BytesIO(assets[properties["Code"]["S3Key"]].content())) as archive:
            assert {"workshop_probe.py", "app.py"} <= set(archive.namelist())
        for changed in ("Handler", "Code", "Environment"):
            properties.pop(changed)
            before[name]["Properties"].pop(changed)
    assert after == before
    assert instrument.instrument(assembly).assets[-1].key == probed.assets[-1].key  # nothing to deploy again


def test_what_is_not_python_stays_as_it_is() -> None:
    assembly = synthesize(QueueProcessing, "QueueProcessing", {})
    other = assembly.template.replace("python3.13", "nodejs22.x")
    as_is = instrument.instrument(type(assembly)(assembly.stack_name, other, assembly.assets))
    assert (as_is.template, as_is.assets) == (other, assembly.assets)


def test_report_lines_as_aws_documents_them() -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html#python-logging-output"""
    line = (
        "REPORT RequestId: 8f507cfc-xmpl-4697-b07a-ac58fc914c95\tDuration: 15.74 ms\tBilled Duration: 148 ms"
        "\tMemory Size: 128 MB\tMax Memory Used: 56 MB\tInit Duration: 130.49 ms\t\nXRAY TraceId: 1-5e34a614"
    )
    assert report("Worker", 5.0, line) == Report(
        "Worker", "8f507cfc-xmpl-4697-b07a-ac58fc914c95", 5.0, 15.74, 148, 128, 130.49, False
    )
    late = "REPORT RequestId: r\tDuration: 3000.00 ms\tBilled Duration: 3000 ms\tStatus: timeout"
    found = report("Worker", 5.0, late)
    assert found is not None
    assert found.timed_out
    assert report("Worker", 5.0, "START RequestId: r Version: $LATEST") is None
    assert not is_probe("workshop-probe is what I print")
