"""``workshop sweep`` and ``close()`` against MiniStack: after a crash, after ``cdk deploy``, with leftovers.

Where MiniStack differs from AWS, and what that means here:

- It deletes a stack whose bucket is not empty, where AWS ends in DELETE_FAILED: the unit tests try that.
  https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/troubleshooting.html
- It does not hand a stack's tags on to buckets, streams, roles, alarms and log groups, where AWS does: so
  these are known here by the names that CloudFormation gave them.
  https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-resource-tags.html
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from labs.toolkit import paths
from tests import ministack
from tests.unit.test_sweep import KEPT

from .account import everything
from .differences import Client

CRASH = """
import os, sys
from infra.cloud import connect
from infra.stacks.welcome import Welcome
cloud = connect("aws")
cloud.deploy(Welcome)
app = cloud.deploy(sys.argv[1], stack_name="Kept")
cloud.client("lambda").invoke(FunctionName=app.resources["Function"], Payload=b"{}")
cloud.client("s3").put_object(Bucket=app.resources["Bucket"], Key="x", Body=b"x")
if sys.argv[2] == "crash":
    os._exit(9)
cloud.close()
"""


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with ministack.server() as client:
        yield client


def _run(client: Client, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": client("sts").meta.endpoint_url,
        "WORKSHOP_ACCOUNT": "000000000000",
    }
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=paths.ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def _template(folder: Path) -> str:
    path = folder / "template.json"
    path.write_text(json.dumps({"Resources": KEPT}), "utf-8")
    return str(path)


def test_after_a_crash_sweep_shows_zero_and_leaves_the_rest_alone(client: Client, tmp_path: Path) -> None:
    client("sqs").create_queue(QueueName="somebody-elses")
    client("logs").create_log_group(logGroupName="/aws/lambda/somebody-elses")
    before = everything(client)
    assert _run(client, "-c", CRASH, _template(tmp_path), "crash").returncode == 9
    assert sorted(everything(client)["stacks"]) == ["Kept", "Welcome"]
    listed = _run(client, "-m", "labs.toolkit.cli", "sweep", "--dry-run")
    assert listed.returncode == 1, listed.stderr
    assert "Welcome (CREATE_COMPLETE)" in listed.stdout
    refused = _run(client, "-m", "labs.toolkit.cli", "sweep")
    assert "say --yes" in refused.stderr
    swept = _run(client, "-m", "labs.toolkit.cli", "sweep", "--yes")
    assert swept.returncode == 0, swept.stdout + swept.stderr
    assert "0 stacks, 0 resources, 0 USD per hour" in swept.stdout.splitlines()[-1]
    assert everything(client) == before


def test_close_leaves_nothing(client: Client, tmp_path: Path) -> None:
    before = everything(client)
    closed = _run(client, "-c", CRASH, _template(tmp_path), "close")
    assert closed.returncode == 0, closed.stderr
    assert everything(client) == before
