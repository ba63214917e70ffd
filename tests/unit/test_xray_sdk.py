"""Handlers with Powertools Tracer and the X-Ray SDK: subsegments, annotations, calls, and who sees them."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from typing import Any

import pytest

from infra.cloud.local.cloud import LocalCloud

from .deploy_tools import Deployer, function, role

HOUR = datetime.timedelta(hours=1)
POWERTOOLS = """
import boto3, os, time
from aws_lambda_powertools import Tracer
tracer = Tracer(service="shop")
table = boto3.resource("dynamodb").Table("orders")

@tracer.capture_method
def pay(order):
    time.sleep(0.2)
    tracer.put_annotation("order", order)
    tracer.put_metadata("basket", {"items": [1, 2]})
    if order == "bad":
        raise ValueError("no money")
    return "paid"

@tracer.capture_lambda_handler
def handler(event, context):
    table.put_item(Item={"id": event["order"]})
    try:
        table.put_item(Item={"id": event["order"]}, ConditionExpression="attribute_not_exists(id)")
    except table.meta.client.exceptions.ConditionalCheckFailedException:
        pass
    return pay(event["order"])
"""
SDK = """
import boto3, json, os
from aws_xray_sdk.core import patch_all, xray_recorder
patch_all()
def handler(event, context):
    with xray_recorder.in_subsegment("## sends") as subsegment:
        boto3.client("sqs").send_message(QueueUrl=event["queue"], MessageBody="m")
        subsegment.put_annotation("count", 1)
    answer = boto3.client("lambda").invoke(FunctionName="plain", Payload=b"{}")
    return json.load(answer["Payload"])
"""
TELLS = """
import boto3, json
from aws_xray_sdk.core import patch_all
patch_all()
def handler(event, context):
    boto3.client("sns").publish(TopicArn=event["topic"], Message="m")
    entry = {"Source": "shop", "DetailType": "Order", "Detail": "{}"}
    boto3.client("events").put_events(Entries=[entry])
"""
WEB = """
import requests
from aws_xray_sdk.core import patch
patch(["requests"])
def handler(event, context): return requests.get(event["url"] + "hello?x=1").text
"""
HTTPX = """
import asyncio, httpx
from aws_xray_sdk.core import patch
patch(["httpx"])
async def later(url):
    async with httpx.AsyncClient() as client:
        return (await client.get(url)).text
def handler(event, context):
    return [httpx.get(event["url"] + "hello?x=1").text, asyncio.run(later(event["url"]))]
"""
PLAIN = """
import boto3, os
def handler(event, context):
    boto3.client("sts").get_caller_identity()
    return os.environ["_X_AMZN_TRACE_ID"]
"""


@pytest.fixture(scope="module")
def deployed() -> Iterator[LocalCloud]:
    cloud = LocalCloud()
    tracing: dict[str, Any] = {"TracingConfig": {"Mode": "Active"}}
    table = {
        "TableName": "orders",
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
    }
    resources = {
        "Role": role("*"),
        "Shop": function(POWERTOOLS, FunctionName="shop", **tracing),
        "Sends": function(SDK, FunctionName="sends", **tracing),
        "Web": function(WEB, FunctionName="web", **tracing),
        "Httpx": function(HTTPX, FunctionName="httpx-user", **tracing),
        "Tells": function(TELLS, FunctionName="tells", **tracing),
        "Plain": function(PLAIN, FunctionName="plain", **tracing),
        "Takes": function(PLAIN, FunctionName="takes", **tracing),
        "Table": {"Type": "AWS::DynamoDB::Table", "Properties": table},
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "queue"}},
        "Mapping": {
            "Type": "AWS::Lambda::EventSourceMapping",
            "Properties": {
                "FunctionName": {"Ref": "Takes"},
                "EventSourceArn": {"Fn::GetAtt": ["Queue", "Arn"]},
            },
        },
        "Url": {
            "Type": "AWS::Lambda::Url",
            "Properties": {"TargetFunctionArn": {"Ref": "Plain"}, "AuthType": "NONE"},
        },
        "Active": {
            "Type": "AWS::SNS::Topic",
            "Properties": {
                "TopicName": "active",
                "TracingConfig": "Active",
                "Subscription": [{"Protocol": "lambda", "Endpoint": {"Fn::GetAtt": ["Plain", "Arn"]}}],
            },
        },
        "Senders": {
            "Type": "AWS::XRay::ResourcePolicy",
            "Properties": {
                "PolicyName": "senders",
                "PolicyDocument": json.dumps(
                    {
                        "Version": "2012-10-17",
                        "Statement": [
                            {
                                "Effect": "Allow",
                                "Principal": {"Service": "sns.amazonaws.com"},
                                "Action": "xray:PutTraceSegments",
                                "Resource": "*",
                                "Condition": {"StringLike": {"aws:SourceArn": "arn:aws:sns:*:*:active"}},
                            }
                        ],
                    }
                ),
            },
        },
        "Topic": {
            "Type": "AWS::SNS::Topic",
            "Properties": {
                "TopicName": "topic",
                "Subscription": [{"Protocol": "lambda", "Endpoint": {"Fn::GetAtt": ["Plain", "Arn"]}}],
            },
        },
        "Rule": {
            "Type": "AWS::Events::Rule",
            "Properties": {
                "EventPattern": {"source": ["shop"]},
                "Targets": [{"Id": "t", "Arn": {"Fn::GetAtt": ["Takes", "Arn"]}}],
            },
        },
        **{
            f"From{name}": {
                "Type": "AWS::Lambda::Permission",
                "Properties": {
                    "FunctionName": {"Ref": target},
                    "Action": "lambda:InvokeFunction",
                    "Principal": f"{name.lower()}.amazonaws.com",
                },
            }
            for name, target in (("Sns", "Plain"), ("Events", "Takes"))
        },
        "Open": {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "FunctionName": {"Ref": "Plain"},
                "Action": "lambda:InvokeFunctionUrl",
                "Principal": "*",
                "FunctionUrlAuthType": "NONE",
            },
        },
    }
    outputs = {"Url": {"Value": {"Fn::GetAtt": ["Url", "FunctionUrl"]}}}
    stack = Deployer(cloud)
    assert stack.create(resources, Outputs=outputs) == "CREATE_COMPLETE"
    yield cloud
    cloud.close()


began: list[datetime.datetime] = []


@pytest.fixture
def cloud(deployed: LocalCloud) -> LocalCloud:
    deployed.advance("2s")
    began[:] = [deployed.world.datetime()]
    return deployed


def invoke(cloud: LocalCloud, name: str, **payload: str) -> Any:
    answer = cloud.client("lambda").invoke(FunctionName=name, Payload=json.dumps(payload).encode())
    cloud.settle()
    return json.loads(answer["Payload"].read())


def summaries(cloud: LocalCloud, expression: str = "") -> list[dict[str, Any]]:
    found = cloud.client("xray").get_trace_summaries(
        StartTime=began[0], EndTime=began[0] + HOUR, FilterExpression=expression
    )
    return list(found["TraceSummaries"])


def documents(cloud: LocalCloud, id: str) -> list[dict[str, Any]]:
    (trace,) = cloud.client("xray").batch_get_traces(TraceIds=[id])["Traces"]
    return [json.loads(segment["Document"]) for segment in trace["Segments"]]


def invocation(found: list[dict[str, Any]], name: str) -> dict[str, Any]:
    """What happened inside a function's handler."""
    own = next(each for each in found if (each["name"], each["origin"]) == (name, "AWS::Lambda::Function"))
    inside: dict[str, Any] = next(each for each in own["subsegments"] if each["name"] == "Invocation")
    return inside


def test_powertools_tracer(cloud: LocalCloud) -> None:
    assert invoke(cloud, "shop", order="o1") == "paid"
    (summary,) = summaries(cloud, 'annotation.order = "o1" AND annotation.ColdStart = true')
    found = documents(cloud, summary["Id"])
    (handler,) = invocation(found, "shop")["subsegments"]
    assert handler["name"] == "## handler"
    assert handler["annotations"] == {"ColdStart": True, "Service": "shop"}
    assert handler["metadata"] == {"shop": {"handler response": "paid"}}
    first, second, pay = handler["subsegments"]
    assert {key: first["aws"][key] for key in ("operation", "table_name", "region", "resource_names")} == {
        "operation": "PutItem",
        "table_name": "orders",
        "region": "us-east-1",
        "resource_names": ["orders"],
    }
    assert (first["name"], first["namespace"], first["http"]) == (
        "DynamoDB",
        "aws",
        {"response": {"status": 200}},
    )
    assert second["fault"] is second["error"] is True
    assert second["cause"]["exceptions"][0]["type"] == "ConditionalCheckFailedException"
    assert second["cause"]["exceptions"][0]["remote"] is True
    assert pay["name"].endswith("pay")
    assert pay["annotations"] == {"order": "o1"}
    assert pay["metadata"]["shop"]["basket"] == {"items": [1, 2]}
    assert pay["end_time"] - pay["start_time"] == pytest.approx(0.2)  # virtual time
    assert [each["name"] for each in found if each.get("inferred")] == ["DynamoDB", "DynamoDB"]


def test_an_exception_in_a_subsegment(cloud: LocalCloud) -> None:
    assert invoke(cloud, "shop", order="bad")["errorType"] == "ValueError"
    (summary,) = summaries(cloud, 'annotation.order = "bad" AND fault')
    handler = invocation(documents(cloud, summary["Id"]), "shop")["subsegments"][0]
    (exception,) = handler["subsegments"][2]["cause"]["exceptions"]
    assert (exception["message"], exception["type"]) == ("no money", "ValueError")
    frames = {(frame["path"], frame["label"]) for frame in exception["stack"]}
    assert ("index.py", "pay") in frames or ("/var/task/index.py", "pay") in frames
    assert not any("local" in path for path, _ in frames)
    assert handler["subsegments"][2]["cause"]["working_directory"] == "/var/task"
    assert handler["cause"] == exception["id"]  # the SDK tells an exception once


def test_calls_carry_their_subsegment_on(cloud: LocalCloud) -> None:
    queue = cloud.client("sqs").get_queue_url(QueueName="queue")["QueueUrl"]
    header = dict(part.split("=") for part in invoke(cloud, "sends", queue=queue).split(";"))
    (summary,) = summaries(cloud, 'service("sends")')
    found = documents(cloud, summary["Id"])
    sends, call = invocation(found, "sends")["subsegments"]
    assert sends["annotations"] == {"count": 1}
    (message,) = sends["subsegments"]
    assert message["aws"]["queue_url"] == queue
    assert call["name"] == "Lambda"
    service = next(each for each in found if (each["name"], each["origin"]) == ("plain", "AWS::Lambda"))
    assert service["parent_id"] == call["id"]
    assert header["Parent"] == invocation(found, "plain")["id"]
    assert "subsegments" not in invocation(found, "plain")  # it uses no SDK: its call to STS is not seen
    (consumer,) = summaries(cloud, 'service("takes")')
    link = documents(cloud, consumer["Id"])[0]["links"][0]
    assert (link["trace_id"], link["id"]) == (summary["Id"], message["id"])
    graph = cloud.client("xray").get_service_graph(StartTime=began[0], EndTime=began[0] + HOUR)["Services"]
    names = {each["ReferenceId"]: each["Name"] for each in graph}
    (node,) = [each for each in graph if each["Type"] == "AWS::SQS::Queue"]
    (edge,) = node["Edges"]
    assert (node["Name"], names[edge["ReferenceId"]], edge["EdgeType"]) == (queue, "takes", "link")
    assert [each["Count"] for each in edge["ReceivedEventAgeHistogram"]] == [1]


def test_a_topic_and_a_bus_pass_the_trace_on(cloud: LocalCloud) -> None:
    invoke(cloud, "tells", topic="arn:aws:sns:us-east-1:123456789012:topic")
    (summary,) = summaries(cloud)
    found = documents(cloud, summary["Id"])
    publish, put = invocation(found, "tells")["subsegments"]
    services = [each for each in found if each["origin"] == "AWS::Lambda" and "parent_id" in each]
    parents = {each["name"]: each["parent_id"] for each in services}
    assert parents == {"plain": publish["id"], "takes": put["id"]}
    services = cloud.client("xray").get_trace_graph(TraceIds=[summary["Id"]])["Services"]
    names = {each["ReferenceId"]: (each["Name"], each["Type"]) for each in services}
    edges = {
        (names[each["ReferenceId"]], names[edge["ReferenceId"]])
        for each in services
        for edge in each["Edges"]
    }
    own = ("tells", "AWS::Lambda::Function")
    assert edges >= {
        (own, ("SNS", "AWS::SNS")),
        (("SNS", "AWS::SNS"), ("plain", "AWS::Lambda")),
        (own, ("Events", "AWS::Events")),
        (("Events", "AWS::Events"), ("takes", "AWS::Lambda")),
    }


def test_a_topic_with_active_tracing_has_a_segment(cloud: LocalCloud) -> None:
    invoke(cloud, "tells", topic="arn:aws:sns:us-east-1:123456789012:active")
    (summary,) = summaries(cloud)
    found = documents(cloud, summary["Id"])
    publish = invocation(found, "tells")["subsegments"][0]
    topic = next(each for each in found if each["origin"] == "AWS::SNS::Topic")
    assert (topic["name"], topic["parent_id"]) == ("active", publish["id"])
    (delivery,) = topic["subsegments"]
    assert (delivery["name"], delivery["aws"]["function_name"]) == ("Lambda", "plain")
    assert delivery["end_time"] > delivery["start_time"] == topic["start_time"]
    plain = next(each for each in found if (each["name"], each["origin"]) == ("plain", "AWS::Lambda"))
    assert plain["parent_id"] == delivery["id"]
    assert not [each for each in found if each.get("inferred") and each["name"] == "SNS"]
    xray = cloud.client("xray")
    (policy,) = xray.list_resource_policies()["ResourcePolicies"]
    assert (policy["PolicyName"], policy["PolicyRevisionId"]) == ("senders", "1")
    with pytest.raises(xray.exceptions.InvalidPolicyRevisionIdException):
        xray.put_resource_policy(PolicyName="senders", PolicyDocument="{}", PolicyRevisionId="7")


def test_requests_between_functions(cloud: LocalCloud) -> None:
    url = Deployer(cloud).outputs["Url"]
    header = invoke(cloud, "web", url=url)
    (summary,) = summaries(cloud)
    found = documents(cloud, summary["Id"])
    (call,) = invocation(found, "web")["subsegments"]
    assert (call["namespace"], call["http"]["request"]) == ("remote", {"method": "get", "url": f"{url}hello"})
    service = next(each for each in found if (each["name"], each.get("origin")) == ("plain", "AWS::Lambda"))
    assert service["parent_id"] == call["id"]
    assert header.startswith(f"Root={summary['Id']};")


def test_httpx_between_functions(cloud: LocalCloud) -> None:
    url = Deployer(cloud).outputs["Url"]
    headers = invoke(cloud, "httpx-user", url=url)
    (summary,) = summaries(cloud)
    found = documents(cloud, summary["Id"])
    calls = invocation(found, "httpx-user")["subsegments"]
    assert [each["http"]["request"]["url"] for each in calls] == [f"{url}hello", url]
    assert [each["http"]["response"]["status"] for each in calls] == [200, 200]
    served = [
        each["parent_id"] for each in found if (each["name"], each["origin"]) == ("plain", "AWS::Lambda")
    ]
    assert served == [each["id"] for each in calls]
    assert all(each.startswith(f"Root={summary['Id']};") for each in headers)


def test_nothing_is_patched_for_others(cloud: LocalCloud) -> None:
    invoke(cloud, "sends", queue=cloud.client("sqs").get_queue_url(QueueName="queue")["QueueUrl"])
    before = sum(1 for _ in cloud.world.journal.select("xray.document"))
    cloud.client("sqs").list_queues()
    assert sum(1 for _ in cloud.world.journal.select("xray.document")) == before
