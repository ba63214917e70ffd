"""The operations on subscriptions. https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html

A queue's and a function's subscription is confirmed at once; an HTTP endpoint is asked
(SubscriptionConfirmation) and confirms with the token; a mail address stays pending, since nobody here reads
mail, until a call with the token from the journal (``sns.subscribed``) confirms it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ...filter_policies import FilterPolicy, InvalidFilterPolicy, parse_failure, validate_filter_policy
from ...service import Call, NotSimulated, ServiceError
from . import errors
from .attributes import subscription_delivery_policy
from .topic import Subscription, Topic
from .topics import Topics, page

CONFIRMED_AT_ONCE = ("lambda", "sms", "sqs")
_PROTOCOLS = (*CONFIRMED_AT_ONCE, "email", "email-json", "http", "https")
UNDELIVERED = ("application", "firehose")
_RAW = ("http", "https", "sqs")
_ATTRIBUTES = ("DeliveryPolicy", "FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy")
_NAMED_NOT_SIMULATED = ("ReplayPolicy", "ReplayStatus", "SubscriptionRoleArn")
_ARN = re.compile(r"arn:[^:]+:[^:]+:[^:]*:[^:]*:.+")
_PHONE = re.compile(r"\+?[0-9][0-9./-]{0,30}")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_TOKEN = re.compile(r"[0-9a-f]{288}")


class Subscriptions(Topics):
    """Subscribe, ConfirmSubscription, Unsubscribe, their attributes and lists."""

    def ask_to_confirm(self, subscription: Subscription, unsubscribed: bool = False) -> None:
        """Send SubscriptionConfirmation (or UnsubscribeConfirmation) to an HTTP endpoint."""
        raise NotImplementedError

    def Subscribe(self, call: Call) -> dict[str, Any]:
        params = call.params
        topic = self.topic(call)
        protocol, endpoint = params["Protocol"], params.get("Endpoint", "")
        _check_endpoint(topic, protocol, endpoint)
        given = dict(params.get("Attributes") or {})
        try:
            attributes, read = _checked(topic, protocol, endpoint, given)
        except ServiceError as problem:
            raise errors.error(
                problem.code, problem.message.replace("parameter: ", "parameter: Attributes Reason: ", 1)
            ) from None
        existing = topic.by_endpoint.get((protocol, endpoint))
        if existing is None:
            existing = self._new(call, topic, protocol, endpoint)
            existing.set(attributes, read)
            if existing.pending and protocol in ("http", "https"):
                self.ask_to_confirm(existing)
        else:
            shown = existing.shown()
            if any(shown.get(name) != value for name, value in attributes.items()):
                raise errors.invalid(
                    "Attributes Reason: Subscription already exists with different attributes"
                )
        if existing.pending and not params.get("ReturnSubscriptionArn"):
            return {"SubscriptionArn": "pending confirmation"}
        return {"SubscriptionArn": existing.arn}

    def _new(self, call: Call, topic: Topic, protocol: str, endpoint: str) -> Subscription:
        principal = call.caller.role or f"arn:aws:iam::{call.account}:user/{call.caller.name}"
        made = Subscription(topic, self.new_id(), protocol, endpoint, principal)
        made.pending = protocol not in CONFIRMED_AT_ONCE
        made.authenticated = not made.pending
        data: dict[str, Any] = {"to": endpoint, "protocol": protocol, "subscription": made.arn}
        if made.pending:
            made.token = self._new_token()
            data["pending"] = made.token
        self.add_subscription(made)
        self.journal.record(
            "sns.subscribed", topic.arn, actor=call.caller.name, trace=call.caller.trace, data=data
        )
        return made

    def _new_token(self) -> str:
        return f"{self._ids.getrandbits(1152):0288x}"

    def ConfirmSubscription(self, call: Call) -> dict[str, Any]:
        params = call.params
        errors.check_arn(params["TopicArn"], "TopicArn")
        authenticated = params.get("AuthenticateOnUnsubscribe") == "true"
        return {"SubscriptionArn": self.confirm(params["TopicArn"], params["Token"], authenticated)}

    def confirm(self, topic_arn: str, token: str, authenticated: bool) -> str:
        """The ARN of the subscription that the token confirms. Raises InvalidParameter."""
        topic = self.topics.get(topic_arn)
        if topic is None:
            raise errors.invalid("Token")
        if not _TOKEN.fullmatch(token):
            raise errors.error("InvalidParameter", "Invalid token")
        restored = topic.deactivated.pop(token, None)
        if restored is not None:
            self.add_subscription(restored)
        for subscription in topic.subscriptions.values():
            if subscription.token == token:
                subscription.pending = False
                subscription.authenticated = authenticated
                return subscription.arn
        raise errors.invalid("Token")

    def Unsubscribe(self, call: Call) -> dict[str, Any]:
        self.unsubscribe(call.params["SubscriptionArn"])
        return {}

    def unsubscribe(self, arn: str) -> None:
        if not arn:
            raise errors.invalid("SubscriptionArn Reason: no value for required parameter")
        errors.check_arn(arn, "SubscriptionArn")
        if not _UUID.fullmatch(arn.rpartition(":")[2]):
            raise errors.invalid("SubscriptionId")
        subscription = self.subscriptions.get(arn)
        if subscription is not None:
            self.remove_subscription(subscription)
            subscription.token = self._new_token()
            subscription.topic.deactivated[subscription.token] = subscription
            if subscription.protocol in ("http", "https") and not subscription.pending:
                self.ask_to_confirm(subscription, unsubscribed=True)

    def GetSubscriptionAttributes(self, call: Call) -> dict[str, Any]:
        return {"Attributes": self._subscription(call).shown()}

    def SetSubscriptionAttributes(self, call: Call) -> dict[str, Any]:
        subscription = self._subscription(call)
        name, value = call.params["AttributeName"], call.params.get("AttributeValue", "")
        merged = {**subscription.attributes, name: value}
        if name in ("FilterPolicy", "DeliveryPolicy", "RedrivePolicy") and value in ("", "{}"):
            del merged[name]
        checked, read = _checked(
            subscription.topic, subscription.protocol, subscription.endpoint, merged, changed=name
        )
        subscription.set(checked, read)
        return {}

    def _subscription(self, call: Call) -> Subscription:
        arn: str = call.params["SubscriptionArn"]
        errors.check_arn(arn, "SubscriptionArn")
        found = self.subscriptions.get(arn)
        if found is None:
            raise errors.no_subscription()
        return found

    def ListSubscriptions(self, call: Call) -> dict[str, Any]:
        found = [each.listed() for each in self.subscriptions.values() if each.topic.region == call.region]
        return page(found, "Subscriptions", call.params)

    def ListSubscriptionsByTopic(self, call: Call) -> dict[str, Any]:
        found = [each.listed() for each in self.topic(call).subscriptions.values()]
        return page(found, "Subscriptions", call.params)


def _check_endpoint(topic: Topic, protocol: str, endpoint: str) -> None:
    if protocol in UNDELIVERED:
        raise NotSimulated(f"NotSimulated: sns protocol {protocol} - the local cloud does not deliver to it")
    if protocol not in _PROTOCOLS:
        raise errors.invalid(f"Amazon SNS does not support this protocol string: {protocol}")
    if topic.fifo and protocol != "sqs":
        raise errors.invalid(f"Invalid protocol type: {protocol}")
    if protocol == "sqs":
        if not _ARN.fullmatch(endpoint) or endpoint.split(":")[2] != "sqs":
            raise errors.invalid("SQS endpoint ARN")
        if endpoint.endswith(".fifo") and not topic.fifo:
            raise errors.invalid(
                "Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS "
                "topics"
            )
    elif protocol == "lambda":
        if not _ARN.fullmatch(endpoint) or endpoint.split(":")[2] != "lambda":
            raise errors.invalid("Lambda endpoint ARN")
    elif protocol in ("http", "https"):
        if not endpoint.startswith(f"{protocol}://"):
            raise errors.invalid("Endpoint must match the specified protocol")
    elif protocol == "sms":
        if not _PHONE.fullmatch(endpoint):
            raise errors.error("InvalidParameter", f"Invalid SMS endpoint: {endpoint}")
    elif "@" not in endpoint:
        raise errors.invalid("Email address")


def _checked(
    topic: Topic, protocol: str, endpoint: str, given: Mapping[str, str], changed: str | None = None
) -> tuple[dict[str, str], FilterPolicy | None]:
    """A subscription's attributes as they are kept, and its filter policy. ``changed`` alone is new, or
    all."""
    kept: dict[str, str] = {}
    read = None
    names = [changed] if changed is not None else list(given)
    for name in names:
        if name in _NAMED_NOT_SIMULATED:
            raise NotSimulated(f"NotSimulated: sns {name} - the local cloud keeps no archive to replay")
        if name not in _ATTRIBUTES:
            raise errors.invalid("AttributeName")
    for name, value in given.items():
        if name == "RawMessageDelivery":
            if value.lower() not in ("true", "false"):
                raise errors.invalid(f"RawMessageDelivery: Invalid value [{value}]. Must be true or false.")
            value = value.lower()
            if value == "true" and protocol not in _RAW:
                raise errors.invalid(f"Delivery protocol [{protocol}] does not support raw message delivery.")
        elif name == "FilterPolicyScope" and value not in ("MessageAttributes", "MessageBody"):
            raise errors.invalid(
                f"FilterPolicyScope: Invalid value [{value}]. Please use either MessageBody or "
                f"MessageAttributes"
            )
        elif name == "RedrivePolicy":
            if value in ("", "{}"):
                continue
            _check_redrive(topic, endpoint, value)
        elif name == "DeliveryPolicy":
            if not value:
                continue
            if protocol not in ("http", "https"):
                raise errors.invalid("Delivery policies can only be set on HTTP/S subscriptions")
            if name == changed or changed is None:
                value = subscription_delivery_policy(value)
        elif name == "FilterPolicy" and value in ("", "{}"):
            continue
        kept[name] = value
    if "FilterPolicy" in kept:
        try:
            read = validate_filter_policy(
                kept["FilterPolicy"], kept.get("FilterPolicyScope", "MessageAttributes")
            )
        except InvalidFilterPolicy as problem:
            raise errors.invalid(problem.reason) from None
    return kept, read


def _check_redrive(topic: Topic, endpoint: str, text: str) -> None:
    """https://docs.aws.amazon.com/sns/latest/dg/sns-dead-letter-queues.html"""
    try:
        policy = json.loads(text)
    except ValueError:
        raise errors.invalid(f"RedrivePolicy: failed to parse JSON. {parse_failure(text)}") from None
    target = policy.get("deadLetterTargetArn", "") if isinstance(policy, dict) else ""
    if not isinstance(target, str) or not _ARN.fullmatch(target) or target.split(":")[2] != "sqs":
        raise errors.invalid("RedrivePolicy: deadLetterTargetArn is an invalid arn")
    if topic.fifo and endpoint.endswith(".fifo") and not target.endswith(".fifo"):
        raise errors.invalid(
            "RedrivePolicy: must use a FIFO queue as DLQ for a FIFO Subscription to a FIFO Topic."
        )
