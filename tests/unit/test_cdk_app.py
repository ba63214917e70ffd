"""``infra/app.py``, which ``cdk deploy`` runs: every stack, for the CDK's own bootstrap."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from infra.app import every_stack
from labs.toolkit import paths


def test_it_synthesizes_every_stack_with_the_workshop_s_tags(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "app.py"],
        cwd=paths.ROOT / "infra",
        env={**os.environ, "CDK_OUTDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    artifacts = json.loads((tmp_path / "manifest.json").read_text("utf-8"))["artifacts"]
    for stack in every_stack():
        found = artifacts[stack.__name__]
        assert found["properties"]["tags"] == {
            "workshop": "event-driven-workshop",
            "workshop:lesson": stack.__module__.rpartition(".")[2],
        }
        assert found["properties"]["stackTemplateAssetObjectUrl"].startswith("s3://cdk-hnb659fds-assets-")
