"""Queue attributes: which there are, what they may be, and the numbers the queue works with.

Amazon SQS API Reference, CreateQueue, SetQueueAttributes, GetQueueAttributes
(https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html). The default and
largest message is 1 MiB since August 2025 (Developer Guide, quotas-messages).
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from ...kernel import SECOND
from . import errors

_RANGES: dict[str, tuple[int, int]] = {
    "DelaySeconds": (0, 900),
    "MaximumMessageSize": (1024, 1_048_576),
    "MessageRetentionPeriod": (60, 1_209_600),
    "ReceiveMessageWaitTimeSeconds": (0, 20),
    "VisibilityTimeout": (0, 43_200),
    "KmsDataKeyReusePeriodSeconds": (60, 86_400),
}
_CHOICES: dict[str, tuple[str, ...]] = {
    "ContentBasedDeduplication": ("true", "false"),
    "DeduplicationScope": ("queue", "messageGroup"),
    "FifoThroughputLimit": ("perQueue", "perMessageGroupId"),
    "SqsManagedSseEnabled": ("true", "false"),
}
_FIFO_ONLY = ("ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit")
_FREE = ("KmsMasterKeyId", "Policy", "RedrivePolicy", "RedriveAllowPolicy")
READ_ONLY = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesDelayed",
    "ApproximateNumberOfMessagesNotVisible",
    "CreatedTimestamp",
    "LastModifiedTimestamp",
    "QueueArn",
)
KNOWN = (*_RANGES, *_CHOICES, *_FREE, *READ_ONLY, "FifoQueue")

_DEFAULTS = {
    "VisibilityTimeout": "30",
    "MaximumMessageSize": "1048576",
    "MessageRetentionPeriod": "345600",
    "DelaySeconds": "0",
    "ReceiveMessageWaitTimeSeconds": "0",
    "SqsManagedSseEnabled": "true",
}
_FIFO_DEFAULTS = {
    "FifoQueue": "true",
    "DeduplicationScope": "queue",
    "FifoThroughputLimit": "perQueue",
    "ContentBasedDeduplication": "false",
}
_MAX_SOURCES = 10
_UNSUPPORTED_FORMAT = (
    "Invalid value for the parameter RedriveAllowPolicy. Reason: Amazon SQS can't create the redrive allow "
    "policy, as it’s in an unsupported format."
)


@dataclasses.dataclass(frozen=True, slots=True)
class Settings:
    """What the attributes mean to the queue. Durations in µs; ``max_receives`` is 0 without a redrive
    policy.
    """

    visibility: int
    delay: int
    retention: int
    wait: int
    max_size: int
    max_receives: int
    dead_letter_arn: str
    content_dedup: bool
    dedup_by_group: bool
    key: str = ""
    """The customer's or AWS's KMS key that the queue is encrypted with."""
    key_reuse: int = 0
    """For how long a data key is used before KMS is asked again."""


def settings(attributes: Mapping[str, str]) -> Settings:
    redrive = json.loads(attributes.get("RedrivePolicy") or "{}")
    return Settings(
        visibility=int(attributes["VisibilityTimeout"]) * SECOND,
        delay=int(attributes["DelaySeconds"]) * SECOND,
        retention=int(attributes["MessageRetentionPeriod"]) * SECOND,
        wait=int(attributes["ReceiveMessageWaitTimeSeconds"]) * SECOND,
        max_size=int(attributes["MaximumMessageSize"]),
        max_receives=int(redrive.get("maxReceiveCount", 0)),
        dead_letter_arn=redrive.get("deadLetterTargetArn", ""),
        content_dedup=attributes.get("ContentBasedDeduplication") == "true",
        dedup_by_group=attributes.get("DeduplicationScope") == "messageGroup",
        key=attributes.get("KmsMasterKeyId", ""),
        key_reuse=int(attributes.get("KmsDataKeyReusePeriodSeconds", 0)) * SECOND,
    )


def check_name(name: str, fifo: bool) -> None:
    """Alphanumeric, hyphen, underscore, 1 to 80; a FIFO queue's ends with .fifo, which counts."""
    if not name:
        raise errors.invalid("Queue name cannot be empty")
    stem = name[:-5] if fifo and name.endswith(".fifo") else name
    if fifo and not name.endswith(".fifo"):
        raise errors.invalid(
            "The name of a FIFO queue can only include alphanumeric characters, hyphens, or "
            "underscores, must "
            "end with .fifo suffix and be 1 to 80 in length."
        )
    if len(name) > 80 or not re.fullmatch(r"[A-Za-z0-9_-]+", stem):
        raise errors.invalid(
            "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"
        )


def normalized(given: Mapping[str, str]) -> dict[str, str]:
    """Booleans in lower case: AWS takes ``True`` as well as ``true`` and shows ``true`` (recorded from AWS:
    LocalStack's test_sqs, queues created with FifoQueue "True")."""
    return {
        name: value.lower()
        if (name == "FifoQueue" or "true" in _CHOICES.get(name, ())) and value.lower() in ("true", "false")
        else value
        for name, value in given.items()
    }


def defaults(fifo: bool) -> dict[str, str]:
    return {**_DEFAULTS, **(_FIFO_DEFAULTS if fifo else {})}


def merge(present: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """``given`` over ``present``. An empty policy removes it; the two kinds of encryption exclude each
    other.
    """
    merged = {**present, **given}
    for name in (*_FREE, "KmsDataKeyReusePeriodSeconds"):
        if merged.get(name) == "":
            del merged[name]
    if given.get("KmsMasterKeyId"):
        if given.get("SqsManagedSseEnabled") == "true":
            raise _both_encryptions()
        merged["SqsManagedSseEnabled"] = "false"
        merged.setdefault("KmsDataKeyReusePeriodSeconds", "300")
    elif given.get("SqsManagedSseEnabled") == "true" and merged.get("KmsMasterKeyId"):
        raise _both_encryptions()
    if "KmsMasterKeyId" not in merged:
        merged.pop("KmsDataKeyReusePeriodSeconds", None)
    if (
        merged.get("FifoThroughputLimit") == "perMessageGroupId"
        and merged.get("DeduplicationScope") != "messageGroup"
    ):
        raise errors.invalid(
            "The perMessageGroupId value is allowed only when the value for DeduplicationScope is "
            "messageGroup."
        )
    return merged


def _both_encryptions() -> Exception:
    return errors.error(
        "InvalidAttributeName",
        "You can use one type of server-side encryption (SSE) at one time. You can either enable KMS SSE or "
        "SQS SSE.",
    )


def check(given: Mapping[str, str], fifo: bool, creating: bool) -> None:
    """Refuse an unknown attribute, one of the other kind of queue, and a value out of range."""
    for name, value in given.items():
        if name == "FifoQueue":
            _check_kind(value, fifo, creating)
        elif name in _FIFO_ONLY and not fifo:
            if name == "ContentBasedDeduplication":
                raise errors.error("InvalidAttributeName", f"Unknown Attribute {name}.")
            raise errors.error(
                "InvalidAttributeName", f"You can specify the {name} only when FifoQueue is set to true."
            )
        elif name in _RANGES:
            low, high = _RANGES[name]
            if not re.fullmatch(r"[0-9]{1,9}", value) or not low <= int(value) <= high:
                raise _bad_value(name)
        elif name in _CHOICES:
            if value not in _CHOICES[name]:
                raise _bad_value(name)
        elif name == "Policy":
            _check_policy(value)
        elif name == "RedriveAllowPolicy":
            _check_redrive_allow_policy(value)
        elif name == "RedrivePolicy":
            pass  # needs the other queues: check_redrive_policy
        elif name not in _FREE:
            raise errors.error("InvalidAttributeName", f"Unknown Attribute {name}.")


def _bad_value(name: str) -> Exception:
    return errors.error("InvalidAttributeValue", f"Invalid value for the parameter {name}.")


def _check_kind(value: str, fifo: bool, creating: bool) -> None:
    if not fifo or (creating and value != "true"):
        raise errors.error("InvalidAttributeName", "Unknown Attribute FifoQueue.")
    if value != "true":
        raise errors.error(
            "InvalidAttributeValue",
            "Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported.",
        )


def _json_map(text: str) -> dict[str, Any] | None:
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _check_policy(text: str) -> None:
    if not text:
        return
    policy = _json_map(text)
    statements = policy.get("Statement") if policy is not None else None
    if isinstance(statements, dict):
        statements = [statements]
    if (
        policy is None
        or policy.get("Version", "2008-10-17") not in ("2008-10-17", "2012-10-17")
        or not isinstance(statements, list)
        or not statements
        or not all(isinstance(one, dict) and one.get("Effect") in ("Allow", "Deny") for one in statements)
    ):
        raise _bad_value("Policy")
    if len(statements) > 20:
        raise errors.error(
            "OverLimit",
            f"{len(statements)} statements were found in the submitted policy, max allowed is 20",
        )


def check_redrive_policy(
    text: str, source_arn: str, fifo: bool, find: Callable[[str], tuple[bool, str] | None]
) -> None:
    """The dead-letter queue must exist, be of the same kind, and allow this source.

    ``find`` gives, for an ARN, the kind of that queue (is it FIFO?) and its RedriveAllowPolicy, or None.
    Developer Guide, "Using dead-letter queues in Amazon SQS" (sqs-dead-letter-queues); maxReceiveCount is 1
    to 1,000.
    """
    if not text:
        return
    policy = _json_map(text)
    if policy is None:
        raise errors.error(
            "InvalidAttributeValue",
            "Invalid value for the parameter RedrivePolicy. Reason: Redrive policy is not a valid JSON map.",
        )

    def refuse(reason: str) -> Exception:
        return errors.invalid_value(text, "RedrivePolicy", reason)

    for name in ("maxReceiveCount", "deadLetterTargetArn"):
        if name not in policy:
            raise refuse(f"Redrive policy does not contain mandatory attribute: {name}.")
    count = policy["maxReceiveCount"]
    if not re.fullmatch(r"[0-9]{1,4}", str(count)) or not 1 <= int(count) <= 1000:
        raise refuse(
            f"Invalid value for maxReceiveCount: {count}, valid values are from 1 to 1000 both inclusive."
        )
    target = policy["deadLetterTargetArn"]
    if not isinstance(target, str) or not re.fullmatch(r"arn:[^:]+:[^:]+:[^:]*:[^:]*:.+", target):
        raise refuse("Invalid value for deadLetterTargetArn.")
    if target.split(":")[2] != "sqs":
        raise refuse("Only SQS queues are valid resources for deadLetterTargetArn.")
    if len(policy) > 2:
        raise refuse("Only following attributes are supported: [maxReceiveCount, deadLetterTargetArn].")
    if target.endswith(".fifo") != fifo:
        raise refuse("Dead-letter queue must be same type of queue as the source..")
    found = find(target)
    if found is None:
        raise refuse("Dead letter target does not exist.")
    allowed = _json_map(found[1]) or {}
    permission = allowed.get("redrivePermission", "allowAll")
    if permission == "denyAll" or (
        permission == "byQueue" and source_arn not in allowed.get("sourceQueueArns", [])
    ):
        raise refuse(
            f"Dead-letter queue {target} doesn't allow this source queue in its redrive allow policy."
        )


def _check_redrive_allow_policy(text: str) -> None:
    if not text:
        return
    policy = _json_map(text)
    sources = policy.get("sourceQueueArns") if policy is not None else None
    if (
        policy is None
        or policy.get("redrivePermission") not in ("allowAll", "denyAll", "byQueue")
        or any(name not in ("redrivePermission", "sourceQueueArns") for name in policy)
        or (sources is not None and not isinstance(sources, list))
        or any(not isinstance(source, str) for source in sources or [])
    ):
        raise errors.error("InvalidAttributeValue", _UNSUPPORTED_FORMAT)
    reason = ""
    if policy["redrivePermission"] == "byQueue":
        if not sources:
            reason = (
                "When you specify the byQueue permission type, you must also specify one or more "
                "sourceQueueArns values."
            )
        elif len(sources) > _MAX_SOURCES:
            reason = f"The maximum number of source queue ARNs you can specify is {_MAX_SOURCES}."
    elif sources is not None:
        reason = "To specify one or more source queue ARNs, you must set redrivePermission to byQueue."
    if reason:
        raise errors.invalid_value(
            text, "RedriveAllowPolicy", f"Amazon SQS can't create the redrive allow policy. {reason}"
        )
