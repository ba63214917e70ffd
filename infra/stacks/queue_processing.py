"""Queue processing: a queue, a worker that reads it in batches, a dead-letter queue and its alarm."""

from pathlib import Path
from typing import Any

from aws_cdk import CfnOutput, Duration, RemovalPolicy, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda_event_sources as sources
from constructs import Construct

from . import common

HANDLERS = Path(__file__).resolve().parents[2] / "labs" / "queue_processing" / "handlers"


class QueueProcessing(Stack):
    """Every property is a setting that the lesson turns. Times are in seconds."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        worker_code: str = str(HANDLERS / "worker"),
        worker_handler: str = "app.handler",
        worker_timeout: int = 10,
        visibility_timeout: int = 60,
        max_receive_count: int = 5,
        batch_size: int = 10,
        batching_window: int = 0,
        report_batch_item_failures: bool = True,
        max_concurrency: int | None = None,
        warehouse_seconds: float = 0.05,
        warehouse_capacity: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, name, **kwargs)

        queue, failed = common.queue(
            self,
            "Orders",
            failed="Failed",
            visibility_timeout=visibility_timeout,
            max_receive_count=max_receive_count,
        )
        table = dynamodb.Table(
            self,
            "Parcels",
            partition_key=dynamodb.Attribute(name="orderId", type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name="parcelId", type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            removal_policy=RemovalPolicy.DESTROY,
        )

        warehouse = common.function(
            self,
            "Warehouse",
            code=str(HANDLERS / "warehouse"),
            handler="app.handler",
            timeout=Duration.seconds(5),
            environment={"SECONDS_PER_ORDER": str(warehouse_seconds)},
            reserved_concurrent_executions=warehouse_capacity,
        )
        worker = common.function(
            self,
            "Worker",
            code=worker_code,
            handler=worker_handler,
            timeout=Duration.seconds(worker_timeout),
            environment={"TABLE_NAME": table.table_name, "WAREHOUSE_NAME": warehouse.function_name},
        )
        worker.add_layers(common.powertools(self))
        table.grant(worker, "dynamodb:PutItem")
        warehouse.grant_invoke(worker)
        worker.add_event_source(
            sources.SqsEventSource(
                queue,
                batch_size=batch_size,
                max_batching_window=Duration.seconds(batching_window) if batching_window else None,
                report_batch_item_failures=report_batch_item_failures,
                max_concurrency=max_concurrency,
            )
        )

        alarm = cloudwatch.Alarm(
            self,
            "FailedOrders",
            alarm_description="An order could not be shipped: it waits in the dead-letter queue.",
            metric=failed.metric_approximate_number_of_messages_visible(
                period=Duration.minutes(1), statistic="Maximum"
            ),
            threshold=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )

        for output, value in {
            "QueueUrl": queue.queue_url,
            "QueueArn": queue.queue_arn,
            "FailedQueueUrl": failed.queue_url,
            "FailedQueueArn": failed.queue_arn,
            "TableName": table.table_name,
            "WorkerName": worker.function_name,
            "WarehouseName": warehouse.function_name,
            "AlarmName": alarm.alarm_name,
        }.items():
            CfnOutput(self, output, value=value)
