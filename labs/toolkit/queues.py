"""Looking into a queue, and emptying it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from infra.cloud.interface import Cloud


def peek(cloud: Cloud, queue_url: str) -> list[dict[str, Any]]:
    """The bodies (JSON) of every visible message of a queue; afterwards they are visible again.

    Each look counts as a receive. On a real queue it may miss some: a receive asks a sample of the servers.
    """
    sqs = cloud.client("sqs")
    handles, bodies = [], []
    while messages := sqs.receive_message(
        QueueUrl=queue_url, MaxNumberOfMessages=10, VisibilityTimeout=120, WaitTimeSeconds=1
    ).get("Messages"):
        handles += [message["ReceiptHandle"] for message in messages]
        bodies += [json.loads(message["Body"]) for message in messages]
    for first in range(0, len(handles), 10):
        entries = [
            {"Id": str(number), "ReceiptHandle": handle, "VisibilityTimeout": 0}
            for number, handle in enumerate(handles[first : first + 10])
        ]
        sqs.change_message_visibility_batch(QueueUrl=queue_url, Entries=entries)
    return bodies


def drain(cloud: Cloud, queue_url: str) -> list[dict[str, Any]]:
    """Take every message out of a queue, until two long polls on end find none; their bodies (JSON)."""
    sqs = cloud.client("sqs")
    bodies: list[dict[str, Any]] = []
    empty = 0
    while empty < 2:
        messages = sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=2).get(
            "Messages", []
        )
        empty = 0 if messages else empty + 1
        for message in messages:
            bodies.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
    return bodies
