"""The counted metrics of AWS/SQS. Queue depth and age are sampled: ``sqs_metrics.py``."""

from __future__ import annotations

from infra.cloud.views.queue_depth import queue_name

from ...journal import Entry
from ..series import Dimensions
from . import Row, at_end


def queue_dimensions(entry: Entry) -> list[Dimensions]:
    return [(("QueueName", queue_name(entry.resource)),)]


ROWS: tuple[Row, ...] = (
    # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
    Row(
        "AWS/SQS",
        "SentMessageSize",
        "Bytes",
        "sqs.sent",
        lambda entry: [float(size) for _, _, size in entry.data["messages"]],
        at_end,
        queue_dimensions,
    ),
)
