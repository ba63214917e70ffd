"""Event sourcing: sales that append events, a store that keeps them, a view made of its stream."""

from pathlib import Path
from typing import Any

from aws_cdk import CfnOutput, Duration, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from . import common

SHOP = Path(__file__).resolve().parents[2] / "labs" / "event_sourcing" / "handlers" / "shop"


class EventSourcing(Stack):
    """The functions share one folder of code. ``view`` names the view and its projector; "" leaves them out.

    A view that changes gets a new name: then it is a new table, filled by a new projector.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        code: str = str(SHOP),
        sales_handler: str = "sales.handler",
        snapshot_every: int = 0,
        fraud_check_seconds: float = 0.1,
        view: str = "View",
        projector_handler: str = "projector.handler",
        starting_position: str = "TRIM_HORIZON",
        keeps_failed: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, name, **kwargs)

        lot = dynamodb.Attribute(name="lot", type=dynamodb.AttributeType.STRING)
        events = dynamodb.Table(
            self,
            "Events",
            partition_key=lot,
            sort_key=dynamodb.Attribute(name="version", type=dynamodb.AttributeType.NUMBER),
            stream=dynamodb.StreamViewType.NEW_IMAGE,
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            removal_policy=RemovalPolicy.DESTROY,
        )
        snapshots = _by_lot(self, "Snapshots", lot)
        sales = common.function(
            self,
            "Sales",
            code=code,
            handler=sales_handler,
            timeout=Duration.seconds(10),
            environment={
                "EVENTS_NAME": events.table_name,
                "SNAPSHOTS_NAME": snapshots.table_name,
                "SNAPSHOT_EVERY": str(snapshot_every),
                "FRAUD_CHECK_SECONDS": str(fraud_check_seconds),
            },
        )
        # Query and PutItem, no UpdateItem and no DeleteItem: what has happened stays as it is.
        events.grant(sales, "dynamodb:Query", "dynamodb:PutItem")
        snapshots.grant(sales, "dynamodb:GetItem", "dynamodb:PutItem")
        outputs = {
            "EventsName": events.table_name,
            "SnapshotsName": snapshots.table_name,
            "SalesName": sales.function_name,
        }

        if view:
            table = _by_lot(self, view, lot)
            environment = {"EVENTS_NAME": events.table_name, "VIEW_NAME": table.table_name}
            projector = common.function(
                self,
                f"{view}Projector",
                code=code,
                handler=projector_handler,
                timeout=Duration.seconds(10),
                environment=environment,
            )
            projector.add_layers(common.powertools(self))
            table.grant(projector, "dynamodb:UpdateItem", "dynamodb:GetItem")
            events.grant(projector, "dynamodb:Query")
            failed = sqs.Queue(self, f"{view}Failed", retention_period=Duration.days(14), enforce_ssl=True)
            projector.add_event_source(
                _changes(events, starting_position, sources.SqsDlq(failed) if keeps_failed else None)
            )
            outputs |= {
                "ViewName": table.table_name,
                "ProjectorName": projector.function_name,
                "FailedQueueUrl": failed.queue_url,
            }
            for role, handler in (("Rebuild", "rebuild.handler"), ("RebuildNaive", "rebuild_naive.handler")):
                rebuild = common.function(
                    self,
                    f"{view}{role}",
                    code=code,
                    handler=handler,
                    timeout=Duration.minutes(15),
                    environment=environment,
                )
                events.grant(rebuild, "dynamodb:Scan", "dynamodb:Query")
                table.grant(rebuild, "dynamodb:PutItem")
                outputs[f"{role}Name"] = rebuild.function_name

        for output, value in outputs.items():
            CfnOutput(self, output, value=value)


def _by_lot(scope: Construct, name: str, lot: dynamodb.Attribute) -> dynamodb.Table:
    """A table with one item for each lot."""
    return dynamodb.Table(
        scope,
        name,
        partition_key=lot,
        billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
        removal_policy=RemovalPolicy.DESTROY,
    )


def _changes(
    events: dynamodb.Table, starting_position: str, failed: sources.SqsDlq | None
) -> sources.DynamoEventSource:
    """The stream of the events. Without a place for what fails, a batch is tried until it expires."""
    careful: dict[str, Any] = (
        {
            "on_failure": failed,
            "retry_attempts": 3,
            "bisect_batch_on_error": True,
            "report_batch_item_failures": True,
        }
        if failed
        else {}
    )
    return sources.DynamoEventSource(
        events,
        starting_position=lambda_.StartingPosition[starting_position],
        batch_size=100,
        max_batching_window=Duration.seconds(1),
        **careful,
    )
