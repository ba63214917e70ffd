"""A topic and its subscriptions: what they are, what their attributes may be.

https://docs.aws.amazon.com/sns/latest/api/API_SetTopicAttributes.html, API_GetTopicAttributes.html,
API_SetSubscriptionAttributes.html, API_GetSubscriptionAttributes.html.
"""

from __future__ import annotations

import hashlib
import json
from collections import deque
from collections.abc import Mapping
from typing import Any

from ...filter_policies import FilterPolicy
from ...kernel import SECOND
from .attributes import checked, default_policy
from .retries import DEFAULT_HTTP

DEDUPLICATION_INTERVAL = 5 * 60 * SECOND
"""https://docs.aws.amazon.com/sns/latest/dg/fifo-message-dedup.html"""

_FIRST_SEQUENCE = 10_000_000_000_000_000_000
_SEQUENCE_STEP = 1000

_DEFAULT_REQUEST = {"headerContentType": "text/plain; charset=UTF-8"}


class Topic:
    """``attributes`` as set; ``subscriptions`` by ARN in the order of subscribing."""

    def __init__(self, name: str, region: str, account: str) -> None:
        self.name = name
        self.region = region
        self.account = account
        self.arn = f"arn:aws:sns:{region}:{account}:{name}"
        self.endpoint = f"https://sns.{region}.amazonaws.com"
        digest = hashlib.md5(region.encode(), usedforsecurity=False).hexdigest()
        self.certificate = f"{self.endpoint}/SimpleNotificationService-{digest}.pem"
        self.fifo = name.endswith(".fifo")
        self.attributes: dict[str, str] = {}
        self.default_policy = default_policy(self.arn, account)
        self.tags: dict[str, str] = {}
        self.subscriptions: dict[str, Subscription] = {}
        self.by_endpoint: dict[tuple[str, str], Subscription] = {}
        self.deactivated: dict[str, Subscription] = {}
        """Those that ended by Unsubscribe, by the token that restores them."""
        self.signature_version = "1"
        self._sequence = _FIRST_SEQUENCE
        self._accepted: dict[str, tuple[str, str]] = {}
        self._accepted_until: deque[tuple[int, str]] = deque()

    @property
    def policy(self) -> str:
        return self.attributes.get("Policy") or self.default_policy

    @property
    def content_dedup(self) -> bool:
        return self.attributes.get("ContentBasedDeduplication") == "true"

    def set(self, name: str, value: str) -> None:
        """Set one attribute, checked. Raises InvalidParameter."""
        value = checked(name, value, self.fifo)
        if value or name == "DisplayName":
            self.attributes[name] = value
        else:
            self.attributes.pop(name, None)
        self.signature_version = self.attributes.get("SignatureVersion", "1")

    def accept(self, identifier: str, group_id: str, dedup_id: str, now: int) -> tuple[str, str, bool]:
        """FIFO: the id and sequence number of a message, and whether it is new.

        A message with the deduplication id of one that was accepted in the last five minutes is accepted and
        not delivered, and answered with the first one's id and number (recorded from AWS: LocalStack's
        test_publish_batch_messages_from_fifo_topic_to_fifo_queue). With FifoThroughputScope MessageGroup the
        group counts too: https://docs.aws.amazon.com/sns/latest/dg/fifo-high-throughput.html.
        """
        until = self._accepted_until
        while until and until[0][0] <= now:
            del self._accepted[until.popleft()[1]]
        key = dedup_id
        if self.attributes.get("FifoThroughputScope") == "MessageGroup":
            key = f"{len(group_id)}/{group_id}/{dedup_id}"
        known = self._accepted.get(key)
        if known is not None:
            return *known, False
        self._sequence += _SEQUENCE_STEP
        known = self._accepted[key] = (identifier, str(self._sequence))
        until.append((now + DEDUPLICATION_INTERVAL, key))
        return *known, True

    def shown(self) -> dict[str, str]:
        """What GetTopicAttributes answers."""
        pending = sum(each.pending for each in self.subscriptions.values())
        shown = {
            "Policy": self.policy,
            "Owner": self.account,
            "TopicArn": self.arn,
            "DisplayName": "",
            "SubscriptionsPending": str(pending),
            "SubscriptionsConfirmed": str(len(self.subscriptions) - pending),
            "SubscriptionsDeleted": str(len(self.deactivated)),
            "EffectiveDeliveryPolicy": json.dumps(self._effective(), separators=(",", ":")),
            **self.attributes,
        }
        if self.fifo:
            shown.setdefault("ContentBasedDeduplication", "false")
            shown["FifoTopic"] = "true"
        return shown

    def http_policy(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.attributes.get("DeliveryPolicy") or "{}").get("http") or {}
        return found

    def _effective(self) -> dict[str, Any]:
        own = self.http_policy()
        effective = {
            "defaultHealthyRetryPolicy": {**DEFAULT_HTTP, **(own.get("defaultHealthyRetryPolicy") or {})},
            "disableSubscriptionOverrides": own.get("disableSubscriptionOverrides", False),
            "defaultRequestPolicy": own.get("defaultRequestPolicy") or _DEFAULT_REQUEST,
        }
        if own.get("defaultThrottlePolicy"):
            effective["defaultThrottlePolicy"] = own["defaultThrottlePolicy"]
        return {"http": effective}


class Subscription:
    """One endpoint of one topic. ``filter`` is its policy, read; ``token`` confirms it."""

    __slots__ = (
        "arn",
        "attributes",
        "authenticated",
        "endpoint",
        "filter",
        "next_slot",
        "pending",
        "principal",
        "protocol",
        "raw",
        "token",
        "topic",
    )

    def __init__(self, topic: Topic, identifier: str, protocol: str, endpoint: str, principal: str) -> None:
        self.topic = topic
        self.arn = f"{topic.arn}:{identifier}"
        self.protocol = protocol
        self.endpoint = endpoint
        self.principal = principal
        self.pending = False
        self.authenticated = True
        self.token = ""
        self.attributes: dict[str, str] = {}
        self.raw = False
        self.filter: FilterPolicy | None = None
        self.next_slot = 0  # the earliest time of the next HTTP delivery (throttlePolicy)

    def set(self, attributes: Mapping[str, str], read: FilterPolicy | None) -> None:
        """Take attributes that were checked; ``read`` is the filter policy they say."""
        self.attributes = dict(attributes)
        self.raw = attributes.get("RawMessageDelivery") == "true"
        self.filter = read

    @property
    def dead_letter_arn(self) -> str:
        found: str = json.loads(self.attributes.get("RedrivePolicy") or "{}").get("deadLetterTargetArn", "")
        return found

    def delivery_policy(self) -> dict[str, Any]:
        """The retry, throttle and request policies that count for an HTTP endpoint."""
        topic = self.topic.http_policy()
        own: dict[str, Any] = json.loads(self.attributes.get("DeliveryPolicy") or "{}")
        if topic.get("disableSubscriptionOverrides"):
            own = {}
        retry = own.get("healthyRetryPolicy") or topic.get("defaultHealthyRetryPolicy") or {}
        return {
            "healthyRetryPolicy": {**DEFAULT_HTTP, **retry},
            "sicklyRetryPolicy": None,
            "throttlePolicy": own.get("throttlePolicy") or topic.get("defaultThrottlePolicy"),
            "requestPolicy": own.get("requestPolicy")
            or topic.get("defaultRequestPolicy")
            or _DEFAULT_REQUEST,
            "guaranteed": False,
        }

    def listed(self) -> dict[str, str]:
        return {
            "SubscriptionArn": "PendingConfirmation" if self.pending else self.arn,
            "Owner": self.topic.account,
            "Protocol": self.protocol,
            "Endpoint": self.endpoint,
            "TopicArn": self.topic.arn,
        }

    def shown(self) -> dict[str, str]:
        """What GetSubscriptionAttributes answers."""
        shown = {
            "SubscriptionPrincipal": self.principal,
            "Owner": self.topic.account,
            "RawMessageDelivery": "false",
            "TopicArn": self.topic.arn,
            "Endpoint": self.endpoint,
            "Protocol": self.protocol,
            "PendingConfirmation": "true" if self.pending else "false",
            "ConfirmationWasAuthenticated": "true" if self.authenticated else "false",
            "SubscriptionArn": self.arn,
            **self.attributes,
        }
        if "FilterPolicy" in shown:
            shown.setdefault("FilterPolicyScope", "MessageAttributes")
        else:  # the scope shows with a policy only (recorded from AWS)
            shown.pop("FilterPolicyScope", None)
        if self.protocol in ("http", "https"):
            shown["EffectiveDeliveryPolicy"] = json.dumps(self.delivery_policy(), separators=(",", ":"))
        return shown
