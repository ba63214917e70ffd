"""Runs ``pipes.json``: what an input template makes of an event."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from infra.cloud.local.routes.pipes.transform import render, source_event

CASES = json.loads(Path(__file__).with_name("pipes.json").read_text(encoding="utf-8"))

BODY = {"key": "v", "Records": [{"n": 1}, {"n": 2}]}
EVENTS: dict[str, tuple[str, dict[str, Any]]] = {
    "sqs": ("sqs", {"body": json.dumps(BODY), "attributes": {"SenderId": "AIDACKCEVSQ6C2EXAMPLE"}}),
    "text": ("sqs", {"body": "plain"}),
    "small": ("sqs", {"messageId": "m", "body": '{"a":1}'}),
    "kinesis": ("kinesis", {"data": base64.b64encode(b'{"a": 1}').decode(), "partitionKey": "k-1"}),
    "dynamodb": ("dynamodb", {"eventName": "INSERT", "dynamodb": {"Keys": {"id": {"S": "o-1"}}}}),
}
RESERVED = {
    "aws.pipes.pipe-name": "orders",
    "aws.pipes.pipe-arn": "arn:p",
    "aws.pipes.source-arn": "arn:s",
    "aws.pipes.target-arn": "arn:t",
    "aws.pipes.event.ingestion-time": "2026-01-05T09:00:00Z",
}


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in CASES])
def test_template(case: dict[str, Any]) -> None:
    source, value = EVENTS[case["event"]]
    assert render(case["template"], source_event(value, source), RESERVED) == case["text"]
