"""AWS::SNS: topics, their policies, subscriptions.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_SNS.html
"""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from ...routes.sns.subscriptions import UNDELIVERED
from ...service import ServiceError
from .base import Context, Outcome, Provider, changed, picked
from .schema import (
    BOOLEAN,
    JSON,
    STRING,
    STRINGS,
    accepts,
    list_of,
    optional,
    replaces,
    required,
    struct,
)

_TEXTS = ("DisplayName", "FifoThroughputScope", "KmsMasterKeyId", "SignatureVersion", "TracingConfig")
_DEFAULTS = {
    "ContentBasedDeduplication": "false",
    "DeliveryPolicy": "",
    "DisplayName": "",
    "FifoThroughputScope": "Topic",
    "KmsMasterKeyId": "",
    "SignatureVersion": "1",
    "TracingConfig": "PassThrough",
}
"""What an attribute becomes when its property is removed from the template."""


class Topic(Provider):
    type = "AWS::SNS::Topic"
    properties = accepts(
        ContentBasedDeduplication=optional(BOOLEAN),
        DisplayName=optional(STRING),
        FifoThroughputScope=optional(STRING),
        FifoTopic=replaces(BOOLEAN),
        KmsMasterKeyId=optional(STRING),
        SignatureVersion=optional(STRING),
        Subscription=optional(
            list_of(struct(_required=("Endpoint", "Protocol"), Endpoint=STRING, Protocol=STRING))
        ),
        TopicName=replaces(STRING),
        TracingConfig=optional(STRING),
    )
    attributes = ("DisplayName", "TopicArn", "TopicName")
    """The first is not documented, but recorded (LocalStack, v2/test_change_set_fn_get_attr)."""
    dynamic_attributes = True
    named_by = "TopicName"
    missing = ("NotFound",)

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        fifo = props.get("FifoTopic", False)
        name = props.get("TopicName") or ctx.name(256, suffix=".fifo" if fifo else "")
        arn = f"arn:aws:sns:{ctx.region}:{ctx.account}:{name}"
        if "TopicName" in props:
            self._must_be_free(ctx, arn)
        attributes = _topic_attributes(props)
        if fifo:
            attributes["FifoTopic"] = "true"
        ctx.call("sns", "CreateTopic", {"Name": name, "Attributes": attributes})
        ctx.created(arn)
        for each in props.get("Subscription", ()):
            _subscribe(ctx, arn, each)
        return Outcome(arn, _known(arn, props))

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        before, after = _topic_attributes(old), _topic_attributes(new)
        for name in changed(before, after):
            value = after.get(name, _DEFAULTS.get(name, ""))
            params = {"TopicArn": physical_id, "AttributeName": name, "AttributeValue": value}
            ctx.call("sns", "SetTopicAttributes", params)
        was, wanted = old.get("Subscription", []), new.get("Subscription", [])
        gone = [each for each in was if each not in wanted]
        if gone:
            listed = ctx.call("sns", "ListSubscriptionsByTopic", {"TopicArn": physical_id})["Subscriptions"]
            for found in listed:
                if picked(found, "Endpoint", "Protocol") in gone and found["SubscriptionArn"].startswith(
                    "arn:"
                ):
                    ctx.call("sns", "Unsubscribe", {"SubscriptionArn": found["SubscriptionArn"]})
        for each in wanted:
            if each not in was:
                _subscribe(ctx, physical_id, each)
        return Outcome(physical_id, _known(physical_id, new))

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        ctx.call("sns", "DeleteTopic", {"TopicArn": physical_id})

    def refused(self, props: dict[str, Any]) -> list[str]:
        return _refused(
            "Topic.Subscription", [each.get("Protocol") for each in props.get("Subscription", ())]
        )

    @staticmethod
    def _must_be_free(ctx: Context, arn: str) -> None:
        """CreateTopic answers with an existing topic; CloudFormation must not adopt it."""
        try:
            ctx.call("sns", "GetTopicAttributes", {"TopicArn": arn})
        except ServiceError as error:
            if error.code != "NotFound":
                raise
            return
        raise ServiceError(
            "AlreadyExists", f"Resource of type 'AWS::SNS::Topic' with identifier '{arn}' already exists."
        )


def _known(arn: str, props: dict[str, Any]) -> dict[str, Any]:
    return {
        "DisplayName": props.get("DisplayName", ""),
        "TopicArn": arn,
        "TopicName": arn.rpartition(":")[2],
    }


def _topic_attributes(props: dict[str, Any]) -> dict[str, str]:
    attributes: dict[str, str] = picked(props, *_TEXTS)
    if "ContentBasedDeduplication" in props:
        attributes["ContentBasedDeduplication"] = "true" if props["ContentBasedDeduplication"] else "false"
    return attributes


def _refused(path: str, protocols: list[Any]) -> list[str]:
    return [f"property AWS::SNS::{path} {each}" for each in protocols if each in UNDELIVERED]


def _subscribe(ctx: Context, topic_arn: str, inline: dict[str, Any]) -> None:
    ctx.call("sns", "Subscribe", {"TopicArn": topic_arn, **picked(inline, "Endpoint", "Protocol")})


class TopicPolicy(Provider):
    """Sets the policy of every topic named; deleted, the default policy comes back."""

    type = "AWS::SNS::TopicPolicy"
    properties = accepts(PolicyDocument=required(JSON), Topics=required(STRINGS))
    attributes = ("Id",)
    missing = ("NotFound",)

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        _set_policy(ctx, props["Topics"], json.dumps(props["PolicyDocument"]))
        name = ctx.name()
        return Outcome(name, {"Id": name})

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        _set_policy(ctx, new["Topics"], json.dumps(new["PolicyDocument"]))
        _set_policy(ctx, [arn for arn in old["Topics"] if arn not in new["Topics"]], "")
        return Outcome(physical_id, {"Id": physical_id})

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        _set_policy(ctx, props["Topics"], "")


def _set_policy(ctx: Context, arns: list[str], policy: str) -> None:
    for arn in arns:
        params = {"TopicArn": arn, "AttributeName": "Policy", "AttributeValue": policy}
        ctx.call("sns", "SetTopicAttributes", params)


class TopicInlinePolicy(Provider):
    """The policy of one topic; its physical id is the topic's ARN."""

    type = "AWS::SNS::TopicInlinePolicy"
    properties = accepts(PolicyDocument=required(JSON), TopicArn=required(STRING, replaces=True))
    missing = ("NotFound",)

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        _set_policy(ctx, [props["TopicArn"]], json.dumps(props["PolicyDocument"]))
        return Outcome(props["TopicArn"])

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        return self.create(ctx, new)

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        _set_policy(ctx, [props["TopicArn"]], "")


class Subscription(Provider):
    """``Region`` is the topic's, where it differs from the stack's."""

    type = "AWS::SNS::Subscription"
    properties = accepts(
        DeliveryPolicy=optional(JSON),
        Endpoint=replaces(STRING),
        FilterPolicy=optional(JSON),
        FilterPolicyScope=optional(STRING),
        Protocol=required(STRING, replaces=True),
        RawMessageDelivery=optional(BOOLEAN),
        RedrivePolicy=optional(JSON),
        Region=optional(STRING),
        TopicArn=required(STRING, replaces=True),
    )
    attributes = ("Arn",)
    missing = ("NotFound",)

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        params = {
            **picked(props, "Endpoint", "Protocol", "TopicArn"),
            "Attributes": _subscription_attributes(props),
            "ReturnSubscriptionArn": True,
        }
        arn = _there(ctx, props).call("sns", "Subscribe", params)["SubscriptionArn"]
        return Outcome(arn, {"Arn": arn})

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        """The scope is set before a new policy, and after an old one has gone, so that the two always fit."""
        before, after = _subscription_attributes(old), _subscription_attributes(new)
        there = _there(ctx, new)
        names = changed(before, after)
        if "FilterPolicyScope" in names and "FilterPolicy" in before:
            self._set(there, physical_id, "FilterPolicy", "")
            names = [*dict.fromkeys(["FilterPolicyScope", "FilterPolicy", *names])]
        for name in names:
            self._set(there, physical_id, name, after.get(name, _SUBSCRIPTION_DEFAULTS.get(name, "")))
        return Outcome(physical_id, {"Arn": physical_id})

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        _there(ctx, props).call("sns", "Unsubscribe", {"SubscriptionArn": physical_id})

    def refused(self, props: dict[str, Any]) -> list[str]:
        return _refused("Subscription.Protocol", [props.get("Protocol")])

    @staticmethod
    def _set(ctx: Context, arn: str, name: str, value: str) -> None:
        params = {"SubscriptionArn": arn, "AttributeName": name, "AttributeValue": value}
        ctx.call("sns", "SetSubscriptionAttributes", params)


_SUBSCRIPTION_DEFAULTS = {"FilterPolicyScope": "MessageAttributes", "RawMessageDelivery": "false"}


def _subscription_attributes(props: dict[str, Any]) -> dict[str, str]:
    attributes: dict[str, str] = picked(props, "FilterPolicyScope")
    if "RawMessageDelivery" in props:
        attributes["RawMessageDelivery"] = "true" if props["RawMessageDelivery"] else "false"
    for name in ("DeliveryPolicy", "FilterPolicy", "RedrivePolicy"):
        if name in props:
            attributes[name] = json.dumps(props[name])
    return attributes


def _there(ctx: Context, props: dict[str, Any]) -> Context:
    return dataclasses.replace(ctx, region=props.get("Region") or ctx.region)


PROVIDERS: tuple[type[Provider], ...] = (Topic, TopicPolicy, TopicInlinePolicy, Subscription)
