"""Who delivered what to whom, and what one request set off: whole records of small applications."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.cloud import connect
from infra.cloud.local.cloud import LocalCloud
from infra.cloud.views.flow import Flow
from infra.cloud.views.trace import Trace

SAMPLES = Path(__file__).parents[1] / "samples"


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with connect("local") as opened:
        assert isinstance(opened, LocalCloud)
        yield opened


def hops(flow: Flow) -> dict[str, tuple[int, int, int]]:
    """``source > target``: delivered, failed, filtered."""
    return {f"{hop.source} > {hop.target}": (hop.delivered, hop.failed, hop.filtered) for hop in flow.hops}


def said(trace: Trace) -> list[str]:
    return [f"{segment.name}: {segment.what}" for segment in trace.segments]


def orders(cloud: LocalCloud, url: str, *bodies: dict[str, Any]) -> list[str]:
    """Send each order; their message ids."""
    return [
        cloud.client("sqs").send_message(QueueUrl=url, MessageBody=json.dumps(body))["MessageId"]
        for body in bodies
    ]


def test_a_queue_its_worker_and_its_dead_letter_queue(cloud: LocalCloud) -> None:
    """Names are those of the template; each failed attempt counts, and what the filter drops is told."""
    app = cloud.deploy(SAMPLES / "queue_worker", Stage="prod")
    start = cloud.elapsed
    good = {"kind": "order", "id": "1"}
    ids = orders(cloud, app["QueueUrl"], good, {"kind": "other", "id": "2"}, {"kind": "order", "id": "bad"})
    cloud.settle()
    flow = cloud.flow(start)
    assert hops(flow) == {
        "notebook > Orders": (3, 0, 0),
        "Orders > Worker": (1, 2, 1),
        "Worker > Table": (1, 0, 0),
        "Orders > Failed": (1, 0, 0),
    }
    assert [hop.target for hop in flow.hops if hop.dead_letter] == ["Failed"]
    assert flow.delivered("Orders", "Worker") == 1
    assert flow.failed("Orders", "Worker") == 2
    assert [(node.name, node.kind, node.runs) for node in flow.nodes if node.runs] == [
        ("Worker", "function", 3)
    ]
    trace = cloud.trace(ids[2])
    assert said(trace) == [
        "notebook: SendMessage Orders",
        "Orders: hidden until its visibility timeout",
        "Worker: cold start",
        "Worker: runs",
        "Orders: hidden until its visibility timeout",
        "Worker: runs",
        "Orders: gives up: to Failed",
        "Failed: waits",
    ]
    assert trace.seconds == pytest.approx(120, abs=0.1)
    assert [segment.outcome for segment in trace.failures] == ["maxReceiveCount"]


def test_what_happened_before_is_left_out(cloud: LocalCloud) -> None:
    app = cloud.deploy(SAMPLES / "queue_worker", Stage="prod")
    orders(cloud, app["QueueUrl"], {"kind": "order", "id": "1"})
    cloud.settle()
    assert hops(cloud.flow(cloud.elapsed)) == {}
    with pytest.raises(ValueError, match="nobody is called 'Orders' here; there is: nobody"):
        cloud.flow(cloud.elapsed).delivered("Orders", "Worker")


def test_a_topic_with_a_filter(cloud: LocalCloud) -> None:
    app = cloud.deploy(SAMPLES / "topic_fan_out")
    sns = cloud.client("sns")
    ids = []
    for message, severity in (("disk full", "high"), ("logged in", "low")):
        attributes = {"severity": {"DataType": "String", "StringValue": severity}}
        answer = sns.publish(TopicArn=app["TopicArn"], Message=message, MessageAttributes=attributes)
        ids.append(answer["MessageId"])
    cloud.settle()
    assert hops(cloud.flow()) == {
        "notebook > Events": (2, 0, 0),
        "Events > Alert": (1, 0, 1),
        "Events > Archive": (2, 0, 0),
        "Alert > Alerts": (1, 0, 0),
    }
    assert said(cloud.trace(ids[0])) == [
        "notebook: Publish Events",
        "Events: to Alert",
        "Events: to Archive",
        "Archive: waits",
        "Alert: cold start",
        "Alert: runs",
        "Alert: SendMessage Alerts",
        "Alerts: waits",
    ]


def test_a_bus_a_rule_and_a_state_machine(cloud: LocalCloud) -> None:
    """A state machine's own calls are its, not those of "states"."""
    cloud.deploy(SAMPLES / "workflow")
    entry = {"Source": "shop", "DetailType": "OrderPlaced", "Detail": json.dumps({"id": "1", "total": 20})}
    event = cloud.client("events").put_events(Entries=[entry])["Entries"][0]["EventId"]
    cloud.settle()
    assert hops(cloud.flow()) == {
        "notebook > default": (1, 0, 0),
        "default > OrdersPlaced": (1, 0, 0),
        "OrdersPlaced > Orders": (1, 0, 0),
        "Orders > Charge": (1, 0, 0),
        "Orders > Payments": (1, 0, 0),
    }
    trace = cloud.trace(event)
    assert said(trace) == [
        "notebook: PutEvents",
        "OrdersPlaced: to Orders",
        "Orders: execution",
        "Orders: Charge",
        "Charge: cold start",
        "Charge: runs",
        "Orders: Keep",
    ]
    assert cloud.trace(trace.id) == trace


def test_a_stream_and_a_table(cloud: LocalCloud) -> None:
    app = cloud.deploy(SAMPLES / "clicks")
    records = [
        {"Data": json.dumps({"kind": kind, "count": 1}).encode(), "PartitionKey": kind}
        for kind in ("page", "cart", "page")
    ]
    cloud.client("kinesis").put_records(StreamName=app["StreamName"], Records=records)
    changes = cloud.deploy(SAMPLES / "table_changes")
    cloud.resource("dynamodb").Table(changes["TableName"]).put_item(Item={"pk": "a"})
    cloud.settle()
    assert hops(cloud.flow()) == {
        "notebook > Clicks": (3, 0, 0),
        "Clicks > Sum": (3, 0, 0),
        "Sum > CartQueue": (1, 0, 0),
        "Sum > PageQueue": (1, 0, 0),
        "notebook > Items": (1, 0, 0),
        "Items > Publish": (1, 0, 0),
        "Publish > Changes": (1, 0, 0),
    }


def test_a_message_in_anothers_batch_is_followed_by_its_id(cloud: LocalCloud) -> None:
    """A batch runs under the trace of its first message; the second one's story has the same invocation."""
    app = cloud.deploy(SAMPLES / "queue_worker", Stage="prod")
    handles = [
        cloud.spawn(orders, cloud, app["QueueUrl"], {"kind": "order", "id": str(number)})
        for number in range(30)
    ]
    ids = [handle.join()[0] for handle in handles]
    cloud.settle()
    batches = [
        entry.data["messages"]
        for entry in cloud.world.journal.select("lambda.invocation")
        if len(entry.data["messages"]) > 1
    ]
    assert batches, "no invocation had several messages"
    second = batches[0][1]
    assert second in ids
    assert said(cloud.trace(second)).count("Worker: runs") == 1


def test_an_id_that_nothing_has(cloud: LocalCloud) -> None:
    with pytest.raises(ValueError, match="nothing that happened has the id 'order-1'; give a MessageId"):
        cloud.trace("order-1")


def test_calls_are_inside_of_the_run_that_made_them_and_one_after_the_other(cloud: LocalCloud) -> None:
    """A call is written down in its middle, when it takes effect; a trace shows it whole."""
    app = cloud.deploy(SAMPLES / "clicks")
    records = [
        {"Data": json.dumps({"kind": kind, "count": 1}).encode(), "PartitionKey": kind}
        for kind in ("page", "cart")
    ]
    cloud.client("kinesis").put_records(StreamName=app["StreamName"], Records=records)
    cloud.settle()
    trace = cloud.trace(next(entry.trace for entry in cloud.world.journal.select("kinesis.put")))
    run = next(segment for segment in trace.segments if segment.kind == "run")
    calls = [segment for segment in trace.segments if segment.kind == "call" and segment.name == "Sum"]
    assert len(calls) == 2
    assert run.start <= calls[0].start
    assert calls[0].end <= calls[1].start
    assert calls[1].end <= run.end


def test_two_stacks_of_one_kind_are_told_apart_by_their_names(cloud: LocalCloud) -> None:
    for name in ("first", "second"):
        app = cloud.deploy(SAMPLES / "queue_worker", stack_name=name, Stage="prod")
        orders(cloud, app["QueueUrl"], {"kind": "order", "id": "1"})
    cloud.settle()
    assert set(hops(cloud.flow())) == {
        f"{before} > {after}"
        for name in ("first", "second")
        for before, after in (
            ("notebook", f"{name}.Orders"),
            (f"{name}.Orders", f"{name}.Worker"),
            (f"{name}.Worker", f"{name}.Table"),
        )
    }


def test_a_bucket_a_pipe_a_schedule_and_a_function_url(cloud: LocalCloud) -> None:
    uploads = cloud.deploy(SAMPLES / "uploads")
    cloud.client("s3").put_object(Bucket=uploads["BucketName"], Key="in/a.txt", Body=b"one two")
    pipe = cloud.deploy(SAMPLES / "pipe")
    for body in ({"city": "Kiel"}, {"town": "Plön"}):
        cloud.client("sqs").send_message(QueueUrl=pipe["SourceUrl"], MessageBody=json.dumps(body))
    front = cloud.deploy(SAMPLES / "function_url")
    url = cloud.client("ssm").get_parameter(Name=front["ParameterName"])["Parameter"]["Value"]
    headers = {"content-type": "application/json"}
    urllib.request.urlopen(urllib.request.Request(url, b'{"id": 7}', headers)).close()
    cloud.settle()
    assert hops(cloud.flow()) == {
        "notebook > Uploads": (1, 0, 0),
        "Uploads > Count": (1, 0, 0),
        "Count > Results": (1, 0, 0),
        "notebook > Source": (2, 0, 0),
        "Source > Pipe": (1, 0, 1),
        "Pipe > Enrich": (1, 0, 0),
        "Pipe > Target": (1, 0, 0),
        "notebook > Front": (1, 0, 0),
        "Front > Orders": (1, 0, 0),
    }
    before = cloud.elapsed
    cloud.deploy(SAMPLES / "schedule")
    cloud.advance("2h")
    assert hops(cloud.flow(before)) == {
        "aws.events > default": (2, 0, 0),
        "default > ReportHourly": (2, 0, 0),
        "ReportHourly > Report": (2, 0, 0),
    }


GIVES_UP = """
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Resources:
  Failed: {Type: AWS::SQS::Queue}
  Worker:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      Handler: index.handler
      InlineCode: |
        def handler(event, context):
            raise ValueError("never")
      EventInvokeConfig:
        MaximumRetryAttempts: 1
        DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt Failed.Arn}}
Outputs:
  WorkerName: {Value: !Ref Worker}
"""


def test_what_a_function_gives_up_goes_to_its_destination(cloud: LocalCloud, tmp_path: Path) -> None:
    template = tmp_path / "template.yaml"
    template.write_text(GIVES_UP, encoding="utf-8")
    app = cloud.deploy(template)
    cloud.client("lambda").invoke(FunctionName=app["WorkerName"], InvocationType="Event")
    cloud.settle()
    flow = cloud.flow()
    assert hops(flow) == {"notebook > Worker": (1, 0, 0), "Worker > Failed": (1, 0, 0)}
    assert [hop.dead_letter for hop in flow.hops] == [False, True]
    assert [(node.runs, node.failed) for node in flow.nodes if node.name == "Worker"] == [(2, 2)]
    first = next(line for line in cloud.logs(app["WorkerName"]) if line.startswith("START RequestId: "))
    trace = cloud.trace(first.split()[2])
    assert [segment.outcome for segment in trace.segments if segment.kind == "run"] == ["ValueError"] * 2
    assert "Worker: gives up: to Failed" in said(trace)
    start = cloud.elapsed
    cloud.client("lambda").invoke(FunctionName=app["WorkerName"])
    assert hops(cloud.flow(start)) == {"notebook > Worker": (0, 1, 0)}, "the call got an error back"


OVERLAP = """
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Resources:
  Slow:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      Handler: index.handler
      Timeout: 20
      InlineCode: |
        import time
        def handler(event, context):
            time.sleep(event["seconds"])
  Asks:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      Handler: index.handler
      Timeout: 20
      Environment: {Variables: {SLOW: !Ref Slow}}
      Policies: [{LambdaInvokePolicy: {FunctionName: !Ref Slow}}]
      InlineCode: |
        import boto3, json, os
        def handler(event, context):
            client = boto3.client("lambda")
            client.invoke(FunctionName=os.environ["SLOW"], Payload=json.dumps(event))
  Machine:
    Type: AWS::Serverless::StateMachine
    Properties:
      Policies: [{LambdaInvokePolicy: {FunctionName: !Ref Asks}}]
      Definition:
        StartAt: First
        States:
          First:
            Type: Task
            Resource: !GetAtt Asks.Arn
            Parameters: {seconds: 8}
            TimeoutSeconds: 3
            Catch: [{ErrorEquals: [States.Timeout], Next: Second}]
            End: true
          Second: {Type: Task, Resource: !GetAtt Asks.Arn, Parameters: {seconds: 0}, End: true}
Outputs:
  MachineArn: {Value: !Ref Machine}
"""


def test_a_call_belongs_to_its_run_when_another_of_the_same_function_overlaps_it(
    cloud: LocalCloud, tmp_path: Path
) -> None:
    """A task that timed out goes on while the next one runs; what failed is told, though it was caught."""
    template = tmp_path / "template.yaml"
    template.write_text(OVERLAP, encoding="utf-8")
    app = cloud.deploy(template)
    client = cloud.client("stepfunctions")
    execution = client.start_execution(stateMachineArn=app["MachineArn"], input="{}")["executionArn"]
    cloud.settle()
    trace = cloud.trace(execution)
    runs = [segment for segment in trace.segments if segment.kind == "run" and segment.name == "Asks"]
    calls = [segment for segment in trace.segments if segment.what == "Invoke Slow"]
    assert [round(segment.seconds) for segment in runs] == [8, 0]
    assert [round(segment.seconds) for segment in calls] == [8, 0]
    for run, call in zip(runs, calls, strict=True):
        assert run.start <= call.start <= call.end <= run.end
    failed = [(segment.name, segment.what, segment.outcome) for segment in trace.failures]
    assert failed == [("Machine", "task Asks", "States.Timeout")]
