"""Calibration: one of each of what the latency file has rows for, and a function that times calls to it."""

from pathlib import Path
from typing import Any

from aws_cdk import CfnOutput, Duration, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from . import common

HANDLERS = Path(__file__).resolve().parents[2] / "labs" / "calibration" / "handlers"
ECHO = HANDLERS / "echo" / "app.py"


class Calibration(Stack):
    """Deployed by ``workshop calibrate``, for a few minutes."""

    def __init__(self, scope: Construct, name: str, **kwargs: Any) -> None:
        super().__init__(scope, name, **kwargs)

        def queue(name: str) -> sqs.Queue:
            return sqs.Queue(
                self,
                name,
                visibility_timeout=Duration.minutes(10),
                retention_period=Duration.hours(1),
                enforce_ssl=True,
            )

        plain, from_topic, from_bus = queue("Plain"), queue("FromTopic"), queue("FromBus")
        topic = sns.Topic(self, "Topic", enforce_ssl=True)
        topic.add_subscription(subscriptions.SqsSubscription(from_topic, raw_message_delivery=True))
        bus = events.EventBus(self, "Bus")
        events.Rule(
            self,
            "Rule",
            event_bus=bus,
            event_pattern=events.EventPattern(source=["calibration"]),
            targets=[targets.SqsQueue(from_bus)],
        )
        table = dynamodb.Table(
            self,
            "Table",
            partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            removal_policy=RemovalPolicy.DESTROY,
        )
        bucket = s3.Bucket(
            self,
            "Bucket",
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            removal_policy=RemovalPolicy.DESTROY,
        )
        echo = common.function(  # its code inline: then nothing is added to it, and its init phase is its own
            self, "Echo", code=lambda_.Code.from_inline(ECHO.read_text("utf-8")), handler="index.handler"
        )
        clock = common.function(
            self,
            "Clock",
            code=str(HANDLERS / "clock"),
            handler="app.handler",
            memory=1024,
            timeout=Duration.minutes(5),
            environment={
                "QUEUE_URL": plain.queue_url,
                "FROM_TOPIC_URL": from_topic.queue_url,
                "FROM_BUS_URL": from_bus.queue_url,
                "TABLE_NAME": table.table_name,
                "TOPIC_ARN": topic.topic_arn,
                "BUS_NAME": bus.event_bus_name,
                "BUCKET_NAME": bucket.bucket_name,
            },
        )
        for each in (plain, from_topic, from_bus):
            each.grant_send_messages(clock)
            each.grant_consume_messages(clock)
        topic.grant_publish(clock)
        bus.grant_put_events_to(clock)
        table.grant_read_write_data(clock)
        bucket.grant_read_write(clock)

        CfnOutput(self, "ClockName", value=clock.function_name)
        CfnOutput(self, "EchoName", value=echo.function_name)
