"""AWS::SNS in templates: inline subscriptions, policies, updates in place and by replacement, deletion."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.cloud.local.world import World

ACCOUNT = "123456789012"
QUEUE = f"arn:aws:sqs:us-east-1:{ACCOUNT}:q"


def deploy(world: World, **resources: Any) -> dict[str, str]:
    """Create or update the stack ``app``; returns the physical ids of its resources."""
    client = world.client("cloudformation")
    template = json.dumps(
        {
            "Resources": {
                name: {"Type": f"AWS::SNS::{properties.pop('_')}", "Properties": properties}
                for name, properties in resources.items()
            }
        }
    )
    stacks = [each["StackName"] for each in client.list_stacks()["StackSummaries"]]
    if "app" in stacks:
        client.update_stack(StackName="app", TemplateBody=template)
        client.get_waiter("stack_update_complete").wait(StackName="app")
    else:
        client.create_stack(StackName="app", TemplateBody=template)
        client.get_waiter("stack_create_complete").wait(StackName="app")
    found = client.describe_stack_resources(StackName="app")["StackResources"]
    return {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in found}


def endpoints(world: World, arn: str) -> list[str]:
    listed = world.client("sns").list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]
    return [each["Endpoint"] for each in listed]


def test_a_topic_its_inline_subscriptions_and_its_attributes_change_in_place(world: World) -> None:
    mail = {"Protocol": "email", "Endpoint": "ops@example.com"}
    first = deploy(
        world,
        Topic={
            "_": "Topic",
            "DisplayName": "Orders",
            "Subscription": [{"Protocol": "sqs", "Endpoint": QUEUE}],
        },
    )
    arn = first["Topic"]
    assert arn.startswith(f"arn:aws:sns:us-east-1:{ACCOUNT}:app-Topic-")
    assert endpoints(world, arn) == [QUEUE]
    second = deploy(world, Topic={"_": "Topic", "TracingConfig": "Active", "Subscription": [mail]})
    assert second == first
    attributes = world.client("sns").get_topic_attributes(TopicArn=arn)["Attributes"]
    assert (attributes["DisplayName"], attributes["TracingConfig"]) == ("", "Active")
    assert endpoints(world, arn) == ["ops@example.com"]


def test_a_changed_name_replaces_a_changed_filter_does_not(world: World) -> None:
    def subscription(**properties: Any) -> dict[str, Any]:
        return {
            "_": "Subscription",
            "TopicArn": {"Ref": "Topic"},
            "Protocol": "sqs",
            "Endpoint": QUEUE,
            **properties,
        }

    one = deploy(world, Topic={"_": "Topic", "TopicName": "one"}, Sub=subscription(FilterPolicy={"a": ["x"]}))
    client = world.client("sns")
    body = subscription(
        FilterPolicy={"a": {"b": [{"exists": True}]}},
        FilterPolicyScope="MessageBody",
        RawMessageDelivery=True,
    )
    two = deploy(world, Topic={"_": "Topic", "TopicName": "one"}, Sub=body)
    assert two == one
    shown = client.get_subscription_attributes(SubscriptionArn=two["Sub"])["Attributes"]
    assert (shown["FilterPolicyScope"], shown["RawMessageDelivery"]) == ("MessageBody", "true")
    assert json.loads(shown["FilterPolicy"]) == {"a": {"b": [{"exists": True}]}}
    three = deploy(world, Topic={"_": "Topic", "TopicName": "two"}, Sub=subscription())
    assert three["Topic"].endswith(":two")
    assert three["Sub"] != two["Sub"]
    assert [each["TopicArn"] for each in client.list_topics()["Topics"]] == [three["Topic"]]
    shown = client.get_subscription_attributes(SubscriptionArn=three["Sub"])["Attributes"]
    assert "FilterPolicy" not in shown


def test_policies_are_set_and_fall_back_to_the_default(world: World) -> None:
    def policy(principal: str) -> dict[str, Any]:
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": principal},
            "Action": "sns:Publish",
            "Resource": "*",
        }
        return {"Version": "2012-10-17", "Statement": [statement]}

    def allowed(arn: str) -> Any:
        attributes = world.client("sns").get_topic_attributes(TopicArn=arn)["Attributes"]
        return json.loads(attributes["Policy"])["Statement"][0]["Principal"]

    topics = {"A": {"_": "Topic"}, "B": {"_": "Topic"}}
    ids = deploy(
        world,
        **{name: dict(each) for name, each in topics.items()},
        P={"_": "TopicPolicy", "Topics": [{"Ref": "A"}], "PolicyDocument": policy("s3.amazonaws.com")},
        I={"_": "TopicInlinePolicy", "TopicArn": {"Ref": "B"}, "PolicyDocument": policy("ses.amazonaws.com")},
    )
    assert allowed(ids["A"]) == {"Service": "s3.amazonaws.com"}
    assert allowed(ids["B"]) == {"Service": "ses.amazonaws.com"}
    assert ids["I"] == ids["B"]
    deploy(world, **{name: dict(each) for name, each in topics.items()})
    assert allowed(ids["A"]) == {"AWS": "*"}
    assert allowed(ids["B"]) == {"AWS": "*"}


def test_a_subscription_that_nothing_here_delivers_to_is_refused_before_anything_is_made(
    world: World,
) -> None:
    template = {
        "Topic": {"Type": "AWS::SNS::Topic"},
        "Sub": {
            "Type": "AWS::SNS::Subscription",
            "Properties": {
                "TopicArn": {"Ref": "Topic"},
                "Protocol": "firehose",
                "Endpoint": "arn:aws:firehose:x",
            },
        },
    }
    with pytest.raises(
        ClientError, match=r"NotSimulated: property AWS::SNS::Subscription[.]Protocol firehose"
    ):
        world.client("cloudformation").create_stack(
            StackName="app", TemplateBody=json.dumps({"Resources": template})
        )
    assert world.client("sns").list_topics()["Topics"] == []
