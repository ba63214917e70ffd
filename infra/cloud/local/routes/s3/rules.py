"""A bucket's notification configuration: what is a valid one, and which of its rules an event meets.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-event-types-and-destinations.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-filtering.html
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ...service import ServiceError

EVENTS = frozenset(
    {
        "s3:IntelligentTiering",
        "s3:LifecycleExpiration:*",
        "s3:LifecycleExpiration:Delete",
        "s3:LifecycleExpiration:DeleteMarkerCreated",
        "s3:LifecycleTransition",
        "s3:ObjectAcl:Put",
        "s3:ObjectCreated:*",
        "s3:ObjectCreated:CompleteMultipartUpload",
        "s3:ObjectCreated:Copy",
        "s3:ObjectCreated:Post",
        "s3:ObjectCreated:Put",
        "s3:ObjectRemoved:*",
        "s3:ObjectRemoved:Delete",
        "s3:ObjectRemoved:DeleteMarkerCreated",
        "s3:ObjectRestore:*",
        "s3:ObjectRestore:Completed",
        "s3:ObjectRestore:Delete",
        "s3:ObjectRestore:Post",
        "s3:ObjectTagging:*",
        "s3:ObjectTagging:Delete",
        "s3:ObjectTagging:Put",
        "s3:ReducedRedundancyLostObject",
        "s3:Replication:*",
        "s3:Replication:OperationFailedReplication",
        "s3:Replication:OperationMissedThreshold",
        "s3:Replication:OperationNotTracked",
        "s3:Replication:OperationReplicatedAfterThreshold",
    }
)
"""The names S3 knows. Nothing is replicated, tiered or restored here, so those events do not happen."""

KINDS = {
    "Topic": ("TopicConfigurations", "TopicArn", "sns"),
    "Queue": ("QueueConfigurations", "QueueArn", "sqs"),
    "CloudFunction": ("LambdaFunctionConfigurations", "LambdaFunctionArn", "lambda"),
}
"""Kind of destination, by S3's older name: its list in the API, the member with the ARN, its service."""

AMBIGUOUS = (
    "Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if the prefixes are "
    "overlapping for the same event type."
)
OVERLAP = "Configurations overlap. Configurations on the same bucket cannot share a common event type."


@dataclasses.dataclass(frozen=True, slots=True)
class Rule:
    """Events, filters, and where they go."""

    id: str
    kind: str
    arn: str
    events: tuple[str, ...]
    prefix: str = ""
    suffix: str = ""
    filtered: bool = False

    def matches(self, event: str, key: str) -> bool:
        """``event`` is a full name (``s3:ObjectCreated:Put``); ``key`` is not encoded."""
        return (
            key.startswith(self.prefix)
            and key.endswith(self.suffix)
            and any(covers(wanted, event) for wanted in self.events)
        )

    def shown(self) -> dict[str, Any]:
        """As GetBucketNotificationConfiguration answers it."""
        answer: dict[str, Any] = {"Id": self.id, KINDS[self.kind][1]: self.arn, "Events": [*self.events]}
        if self.filtered:
            named = (("Prefix", self.prefix), ("Suffix", self.suffix))
            rules = [{"Name": name, "Value": value} for name, value in named if value]
            answer["Filter"] = {"Key": {"FilterRules": rules}}
        return answer


@dataclasses.dataclass(frozen=True, slots=True)
class Configuration:
    rules: tuple[Rule, ...] = ()
    event_bridge: bool = False

    def shown(self) -> dict[str, Any]:
        answer: dict[str, Any] = {}
        for kind, (member, _, _) in KINDS.items():
            of_kind = [rule.shown() for rule in self.rules if rule.kind == kind]
            if of_kind:
                answer[member] = of_kind
        if self.event_bridge:
            answer["EventBridgeConfiguration"] = {}
        return answer


def covers(wanted: str, event: str) -> bool:
    """Does an event type, maybe with ``*`` at its end, include another?"""
    return wanted == event or (wanted.endswith("*") and event.startswith(wanted[:-1]))


def parse(configuration: Mapping[str, Any], region: str, new_id: Callable[[], str]) -> Configuration:
    """The configuration of a bucket in ``region``. Raises the ServiceError that S3 answers."""
    rules = tuple(
        _rule(kind, each, region, new_id)
        for kind, (member, _, _) in KINDS.items()
        for each in configuration.get(member, ())
    )
    ids = [rule.id for rule in rules]
    if len(set(ids)) < len(ids):
        raise invalid("Same ID used for multiple configurations. IDs must be unique")
    for first, second in _pairs(rules):
        if _share_an_event(first, second) and _overlap(first, second):
            raise invalid(AMBIGUOUS if first.filtered or second.filtered else OVERLAP)
    return Configuration(rules, "EventBridgeConfiguration" in configuration)


def invalid(message: str, **arguments: str) -> ServiceError:
    """InvalidArgument; ``arguments`` are the members that S3 adds to the error."""
    return ServiceError("InvalidArgument", message, 400, Error=arguments)


_ARN = re.compile(r"arn:[\w-]+:(?P<service>\w+):(?P<region>[\w-]*):(?P<account>\d{12}):\S+")


def _rule(kind: str, given: Mapping[str, Any], region: str, new_id: Callable[[], str]) -> Rule:
    _, member, service = KINDS[kind]
    arn = given[member]
    match = _ARN.fullmatch(arn)
    if match is None or match["service"] != service:
        raise invalid("The ARN could not be parsed", ArgumentName=kind, ArgumentValue=arn)
    if match["region"] != region:
        raise invalid(
            "The notification destination service region is not valid for the bucket location constraint",
            ArgumentName=kind,
            ArgumentValue=arn,
        )
    for event in given["Events"]:
        if event not in EVENTS:
            raise invalid(
                "The event is not supported for notifications", ArgumentName="Event", ArgumentValue=event
            )
    filters: dict[str, str] = {}
    for each in given.get("Filter", {}).get("Key", {}).get("FilterRules", ()):
        name = each["Name"].lower()
        if name not in ("prefix", "suffix"):
            raise invalid(
                "filter rule name must be either prefix or suffix",
                ArgumentName="FilterRule.Name",
                ArgumentValue=each["Name"],
            )
        if name in filters:
            raise invalid(f"Cannot specify more than one {name} rule in a filter.")
        if len(each.get("Value", "")) > 1024:
            raise invalid("The specified filter value exceeds the maximum length")
        filters[name] = each.get("Value", "")
    return Rule(
        given.get("Id") or new_id(),
        kind,
        arn,
        tuple(given["Events"]),
        filters.get("prefix", ""),
        filters.get("suffix", ""),
        bool(filters),
    )


def _pairs(rules: tuple[Rule, ...]) -> Iterator[tuple[Rule, Rule]]:
    for index, first in enumerate(rules):
        for second in rules[index + 1 :]:
            yield first, second


def _share_an_event(first: Rule, second: Rule) -> bool:
    return any(covers(a, b) or covers(b, a) for a in first.events for b in second.events)


def _overlap(first: Rule, second: Rule) -> bool:
    """Is there a key that meets both?"""
    prefixes = first.prefix.startswith(second.prefix) or second.prefix.startswith(first.prefix)
    return prefixes and (first.suffix.endswith(second.suffix) or second.suffix.endswith(first.suffix))
