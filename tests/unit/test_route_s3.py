"""A CDK stack, as a learner writes it: a bucket that tells a function, a queue and the default bus."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from infra.cloud import connect

from aws_cdk import CfnOutput, Duration, RemovalPolicy, Stack  # isort: skip
from aws_cdk import aws_events as events  # isort: skip
from aws_cdk import aws_events_targets as targets  # isort: skip
from aws_cdk import aws_lambda as lambda_  # isort: skip
from aws_cdk import aws_s3 as s3  # isort: skip
from aws_cdk import aws_s3_notifications as notifications  # isort: skip
from aws_cdk import aws_sqs as sqs  # isort: skip

HANDLER = """
import boto3
from urllib.parse import unquote_plus

def handler(event, context):
    s3 = boto3.client("s3")
    for record in event["Records"]:
        bucket, thing = record["s3"]["bucket"]["name"], record["s3"]["object"]
        key = unquote_plus(thing["key"])
        body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        s3.put_object(Bucket=bucket, Key=key.replace("in/", "out/"), Body=body.upper())
"""


class Processed(Stack):
    def __init__(self, scope: Any, identifier: str, **settings: Any) -> None:
        super().__init__(scope, identifier, **settings)
        bucket = s3.Bucket(
            self,
            "Uploads",
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            event_bridge_enabled=True,
            versioned=True,
            removal_policy=RemovalPolicy.DESTROY,
            auto_delete_objects=True,
            cors=[s3.CorsRule(allowed_methods=[s3.HttpMethods.GET], allowed_origins=["*"])],
            lifecycle_rules=[s3.LifecycleRule(expiration=Duration.days(30), prefix="out/")],
        )
        function = lambda_.Function(
            self,
            "Processor",
            runtime=lambda_.Runtime.PYTHON_3_12,
            handler="index.handler",
            code=lambda_.Code.from_inline(HANDLER),
        )
        bucket.grant_read_write(function)
        done, seen = sqs.Queue(self, "Done"), sqs.Queue(self, "Seen")
        bucket.add_event_notification(
            s3.EventType.OBJECT_CREATED,
            notifications.LambdaDestination(function),
            s3.NotificationKeyFilter(prefix="in/"),
        )
        bucket.add_event_notification(
            s3.EventType.OBJECT_CREATED,
            notifications.SqsDestination(done),
            s3.NotificationKeyFilter(prefix="out/"),
        )
        events.Rule(
            self,
            "Created",
            event_pattern=events.EventPattern(
                source=["aws.s3"],
                detail_type=["Object Created"],
                detail={"object": {"key": [{"suffix": ".txt"}]}},
            ),
            targets=[targets.SqsQueue(seen)],
        )
        CfnOutput(self, "BucketName", value=bucket.bucket_name)
        CfnOutput(self, "DoneUrl", value=done.queue_url)
        CfnOutput(self, "SeenUrl", value=seen.queue_url)


@pytest.fixture(scope="module")
def cloud() -> Iterator[Any]:
    with connect("local") as cloud:
        yield cloud


def bodies(cloud: Any, url: str) -> list[dict[str, Any]]:
    answer = cloud.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10)
    return [json.loads(message["Body"]) for message in answer.get("Messages", [])]


def test_an_upload_is_processed_and_told_on(cloud: Any) -> None:
    app = cloud.deploy(Processed)
    s3_api, bucket = cloud.client("s3"), app["BucketName"]
    s3_api.put_object(Bucket=bucket, Key="in/my file.txt", Body=b"hello")
    cloud.settle()
    assert s3_api.get_object(Bucket=bucket, Key="out/my file.txt")["Body"].read() == b"HELLO"
    records = [record for body in bodies(cloud, app["DoneUrl"]) for record in body.get("Records", ())]
    assert [(each["eventName"], each["s3"]["object"]["key"]) for each in records] == [
        ("ObjectCreated:Put", "out/my+file.txt")
    ]
    seen = sorted(body["detail"]["object"]["key"] for body in bodies(cloud, app["SeenUrl"]))
    assert seen == ["in/my file.txt", "out/my file.txt"]
    deliveries = [*cloud.world.journal.select("s3.delivery")]
    assert {entry.outcome for entry in deliveries} == {"ok"}
    assert len({entry.trace for entry in deliveries}) == 1  # one trace spans every hop


def test_the_stack_empties_and_deletes_its_bucket(cloud: Any) -> None:
    cloud.client("cloudformation").delete_stack(StackName="Processed")
    cloud.settle()
    names = [bucket["Name"] for bucket in cloud.client("s3").list_buckets()["Buckets"]]
    assert not [name for name in names if "uploads" in name]
