"""Where the record of an asynchronous invocation arrives, and in which form: topic, event bus, bucket."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.cloud.local.world import World

from .test_lambda_recursion import function

ACCOUNT = "123456789012"
FAILS = """
def handler(event, context):
    if event.get("fail"):
        raise ValueError("no")
    return {"done": event["n"]}
"""


def inbox(world: World, source: str) -> str:
    """A queue that anybody may send to; ``source`` names it."""
    sqs = world.client("sqs")
    arn = f"arn:aws:sqs:us-east-1:{ACCOUNT}:{source}"
    allow = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    sqs.create_queue(QueueName=source, Attributes={"Policy": policy})
    return arn


def bodies(world: World, queue: str) -> list[Any]:
    answer = world.client("sqs").receive_message(QueueUrl=queue.rpartition(":")[2], MaxNumberOfMessages=10)
    return [json.loads(message["Body"]) for message in answer.get("Messages", [])]


def run(world: World, destinations: dict[str, Any], event: dict[str, Any]) -> None:
    function(world, "worker", FAILS)
    functions = world.client("lambda")
    functions.put_function_event_invoke_config(
        FunctionName="worker", MaximumRetryAttempts=0, DestinationConfig=destinations
    )
    functions.invoke(FunctionName="worker", InvocationType="Event", Payload=json.dumps(event).encode())
    world.kernel.settle()


def test_a_topic_gets_the_record_as_its_message(world: World) -> None:
    queue = inbox(world, "inbox")
    sns = world.client("sns")
    topic = sns.create_topic(Name="results")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    run(world, {"OnSuccess": {"Destination": topic}}, {"n": 1})
    (envelope,) = bodies(world, queue)
    record = json.loads(envelope["Message"])
    assert record["requestContext"]["condition"] == "Success"
    assert record["responsePayload"] == {"done": 1}


@pytest.mark.parametrize(
    ("event", "member", "result"), [({"n": 1}, "OnSuccess", "Success"), ({"fail": 1}, "OnFailure", "Failure")]
)
def test_an_event_bus_gets_an_event(world: World, event: dict[str, Any], member: str, result: str) -> None:
    queue = inbox(world, "inbox")
    events = world.client("events")
    bus = events.create_event_bus(Name="results")["EventBusArn"]
    events.put_rule(Name="all", EventBusName="results", EventPattern=json.dumps({"source": ["lambda"]}))
    events.put_targets(Rule="all", EventBusName="results", Targets=[{"Id": "1", "Arn": queue}])
    run(world, {member: {"Destination": bus}}, event)
    (found,) = bodies(world, queue)
    assert found["detail-type"] == f"Lambda Function Invocation Result - {result}"
    assert found["resources"] == [bus, f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:worker:$LATEST"]
    assert found["detail"]["requestPayload"] == event


def test_a_bucket_gets_an_object_for_a_failure(world: World) -> None:
    s3 = world.client("s3")
    s3.create_bucket(Bucket="failures")
    run(world, {"OnFailure": {"Destination": "arn:aws:s3:::failures"}}, {"fail": 1})
    (found,) = s3.list_objects_v2(Bucket="failures")["Contents"]
    assert found["Key"].startswith("aws/lambda/async/worker/2026/01/05/2026-01-05T09.")
    record = json.loads(s3.get_object(Bucket="failures", Key=found["Key"])["Body"].read())
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["responsePayload"]["errorType"] == "ValueError"


def test_one_trace_goes_through_function_topic_and_queue(world: World) -> None:
    queue = inbox(world, "inbox")
    sns = world.client("sns")
    topic = sns.create_topic(Name="results")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    run(world, {"OnSuccess": {"Destination": topic}}, {"n": 1})
    (sent,) = world.journal.select("sqs.sent")
    (invocation,) = world.journal.select("lambda.invocation")
    assert str(sent.trace) == str(invocation.trace) != ""
