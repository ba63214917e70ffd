"""What the attributes of topics and subscriptions may be: pure checks, with AWS's refusals.

https://docs.aws.amazon.com/sns/latest/api/API_SetTopicAttributes.html, API_SetSubscriptionAttributes.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from . import errors
from .retries import DEFAULT_HTTP

_FEEDBACK = re.compile(
    "(HTTP|SQS|Lambda|Firehose|Application)(SuccessFeedbackRoleArn|SuccessFeedbackSampleRate|FailureFeedbackRoleArn)"
)
"""Delivery status logging: kept and shown, but no log is written; the journal has what it would say."""

_SETTABLE = ("DeliveryPolicy", "DisplayName", "KmsMasterKeyId", "Policy", "SignatureVersion", "TracingConfig")
_SETTABLE_FIFO = ("ContentBasedDeduplication", "FifoThroughputScope")
NOT_SIMULATED = ("ArchivePolicy", "DataProtectionPolicy")

_OWNER_ACTIONS = (
    "GetTopicAttributes",
    "SetTopicAttributes",
    "AddPermission",
    "RemovePermission",
    "DeleteTopic",
    "Subscribe",
    "ListSubscriptionsByTopic",
    "Publish",
)


def default_policy(arn: str, account: str) -> str:
    """https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html; recorded from AWS."""
    statement = {
        "Sid": "__default_statement_ID",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": [f"SNS:{name}" for name in _OWNER_ACTIONS],
        "Resource": arn,
        "Condition": {"StringEquals": {"AWS:SourceOwner": account}},
    }
    policy = {"Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": [statement]}
    return json.dumps(policy, separators=(",", ":"))


def checked(name: str, value: str, fifo: bool) -> str:
    """A topic attribute's value as it is kept. Raises InvalidParameter."""
    if name in _SETTABLE_FIFO:
        allowed = ("true", "false") if name == "ContentBasedDeduplication" else ("Topic", "MessageGroup")
        if not fifo:
            raise errors.invalid(f"{name} Reason: {name} can only be set for FIFO topics")
        if value not in allowed:
            raise errors.invalid(f"{name} Reason: Invalid value [{value}]. Must be {' or '.join(allowed)}.")
    elif _FEEDBACK.fullmatch(name):
        return value
    elif name not in _SETTABLE:
        raise errors.invalid("AttributeName")
    elif name == "SignatureVersion" and value not in ("1", "2"):
        raise errors.invalid("SignatureVersion")
    elif name == "TracingConfig" and value not in ("PassThrough", "Active"):
        raise errors.invalid(f"TracingConfig Reason: Invalid value [{value}]. Must be PassThrough or Active.")
    elif name == "DisplayName" and len(value) > 100:
        raise errors.invalid("DisplayName")
    elif name == "Policy" and value:
        _check_policy(value)
    elif name == "DeliveryPolicy" and value:
        return _topic_delivery_policy(value)
    return value


def _check_policy(text: str) -> None:
    try:
        policy = json.loads(text)
        statements = policy["Statement"]
        each = [statements] if isinstance(statements, dict) else statements
        good = bool(each) and all(one["Effect"] in ("Allow", "Deny") for one in each)
    except (ValueError, KeyError, TypeError):
        good = False
    if not good:
        raise errors.invalid("Policy Error: null")


def _topic_delivery_policy(text: str) -> str:
    try:
        given = json.loads(text)["http"]
        if not isinstance(given, dict):
            raise TypeError
    except (ValueError, KeyError, TypeError):
        raise errors.invalid("DeliveryPolicy: failed to parse JSON.") from None
    kept = {name: value for name, value in given.items() if value is not None}
    check_retry_policy(kept.get("defaultHealthyRetryPolicy"))
    kept.setdefault("disableSubscriptionOverrides", False)
    return json.dumps({"http": kept}, separators=(",", ":"))


def subscription_delivery_policy(text: str) -> str:
    try:
        given = json.loads(text)
        if not isinstance(given, dict):
            raise TypeError
    except (ValueError, TypeError):
        raise errors.invalid("DeliveryPolicy: failed to parse JSON.") from None
    check_retry_policy(given.get("healthyRetryPolicy"))
    retry = given.get("healthyRetryPolicy")
    kept = {
        "healthyRetryPolicy": {**DEFAULT_HTTP, **retry} if retry else None,
        "sicklyRetryPolicy": None,
        "throttlePolicy": given.get("throttlePolicy"),
        "requestPolicy": given.get("requestPolicy"),
        "guaranteed": False,
    }
    return json.dumps(kept, separators=(",", ":"))


def check_retry_policy(given: Mapping[str, Any] | None) -> None:
    """The limits of https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html."""
    if not given:
        return
    policy = {**DEFAULT_HTTP, **given}
    low, high, retries = policy["minDelayTarget"], policy["maxDelayTarget"], policy["numRetries"]
    phases = policy["numNoDelayRetries"] + policy["numMinDelayRetries"] + policy["numMaxDelayRetries"]
    problem = ""
    if not 1 <= low <= high:
        problem = "minDelayTarget must be at least 1 and not exceed maxDelayTarget"
    elif high > 3600:
        problem = "maxDelayTarget must not exceed 3600"
    elif not 0 <= retries <= 100:
        problem = "numRetries must be between 0 and 100"
    elif phases > retries:
        problem = "numRetries must be at least the sum of the other numbers of retries"
    elif policy["backoffFunction"] not in ("arithmetic", "exponential", "geometric", "linear"):
        problem = "backoffFunction must be arithmetic, exponential, geometric or linear"
    if problem:
        raise errors.invalid(f"DeliveryPolicy: healthyRetryPolicy: {problem}")
