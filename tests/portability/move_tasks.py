"""SQS's message move tasks (redrives), which MiniStack does not have, on top of its queues.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any


def start(client: Callable[[str], Any], asked: dict[str, Any]) -> dict[str, Any]:
    """Move every message of a dead-letter queue to the queue it is for; done when this returns."""
    sqs = client("sqs")
    source = asked["SourceArn"]
    url = sqs.get_queue_url(QueueName=source.rpartition(":")[2])["QueueUrl"]
    destination = asked.get("DestinationArn")
    to = (
        sqs.get_queue_url(QueueName=destination.rpartition(":")[2])["QueueUrl"]
        if destination
        else _original(sqs, source)
    )
    while messages := sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
    ).get("Messages"):
        for message in messages:
            attributes = message.get("MessageAttributes", {})
            sqs.send_message(QueueUrl=to, MessageBody=message["Body"], MessageAttributes=attributes)
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return {"TaskHandle": uuid.uuid4().hex}


def list_(client: Callable[[str], Any], asked: dict[str, Any]) -> dict[str, Any]:
    """No task is ever seen running."""
    return {"Results": []}


def _original(sqs: Any, dead: str) -> str:
    """The queue whose redrive policy names this dead-letter queue: there is one in the lessons."""
    for url in sqs.list_queues().get("QueueUrls", []):
        attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])
        policy = json.loads(attributes.get("Attributes", {}).get("RedrivePolicy", "{}"))
        if policy.get("deadLetterTargetArn") == dead:
            return str(url)
    raise LookupError(f"{dead} is no queue's dead-letter queue")
