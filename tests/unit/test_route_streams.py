"""Streams from a CDK stack: Kinesis and a table's stream to functions, failures to a queue and a bucket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.cloud import connect

ORDERS = """
import base64
import json

def handler(event, context):
    for record in event["Records"]:
        order = json.loads(base64.b64decode(record["kinesis"]["data"]))
        if order.get("poison"):
            raise ValueError(order["id"])
        print("ORDER", order["id"])
"""

CHANGES = """
def handler(event, context):
    for record in event["Records"]:
        change = record["dynamodb"]
        print("CHANGE", record["eventName"], change["Keys"]["id"]["S"])
        if change.get("NewImage", {}).get("bad"):
            raise ValueError("bad")
"""


class Streams(cdk.Stack):
    """A stream read with a poller and by a consumer with enhanced fan-out, and a table's stream."""

    def __init__(self, scope: Construct, name: str, **rest: Any) -> None:
        super().__init__(scope, name, **rest)
        stream = kinesis.Stream(self, "Orders", shard_count=2, retention_period=cdk.Duration.hours(48))
        failed = sqs.Queue(self, "Failed")
        worker = self._function("Worker", ORDERS)
        worker.add_event_source(
            sources.KinesisEventSource(
                stream,
                starting_position=lambda_.StartingPosition.TRIM_HORIZON,
                batch_size=10,
                bisect_batch_on_error=True,
                retry_attempts=1,
                on_failure=sources.SqsDlq(failed),
            )
        )
        fast = self._function("Fast", ORDERS)
        consumer = kinesis.StreamConsumer(self, "Consumer", stream_consumer_name="fast", stream=stream)
        fast.add_event_source(
            sources.KinesisConsumerEventSource(
                consumer,
                starting_position=lambda_.StartingPosition.LATEST,
                filters=[
                    lambda_.FilterCriteria.filter({"data": {"total": lambda_.FilterRule.between(100, 200)}})
                ],
            )
        )
        table = dynamodb.Table(
            self,
            "Table",
            partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING),
            stream=dynamodb.StreamViewType.NEW_AND_OLD_IMAGES,
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
        )
        bucket = s3.Bucket(self, "Bucket")
        watcher = self._function("Watcher", CHANGES)
        watcher.add_event_source(
            sources.DynamoEventSource(
                table,
                starting_position=lambda_.StartingPosition.LATEST,
                retry_attempts=0,
                on_failure=sources.S3OnFailureDestination(bucket),
                filters=[lambda_.FilterCriteria.filter({"eventName": lambda_.FilterRule.is_equal("INSERT")})],
            )
        )
        for name, value in {
            "Stream": stream.stream_name,
            "Queue": failed.queue_url,
            "Worker": worker.function_name,
            "Fast": fast.function_name,
            "Table": table.table_name,
            "Bucket": bucket.bucket_name,
            "Watcher": watcher.function_name,
        }.items():
            cdk.CfnOutput(self, f"{name}Name", value=value)

    def _function(self, name: str, code: str) -> lambda_.Function:
        return lambda_.Function(
            self,
            name,
            runtime=lambda_.Runtime.PYTHON_3_11,
            handler="index.handler",
            code=lambda_.Code.from_inline(code),
        )


@pytest.fixture(scope="module")
def cloud() -> Iterator[Any]:
    cloud = connect("local")
    yield cloud
    cloud.close()


@pytest.fixture(scope="module")
def app(cloud: Any) -> Any:
    return cloud.deploy(Streams)


def lines(cloud: Any, function: str, word: str) -> list[str]:
    """What a function has printed behind a word."""
    events = cloud.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{function}")["events"]
    messages = [event["message"].strip() for event in events]
    return [message.removeprefix(f"{word} ") for message in messages if message.startswith(word)]


def test_records_reach_both_readers_and_a_poison_record_the_queue(cloud: Any, app: Any) -> None:
    stream = cloud.client("kinesis")
    shown = stream.describe_stream_summary(StreamName=app["StreamName"])["StreamDescriptionSummary"]
    assert (shown["OpenShardCount"], shown["RetentionPeriodHours"]) == (2, 48)
    orders = [{"id": "a", "total": 50}, {"id": "b", "total": 150}, {"id": "c", "total": 1, "poison": True},
              {"id": "d", "total": 120}]  # fmt: skip
    records = [{"Data": json.dumps(order), "PartitionKey": "ada"} for order in orders]
    stream.put_records(StreamName=app["StreamName"], Records=records)
    cloud.settle()
    assert lines(cloud, app["WorkerName"], "ORDER")[-3:] == ["a", "b", "d"]
    assert lines(cloud, app["FastName"], "ORDER") == ["b", "d"]
    [message] = cloud.client("sqs").receive_message(QueueUrl=app["QueueName"])["Messages"]
    document = json.loads(message["Body"])
    assert document["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert document["KinesisBatchInfo"]["batchSize"] == 1
    age = cloud.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName="IteratorAge",
        Dimensions=[{"Name": "FunctionName", "Value": app["WorkerName"]}],
        StartTime=cloud.world.datetime(cloud.world.started),
        EndTime=cloud.world.datetime(cloud.world.kernel.now + 60_000_000),
        Period=86_400,
        Statistics=["Maximum"],
    )["Datapoints"]
    assert 1_000 < age[0]["Maximum"] < 10_000


def test_one_trace_spans_the_put_and_the_invocation(cloud: Any, app: Any) -> None:
    cloud.client("kinesis").put_record(
        StreamName=app["StreamName"], Data=json.dumps({"id": "t", "total": 1}), PartitionKey="t"
    )
    cloud.settle()
    entries = list(cloud.world.journal.select("kinesis.put", "lambda.invocation"))
    assert entries[-1].trace
    assert entries[-1].trace == entries[-2].trace


def test_changes_of_a_table_reach_the_watcher_and_failed_ones_the_bucket(cloud: Any, app: Any) -> None:
    table, bucket = cloud.client("dynamodb"), app["BucketName"]
    table.put_item(TableName=app["TableName"], Item={"id": {"S": "1"}})
    table.put_item(TableName=app["TableName"], Item={"id": {"S": "1"}, "more": {"S": "x"}})
    cloud.settle()
    assert lines(cloud, app["WatcherName"], "CHANGE") == ["INSERT 1"]
    table.put_item(TableName=app["TableName"], Item={"id": {"S": "2"}, "bad": {"BOOL": True}})
    cloud.settle()
    [found] = cloud.client("s3").list_objects_v2(Bucket=bucket)["Contents"]
    assert found["Key"].startswith("aws/lambda/")
    assert "/2026/01/05/2026-01-05T09." in found["Key"]
    document = json.loads(cloud.client("s3").get_object(Bucket=bucket, Key=found["Key"])["Body"].read())
    assert document["DDBStreamBatchInfo"]["batchSize"] == 1
    assert json.loads(document["payload"])["Records"][0]["dynamodb"]["Keys"] == {"id": {"S": "2"}}


def test_another_service_delivers_to_the_stream_by_its_arn(cloud: Any, app: Any) -> None:
    from infra.cloud.local.routes.targets import Delivery, deliver
    from infra.cloud.local.service import Caller

    arn = f"arn:aws:kinesis:us-east-1:123456789012:stream/{app['StreamName']}"
    delivery = Delivery(arn, '{"id": "x", "total": 1}', Caller("service", "events"), partition_key="p")
    answer = cloud.world.kernel.call(deliver, cloud.world, delivery, name="deliver", context=delivery.caller)
    assert answer["ShardId"].startswith("shardId-")
    cloud.settle()
    assert lines(cloud, app["WorkerName"], "ORDER")[-1] == "x"
