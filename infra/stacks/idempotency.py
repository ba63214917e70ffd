"""Idempotency: a queue of payments, a function that charges them, the card provider, and a table of marks."""

from pathlib import Path
from typing import Any

from aws_cdk import CfnOutput, Duration, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda_event_sources as sources
from constructs import Construct

from . import common

HANDLERS = Path(__file__).resolve().parents[2] / "labs" / "idempotency" / "handlers"


class Idempotency(Stack):
    """The charger's code is what the lesson changes. Times are in seconds."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        charger_code: str = str(HANDLERS / "charger"),
        charger_handler: str = "app.handler",
        charger_timeout: int = 3,
        visibility_timeout: int = 18,
        max_receive_count: int = 5,
        provider_seconds: float = 0.6,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, name, **kwargs)

        queue, failed = common.queue(
            self,
            "Payments",
            failed="Failed",
            visibility_timeout=visibility_timeout,
            max_receive_count=max_receive_count,
        )
        # What Powertools expects of its table: a key named id, and a TTL attribute that clears it up.
        marks = dynamodb.Table(
            self,
            "Marks",
            partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING),
            time_to_live_attribute="expiration",
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            removal_policy=RemovalPolicy.DESTROY,
        )
        charges = dynamodb.Table(
            self,
            "Charges",
            partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            removal_policy=RemovalPolicy.DESTROY,
        )

        provider = common.function(
            self,
            "Provider",
            code=str(HANDLERS / "provider"),
            handler="app.handler",
            timeout=Duration.seconds(30),
            environment={"CHARGES_NAME": charges.table_name, "SECONDS_PER_CHARGE": str(provider_seconds)},
        )
        charger = common.function(
            self,
            "Charger",
            code=charger_code,
            handler=charger_handler,
            timeout=Duration.seconds(charger_timeout),
            environment={"MARKS_NAME": marks.table_name, "PROVIDER_NAME": provider.function_name},
        )
        charger.add_layers(common.powertools(self))
        charges.grant(provider, "dynamodb:PutItem", "dynamodb:UpdateItem")
        marks.grant(
            charger, "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"
        )
        provider.grant_invoke(charger)
        # One message a batch: lesson 04 is about batches.
        charger.add_event_source(sources.SqsEventSource(queue, batch_size=1))

        for output, value in {
            "QueueUrl": queue.queue_url,
            "QueueArn": queue.queue_arn,
            "FailedQueueUrl": failed.queue_url,
            "FailedQueueArn": failed.queue_arn,
            "MarksName": marks.table_name,
            "ChargesName": charges.table_name,
            "ChargerName": charger.function_name,
            "ProviderName": provider.function_name,
        }.items():
            CfnOutput(self, output, value=value)
