"""What the tests of EventBridge share: queues that rules may send to, and what arrived in them."""

from __future__ import annotations

import json
from typing import Any

from infra.cloud.local.world import World

ACCOUNT = "123456789012"


def arn(service: str, resource: str, region: str = "us-east-1", account: str = ACCOUNT) -> str:
    return f"arn:aws:{service}:{region}:{account}:{resource}"


def queue(world: World, name: str, region: str = "us-east-1") -> str:
    """A queue that EventBridge may send to; returns its ARN."""
    allow = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn("sqs", name, region),
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    attributes = {"Policy": policy}
    if name.endswith(".fifo"):
        attributes |= {"FifoQueue": "true", "ContentBasedDeduplication": "true"}
    world.client("sqs", region=region).create_queue(QueueName=name, Attributes=attributes)
    return arn("sqs", name, region)


def received(world: World, name: str, region: str = "us-east-1") -> list[Any]:
    """The bodies of all messages, as JSON; each is deleted."""
    return [json.loads(message["Body"]) for message in messages(world, name, region)]


def messages(world: World, name: str, region: str = "us-east-1") -> list[dict[str, Any]]:
    sqs = world.client("sqs", region=region)
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    found: list[dict[str, Any]] = []
    while True:
        page = sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"], MessageAttributeNames=["All"]
        ).get("Messages", [])
        if not page:
            return found
        for message in page:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        found += page


def role(world: World, name: str, *actions: str) -> str:
    """A role for EventBridge that may do these actions on everything."""
    trust = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sts:AssumeRole"}
    iam = world.client("iam")
    iam.create_role(
        RoleName=name,
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )
    if actions:
        allow = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
        iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=document)
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


def rule(
    world: World, name: str, pattern: dict[str, Any], *targets: dict[str, Any], bus: str = "default"
) -> str:
    """A rule with targets (without ``Id``: "0", "1" …); returns its ARN."""
    events = world.client("events")
    made: str = events.put_rule(Name=name, EventPattern=json.dumps(pattern), EventBusName=bus)["RuleArn"]
    given = [{"Id": str(n), **target} for n, target in enumerate(targets)]
    if given:
        events.put_targets(Rule=name, EventBusName=bus, Targets=given)
    return made


def put(
    world: World, detail: Any = None, *, source: str = "shop", kind: str = "order", bus: str = "default"
) -> str:
    entry = {"Source": source, "DetailType": kind, "Detail": json.dumps(detail or {}), "EventBusName": bus}
    id: str = world.client("events").put_events(Entries=[entry])["Entries"][0]["EventId"]
    return id


def deliveries(world: World) -> list[tuple[str, int, str]]:
    """Each attempt: the last part of the target's ARN, the attempt's number, the outcome."""
    return [
        (entry.data["to"].rpartition(":")[2], entry.data["attempt"], entry.outcome)
        for entry in world.journal.select("events.delivery")
    ]
