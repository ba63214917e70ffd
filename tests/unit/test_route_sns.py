"""A CDK stack, as a learner writes it: one topic, three consumers of one fact, and a dead-letter queue."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from infra.cloud import connect

from aws_cdk import CfnOutput, Stack  # isort: skip
from aws_cdk import aws_lambda as lambda_  # isort: skip
from aws_cdk import aws_sns as sns  # isort: skip
from aws_cdk import aws_sns_subscriptions as subscriptions  # isort: skip
from aws_cdk import aws_sqs as sqs  # isort: skip

HANDLER = """
def handler(event, context):
    record = event["Records"][0]
    print(record["EventSource"], record["Sns"]["Subject"], record["Sns"]["Message"])
"""


class Fanned(Stack):
    def __init__(self, scope: Any, identifier: str, **settings: Any) -> None:
        super().__init__(scope, identifier, **settings)
        topic = sns.Topic(self, "Sales")
        ordered = sns.Topic(self, "InOrder", fifo=True, content_based_deduplication=True)
        large, dead, lane = (
            sqs.Queue(self, "LargeOnes"),
            sqs.Queue(self, "Dead"),
            sqs.Queue(self, "Lane", fifo=True),
        )
        function = lambda_.Function(
            self,
            "Printer",
            runtime=lambda_.Runtime.PYTHON_3_12,
            handler="index.handler",
            code=lambda_.Code.from_inline(HANDLER),
        )
        topic.add_subscription(
            subscriptions.SqsSubscription(
                large,
                raw_message_delivery=True,
                dead_letter_queue=dead,
                filter_policy={
                    "total": sns.SubscriptionFilter.numeric_filter(greater_than=100),
                    "country": sns.SubscriptionFilter.string_filter(allowlist=["it", "no"]),
                },
            )
        )
        topic.add_subscription(
            subscriptions.LambdaSubscription(
                function,
                filter_policy_with_message_body={
                    "order": sns.FilterOrPolicy.policy(
                        {
                            "id": sns.FilterOrPolicy.filter(
                                sns.SubscriptionFilter.string_filter(match_prefixes=["o-"])
                            )
                        }
                    )
                },
            )
        )
        topic.add_subscription(subscriptions.EmailSubscription("ops@example.com"))
        ordered.add_subscription(subscriptions.SqsSubscription(lane, raw_message_delivery=True))
        for name, value in {
            "Topic": topic.topic_arn,
            "Ordered": ordered.topic_arn,
            "LargeUrl": large.queue_url,
            "LaneUrl": lane.queue_url,
            "Worker": function.function_name,
        }.items():
            CfnOutput(self, name, value=value)


@pytest.fixture(scope="module")
def deployed() -> Iterator[tuple[Any, Any]]:
    cloud = connect("local")
    yield cloud, cloud.deploy(Fanned)
    cloud.close()


def bodies(cloud: Any, url: str) -> list[str]:
    received = cloud.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10)
    return [message["Body"] for message in received.get("Messages", [])]


def test_each_consumer_gets_what_it_asked_for(deployed: tuple[Any, Any]) -> None:
    cloud, app = deployed
    client = cloud.client("sns")
    for number, total in enumerate((50, 150)):
        client.publish(
            TopicArn=app["Topic"],
            Subject="order",
            Message=json.dumps({"order": {"id": f"{'xo'[number]}-{number}"}}),
            MessageAttributes={
                "total": {"DataType": "Number", "StringValue": str(total)},
                "country": {"DataType": "String", "StringValue": "no"},
            },
        )
    cloud.settle()
    assert bodies(cloud, app["LargeUrl"]) == ['{"order": {"id": "o-1"}}']
    printed = [line for line in map(str, cloud.logs(app["Worker"])) if "aws:sns" in line]
    assert len(printed) == 1
    assert 'order {"order": {"id": "o-1"}}' in printed[0]


def test_a_fifo_topic_gets_its_suffix_and_keeps_order(deployed: tuple[Any, Any]) -> None:
    cloud, app = deployed
    assert app["Ordered"].endswith(".fifo")
    client = cloud.client("sns")
    for text in ("first", "second", "first", "third"):
        client.publish(TopicArn=app["Ordered"], Message=text, MessageGroupId="g")
    cloud.settle()
    assert bodies(cloud, app["LaneUrl"]) == ["first", "second", "third"]


def test_the_stack_goes_away_without_a_trace(deployed: tuple[Any, Any]) -> None:
    cloud, _ = deployed
    cloud.client("cloudformation").delete_stack(StackName="Fanned")
    cloud.settle()
    assert cloud.client("sns").list_topics()["Topics"] == []
    assert cloud.client("sns").list_subscriptions()["Subscriptions"] == []
