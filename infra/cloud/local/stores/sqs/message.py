"""A message: as the queue stores it, and as a consumer receives it.

The system attributes are those of ReceiveMessage
(https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html).
"""

from __future__ import annotations

import hashlib
import struct
from typing import Any

from ...lineage import parse_header

VISIBLE, IN_FLIGHT, DELAYED, GONE = range(4)

MessageAttributes = dict[str, dict[str, Any]]


class Extra:
    """What few messages have; a stored message without any of it keeps ``None`` instead."""

    __slots__ = ("attributes", "dedup_id", "sequence", "source")

    def __init__(
        self,
        attributes: MessageAttributes | None = None,
        dedup_id: str = "",
        sequence: str = "",
        source: str = "",
    ) -> None:
        self.attributes = attributes  # of the sender's making
        self.dedup_id = dedup_id
        self.sequence = sequence
        self.source = source  # ARN of the queue whose dead-letter queue this is in


NO_EXTRA = Extra()


class Stored:
    """One message in one queue. Times in µs since the epoch; 0 where it has not happened.

    ``serial`` names it within its queue for good, ``order`` is its place among the visible ones, ``tick`` its
    present entry among the hidden ones; ``shown`` says when it last became visible (FIFO queues only).
    ``counted`` is the receive count with which it came to this queue: a dead-letter queue goes on counting,
    but a redrive policy looks at the receives from its own queue.
    ``trace`` is the X-Ray header of the call that sent it; ``traced`` says that AWSTraceHeader shows it.
    """

    __slots__ = (
        "body",
        "counted",
        "extra",
        "first_received",
        "group_id",
        "is_duplicate",
        "message_id",
        "order",
        "receive_count",
        "received_at",
        "sender",
        "sent_at",
        "serial",
        "shown",
        "size",
        "state",
        "tick",
        "trace",
        "traced",
        "visible_at",
    )

    def __init__(
        self,
        message_id: str,
        body: str,
        size: int,
        sent_at: int,
        sender: str,
        group_id: str,
        extra: Extra,
        trace: str,
        traced: bool,
    ) -> None:
        self.message_id = message_id
        self.body = body
        self.size = size
        self.sent_at = sent_at
        self.sender = sender
        self.group_id = group_id
        self.extra = extra
        self.trace = trace
        self.traced = traced
        self.state = GONE
        self.serial = self.order = self.tick = self.shown = 0
        self.visible_at = self.first_received = self.received_at = 0
        self.receive_count = self.counted = 0
        self.is_duplicate = False

    def copy(self) -> Stored:
        """The same message for another queue: same id and history, no place yet."""
        twin = Stored(
            self.message_id,
            self.body,
            self.size,
            self.sent_at,
            self.sender,
            self.group_id,
            self.extra,
            self.trace,
            self.traced,
        )
        twin.first_received = self.first_received
        twin.receive_count = twin.counted = self.receive_count
        return twin


class Message:
    """One delivery of a message: what a consumer holds. It stays as it was when the message is received
    again.
    """

    __slots__ = ("first_received", "invisible_until", "receipt_handle", "receive_count", "stored", "tick")

    def __init__(self, stored: Stored, receipt_handle: str) -> None:
        self.stored = stored
        self.receipt_handle = receipt_handle
        self.receive_count = stored.receive_count
        self.first_received = stored.first_received
        self.invisible_until = stored.visible_at
        self.tick = stored.tick

    @property
    def untouched(self) -> bool:
        """Neither deleted nor visible again nor its visibility changed since."""
        return self.stored.state == IN_FLIGHT and self.stored.tick == self.tick

    @property
    def came_back(self) -> bool:
        """Its visibility timeout ended, and nobody has received it since."""
        return self.stored.state == VISIBLE and self.stored.receive_count == self.receive_count

    @property
    def message_id(self) -> str:
        return self.stored.message_id

    @property
    def body(self) -> str:
        return self.stored.body

    @property
    def sent_at(self) -> int:
        return self.stored.sent_at

    @property
    def group_id(self) -> str:
        return self.stored.group_id

    @property
    def size(self) -> int:
        """Bytes of the body and the message attributes, as SQS counts and bills them."""
        return self.stored.size

    @property
    def trace(self) -> str:
        """The id of the X-Ray trace that it was sent in (with the lineage, if any), or an empty text."""
        return parse_header(self.stored.trace)

    @property
    def message_attributes(self) -> MessageAttributes:
        return self.stored.extra.attributes or {}

    @property
    def md5_of_body(self) -> str:
        return md5_of_body(self.stored.body)

    @property
    def md5_of_message_attributes(self) -> str:
        """An empty string if there are none."""
        attributes = self.stored.extra.attributes
        return md5_of_attributes(attributes) if attributes else ""

    @property
    def attributes(self) -> dict[str, str]:
        """All system attributes, as ReceiveMessage shows them with ``All``."""
        stored, extra = self.stored, self.stored.extra
        shown = {
            "SenderId": stored.sender,
            "ApproximateFirstReceiveTimestamp": str(self.first_received // 1000),
            "ApproximateReceiveCount": str(self.receive_count),
            "SentTimestamp": str(stored.sent_at // 1000),
        }
        if extra is not NO_EXTRA:
            if extra.sequence:
                shown["SequenceNumber"] = extra.sequence
                shown["MessageDeduplicationId"] = extra.dedup_id
            if extra.source:
                shown["DeadLetterQueueSourceArn"] = extra.source
        if stored.traced:
            shown["AWSTraceHeader"] = stored.trace
        if stored.group_id:
            shown["MessageGroupId"] = stored.group_id
        return shown

    def __repr__(self) -> str:
        return f"<message {self.message_id}, received {self.receive_count} times>"


def md5_of_body(body: str) -> str:
    return hashlib.md5(body.encode(), usedforsecurity=False).hexdigest()


def md5_of_attributes(attributes: MessageAttributes) -> str:
    """The digest of message attributes: names sorted, each of name, type and value preceded by its length.

    SQS Developer Guide, "Amazon SQS message metadata", "Calculating the MD5 message digest for message
    attributes"
    (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html).
    """
    digest = hashlib.md5(usedforsecurity=False)
    for name in sorted(attributes):
        attribute = attributes[name]
        kind: str = attribute["DataType"]
        _add(digest, name.encode())
        _add(digest, kind.encode())
        if kind.startswith("Binary"):
            digest.update(b"\x02")
            _add(digest, attribute["BinaryValue"])
        else:
            digest.update(b"\x01")
            _add(digest, attribute["StringValue"].encode())
    return digest.hexdigest()


def _add(digest: Any, value: bytes) -> None:
    digest.update(struct.pack("!I", len(value)))
    digest.update(value)
