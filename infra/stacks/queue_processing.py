"""Queue processing: a queue, a worker that reads it in batches, a dead-letter queue and its alarm."""

from pathlib import Path
from typing import Any

from aws_cdk import CfnOutput, Duration, RemovalPolicy, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

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

        failed = sqs.Queue(self, "Failed", retention_period=Duration.days(14), enforce_ssl=True)
        queue = sqs.Queue(
            self,
            "Orders",
            visibility_timeout=Duration.seconds(visibility_timeout),
            dead_letter_queue=sqs.DeadLetterQueue(queue=failed, max_receive_count=max_receive_count),
            enforce_ssl=True,
        )
        table = dynamodb.Table(
            self,
            "Parcels",
            partition_key=dynamodb.Attribute(name="orderId", type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name="parcelId", type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            removal_policy=RemovalPolicy.DESTROY,
        )

        warehouse = self.function(
            "Warehouse",
            code=str(HANDLERS / "warehouse"),
            handler="app.handler",
            timeout=Duration.seconds(5),
            environment={"SECONDS_PER_ORDER": str(warehouse_seconds)},
            reserved_concurrent_executions=warehouse_capacity,
        )
        worker = self.function(
            "Worker",
            code=worker_code,
            handler=worker_handler,
            timeout=Duration.seconds(worker_timeout),
            environment={"TABLE_NAME": table.table_name, "WAREHOUSE_NAME": warehouse.function_name},
        )
        worker.add_layers(
            lambda_.LayerVersion.from_layer_version_arn(
                self,
                "Powertools",
                f"arn:aws:lambda:{self.region}:017000801446:layer:"
                "AWSLambdaPowertoolsPythonV3-python313-x86_64:27",
            )
        )
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

    def function(self, name: str, *, code: str, **properties: Any) -> lambda_.Function:
        """A function of this stack, with a log group that goes when the stack goes."""
        group = logs.LogGroup(
            self,
            f"{name}Logs",
            retention=logs.RetentionDays.ONE_WEEK,
            removal_policy=RemovalPolicy.DESTROY,
        )
        return lambda_.Function(
            self,
            name,
            runtime=lambda_.Runtime.PYTHON_3_13,
            code=lambda_.Code.from_asset(code, exclude=["__pycache__"]),
            log_group=group,
            memory_size=256,
            **properties,
        )
