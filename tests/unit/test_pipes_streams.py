"""Pipes that read streams: the form of events, order, retries, bisection, the dead-letter queue."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.unit.pipes_world import ACCOUNT, PipesWorld

STREAM = f"arn:aws:kinesis:us-east-1:{ACCOUNT}:stream/orders"
DEAD = f"arn:aws:sqs:us-east-1:{ACCOUNT}:dead"


@pytest.fixture
def cloud() -> Iterator[PipesWorld]:
    world = PipesWorld()
    kinesis = world.world.client("kinesis")
    kinesis.create_stream(StreamName="orders", ShardCount=1)
    world.advance(60)
    yield world
    world.close()


def put(cloud: PipesWorld, *orders: Any) -> None:
    for order in orders:
        cloud.world.client("kinesis").put_record(
            StreamName="orders", Data=json.dumps(order).encode(), PartitionKey="k"
        )


def kinesis(**params: Any) -> dict[str, Any]:
    return {"KinesisStreamParameters": {"StartingPosition": "TRIM_HORIZON", **params}}


def test_records_arrive_flat_and_in_order(cloud: PipesWorld) -> None:
    put(cloud, {"n": 1}, {"n": 2}, {"n": 3})
    pattern = json.dumps({"data": {"n": [{"numeric": [">", 1]}]}})
    cloud.pipe(
        source=STREAM,
        SourceParameters={**kinesis(), "FilterCriteria": {"Filters": [{"Pattern": pattern}]}},
        TargetParameters={
            "InputTemplate": '{"n": <$.data.n>, "key": <$.partitionKey>, "e": <aws.pipes.event>}'
        },
    )
    put(cloud, {"n": 4})
    cloud.kernel.settle()
    found = cloud.delivered()
    assert [(event["n"], event["key"]) for event in found] == [(2, "k"), (3, "k"), (4, "k")]
    record = found[0]["e"]
    assert record["eventSource"] == "aws:kinesis"
    assert record["eventSourceARN"] == STREAM
    assert {"data", "partitionKey", "sequenceNumber", "approximateArrivalTimestamp"} <= set(record)


POISON = """
import base64
import json


def handler(event, context):
    numbers = [json.loads(base64.b64decode(item["data"]))["n"] for item in event]
    print(numbers)
    if 3 in numbers:
        raise ValueError(numbers)
"""


def test_a_poison_record_is_isolated_and_given_up(cloud: PipesWorld) -> None:
    dead = cloud.queue("dead")
    put(cloud, *({"n": n} for n in range(1, 5)))
    arn = cloud.pipe(
        cloud.function("target", POISON),
        source=STREAM,
        SourceParameters=kinesis(
            MaximumRetryAttempts=1,
            OnPartialBatchItemFailure="AUTOMATIC_BISECT",
            DeadLetterConfig={"Arn": DEAD},
        ),
    )
    cloud.advance(120)
    printed = [
        event["message"].strip()
        for event in cloud.world.client("logs").filter_log_events(
            logGroupName="/aws/lambda/target", filterPattern='"["'
        )["events"]
        if event["message"].startswith("[") and "]\n" in event["message"] and "ERROR" not in event["message"]
    ]
    assert printed == ["[1, 2, 3, 4]", "[1, 2]", "[3, 4]", "[3]", "[3]", "[4]"]
    (message,) = cloud.messages(dead)
    body = json.loads(message["Body"])
    assert body["context"] == {"partnerResourceArn": arn, "condition": "RetryAttemptsExhausted"}
    assert body["KinesisBatchInfo"]["batchSize"] == 1
    assert body["KinesisBatchInfo"]["streamArn"] == STREAM


def test_reported_failures_are_tried_again(cloud: PipesWorld) -> None:
    code = """
seen = {}


def handler(event, context):
    failed = []
    for item in event:
        number = item["sequenceNumber"]
        seen[number] = seen.get(number, 0) + 1
        if seen[number] == 1:
            failed.append({"itemIdentifier": number})
    return {"batchItemFailures": failed}
"""
    put(cloud, {"n": 1}, {"n": 2})
    cloud.pipe(cloud.function("target", code), source=STREAM, SourceParameters=kinesis())
    cloud.advance(60)
    outcomes = [entry.outcome for entry in cloud.world.journal.select("pipes.execution")]
    assert outcomes == ["failed", "ok"]


def test_a_stopped_pipe_goes_on_where_it_was(cloud: PipesWorld) -> None:
    cloud.pipe(source=STREAM, SourceParameters=kinesis(), TargetParameters={"InputTemplate": "<$.data>"})
    put(cloud, {"n": 1})
    cloud.kernel.settle()
    cloud.pipes.stop_pipe(Name="p")
    cloud.kernel.settle()
    put(cloud, {"n": 2})
    cloud.kernel.settle()
    cloud.pipes.start_pipe(Name="p")
    cloud.kernel.settle()
    assert cloud.delivered() == [{"n": 1}, {"n": 2}]


def test_a_table_stream(cloud: PipesWorld) -> None:
    dynamodb = cloud.world.client("dynamodb")
    made = dynamodb.create_table(
        TableName="orders",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )["TableDescription"]
    pattern = json.dumps({"eventName": ["INSERT"]})
    cloud.pipe(
        source=made["LatestStreamArn"],
        SourceParameters={
            "DynamoDBStreamParameters": {"StartingPosition": "LATEST", "BatchSize": 1},
            "FilterCriteria": {"Filters": [{"Pattern": pattern}]},
        },
        TargetParameters={"InputTemplate": '{"id": <$.dynamodb.NewImage.id.S>, "what": <$.eventName>}'},
    )
    for total in ("1", "2"):
        dynamodb.put_item(TableName="orders", Item={"id": {"S": "o-1"}, "total": {"N": total}})
    cloud.kernel.settle()
    assert cloud.delivered() == [{"id": "o-1", "what": "INSERT"}]
