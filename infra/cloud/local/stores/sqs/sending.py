"""What may be sent: bodies, message attributes, ids of groups and of batch entries.

Developer Guide, "Amazon SQS message quotas" (quotas-messages) and "Amazon SQS message metadata"
(sqs-message-metadata): Unicode characters of XML 1.0; at most 10 message attributes; 1 MiB for a message
and for a batch, counting body, and names, types and values of message attributes; at most 10 entries in a
batch.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from . import errors
from .message import MessageAttributes

MAX_BATCH_BYTES = 1_048_576
MAX_BATCH_ENTRIES = 10
_MAX_ATTRIBUTES = 10

_FORBIDDEN = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ENTRY_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")
_FIFO_ID = re.compile(r"[A-Za-z0-9!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]{1,128}")
_ATTRIBUTE_NAME = re.compile("[A-Za-z0-9_.\u00c0-\u017f-]+")  # letters with accents too: recorded from AWS
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def check_body(body: str) -> None:
    if not body:
        raise errors.missing("MessageBody")
    if not body.isprintable() and _FORBIDDEN.search(body):
        raise _invalid_characters()


def _invalid_characters() -> Exception:
    return errors.error(
        "InvalidMessageContents",
        "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to "
        "#xFFFD | #x10000 to #x10FFFF",
    )


def size(body: str, attributes: MessageAttributes | None) -> int:
    """Bytes, as SQS counts them."""
    total = len(body) if body.isascii() else len(body.encode("utf-8", "surrogatepass"))
    for name, attribute in (attributes or {}).items():
        value = attribute.get("BinaryValue")
        if value is None:
            value = attribute.get("StringValue", "").encode("utf-8", "surrogatepass")
        total += len(name.encode()) + len(attribute.get("DataType", "").encode()) + len(value)
    return total


def check_size(bytes_: int, limit: int, verdict: str = "are invalid") -> None:
    """Of an entry in a batch AWS says instead that it "cannot be validated" (recorded from AWS)."""
    if bytes_ > limit:
        raise errors.invalid(
            f"One or more parameters {verdict}. Reason: Message must be shorter than {limit} bytes."
        )


def check_attributes(attributes: MessageAttributes) -> None:
    """Names, types and values of message attributes, in the order AWS looks at them."""
    if len(attributes) > _MAX_ATTRIBUTES:
        raise errors.invalid(
            f"Number of message attributes [{len(attributes)}] exceeds the allowed maximum "
            f"[{_MAX_ATTRIBUTES}]."
        )
    for name, attribute in attributes.items():
        _check_attribute_name(name)
        _check_attribute_value(name, attribute)


def _check_attribute_name(name: str) -> None:
    if not name:
        raise errors.invalid("The request must contain non-empty message (user) attribute names.")
    if len(name.encode()) > 256:
        raise errors.invalid("Message (user) attribute name must be shorter than 256 bytes.")
    if name.lower().startswith(("aws.", "amazon.")):
        raise errors.invalid(
            "You can't use message attribute names beginning with 'AWS.' or 'Amazon.'. These strings are "
            "reserved for internal use."
        )
    if not _ATTRIBUTE_NAME.fullmatch(name) or name.startswith(".") or name.endswith(".") or ".." in name:
        raise errors.invalid(
            f"Invalid message (user) attribute name: {name}. A name can only contain A-Z, a-z, 0-9, "
            "underscores, "
            "hyphens and periods, cannot start or end with a period, and cannot have successive periods."
        )


def _check_attribute_value(name: str, attribute: Mapping[str, Any]) -> None:
    if attribute.get("StringListValues") or attribute.get("BinaryListValues"):
        raise errors.invalid("Message attribute list values in SendMessage operation are not supported.")
    kind = attribute.get("DataType", "")
    if not kind:
        raise errors.invalid(
            f"The message (user) attribute '{name}' must contain a non-empty message attribute type."
        )
    if len(kind.encode()) > 256:
        raise errors.invalid("Message (user) attribute type must be shorter than 256 bytes.")
    base = kind.split(".", 1)[0]
    if base not in ("String", "Number", "Binary"):
        raise errors.invalid(
            f"The type of message (user) attribute '{name}' is invalid. You must use only the following "
            "supported type prefixes: Binary, Number, String."
        )
    value = attribute.get("BinaryValue" if base == "Binary" else "StringValue")
    if not value:
        raise errors.invalid(
            f"Message (user) attribute '{name}' must contain a non-empty value of type '{kind}'."
        )
    if base == "Number" and not _NUMBER.fullmatch(value):
        raise errors.invalid(f"Can't cast the value of message (user) attribute '{name}' to a number.")
    if base != "Binary" and _FORBIDDEN.search(value):
        raise errors.invalid(
            "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | "
            "#xE000 "
            "to #xFFFD | #x10000 to #x10FFFF"
        )


def check_system_attributes(attributes: MessageAttributes) -> str:
    """The only one there is for SendMessage is AWSTraceHeader, a String; returns its value."""
    for name, attribute in attributes.items():
        if name != "AWSTraceHeader":
            raise errors.invalid(f"Message system attribute name '{name}' is invalid.")
        if attribute.get("DataType") != "String" or not attribute.get("StringValue"):
            raise errors.invalid(
                f"Message system attribute '{name}' must contain a non-empty value of type 'String'."
            )
    value: str = attributes["AWSTraceHeader"]["StringValue"] if attributes else ""
    return value


def check_fifo_id(value: str, parameter: str) -> None:
    if not _FIFO_ID.fullmatch(value):
        raise errors.invalid_value(
            value,
            parameter,
            f"{parameter} can only include alphanumeric and punctuation characters. 1 to 128 in length.",
        )


def check_batch(entries: Sequence[Mapping[str, Any]], kind: str) -> None:
    """The rules for a batch as a whole; ``kind`` names its entries, as in SendMessageBatchRequestEntry."""
    if not entries:
        raise errors.error(
            "EmptyBatchRequest", f"There should be at least one {kind}RequestEntry in the request."
        )
    if len(entries) > MAX_BATCH_ENTRIES:
        raise errors.error(
            "TooManyEntriesInBatchRequest",
            f"Maximum number of entries per request are {MAX_BATCH_ENTRIES}. You have sent {len(entries)}.",
        )
    seen: set[str] = set()
    for entry in entries:
        name = entry["Id"]
        if not _ENTRY_ID.fullmatch(name):
            raise errors.error(
                "InvalidBatchEntryId",
                "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It "
                "can be "
                "at most 80 letters long.",
            )
        if name in seen:
            raise errors.error("BatchEntryIdsNotDistinct", f"Id {name} repeated.")
        seen.add(name)


def check_batch_size(total: int) -> None:
    if total > MAX_BATCH_BYTES:
        raise errors.error(
            "BatchRequestTooLong",
            f"Batch requests cannot be longer than {MAX_BATCH_BYTES} bytes. You have sent {total} bytes.",
        )
