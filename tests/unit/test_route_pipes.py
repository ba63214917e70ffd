"""EventBridge Pipes from a CDK stack: a queue, a filter, an enrichment, a bus."""

from __future__ import annotations

import json
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as events_targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_pipes as pipes
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.cloud import connect

CODE = """
def handler(event, context):
    return [{**item, "vat": item["total"] * 0.2} for item in event]
"""


class Orders(cdk.Stack):
    """Orders over ten, with their VAT, as events."""

    def __init__(self, scope: Construct, name: str, **kwargs: Any) -> None:
        super().__init__(scope, name, **kwargs)
        inbox, seen = sqs.Queue(self, "Inbox"), sqs.Queue(self, "Seen")
        bus = events.EventBus(self, "Bus")
        rule = events.Rule(
            self, "All", event_bus=bus, event_pattern=events.EventPattern(detail_type=["OrderPlaced"])
        )
        rule.add_target(events_targets.SqsQueue(seen))
        enrich = lambda_.Function(
            self,
            "Vat",
            runtime=lambda_.Runtime.PYTHON_3_12,
            handler="index.handler",
            code=lambda_.Code.from_inline(CODE),
        )
        role = iam.Role(self, "PipeRole", assumed_by=iam.ServicePrincipal("pipes.amazonaws.com"))
        inbox.grant_consume_messages(role)
        enrich.grant_invoke(role)
        bus.grant_put_events_to(role)
        pipes.CfnPipe(
            self,
            "Pipe",
            role_arn=role.role_arn,
            source=inbox.queue_arn,
            source_parameters=pipes.CfnPipe.PipeSourceParametersProperty(
                filter_criteria=pipes.CfnPipe.FilterCriteriaProperty(
                    filters=[
                        pipes.CfnPipe.FilterProperty(
                            pattern=json.dumps({"body": {"total": [{"numeric": [">", 10]}]}})
                        )
                    ]
                ),
                sqs_queue_parameters=pipes.CfnPipe.PipeSourceSqsQueueParametersProperty(
                    batch_size=10, maximum_batching_window_in_seconds=1
                ),
            ),
            enrichment=enrich.function_arn,
            enrichment_parameters=pipes.CfnPipe.PipeEnrichmentParametersProperty(
                input_template='{"id": <$.body.id>, "total": <$.body.total>}'
            ),
            target=bus.event_bus_arn,
            target_parameters=pipes.CfnPipe.PipeTargetParametersProperty(
                event_bridge_event_bus_parameters=pipes.CfnPipe.PipeTargetEventBridgeEventBusParametersProperty(
                    source="shop.orders", detail_type="OrderPlaced"
                ),
            ),
            tags={"team": "orders"},
        )
        cdk.CfnOutput(self, "InboxUrl", value=inbox.queue_url)
        cdk.CfnOutput(self, "SeenUrl", value=seen.queue_url)


def test_orders_become_events() -> None:
    cloud = connect("local")
    app = cloud.deploy(Orders)
    client = cloud.client("sqs")
    for number, total in enumerate((5, 20, 40)):
        body = json.dumps({"id": f"o-{number}", "total": total})
        client.send_message(QueueUrl=app["InboxUrl"], MessageBody=body)
    cloud.settle()
    found = client.receive_message(QueueUrl=app["SeenUrl"], MaxNumberOfMessages=10)["Messages"]
    details = [json.loads(message["Body"])["detail"] for message in found]
    cloud.close()
    assert sorted(details, key=lambda detail: str(detail["id"])) == [
        {"id": "o-1", "total": 20, "vat": 4.0},
        {"id": "o-2", "total": 40, "vat": 8.0},
    ]
