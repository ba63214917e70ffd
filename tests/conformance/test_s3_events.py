"""Runs ``s3_events.json``: what S3 tells, and which configurations it refuses.

A case has either ``calls`` of S3 and the ``records`` that follow (the members of ``object`` in order), or a
``configuration`` and the error it meets (null: none).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.cloud.local.world import World

CASES = json.loads(Path(__file__).with_name("s3_events.json").read_text(encoding="utf-8"))
QUEUE = "arn:aws:sqs:us-east-1:123456789012:queue"


@pytest.fixture
def world() -> Iterator[World]:
    world = World(latency={"*": 0})
    world.client("s3").create_bucket(Bucket="bucket")
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": QUEUE,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    world.client("sqs").create_queue(QueueName="queue", Attributes={"Policy": policy})
    yield world
    world.close()


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in CASES])
def test_case(world: World, case: dict[str, Any]) -> None:
    if "configuration" in case:
        assert configured(world, case["configuration"]) == case["refused"]
        return
    rule: dict[str, Any] = {"QueueArn": QUEUE, "Events": case["events"]}
    if "filter" in case:
        rules = [{"Name": name, "Value": value} for name, value in case["filter"].items()]
        rule["Filter"] = {"Key": {"FilterRules": rules}}
    assert configured(world, {"QueueConfigurations": [rule]}, SkipDestinationValidation=True) is None
    for operation, params in case["calls"]:
        getattr(world.client("s3"), operation)(**params)
    assert records(world) == case["records"]


def configured(world: World, configuration: dict[str, Any], **more: Any) -> dict[str, Any] | None:
    try:
        world.client("s3").put_bucket_notification_configuration(
            Bucket="bucket", NotificationConfiguration=configuration, **more
        )
    except ClientError as error:
        return dict(error.response["Error"])
    return None


def records(world: World) -> list[dict[str, Any]]:
    world.kernel.settle()
    sqs = world.client("sqs")
    url = sqs.get_queue_url(QueueName="queue")["QueueUrl"]
    found = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        found += [record for message in messages for record in json.loads(message["Body"])["Records"]]
    found.sort(key=lambda record: record["s3"]["object"].get("sequencer", ""))
    return [
        {
            "eventName": record["eventName"],
            "eventVersion": record["eventVersion"],
            "object": [*record["s3"]["object"]],
            "key": record["s3"]["object"]["key"],
        }
        for record in found
    ]
