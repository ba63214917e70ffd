"""Functions in X-Ray: their segments, the decision to record, and what carries a trace from hop to hop."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from typing import Any

import pytest

from infra.cloud.local.cloud import LocalCloud

from .deploy_tools import Deployer, function, role

HOUR = datetime.timedelta(hours=1)
ACTIVE = {"Mode": "Active"}
ANSWERS = "import os\ndef handler(event, context): return os.environ['_X_AMZN_TRACE_ID']"
FAILS = "def handler(event, context): raise KeyError('card')"
CALLS = """
import boto3, json
def handler(event, context):
    answer = boto3.client("lambda").invoke(FunctionName=event["next"], Payload=b"{}")
    return json.load(answer["Payload"])
"""
SENDS = """
import boto3
def handler(event, context):
    boto3.client("sqs").send_message(QueueUrl=event["queue"], MessageBody="m")
"""


@pytest.fixture(scope="module")
def deployed() -> Iterator[LocalCloud]:
    """Functions with active tracing and one without, and a queue with its function."""
    cloud = LocalCloud()
    tracing: dict[str, Any] = {"TracingConfig": ACTIVE}
    resources = {
        "Role": role("*"),
        "Answers": function(ANSWERS, FunctionName="answers", **tracing),
        "Fails": function(FAILS, FunctionName="fails", **tracing),
        "Calls": function(CALLS, FunctionName="calls", **tracing),
        "Untraced": function(CALLS, FunctionName="untraced"),
        "Sends": function(SENDS, FunctionName="sends", **tracing),
        "Takes": function(ANSWERS, FunctionName="takes", **tracing),
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "queue"}},
        "Mapping": {
            "Type": "AWS::Lambda::EventSourceMapping",
            "Properties": {
                "FunctionName": {"Ref": "Takes"},
                "EventSourceArn": {"Fn::GetAtt": ["Queue", "Arn"]},
            },
        },
    }
    assert Deployer(cloud).create(resources) == "CREATE_COMPLETE"
    yield cloud
    cloud.close()


began: list[datetime.datetime] = []


@pytest.fixture
def traced(deployed: LocalCloud) -> LocalCloud:
    """Some seconds later, when every reservoir is full again."""
    deployed.advance("2s")
    began[:] = [deployed.world.datetime()]
    return deployed


def invoke(cloud: LocalCloud, name: str, kind: str = "RequestResponse", **payload: str) -> Any:
    answer = cloud.client("lambda").invoke(
        FunctionName=name, InvocationType=kind, Payload=json.dumps(payload).encode(), LogType="Tail"
    )
    cloud.settle()
    return json.loads(answer["Payload"].read() or b"null")


def summaries(cloud: LocalCloud, expression: str = "") -> list[dict[str, Any]]:
    found = cloud.client("xray").get_trace_summaries(
        StartTime=began[0], EndTime=began[0] + HOUR, FilterExpression=expression
    )
    return list(found["TraceSummaries"])


def documents(cloud: LocalCloud, id: str) -> list[dict[str, Any]]:
    (trace,) = cloud.client("xray").batch_get_traces(TraceIds=[id])["Traces"]
    return [json.loads(segment["Document"]) for segment in trace["Segments"]]


def test_the_segments_of_an_invocation(traced: LocalCloud) -> None:
    header = dict(part.split("=") for part in invoke(traced, "answers").split(";"))
    (summary,) = summaries(traced)
    service, own = documents(traced, summary["Id"])
    arn = "arn:aws:lambda:us-east-1:123456789012:function:answers"
    assert list(service) == [
        "id", "name", "start_time", "trace_id", "end_time", "http", "aws", "origin", "resource_arn"
    ]  # fmt: skip
    assert (service["origin"], service["resource_arn"]) == ("AWS::Lambda", arn)
    assert service["http"] == {"response": {"status": 200}}
    assert (own["origin"], own["parent_id"]) == ("AWS::Lambda::Function", service["id"])
    assert own["aws"] == {"account_id": "123456789012", "function_arn": arn, "resource_names": ["answers"]}
    initialization, invocation, overhead = own["subsegments"]
    assert [each["name"] for each in own["subsegments"]] == ["Initialization", "Invocation", "Overhead"]
    assert initialization["end_time"] == invocation["start_time"] == own["start_time"]
    assert invocation["end_time"] == overhead["end_time"] == own["end_time"]
    assert service["start_time"] <= initialization["start_time"]
    lineage = header.pop("Lineage")
    assert header == {"Root": summary["Id"], "Parent": invocation["id"], "Sampled": "1"}
    assert lineage.endswith(":1")
    assert (summary["HasFault"], summary["Http"]) == (False, {"HttpStatus": 200})
    assert [(each["Name"], each["Type"]) for each in summary["ServiceIds"]] == [
        ("answers", "AWS::Lambda"),
        ("answers", "AWS::Lambda::Function"),
    ]


def test_the_report_names_the_trace(traced: LocalCloud) -> None:
    invoke(traced, "answers")
    (summary,) = summaries(traced)
    lines = traced.client("logs").filter_log_events(
        logGroupName="/aws/lambda/answers", startTime=int(began[0].timestamp() * 1000)
    )["events"]
    report = next(line["message"] for line in lines if line["message"].startswith("REPORT"))
    own = documents(traced, summary["Id"])[1]
    end = f"\nXRAY TraceId: {summary['Id']}\tSegmentId: {own['id']}\tSampled: true\t\n"
    assert report.endswith(end)


def test_an_error_is_a_fault_with_its_cause(traced: LocalCloud) -> None:
    invoke(traced, "fails")
    (summary,) = summaries(traced, "fault = true")
    service, own = documents(traced, summary["Id"])
    assert service["fault"] is own["fault"] is True
    (exception,) = own["cause"]["exceptions"]
    del exception["id"]
    assert exception == {
        "message": "'card'",
        "type": "KeyError",
        "stack": [{"label": "handler", "path": "/var/task/index.py", "line": 1}],
    }
    (cause,) = summary["FaultRootCauses"]
    assert [each["Type"] for each in cause["Services"]] == ["AWS::Lambda", "AWS::Lambda::Function"]
    assert cause["Services"][1]["EntityPath"][0]["Exceptions"] == [{"Name": "KeyError", "Message": "'card'"}]


def test_an_event_dwells_and_is_attempted_again(traced: LocalCloud) -> None:
    invoke(traced, "fails", "Event")
    (summary,) = summaries(traced)
    service, *functions = documents(traced, summary["Id"])
    assert service["http"] == {"response": {"status": 202}}
    dwell, *attempts = service["subsegments"]
    assert dwell["name"] == "Dwell Time"
    assert [each["name"] for each in attempts] == ["Attempt #1", "Attempt #2", "Attempt #3"]
    assert [each["fault"] for each in attempts] == [True] * 3
    assert [each["parent_id"] for each in functions] == [each["id"] for each in attempts]
    assert summary["Duration"] > 180


def test_one_trace_through_two_functions(traced: LocalCloud) -> None:
    invoke(traced, "calls", next="answers")
    (summary,) = summaries(traced)
    found = documents(traced, summary["Id"])
    first, own, second, last = found
    assert [each["name"] for each in found] == ["calls", "calls", "answers", "answers"]
    invocation = next(each for each in own["subsegments"] if each["name"] == "Invocation")
    assert second["parent_id"] == invocation["id"]
    assert last["parent_id"] == second["id"]
    services = traced.client("xray").get_trace_graph(TraceIds=[summary["Id"]])["Services"]
    names = {each["ReferenceId"]: (each["Name"], each["Type"]) for each in services}
    edges = [
        (names[each["ReferenceId"]], names[edge["ReferenceId"]])
        for each in services
        for edge in each["Edges"]
    ]
    assert sorted(edges) == [
        (("answers", "AWS::Lambda"), ("answers", "AWS::Lambda::Function")),
        (("calls", "AWS::Lambda"), ("calls", "AWS::Lambda::Function")),
        (("calls", "AWS::Lambda::Function"), ("answers", "AWS::Lambda")),
        (("calls", "client"), ("calls", "AWS::Lambda")),
    ]
    assert first["id"] == own["parent_id"]


def test_an_untraced_function_writes_nothing_and_says_so_to_the_next(traced: LocalCloud) -> None:
    header = invoke(traced, "untraced", next="answers")
    assert "Sampled=0" in header
    assert summaries(traced) == []


def test_one_request_a_second_and_a_part_of_the_rest(traced: LocalCloud) -> None:
    invoke(traced, "answers")
    sampled = [";Sampled=1" in invoke(traced, "answers") for _ in range(60)]
    assert 1 <= sum(sampled) < 20
    assert len(summaries(traced)) == sum(sampled) + 1
    traced.advance("2s")
    assert ";Sampled=1" in invoke(traced, "answers")


def test_a_batch_has_a_trace_of_its_own_with_links(traced: LocalCloud) -> None:
    queue = traced.client("sqs").get_queue_url(QueueName="queue")["QueueUrl"]
    invoke(traced, "sends", queue=queue)
    (producer,) = summaries(traced, 'service("sends")')
    (consumer,) = summaries(traced, 'service("takes")')
    assert producer["Id"] != consumer["Id"]
    own = documents(traced, producer["Id"])[1]
    invocation = next(each for each in own["subsegments"] if each["name"] == "Invocation")
    link = {"trace_id": producer["Id"], "id": invocation["id"], "attributes": {"ReferenceType": "parent"}}
    assert documents(traced, consumer["Id"])[0]["links"] == [link]
    journal = traced.world.journal
    (takes,) = journal.select("lambda.invocation", resource="takes")
    (sends,) = journal.select("lambda.invocation", resource="sends")
    assert takes.trace == sends.trace == producer["Id"]  # the journal tells one story
    assert [each.kind for each in traced.trace(producer["Id"]).segments].count("run") == 2
    assert traced.trace(consumer["Id"]).id == producer["Id"]


def test_a_role_must_be_allowed_to_send_segments(traced: LocalCloud) -> None:
    resources = {"Role": role(), "Mute": function(ANSWERS, TracingConfig=ACTIVE)}
    stack = Deployer(traced, "mute")
    assert stack.create(resources) == "ROLLBACK_COMPLETE"
    events = traced.client("cloudformation").describe_stack_events(StackName="mute")["StackEvents"]
    reasons = [each.get("ResourceStatusReason", "") for each in events]
    assert any("does not have permissions to call PutTraceSegments on XRAY" in each for each in reasons)


def test_a_refused_invocation_is_a_throttle(traced: LocalCloud) -> None:
    client = traced.client("lambda")
    client.put_function_concurrency(FunctionName="answers", ReservedConcurrentExecutions=0)
    with pytest.raises(client.exceptions.TooManyRequestsException):
        client.invoke(FunctionName="answers")
    client.delete_function_concurrency(FunctionName="answers")
    (summary,) = summaries(traced, "throttle")
    attempts = documents(traced, summary["Id"])  # boto3 tried again and again
    assert {each["http"]["response"]["status"] for each in attempts} == {429}
    assert summary["HasThrottle"] is summary["HasError"] is True
