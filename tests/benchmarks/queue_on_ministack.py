"""The queue benchmark on MiniStack, measured in the same run."""

from __future__ import annotations

import time
from typing import Any

from tests.ministack import server

from . import queue


def run_queue(messages: int) -> dict[str, Any]:
    """The queue benchmark on MiniStack: until the queue is empty."""
    with server() as client:
        url, mapping = queue.build(client, queue.role(client("iam")))
        sqs = client("sqs")
        started = time.perf_counter()
        queue.send(sqs, url, messages)
        client("lambda").update_event_source_mapping(UUID=mapping, Enabled=True)
        while time.perf_counter() - started < 600:
            left = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
            if left["ApproximateNumberOfMessages"] == left["ApproximateNumberOfMessagesNotVisible"] == "0":
                break
            time.sleep(0.1)
        wall = time.perf_counter() - started
        stored = queue.stored(client("dynamodb"))
    return {"ministack_messages_per_s": round(messages / wall), "ministack_stored": stored}
