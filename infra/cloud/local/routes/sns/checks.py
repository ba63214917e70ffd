"""What may be published: pure checks of one message, in the order and with the words of AWS.

https://docs.aws.amazon.com/sns/latest/api/API_Publish.html, API_PublishBatch.html;
https://docs.aws.amazon.com/sns/latest/dg/sns-message-attributes.html. The texts are recorded from AWS
(LocalStack's test_sns).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from . import errors

MAX_BYTES = 262_144
"""A message with its attributes, and a batch."""
MAX_ENTRIES = 10

_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_FIFO_ID = re.compile(r"[A-Za-z0-9!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]{1,128}")
_ENTRY_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")
_PHONE = re.compile(r"\+?[0-9][0-9./-]{0,30}")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")


def size(text: str, attributes: Mapping[str, Any]) -> int:
    """Bytes, as SNS counts them: the message, and names, types and values of its attributes."""
    total = len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
    for name, attribute in attributes.items():
        value = attribute.get("BinaryValue")
        if value is None:
            value = attribute.get("StringValue", "").encode("utf-8", "surrogatepass")
        total += len(name.encode()) + len(attribute.get("DataType", "").encode()) + len(value)
    return total


def check_phone_number(number: str) -> None:
    if not _PHONE.fullmatch(number):
        raise errors.invalid(f"PhoneNumber Reason: {number} is not valid to publish to")


def check_text(text: str) -> None:
    if not text:
        raise errors.invalid("Empty message")


def check_subject(subject: str) -> None:
    """Up to 100 characters without line breaks or control characters."""
    if not subject or len(subject) > 100 or _CONTROL.search(subject):
        raise errors.invalid("Subject")


def check_group(group_id: str | None, dedup_id: str | None, fifo: bool, content_dedup: bool) -> None:
    """FIFO topics need a group and something to deduplicate by. A standard topic takes a group id (it goes to
    standard queues as it is, for fair queues) but no deduplication id."""
    if group_id is not None and not _FIFO_ID.fullmatch(group_id):
        raise errors.invalid(_bad_id("MessageGroupId"))
    if not fifo:
        if dedup_id is not None:
            raise errors.invalid(
                "MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that "
                "is not "
                "valid for this topic type"
            )
        return
    if group_id is None:
        raise errors.invalid("The MessageGroupId parameter is required for FIFO topics")
    if dedup_id is None:
        if not content_dedup:
            raise errors.invalid(
                "The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId "
                "provided "
                "explicitly"
            )
    elif not _FIFO_ID.fullmatch(dedup_id):
        raise errors.invalid(_bad_id("MessageDeduplicationId"))


def _bad_id(parameter: str) -> str:
    return (
        f"{parameter} Reason: {parameter} can only include alphanumeric and punctuation characters. 1 to "
        f"128 in "
        "length."
    )


def variants(text: str, structure: str | None) -> dict[str, str]:
    """The texts by protocol of a message with MessageStructure json: at least ``default``.

    Entries that are no strings are not there (recorded from AWS, ``key-is-not-string``)."""
    if not structure:
        return {}
    if structure != "json":
        raise errors.invalid("MessageStructure")
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise errors.invalid("Message Structure - JSON message body failed to parse")
    found = {name: value for name, value in document.items() if isinstance(value, str)}
    if "default" not in found:
        raise errors.invalid("Message Structure - No default entry in JSON message body")
    return found


def check_attributes(attributes: Mapping[str, Any]) -> None:
    for name, attribute in attributes.items():
        _check_name(name)
        _check_value(name, attribute)


def _check_name(name: str) -> None:
    if len(name.encode()) > 256:
        raise errors.attribute_invalid("Length of message attribute name must be less than 256 bytes.")
    if not _NAME.fullmatch(name):
        bad = next((letter for letter in name if not _NAME.fullmatch(letter)), "")
        if not bad:
            raise errors.attribute_invalid("The message attribute name must not be empty.")
        raise errors.attribute_invalid(
            f"Invalid non-alphanumeric character '#x{ord(bad):X}' was found in the message attribute name. "
            f"Can "
            "only include alphanumeric characters, hyphens, underscores, or dots."
        )
    if name[0] == ".":
        raise errors.attribute_invalid(
            "Invalid message attribute name starting with character '.' was found."
        )
    if name[-1] == ".":
        raise errors.attribute_invalid("Invalid message attribute name ending with character '.' was found.")
    if ".." in name:
        raise errors.attribute_invalid("Message attribute name can not have successive '.' character.")


def _check_value(name: str, attribute: Mapping[str, Any]) -> None:
    kind: str = attribute.get("DataType", "")
    base = kind.split(".", 1)[0]
    if base not in ("Binary", "Number", "String"):
        raise errors.attribute_invalid(
            f"The message attribute '{name}' has an invalid message attribute type, the set of supported "
            f"type "
            "prefixes is Binary, Number, and String."
        )
    field, other = ("BinaryValue", "StringValue") if base == "Binary" else ("StringValue", "BinaryValue")
    value = attribute.get(field)
    if not value:
        if attribute.get(other):
            raise errors.attribute_invalid(
                f"The message attribute '{name}' with type '{kind}' must use field "
                f"'{field.removesuffix('Value')}'."
            )
        raise errors.attribute_invalid(
            f"The message attribute '{name}' must contain non-empty message attribute value for message "
            f"attribute "
            f"type '{kind}'."
        )
    if base == "Number" and not _NUMBER.fullmatch(value):
        raise errors.attribute_invalid(f"Could not cast message attribute '{name}' value to number.")


def check_batch(entries: Sequence[Mapping[str, Any]]) -> None:
    if not entries:
        raise errors.error("EmptyBatchRequest", "The batch request doesn't contain any entries.")
    if len(entries) > MAX_ENTRIES:
        raise errors.error(
            "TooManyEntriesInBatchRequest", "The batch request contains more entries than permissible."
        )
    ids = [entry["Id"] for entry in entries]
    for identifier in ids:
        if not _ENTRY_ID.fullmatch(identifier):
            raise errors.error(
                "InvalidBatchEntryId",
                "The Id of a batch entry in a batch request doesn't abide by the specification.",
            )
    if len(set(ids)) != len(ids):
        raise errors.error(
            "BatchEntryIdsNotDistinct", "Two or more batch entries in the request have the same Id."
        )


def check_batch_size(total: int) -> None:
    if total > MAX_BYTES:
        raise errors.error(
            "BatchRequestTooLong", "The length of all the messages put together is more than the limit."
        )
