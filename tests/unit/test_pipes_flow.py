"""A batch's way through a pipe: filter, enrichment, templates, targets, and what failed of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from infra.cloud.local.routes.http import HttpRequest, HttpResponse
from tests.unit.pipes_world import ACCOUNT, OUT, PipesWorld


@pytest.fixture
def cloud() -> Iterator[PipesWorld]:
    world = PipesWorld()
    yield world
    world.close()


def filters(pattern: dict[str, Any]) -> dict[str, Any]:
    return {"FilterCriteria": {"Filters": [{"Pattern": json.dumps(pattern)}]}}


def test_what_passes_the_filter_arrives_and_everything_is_deleted(cloud: PipesWorld) -> None:
    arn = cloud.pipe(
        SourceParameters=filters({"body": {"total": [{"numeric": [">", 5]}]}}),
        TargetParameters={"InputTemplate": '{"total": <$.body.total>, "pipe": <aws.pipes.pipe-name>}'},
    )
    cloud.send({"total": 5}, {"total": 6}, "text")
    cloud.kernel.settle()
    assert cloud.delivered() == [{"total": 6, "pipe": "p"}]
    assert cloud.left() == 0
    (entry,) = cloud.world.journal.select("pipes.delivery")
    assert (entry.resource, entry.outcome, entry.data["to"]) == (arn, "ok", OUT)
    names = {
        metric["MetricName"]
        for metric in cloud.world.client("cloudwatch").list_metrics(Namespace="AWS/EventBridge/Pipes")[
            "Metrics"
        ]
    }
    assert {"Invocations", "Duration", "EventCount", "EventSize", "TargetStageDuration"} <= names


def test_without_a_template_the_record_itself_arrives(cloud: PipesWorld) -> None:
    cloud.pipe()
    cloud.send({"total": 1})
    cloud.kernel.settle()
    (record,) = cloud.delivered()
    assert record["body"] == '{"total": 1}'
    assert record["eventSource"] == "aws:sqs"
    assert record["eventSourceARN"].endswith(":in")


ENRICH = """
def handler(event, context):
    assert isinstance(event, list)
    return [{"order": item["id"], "n": len(event)} for item in event if item["id"] != "skip"]
"""


def test_an_enrichment_answers_the_events_that_go_on(cloud: PipesWorld) -> None:
    cloud.pipe(
        Enrichment=cloud.function("enrich", ENRICH),
        EnrichmentParameters={"InputTemplate": '{"id": <$.body.id>}'},
        TargetParameters={"InputTemplate": '{"enriched": <$.order>}'},
    )
    cloud.send({"id": "a"}, {"id": "skip"})
    cloud.kernel.settle()
    assert cloud.delivered() == [{"enriched": "a"}]
    assert cloud.left() == 0
    assert len(list(cloud.world.journal.select("pipes.enrichment"))) == 2


PARTIAL = """
def handler(event, context):
    failed = [item["messageId"] for item in event if item["body"] == "bad"]
    return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in failed]}
"""


def test_a_target_function_reports_what_failed(cloud: PipesWorld) -> None:
    cloud.pipe(
        cloud.function("target", PARTIAL),
        SourceParameters={"SqsQueueParameters": {"BatchSize": 10, "MaximumBatchingWindowInSeconds": 1}},
    )
    cloud.send("good", "bad", "good")
    cloud.advance(20)
    assert cloud.left() == 1
    outcomes = [entry.outcome for entry in cloud.world.journal.select("pipes.execution")]
    assert "partial" in outcomes


def test_a_failing_function_leaves_the_message_in_the_queue() -> None:
    cloud = PipesWorld(VisibilityTimeout="60")
    cloud.pipe(cloud.function("target", "def handler(event, context):\n    raise ValueError('no')\n"))
    cloud.send("one")
    cloud.advance(150)
    outcomes = [entry.outcome for entry in cloud.world.journal.select("pipes.delivery")]
    left = cloud.left()
    cloud.close()
    assert outcomes == ["FunctionError"] * 3
    assert left == 1


def test_fire_and_forget_does_not_wait_for_the_function(cloud: PipesWorld) -> None:
    cloud.pipe(
        cloud.function("target", "def handler(event, context):\n    raise ValueError('no')\n"),
        TargetParameters={"LambdaFunctionParameters": {"InvocationType": "FIRE_AND_FORGET"}},
    )
    cloud.send("one")
    cloud.advance(20)
    assert [entry.outcome for entry in cloud.world.journal.select("pipes.delivery")] == ["ok"]
    assert cloud.left() == 0


def test_the_role_needs_the_permission_of_the_target() -> None:
    reading = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
    cloud = PipesWorld(actions=reading)
    cloud.pipe()
    cloud.send("one")
    cloud.advance(20)
    outcomes = [entry.outcome for entry in cloud.world.journal.select("pipes.delivery")]
    left = cloud.left()
    cloud.close()
    assert outcomes == ["AccessDenied"]
    assert left == 1


def test_a_log_group_gets_lines(cloud: PipesWorld) -> None:
    logs = cloud.world.client("logs")
    logs.create_log_group(logGroupName="/pipes")
    cloud.pipe(
        f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/pipes",
        TargetParameters={
            "InputTemplate": "<$.body>",
            "CloudWatchLogsParameters": {"LogStreamName": "$.body.stream"},
        },
    )
    cloud.send({"stream": "a"}, {"stream": "b"})
    cloud.kernel.settle()
    found = logs.filter_log_events(logGroupName="/pipes")["events"]
    assert sorted((event["logStreamName"], event["message"]) for event in found) == [
        ("a", '{"stream":"a"}'),
        ("b", '{"stream":"b"}'),
    ]


def test_a_bus_gets_events(cloud: PipesWorld) -> None:
    events = cloud.world.client("events")
    bus = events.create_event_bus(Name="orders")["EventBusArn"]
    events.put_rule(Name="all", EventBusName="orders", EventPattern='{"source": ["shop.orders"]}')
    events.put_targets(Rule="all", EventBusName="orders", Targets=[{"Id": "1", "Arn": OUT}])
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "events.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": OUT,
            }
        ],
    }
    cloud.sqs.set_queue_attributes(QueueUrl=cloud.out, Attributes={"Policy": json.dumps(policy)})
    cloud.pipe(
        bus,
        TargetParameters={
            "InputTemplate": '{"id": <$.body.id>}',
            "EventBridgeEventBusParameters": {
                "Source": "shop.orders",
                "DetailType": "$.body.kind",
                "Resources": ["$.body.id"],
            },
        },
    )
    cloud.send({"id": "o-1", "kind": "OrderPlaced"})
    cloud.kernel.settle()
    (event,) = cloud.delivered()
    shown = {key: event[key] for key in ("source", "detail-type", "resources", "detail")}
    assert shown == {
        "source": "shop.orders",
        "detail-type": "OrderPlaced",
        "resources": ["o-1"],
        "detail": {"id": "o-1"},
    }


def test_the_trace_goes_through(cloud: PipesWorld) -> None:
    cloud.pipe()
    cloud.send("one")
    cloud.kernel.settle()
    sent = next(cloud.world.journal.select("api.sqs.SendMessage"))
    (entry,) = cloud.world.journal.select("pipes.delivery")
    assert entry.trace == sent.trace != ""


def machine(cloud: PipesWorld, name: str, state: dict[str, Any], kind: str) -> str:
    """A state machine of one state. The role is the pipe's, which Step Functions may assume as well here."""
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "states.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    role = cloud.world.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
    definition = {"StartAt": "Only", "States": {"Only": state}}
    arn: str = cloud.world.client("stepfunctions").create_state_machine(
        name=name, type=kind, roleArn=role["Role"]["Arn"], definition=json.dumps(definition)
    )["stateMachineArn"]
    return arn


def test_an_express_workflow_enriches_and_a_standard_one_is_started(cloud: PipesWorld) -> None:
    enrichment = machine(
        cloud, "enrich", {"Type": "Pass", "Result": [{"from": "express"}], "End": True}, "EXPRESS"
    )
    target = machine(cloud, "target", {"Type": "Succeed"}, "STANDARD")
    cloud.pipe(
        target,
        Enrichment=enrichment,
        TargetParameters={"StepFunctionStateMachineParameters": {"InvocationType": "FIRE_AND_FORGET"}},
    )
    cloud.send({"id": 1})
    cloud.kernel.settle()
    states = cloud.world.client("stepfunctions")
    (execution,) = states.list_executions(stateMachineArn=target)["executions"]
    shown = states.describe_execution(executionArn=execution["executionArn"])
    assert (shown["status"], json.loads(shown["input"])) == ("SUCCEEDED", [{"from": "express"}])
    assert cloud.left() == 0


def test_a_failed_express_workflow_fails_the_batch(cloud: PipesWorld) -> None:
    target = machine(cloud, "target", {"Type": "Fail", "Error": "Bad", "Cause": "it is"}, "EXPRESS")
    cloud.pipe(target)
    cloud.send({"id": 1})
    cloud.advance(15)
    assert [entry.outcome for entry in cloud.world.journal.select("pipes.delivery")] == ["Bad"]
    assert cloud.left() == 1


def test_topics_and_streams_are_targets(cloud: PipesWorld) -> None:
    topic = cloud.world.client("sns").create_topic(Name="orders")["TopicArn"]
    cloud.pipe(topic)
    cloud.send("one")
    cloud.kernel.settle()
    kinesis = cloud.world.client("kinesis")
    kinesis.create_stream(StreamName="orders", ShardCount=1)
    cloud.advance(60)
    cloud.pipes.update_pipe(
        Name="p",
        RoleArn=cloud.role,
        Target=f"arn:aws:kinesis:us-east-1:{ACCOUNT}:stream/orders",
        TargetParameters={
            "InputTemplate": "<$.body>",
            "KinesisStreamParameters": {"PartitionKey": "$.body.id"},
        },
    )
    cloud.advance(15)
    cloud.send({"id": "k-1"})
    cloud.kernel.settle()
    outcomes = [(entry.data["to"], entry.outcome) for entry in cloud.world.journal.select("pipes.delivery")]
    assert [outcome for _, outcome in outcomes] == ["ok", "ok"]
    shard = kinesis.list_shards(StreamName="orders")["Shards"][0]["ShardId"]
    iterator = kinesis.get_shard_iterator(
        StreamName="orders", ShardId=shard, ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    (record,) = kinesis.get_records(ShardIterator=iterator)["Records"]
    assert (record["PartitionKey"], record["Data"]) == ("k-1", b'{"id":"k-1"}')


def test_an_api_destination_enriches_and_gets_events(cloud: PipesWorld) -> None:
    events = cloud.world.client("events")
    requests: list[tuple[str, str, str]] = []

    def answer(request: HttpRequest) -> HttpResponse:
        requests.append((request.method, request.url, request.body))
        return HttpResponse(200, '{"rate": 7}')

    cloud.world.http.register("api.example.com", answer)
    connection = events.create_connection(
        Name="c",
        AuthorizationType="API_KEY",
        AuthParameters={"ApiKeyAuthParameters": {"ApiKeyName": "x-api-key", "ApiKeyValue": "secret"}},
    )["ConnectionArn"]
    made = [
        events.create_api_destination(
            Name=name,
            ConnectionArn=connection,
            InvocationEndpoint=f"https://api.example.com/{name}/*",
            HttpMethod="POST",
        )["ApiDestinationArn"]
        for name in ("rates", "orders")
    ]
    cloud.advance(30)
    cloud.pipe(
        made[1],
        Enrichment=made[0],
        EnrichmentParameters={
            "InputTemplate": "<$.body>",
            "HttpParameters": {"PathParameterValues": ["$.body.id"]},
        },
        TargetParameters={
            "InputTemplate": '{"r": <$.rate>}',
            "HttpParameters": {"PathParameterValues": ["new"]},
        },
    )
    cloud.send({"id": "o-1"})
    cloud.kernel.settle()
    assert requests == [
        ("POST", "https://api.example.com/rates/o-1", '{"id":"o-1"}'),
        ("POST", "https://api.example.com/orders/new", '{"r": 7}'),
    ]
    assert cloud.left() == 0
