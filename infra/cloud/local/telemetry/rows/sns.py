"""The metrics of AWS/SNS, by topic name.

https://docs.aws.amazon.com/sns/latest/dg/sns-monitoring-using-cloudwatch.html
"""

from __future__ import annotations

from collections.abc import Callable

from ...journal import Entry
from ..series import Dimensions
from . import Row, at_end


def topic_dimensions(entry: Entry) -> list[Dimensions]:
    return [(("TopicName", entry.resource.rpartition(":")[2]),)]


def _sns(
    name: str, kind: str, value: Callable[[Entry], float | list[float] | None], unit: str = "Count"
) -> Row:
    return Row("AWS/SNS", name, unit, kind, value, at_end, topic_dimensions)


def _delivered(entry: Entry) -> float | None:
    return 1 if entry.outcome == "ok" else None


def _failed_request(entry: Entry) -> float | None:
    """For HTTP every failed attempt counts, for the others only that SNS gave up."""
    return (
        1
        if entry.data["protocol"] in ("http", "https") and entry.outcome != "ok" and entry.data["attempt"]
        else None
    )


def _given_up(entry: Entry) -> float | None:
    return None if entry.data["protocol"] in ("http", "https") else 1


def _because(*reasons: str) -> Callable[[Entry], float | None]:
    return lambda entry: 1 if entry.data["reason"] in reasons else None


ROWS: tuple[Row, ...] = (
    _sns("NumberOfMessagesPublished", "sns.published", lambda entry: [1.0] * len(entry.data["messages"])),
    _sns(
        "PublishSize",
        "sns.published",
        lambda entry: [float(size) for _, size in entry.data["messages"]],
        "Bytes",
    ),
    _sns("NumberOfNotificationsDelivered", "sns.delivery", _delivered),
    _sns("NumberOfNotificationsFailed", "sns.delivery", _failed_request),
    _sns("NumberOfNotificationsFailed", "sns.failed", _given_up),
    _sns("NumberOfNotificationsFilteredOut", "sns.filtered", lambda entry: 1),
    _sns(
        "NumberOfNotificationsFilteredOut-MessageAttributes",
        "sns.filtered",
        lambda entry: 1 if entry.data["scope"] == "MessageAttributes" else None,
    ),
    _sns(
        "NumberOfNotificationsFilteredOut-MessageBody",
        "sns.filtered",
        lambda entry: 1 if entry.data["scope"] == "MessageBody" else None,
    ),
    _sns(
        "NumberOfNotificationsFilteredOut-NoMessageAttributes",
        "sns.filtered",
        _because("NoMessageAttributes"),
    ),
    _sns("NumberOfNotificationsFilteredOut-InvalidAttributes", "sns.filtered", _because("InvalidAttributes")),
    _sns(
        "NumberOfNotificationsFilteredOut-InvalidMessageBody", "sns.filtered", _because("InvalidMessageBody")
    ),
    _sns("NumberOfNotificationsRedrivenToDlq", "sns.dead_letter", _delivered),
    _sns(
        "NumberOfNotificationsFailedToRedriveToDlq",
        "sns.dead_letter",
        lambda entry: None if entry.outcome == "ok" else 1,
    ),
)
