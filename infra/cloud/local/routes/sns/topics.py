"""The operations on topics. https://docs.aws.amazon.com/sns/latest/api/API_Operations.html"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...ids import uuid4
from ...service import Call, NotSimulated, Service
from ..paging import page_of
from . import errors
from .attributes import NOT_SIMULATED, checked
from .topic import Subscription, Topic

if TYPE_CHECKING:
    from ...world import World

_NAME = re.compile(r"[A-Za-z0-9_-]{1,256}")
_FIFO_NAME = re.compile(r"[A-Za-z0-9_-]{1,251}\.fifo")
_PAGE = 100
_MAX_TAGS = 50


class Topics(Service):
    """Topics of every Region by ARN, and their subscriptions by ARN."""

    name = "sns"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.topics: dict[str, Topic] = {}
        self.subscriptions: dict[str, Subscription] = {}
        self._ids = self.kernel.rng("sns.ids")

    def new_id(self) -> str:
        """A UUID of version 4 from the seed."""
        return uuid4(self._ids)

    def policy(self, arn: str) -> str | None:
        """The access policy of a topic as JSON; None if there is no such topic."""
        topic = self.topics.get(arn)
        return None if topic is None else topic.policy

    def topic(self, call: Call, parameter: str = "TopicArn") -> Topic:
        """The topic that a call is about. Raises NotFound, InvalidParameter (another Region's, no ARN)."""
        arn: str = call.params[parameter]
        found = self.topics.get(arn)
        if found is None or found.region != call.region:
            errors.check_arn(arn, parameter)
            if arn.split(":")[3] != call.region:
                raise errors.invalid(parameter)
            raise errors.no_topic()
        return found

    def add_subscription(self, subscription: Subscription) -> None:
        topic = subscription.topic
        topic.subscriptions[subscription.arn] = self.subscriptions[subscription.arn] = subscription
        topic.by_endpoint[subscription.protocol, subscription.endpoint] = subscription

    def remove_subscription(self, subscription: Subscription) -> None:
        self.subscriptions.pop(subscription.arn, None)
        subscription.topic.subscriptions.pop(subscription.arn, None)
        subscription.topic.by_endpoint.pop((subscription.protocol, subscription.endpoint), None)

    def CreateTopic(self, call: Call) -> dict[str, Any]:
        params = call.params
        name: str = params["Name"]
        given = dict(params.get("Attributes") or {})
        if params.get("DataProtectionPolicy"):
            _refuse("DataProtectionPolicy")
        fifo = given.pop("FifoTopic", "false") == "true"
        if fifo and not _FIFO_NAME.fullmatch(name):
            raise errors.invalid(
                "Fifo Topic names must end with .fifo and must be made up of only uppercase and lowercase "
                "ASCII letters, numbers, underscores, and hyphens, and must be between 1 and 256 characters "
                "long."
            )
        if not fifo and not _NAME.fullmatch(name):
            raise errors.invalid("Topic Name")
        tags = _tags(params.get("Tags") or [])
        for attribute, value in given.items():
            if attribute in NOT_SIMULATED:
                _refuse(attribute)
            given[attribute] = checked(attribute, value, fifo)
        topic = Topic(name, call.region, call.account)
        existing = self.topics.get(topic.arn)
        if existing is not None:
            shown = existing.shown()
            if any(not _same(shown.get(attribute, ""), value) for attribute, value in given.items()):
                raise errors.invalid("Attributes Reason: Topic already exists with different attributes")
            if tags and tags != existing.tags:
                raise errors.invalid("Tags Reason: Topic already exists with different tags")
            return {"TopicArn": topic.arn}
        for attribute, value in given.items():
            topic.set(attribute, value)
        topic.tags = tags
        self.topics[topic.arn] = topic
        return {"TopicArn": topic.arn}

    def DeleteTopic(self, call: Call) -> dict[str, Any]:
        """Deleting a topic that is not there succeeds; its subscriptions go with it."""
        arn: str = call.params["TopicArn"]
        errors.check_arn(arn, "TopicArn")
        if arn.split(":")[3] != call.region:
            raise errors.invalid("TopicArn")
        topic = self.topics.pop(arn, None)
        if topic is not None:
            for subscription in list(topic.subscriptions.values()):
                self.remove_subscription(subscription)
        return {}

    def GetTopicAttributes(self, call: Call) -> dict[str, Any]:
        return {"Attributes": self.topic(call).shown()}

    def SetTopicAttributes(self, call: Call) -> dict[str, Any]:
        topic = self.topic(call)
        name: str = call.params["AttributeName"]
        if name in NOT_SIMULATED:
            _refuse(name)
        topic.set(name, call.params.get("AttributeValue", ""))
        return {}

    def ListTopics(self, call: Call) -> dict[str, Any]:
        arns = [topic.arn for topic in self.topics.values() if topic.region == call.region]
        return page([{"TopicArn": arn} for arn in sorted(arns)], "Topics", call.params)

    # -- the policy, label by label ----------------------------------------------------------------------

    def AddPermission(self, call: Call) -> dict[str, Any]:
        topic, params = self.topic(call), call.params
        policy = json.loads(topic.policy)
        label: str = params["Label"]
        if isinstance(policy["Statement"], dict):
            policy["Statement"] = [policy["Statement"]]
        if any(statement.get("Sid") == label for statement in policy["Statement"]):
            raise errors.invalid("Statement already exists")
        principals = [f"arn:aws:iam::{account}:root" for account in params["AWSAccountId"]]
        actions = [f"SNS:{action}" for action in params["ActionName"]]
        if not principals or not actions:
            raise errors.invalid("AWSAccountId" if not principals else "ActionName")
        policy["Statement"].append(
            {
                "Sid": label,
                "Effect": "Allow",
                "Principal": {"AWS": principals[0] if len(principals) == 1 else principals},
                "Action": actions[0] if len(actions) == 1 else actions,
                "Resource": topic.arn,
            }
        )
        topic.set("Policy", json.dumps(policy, separators=(",", ":")))
        return {}

    def RemovePermission(self, call: Call) -> dict[str, Any]:
        topic = self.topic(call)
        policy = json.loads(topic.policy)
        statements = policy["Statement"]
        statements = [statements] if isinstance(statements, dict) else statements
        policy["Statement"] = [each for each in statements if each.get("Sid") != call.params["Label"]]
        topic.attributes["Policy"] = json.dumps(policy, separators=(",", ":"))
        return {}

    # -- tags --------------------------------------------------------------------------------------------

    def TagResource(self, call: Call) -> dict[str, Any]:
        topic = self._tagged(call)
        given = _tags(call.params["Tags"])
        merged = {**topic.tags, **given}
        topic.tags = _tags([{"Key": key, "Value": value} for key, value in merged.items()])
        return {}

    def UntagResource(self, call: Call) -> dict[str, Any]:
        topic = self._tagged(call)
        for key in call.params["TagKeys"]:
            topic.tags.pop(key, None)
        return {}

    def ListTagsForResource(self, call: Call) -> dict[str, Any]:
        return {"Tags": [{"Key": key, "Value": value} for key, value in self._tagged(call).tags.items()]}

    def _tagged(self, call: Call) -> Topic:
        topic = self.topics.get(call.params["ResourceArn"])
        if topic is None:
            raise errors.error("ResourceNotFound", "Resource does not exist", 404)
        return topic


def _refuse(name: str) -> None:
    raise NotSimulated(f"NotSimulated: sns {name} - the local cloud keeps no archive and inspects no data")


def _same(one: str, other: str) -> bool:
    if one == other:
        return True
    try:
        return bool(json.loads(one) == json.loads(other))
    except ValueError:
        return False


def _tags(given: Sequence[Mapping[str, str]]) -> dict[str, str]:
    tags = {tag["Key"]: tag["Value"] for tag in given}
    if len(tags) != len(given):
        raise errors.invalid("Duplicated keys are not allowed.")
    if len(tags) > _MAX_TAGS:
        raise errors.error(
            "TagLimitExceeded", "Could not complete request: tag quota of per resource exceeded"
        )
    return tags


def page(items: Sequence[dict[str, str]], name: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """A hundred at a time."""
    shown, token = page_of(items, params.get("NextToken"), _PAGE, lambda: errors.invalid("NextToken"))
    return {name: shown, **({"NextToken": token} if token else {})}
