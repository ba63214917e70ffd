"""Log groups that are exported to a bucket."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from infra.cloud.local.cloud import LocalCloud

ACCOUNT = "123456789012"
LOGS = {"Service": "logs.us-east-1.amazonaws.com"}
SOURCE = {
    "StringEquals": {"aws:SourceAccount": [ACCOUNT]},
    "ArnLike": {"aws:SourceArn": [f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:*"]},
}
READ = {"Effect": "Allow", "Action": "s3:GetBucketAcl", "Resource": "arn:aws:s3:::archive", "Principal": LOGS}
WRITE = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::archive/*", "Principal": LOGS}
FULL = {**SOURCE, "StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}}
NOW = 1767603600000
SPAN = {"from": NOW - 60_000, "to": NOW + 60_000}


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    made = LocalCloud()
    s3, logs = made.client("s3"), made.client("logs")
    s3.create_bucket(Bucket="archive")
    logs.create_log_group(logGroupName="shop")
    logs.create_log_stream(logGroupName="shop", logStreamName="/some/stream")
    events = [{"timestamp": NOW + each, "message": f"hello_{each}"} for each in range(2)]
    logs.put_log_events(logGroupName="shop", logStreamName="/some/stream", logEvents=events)
    yield made
    made.close()


def let_in(cloud: LocalCloud, *statements: dict[str, Any]) -> None:
    """As the user guide and moto's verified tests say."""
    policy = {"Version": "2012-10-17", "Statement": list(statements)}
    cloud.client("s3").put_bucket_policy(Bucket="archive", Policy=json.dumps(policy))


def test_an_export(cloud: LocalCloud) -> None:
    let_in(cloud, {**READ, "Condition": SOURCE}, {**WRITE, "Condition": FULL})
    s3, logs = cloud.client("s3"), cloud.client("logs")
    task = logs.create_export_task(logGroupName="shop", destination="archive", **SPAN)["taskId"]
    assert (
        s3.get_object(Bucket="archive", Key="aws-logs-write-test")["Body"].read()
        == b"Permission Check Successful"
    )
    hasty = cloud.world.session.client("logs", config=Config(retries={"max_attempts": 0}))
    with pytest.raises(hasty.exceptions.LimitExceededException, match="Resource limit exceeded"):
        hasty.create_export_task(logGroupName="shop", destination="archive", **SPAN)
    (shown,) = logs.describe_export_tasks(taskId=task)["exportTasks"]
    assert shown["status"]["code"] == "PENDING"
    cloud.advance("2 s")
    (shown,) = logs.describe_export_tasks(statusCode="COMPLETED")["exportTasks"]
    assert {name: shown[name] for name in shown if name != "executionInfo"} == {
        "taskId": task,
        "logGroupName": "shop",
        "destination": "archive",
        "destinationPrefix": "exportedlogs",
        **SPAN,
        "status": {"code": "COMPLETED", "message": "Completed successfully"},
    }
    body = s3.get_object(Bucket="archive", Key=f"exportedlogs/{task}/-some-stream/000000.gz")["Body"].read()
    assert gzip.decompress(body).decode() == (
        "2026-01-05T09:00:00.000Z hello_0\n2026-01-05T09:00:00.001Z hello_1\n"
    )
    with pytest.raises(logs.exceptions.InvalidOperationException):
        logs.cancel_export_task(taskId=task)


def test_an_export_that_is_cancelled(cloud: LocalCloud) -> None:
    let_in(cloud, READ, WRITE)
    s3, logs = cloud.client("s3"), cloud.client("logs")
    task = logs.create_export_task(
        logGroupName="shop", destination="archive", destinationPrefix="old", **SPAN
    )["taskId"]
    logs.cancel_export_task(taskId=task)
    cloud.advance("2 s")
    assert [each["Key"] for each in s3.list_objects_v2(Bucket="archive")["Contents"]] == [
        "old/aws-logs-write-test"
    ]
    (shown,) = logs.describe_export_tasks(taskId=task)["exportTasks"]
    assert shown["status"]["code"] == "CANCELLED"


@pytest.mark.parametrize(
    ("statements", "group", "bucket", "code", "message"),
    [
        (
            [READ, WRITE],
            "shop",
            "368a7022dea3dd621",
            "InvalidParameterException",
            "The given bucket does not exist. Please make sure the bucket is valid.",
        ),
        (
            [READ, WRITE],
            "missing",
            "archive",
            "ResourceNotFoundException",
            "The specified log group does not exist.",
        ),
        ([WRITE], "shop", "archive", "InvalidParameterException", "GetBucketAcl call on the given bucket"),
        ([READ], "shop", "archive", "InvalidParameterException", "PutObject call on the given bucket failed"),
    ],
)
def test_exports_that_are_refused(
    cloud: LocalCloud, statements: list[dict[str, Any]], group: str, bucket: str, code: str, message: str
) -> None:
    let_in(cloud, *statements)
    with pytest.raises(ClientError, match=message) as caught:
        cloud.client("logs").create_export_task(logGroupName=group, destination=bucket, **SPAN)
    assert caught.value.response["Error"]["Code"] == code


def test_an_unknown_export(cloud: LocalCloud) -> None:
    logs = cloud.client("logs")
    with pytest.raises(logs.exceptions.ResourceNotFoundException):
        logs.describe_export_tasks(taskId="368a7022dea3dd621")
