"""What the tests of the applications under ``tests/samples`` look at."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from infra.cloud.local.cloud import LocalCloud

SAMPLES = Path(__file__).parents[1] / "samples"


def seen(cloud: LocalCloud, name: str) -> list[Any]:
    """What a function printed after ``seen``, as JSON."""
    return [json.loads(line[5:]) for line in cloud.logs(name) if line.startswith("seen ")]


def bodies(cloud: LocalCloud, url: str) -> list[Any]:
    found, sqs = [], cloud.client("sqs")
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        found += [json.loads(message["Body"]) for message in messages]
    return found
