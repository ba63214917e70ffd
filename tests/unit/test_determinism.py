"""The lesson's scenario, faults and all: one seed, one outcome, to the byte."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from infra.cloud import connect
from labs.queue_processing.scenario import run
from labs.toolkit.arrivals import Poisson

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = "from tests.unit.test_determinism import main; main()"


def scenario(seed: int) -> dict[str, Any]:
    """20 s of orders, one in ten poison, while messages are duplicated, calls refused, functions killed."""
    with connect("local", seed=seed) as cloud:
        with (
            cloud.faults(on="lambda.Invoke", throttle=0.05),
            cloud.faults(on="dynamodb", throttle=0.05, latency="20ms"),
            cloud.faults(duplicate=0.1, reorder=0.2, kill=0.05),
        ):
            result = run(cloud, Poisson(rate=3, seconds=20), poison_every=10, max_receive_count=3)
        log_lines = cloud.logs(result.app["WorkerName"])
        depth = cloud.queue_depth(result.app["QueueArn"])
        faults = {entry.data["kind"] for entry in cloud.world.journal.select("fault.injected")}
        return {
            "fingerprint": cloud.fingerprint(),
            "outputs": dict(result.app),
            "counts": result.counts,
            "parcels": sorted(result.parcels.items()),
            "elapsed": cloud.elapsed,
            "logs": log_lines,
            "depth": [list(depth.times), list(depth.visible)],
            "cost": str(cloud.cost()),
            "faults": sorted(faults),
        }


def main() -> None:
    print(json.dumps(scenario(seed=7)))


def start(hash_seed: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed, **environment},
        stdout=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> dict[str, Any]:
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    return json.loads(output)


@pytest.fixture(scope="module")
def here() -> dict[str, Any]:
    return json.loads(json.dumps(scenario(seed=7)))


def test_the_scenario_is_worth_comparing(here):
    """Every kind of fault struck, every order is accounted for, and some were processed twice."""
    assert here["faults"] == ["duplicate", "kill", "latency", "reorder", "throttle"]
    assert here["counts"]["lost"] == 0
    assert here["counts"]["processed more than once"] > 0
    assert here["counts"]["in the DLQ"] > 0


def test_two_processes_agree_whatever_their_hash_seed_and_time_zone(here, tmp_path):
    """Set order, local time, the temporary folder and the user's AWS settings do not show."""
    one = start("1", TZ="Asia/Tokyo", TMPDIR=str(tmp_path))
    other = start("4242", TZ="America/Lima", AWS_PROFILE="nobody", AWS_DEFAULT_REGION="eu-west-1")
    assert finish(one) == finish(other) == here


def test_twice_in_one_process_is_the_same(here):
    assert json.loads(json.dumps(scenario(seed=7))) == here


def test_another_seed_is_another_outcome(here):
    other = scenario(seed=8)
    assert other["fingerprint"] != here["fingerprint"]
    assert other["parcels"] != here["parcels"]


def test_a_world_finds_nothing_of_the_one_before_it(monkeypatch):
    """moto knows its backends by ids that it may draw from a world's seed: two can be equal."""
    from moto.kms.models import kms_backends
    from moto.secretsmanager.models import secretsmanager_backends

    monkeypatch.setattr(secretsmanager_backends, "_id", kms_backends._id)
    for _ in range(2):
        with connect("local") as cloud:
            cloud.client("kms").create_key()
            assert cloud.client("secretsmanager").list_secrets()["SecretList"] == []
            cloud.client("secretsmanager").create_secret(Name="secret", SecretString="x")


def test_a_world_opens_without_what_only_some_need():
    """Every kernel and every process that explores waits for these imports."""
    heavy = ["IPython", "aws_cdk", "jsonschema", "matplotlib", "pandas", "samtranslator"]
    code = f"import sys, infra.cloud.local.world; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"
