"""When EventBridge tries again, and what the dead-letter queue is told. Pure functions.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html and
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html: up to 185 times within 24 hours,
with exponential back-off and jitter; a missing permission or resource is not retried.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from ...backoff import doubling
from ...kernel import SECOND
from ...service import ServiceError
from ..retries import AGE_EXCEEDED, ATTEMPTS_EXHAUSTED, DEFAULT_AGE_S, DEFAULT_RETRIES, LONGEST_US


@dataclasses.dataclass(frozen=True, slots=True)
class RetryPolicy:
    """``max_age`` in microseconds since EventBridge received the event."""

    max_attempts: int = DEFAULT_RETRIES
    max_age: int = DEFAULT_AGE_S * SECOND


def backoff(retry: int, draw: float) -> int:
    """µs until the nth retry (n from 1); ``draw`` is between 0 and 1.

    The interval doubles from 1 s to 8 minutes, spread evenly by a quarter either way. AWS publishes none of
    these; with them the default policy's two limits, 185 retries and 24 hours, are reached together.
    """
    interval = doubling(retry, SECOND, LONGEST_US)
    return int(interval * (0.75 + draw / 2))


def exhausted(policy: RetryPolicy, retries: int, age: int) -> str:
    """Why there is no further retry, after ``retries`` of them: the condition as the DLQ names it, or ""."""
    if retries >= policy.max_attempts:
        return ATTEMPTS_EXHAUSTED
    return AGE_EXCEEDED if age >= policy.max_age else ""


@dataclasses.dataclass(frozen=True, slots=True)
class Failure:
    """A failed attempt. ``code`` is the DLQ's ERROR_CODE; ``not_before`` is how long (µs) the target asked to
    be left alone."""

    code: str
    message: str
    retried: bool
    not_before: int = 0


_GONE = frozenset(
    [
        "AWS.SimpleQueueService.NonExistentQueue",
        "ActivityDoesNotExist",
        "NotFound",
        "NotFoundException",
        "QueueDoesNotExist",
        "ResourceNotFoundException",
        "StateMachineDoesNotExist",
    ]
)
_DENIED = frozenset(
    [
        "AccessDenied",
        "AccessDeniedException",
        "AuthorizationError",
        "AuthorizationErrorException",
        "KMS.AccessDeniedException",
        "KMSAccessDenied",
        "KMSAccessDeniedException",
    ]
)
_THROTTLED = frozenset(
    [
        "KMSThrottlingException",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestThrottled",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    ]
)
_TRANSIENT = frozenset(["ConnectionFailure", "RequestTimeout", "ServiceUnavailable", "SdkClientError"])


def failure(error: ServiceError) -> Failure:
    """What a target's error means for the delivery."""
    own = error.fields.get("EventBridge")  # a code of EventBridge's own, with whether it is retried
    if own is not None:
        not_before = int(error.fields.get("NotBefore", 0))
        return Failure(error.code, error.message, bool(own == "retry"), not_before)
    if error.code in _DENIED:
        return Failure("NO_PERMISSIONS", error.message, False)
    if error.code in _GONE:
        return Failure("NO_RESOURCE", error.message, False)
    if error.code in _THROTTLED or error.status == 429:
        return Failure("THROTTLING", error.message, True)
    if error.status >= 500 or error.code in _TRANSIENT:
        return Failure("SDK_CLIENT_ERROR", error.message, True)
    return Failure("INVALID_PARAMETER", error.message, False)


def own_error(code: str, message: str, *, retry: bool, not_before: int = 0) -> ServiceError:
    """A failure that EventBridge itself finds, under its own code."""
    return ServiceError(code, message, EventBridge="retry" if retry else "final", NotBefore=not_before)


def dead_letter_attributes(
    rule_arn: str, target_arn: str, failed: Failure, condition: str, retries: int
) -> dict[str, Any]:
    """The message attributes of a dead-letter message; the last two only if the event was to be retried."""
    texts = {
        "RULE_ARN": rule_arn,
        "TARGET_ARN": target_arn,
        "ERROR_CODE": failed.code,
        "ERROR_MESSAGE": failed.message or failed.code,
    }
    attributes = {name: {"DataType": "String", "StringValue": text} for name, text in texts.items()}
    if condition:
        attributes["EXHAUSTED_RETRY_CONDITION"] = {"DataType": "String", "StringValue": condition}
        attributes["RETRY_ATTEMPTS"] = {"DataType": "Number", "StringValue": str(retries)}
    return attributes
