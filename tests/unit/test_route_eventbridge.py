"""EventBridge end to end, from a CDK stack as a learner writes it."""

from __future__ import annotations

import json
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs

from infra.cloud.local.cloud import LocalCloud
from infra.cloud.local.routes.http import HttpRequest, HttpResponse

CODE = """
def handler(event, context):
    print("order", event["order"], "of", event["kind"])
"""


class EventRouter(cdk.Stack):
    """A bus with rules to a queue, a function, a log group, an API destination and a second bus."""

    def __init__(self, scope: Any, id: str, **properties: Any) -> None:
        super().__init__(scope, id, **properties)
        bus = events.EventBus(self, "Orders", event_bus_name="orders")
        audit = events.EventBus(self, "Audit", event_bus_name="audit")
        queue, dead, audited = (sqs.Queue(self, name) for name in ("Large", "Dead", "Audited"))
        function = lambda_.Function(
            self,
            "Worker",
            runtime=lambda_.Runtime.PYTHON_3_12,
            handler="index.handler",
            code=lambda_.Code.from_inline(CODE),
        )
        group = logs.LogGroup(self, "All", removal_policy=cdk.RemovalPolicy.DESTROY)
        connection = events.Connection(
            self,
            "Connection",
            authorization=events.Authorization.api_key("x-key", cdk.SecretValue.unsafe_plain_text("k")),
        )
        shipping = events.ApiDestination(
            self, "Shipping", connection=connection, endpoint="https://api.shipping.example/orders/*"
        )
        field = events.EventField.from_path
        events.Rule(
            self,
            "LargeOrders",
            event_bus=bus,
            event_pattern=events.EventPattern(
                source=["shop"], detail={"total": events.Match.greater_than(100)}
            ),
            targets=[targets.SqsQueue(queue, dead_letter_queue=dead, retry_attempts=2)],
        )
        events.Rule(
            self,
            "Everything",
            event_bus=bus,
            event_pattern=events.EventPattern(source=events.Match.prefix("sh")),
            targets=[
                targets.LambdaFunction(
                    function,
                    event=events.RuleTargetInput.from_object(
                        {"order": field("$.detail.id"), "kind": events.EventField.detail_type}
                    ),
                ),
                targets.CloudWatchLogGroup(group),
                targets.ApiDestination(shipping, path_parameter_values=["$.detail.id"]),
                targets.EventBus(audit),
            ],
        )
        events.Rule(
            self,
            "Copies",
            event_bus=audit,
            event_pattern=events.EventPattern(source=["shop"]),
            targets=[targets.SqsQueue(audited)],
        )
        bus.archive(
            "Archive", event_pattern=events.EventPattern(source=["shop"]), retention=cdk.Duration.days(7)
        )
        for name, value in {
            "LargeUrl": queue.queue_url,
            "AuditedUrl": audited.queue_url,
            "Worker": function.function_name,
            "Group": group.log_group_name,
        }.items():
            cdk.CfnOutput(self, f"{name}Output", value=value).override_logical_id(name)


def test_a_stack_routes_by_content() -> None:
    cloud = LocalCloud()
    requests: list[HttpRequest] = []

    def ship(request: HttpRequest) -> HttpResponse:
        requests.append(request)
        return HttpResponse(200)

    cloud.world.http.register("api.shipping.example", ship)
    app = cloud.deploy(EventRouter)
    client, sqs_ = cloud.client("events"), cloud.client("sqs")
    entries = [
        {
            "EventBusName": "orders",
            "Source": "shop",
            "DetailType": "OrderPlaced",
            "Detail": json.dumps({"id": f"o-{n}", "total": 150 * n}),
        }
        for n in range(2)
    ]
    assert client.put_events(Entries=entries)["FailedEntryCount"] == 0
    cloud.settle()

    def bodies(url: str) -> list[Any]:
        found = sqs_.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        return sorted(json.loads(message["Body"])["detail"]["id"] for message in found)

    pattern = {"detail": {"total": [{"numeric": [">", 100]}]}}
    why = cloud.explain(pattern, {"detail": {"total": 0}})
    assert why == "no match: detail.total is 0, the pattern wants > 100"
    assert bodies(app["LargeUrl"]) == ["o-1"]
    assert bodies(app["AuditedUrl"]) == ["o-0", "o-1"]
    printed = [line for line in cloud.logs(app["Worker"]) if line.startswith("order")]
    assert sorted(printed) == ["order o-0 of OrderPlaced", "order o-1 of OrderPlaced"]
    assert len(cloud.world.logs.lines(app["Group"])) == 2
    assert sorted(request.url.rpartition("/")[2] for request in requests) == ["o-0", "o-1"]
    archive = client.list_archives()["Archives"][0]
    assert archive["EventCount"] == 2

    client.start_replay(
        ReplayName="again",
        EventSourceArn=client.describe_archive(ArchiveName=archive["ArchiveName"])["ArchiveArn"],
        EventStartTime=cloud.world.datetime(cloud.world.started),
        EventEndTime=cloud.now,
        Destination={"Arn": archive["EventSourceArn"]},
    )
    cloud.settle()
    assert bodies(app["LargeUrl"]) == ["o-1"]
    assert client.describe_replay(ReplayName="again")["State"] == "COMPLETED"

    cloud.destroy(app)
    assert [bus["Name"] for bus in client.list_event_buses()["EventBuses"]] == ["default"]
    assert client.list_connections()["Connections"] == []
    cloud.close()
