"""Batches, as pure functions: the event a function is given, where a batch is cut, what its answer means.

- https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html (the event, the three limits of a batch)
- https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html (partial batch responses)
"""

from __future__ import annotations

import base64
import json
from json.encoder import encode_basestring_ascii
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..stores.sqs.message import Message

PAYLOAD_LIMIT = 6 * 1024 * 1024
"""Bytes of one event (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html)."""

_HEAD = '{"Records":['
_TAIL = "]}"

_quoted = encode_basestring_ascii
_dump = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


def record(message: Message, queue_arn: str, region: str, *, windowed: bool = False) -> str:
    """One message as a record of the event, in JSON text (ASCII only).

    ``windowed``: a mapping with a batching window delivers ``md5OfMessageAttributes`` as null if the message
    has no attributes; without a window the key is missing then (recorded from AWS).
    """
    attributes = message.message_attributes
    if attributes:
        shown = _dump({name: _attribute(value) for name, value in attributes.items()})
        digest = f'"md5OfMessageAttributes":"{message.md5_of_message_attributes}",'
    else:
        shown = "{}"
        digest = '"md5OfMessageAttributes":null,' if windowed else ""
    return (
        f'{{"messageId":"{message.message_id}","receiptHandle":{_quoted(message.receipt_handle)},'
        f'"body":{_quoted(message.body)},"attributes":{_system(message.attributes)},'
        f'"messageAttributes":{shown},{digest}"md5OfBody":"{message.md5_of_body}",'
        f'"eventSource":"aws:sqs","eventSourceARN":"{queue_arn}","awsRegion":"{region}"}}'
    )


_ORDER = ("ApproximateReceiveCount", "AWSTraceHeader", "SentTimestamp", "SequenceNumber", "MessageGroupId")
_ORDER_2 = (
    "SenderId",
    "MessageDeduplicationId",
    "ApproximateFirstReceiveTimestamp",
    "DeadLetterQueueSourceArn",
)


def _system(attributes: dict[str, str]) -> str:
    if len(attributes) == 4:  # a plain message of a standard queue
        return (
            f'{{"ApproximateReceiveCount":"{attributes["ApproximateReceiveCount"]}",'
            f'"SentTimestamp":"{attributes["SentTimestamp"]}","SenderId":{_quoted(attributes["SenderId"])},'
            f'"ApproximateFirstReceiveTimestamp":"{attributes["ApproximateFirstReceiveTimestamp"]}"}}'
        )
    return _dump({name: attributes[name] for name in _ORDER + _ORDER_2 if name in attributes})


def _attribute(value: dict[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    if value.get("StringValue") is not None:
        shown["stringValue"] = value["StringValue"]
    if value.get("BinaryValue") is not None:
        shown["binaryValue"] = base64.b64encode(bytes(value["BinaryValue"])).decode()
    return {**shown, "stringListValues": [], "binaryListValues": [], "dataType": value["DataType"]}


def event(records: list[str]) -> bytes:
    """The payload of an invocation."""
    return (_HEAD + ",".join(records) + _TAIL).encode("ascii")


def cut(sizes: list[int], limit: int = PAYLOAD_LIMIT) -> list[int]:
    """How many records go into each invocation so that no event exceeds ``limit`` bytes.

    A record that is too large alone still goes alone: Lambda refuses it, and the message comes back.
    """
    room = limit - len(_HEAD) - len(_TAIL)
    if sum(sizes) + len(sizes) - 1 <= room:
        return [len(sizes)] if sizes else []
    counts = []
    count = used = 0
    for size in sizes:
        if count and used + 1 + size > room:
            counts.append(count)
            count = used = 0
        used += size + (1 if count else 0)
        count += 1
    counts.append(count)
    return counts


def failed_items(answer: bytes, ids: list[str]) -> list[str]:
    """Which messages have failed, by the answer of a function with ReportBatchItemFailures.

    An empty or null answer or list of failures: none. An answer that is not JSON or not of the documented
    form, and any item identifier that is empty, null, missing or not of this batch: all of them.
    """
    if not answer:
        return []
    try:
        parsed = json.loads(answer)
    except ValueError:
        return list(ids)
    if not parsed:
        return []
    if not isinstance(parsed, dict):
        return list(ids)
    items = parsed.get("batchItemFailures")
    if not items:
        return []
    if not isinstance(items, list):
        return list(ids)
    named: dict[str, None] = {}
    known = set(ids)
    for item in items:
        identifier = item.get("itemIdentifier") if isinstance(item, dict) else None
        if not isinstance(identifier, str) or identifier not in known:
            return list(ids)
        named[identifier] = None
    return [identifier for identifier in ids if identifier in named]
