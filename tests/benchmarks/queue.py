"""SQS -> Lambda -> one DynamoDB put per message, in batches of 10."""

from __future__ import annotations

import io
import json
import re
import resource
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import boto3

HANDLER = """
import json
import os

import boto3

dynamodb = boto3.client("dynamodb")


def handler(event, context):
    for record in event["Records"]:
        order = json.loads(record["body"])
        dynamodb.put_item(
            TableName="orders",
            Item={"id": {"S": order["id"]}, "total": {"N": str(order["total"])}, "customer": {"S": "ada"}},
        )
"""

TABLE: dict[str, Any] = {
    "TableName": "orders",
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    "BillingMode": "PAY_PER_REQUEST",
}


def package(handler: str) -> bytes:
    """The function's code as a deployment package."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("app.py", handler)
    return buffer.getvalue()


def build(client: Any, role: str) -> tuple[str, str]:
    """Queue, table, function and mapping, through boto3; returns the queue's URL and the mapping's UUID."""
    client("dynamodb").create_table(**TABLE)
    url: str = client("sqs").create_queue(QueueName="orders", Attributes={"VisibilityTimeout": "180"})[
        "QueueUrl"
    ]
    arn = client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"][
        "QueueArn"
    ]
    client("lambda").create_function(
        FunctionName="worker",
        Runtime="python3.11",
        Role=role,
        Handler="app.handler",
        Code={"ZipFile": package(HANDLER)},
        Timeout=30,
        MemorySize=256,
    )
    mapping = client("lambda").create_event_source_mapping(
        EventSourceArn=arn, FunctionName="worker", BatchSize=10, Enabled=False
    )
    return url, mapping["UUID"]


def send(sqs: Any, url: str, messages: int) -> None:
    for first in range(0, messages, 10):
        sqs.send_message_batch(
            QueueUrl=url,
            Entries=[
                {"Id": str(n), "MessageBody": json.dumps({"id": f"order-{n}", "total": n % 97})}
                for n in range(first, min(first + 10, messages))
            ],
        )


def role(iam: Any, actions: Sequence[str] = ("sqs:*", "dynamodb:PutItem", "logs:*")) -> str:
    """A function's role: without ``actions``, it may read the queue and write the table."""
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    arn: str = iam.create_role(RoleName="worker", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    allow = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    iam.put_role_policy(
        RoleName="worker",
        PolicyName="all",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allow]}),
    )
    return arn


def run(messages: int, seed: int = 0) -> dict[str, Any]:
    """Send everything, then switch the mapping on: wall time from the first send to the last delete."""
    from infra.cloud import connect

    raw = raw_puts(messages)
    cloud = connect("local", seed=seed)
    url, mapping = build(cloud.client, role(cloud.client("iam")))
    virtual = cloud.elapsed
    started = time.perf_counter()
    send(cloud.client("sqs"), url, messages)
    cloud.client("lambda").update_event_source_mapping(UUID=mapping, Enabled=True)
    cloud.settle()
    wall = time.perf_counter() - started
    virtual = cloud.elapsed - virtual
    found = stored(cloud.client("dynamodb"))
    left = cloud.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert found == messages, f"{found} of {messages} messages were stored"
    assert left["ApproximateNumberOfMessages"] == left["ApproximateNumberOfMessagesNotVisible"] == "0", left
    fingerprint = cloud.fingerprint()  # type: ignore[attr-defined]
    cloud.close()
    return {
        "benchmark": "queue",
        "messages": messages,
        "wall_s": round(wall, 3),
        "messages_per_s": round(messages / wall),
        "virtual_s": round(virtual, 3),
        "raw_put_item_s": round(raw, 3),
        "of_raw": round(wall / raw, 3),
        "peak_rss_mb": peak_rss_mb(),
        "fingerprint": fingerprint,
    }


def stored(dynamodb: Any) -> int:
    """How many items the table has."""
    pages = dynamodb.get_paginator("scan").paginate(TableName="orders", Select="COUNT")
    return sum(page["Count"] for page in pages)


def raw_puts(messages: int) -> float:
    """Seconds that the same number of put_item calls takes on stock moto, nothing else."""
    from moto import mock_aws

    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        client.create_table(**TABLE)
        started = time.perf_counter()
        for n in range(messages):
            client.put_item(
                TableName="orders",
                Item={"id": {"S": f"order-{n}"}, "total": {"N": str(n % 97)}, "customer": {"S": "ada"}},
            )
        return time.perf_counter() - started


def peak_rss_mb() -> int:
    """Of this program. Linux's ru_maxrss is not: it begins with what the process that started it had."""
    status = Path("/proc/self/status")
    if status.exists():
        found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
        if found:
            return int(found[1]) // 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
