"""Fan-out: a checkout, a topic, and three teams, each with a queue of its own."""

from pathlib import Path
from typing import Any

from aws_cdk import CfnOutput, CfnResource, Duration, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from . import common

HANDLERS = Path(__file__).resolve().parents[2] / "labs" / "fan_out" / "handlers"


class FanOut(Stack):
    """Every property is a setting that the lesson turns. Times are in seconds.

    ``checkout``  ``topic``: it publishes each order once; ``direct``: it calls every team itself
    ``down``      the team whose provider does not answer
    ``limits``    team -> batches that Lambda works on at once for it
    """

    TEAMS = ("Warehouse", "Billing", "Email")

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        checkout: str = "topic",
        warehouse_seconds: float = 0.1,
        billing_seconds: float = 0.3,
        email_seconds: float = 0.2,
        down: str = "",
        limits: dict[str, int] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, name, **kwargs)

        self.orders = sns.Topic(self, "Orders", enforce_ssl=True)
        self.done = dynamodb.Table(
            self,
            "Done",
            partition_key=dynamodb.Attribute(name="orderId", type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name="work", type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            removal_policy=RemovalPolicy.DESTROY,
        )
        self.powertools = common.powertools(self)
        file = "direct" if checkout == "direct" else "app"
        seconds = (warehouse_seconds, billing_seconds, email_seconds)
        teams = [
            self.team(team, file, each, down == team, (limits or {}).get(team))
            for team, each in zip(self.TEAMS, seconds, strict=True)
        ]
        shop = common.function(
            self,
            "Checkout",
            code=str(HANDLERS / "checkout"),
            handler=f"{file}.handler",
            timeout=Duration.seconds(10),
            environment={
                "TOPIC_ARN": self.orders.topic_arn,
                "TEAMS": ",".join(each.function_name for each in teams),
            },
        )
        self.orders.grant_publish(shop)
        for each in teams:
            each.grant_invoke(shop)

        CfnOutput(self, "CheckoutName", value=shop.function_name)
        CfnOutput(self, "TopicArn", value=self.orders.topic_arn)
        CfnOutput(self, "TableName", value=self.done.table_name)

    def team(self, name: str, file: str, seconds: float, down: bool, limit: int | None) -> lambda_.Function:
        """A team's queue, subscribed to the topic, and the function that reads it."""
        queue, failed = common.queue(
            self, f"{name}Queue", failed=f"{name}Failed", visibility_timeout=12, max_receive_count=3
        )
        self.orders.add_subscription(subscriptions.SqsSubscription(queue, raw_message_delivery=True))
        function = common.function(
            self,
            name,
            code=str(HANDLERS / "team"),
            handler=f"{file}.handler",
            timeout=Duration.seconds(2),
            environment={
                "TEAM": name,
                "TABLE_NAME": self.done.table_name,
                "SECONDS": str(seconds),
                "PROVIDER": "down" if down else "up",
            },
            layers=[self.powertools],
        )
        self.done.grant(function, "dynamodb:PutItem")
        function.add_event_source(
            sources.SqsEventSource(
                queue, batch_size=1, report_batch_item_failures=True, max_concurrency=limit
            )
        )
        for output, value in {
            f"{name}Name": function.function_name,
            f"{name}QueueUrl": queue.queue_url,
            f"{name}QueueArn": queue.queue_arn,
            f"{name}FailedUrl": failed.queue_url,
            f"{name}FailedArn": failed.queue_arn,
        }.items():
            CfnOutput(self, output, value=value)
        return function


class FraudTeam(Stack):
    """A fourth team in a stack of its own: a queue that is subscribed to a topic that was there before.

    Without ``topic_arn`` it makes a topic, to try a subscription on.
    """

    def __init__(self, scope: Construct, name: str, *, topic_arn: str = "", **kwargs: Any) -> None:
        super().__init__(scope, name, **kwargs)

        topic: sns.ITopic = (
            sns.Topic.from_topic_arn(self, "Orders", topic_arn)
            if topic_arn
            else sns.Topic(self, "Orders", enforce_ssl=True)
        )
        queue, _ = common.queue(self, "Queue", failed="Failed", visibility_timeout=30, max_receive_count=5)
        subscription = topic.add_subscription(subscriptions.SqsSubscription(queue, raw_message_delivery=True))
        resource = subscription.node.default_child
        assert isinstance(resource, CfnResource)
        CfnOutput(self, "TopicArn", value=topic.topic_arn)
        CfnOutput(self, "QueueUrl", value=queue.queue_url)
        CfnOutput(self, "SubscriptionArn", value=resource.ref)
