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
from infra.cloud.aws.invocations import Handled, Invocation, Report, invocations, is_probe, report
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


def seen(lines: list[str]) -> list[Invocation]:
    return invocations("Worker", [(0.0, line) for line in lines])


def test_an_invocation_is_two_lines_and_the_answer_is_the_handlers(tmp_path: Path) -> None:
    lines = run(
        tmp_path, "def handler(event, context):\n    return {'batchItemFailures': [{'itemIdentifier': 'b'}]}"
    )
    assert [line for line in lines if not is_probe(line)] == [
        "answer {'batchItemFailures': [{'itemIdentifier': 'b'}]}"
    ] * 2
    assert len(lines) == 6
    first, second = seen(lines)
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
    found = seen(lines)[0]
    assert [message.succeeded for message in found.messages] == succeeded
    assert lines[2] == answer
    assert found.raised == ("KeyError" if "raise" in handler else "")


@pytest.mark.parametrize(
    "event", [None, [], "text", {"Records": "x"}, {"Records": [{"eventSource": "aws:s3"}]}]
)
def test_any_event_goes_through(tmp_path: Path, event: object) -> None:
    found = seen(run(tmp_path, "def handler(event, context):\n    return 1", event))[0]
    assert found.messages == ()


def test_an_invocation_that_was_killed_ends_with_its_report(tmp_path: Path) -> None:
    """Lambda stops the process at the timeout, so nothing comes after; the retry has the same request id."""
    begun = run(tmp_path, "def handler(event, context):\n    return 1")[0]
    start = json.loads(begun.partition(" ")[2])["start"]
    assert invocations("Worker", [(start, begun)]) == []  # it still runs
    report_line = "REPORT RequestId: r\tDuration: 3000.00 ms\tBilled Duration: 3000 ms\tStatus: timeout"
    (killed,) = invocations("Worker", [(start, begun), (start + 3, report_line), (start + 90, report_line)])
    assert (killed.start, killed.end, killed.raised) == (start, start + 3, "killed")
    assert [message.succeeded for message in killed.messages] == [False, False]


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
