"""A table's changes as records of a data stream: what they say, when they come, what the API answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.cloud import connect
from infra.cloud.local.cloud import LocalCloud
from infra.deploy import DeployFailed


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with connect("local") as opened:
        assert isinstance(opened, LocalCloud)
        yield opened


TEMPLATE = """
Resources:
  Stream: {{Type: AWS::Kinesis::Stream, Properties: {{ShardCount: 1, RetentionPeriodHours: 168}}}}
  Other: {{Type: AWS::Kinesis::Stream, Properties: {{ShardCount: 1}}}}
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: TestTable
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{{AttributeName: id, AttributeType: S}}]
      KeySchema: [{{AttributeName: id, KeyType: HASH}}]
      TimeToLiveSpecification: {{AttributeName: until, Enabled: true}}
      {0}
Outputs:
  Stream: {{Value: !Ref Stream}}
  Other: {{Value: !Ref Other}}
"""


def deploy(cloud: LocalCloud, folder: Path, specification: str) -> Any:
    (folder / "changes.yaml").write_text(TEMPLATE.format(specification))
    return cloud.deploy(folder / "changes.yaml")


def records(cloud: LocalCloud, name: str) -> list[Any]:
    kinesis = cloud.client("kinesis")
    [shard] = kinesis.list_shards(StreamName=name)["Shards"]
    start = {"StreamName": name, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
    found = kinesis.get_records(ShardIterator=kinesis.get_shard_iterator(**start)["ShardIterator"])
    return [json.loads(each["Data"]) for each in found["Records"]]


def test_records_are_as_recorded_on_aws(cloud: LocalCloud, tmp_path: Path) -> None:
    """https://github.com/localstack/localstack/issues/4351"""
    app = deploy(cloud, tmp_path, "KinesisStreamSpecification: {StreamArn: !GetAtt Stream.Arn}")
    table = cloud.resource("dynamodb").Table("TestTable")
    for title in ("Call Me", "Call Me2", "Call Me2"):
        table.put_item(Item={"id": "42", "SongTitle": title})
        cloud.sleep(1)
    table.put_item(Item={"id": "7", "until": int(cloud.now.timestamp()) + 60})
    cloud.advance("3d")
    inserted, modified, _, expired = records(cloud, app["Stream"])
    assert len(modified.pop("eventID")) == 36
    millis = modified["dynamodb"].pop("ApproximateCreationDateTime")
    assert abs(millis - cloud.now.timestamp() * 1000 + 3 * 86_400_000) < 60_000
    assert modified == {
        "awsRegion": "us-east-1",
        "eventName": "MODIFY",
        "userIdentity": None,
        "recordFormat": "application/json",
        "tableName": "TestTable",
        "dynamodb": {
            "Keys": {"id": {"S": "42"}},
            "NewImage": {"id": {"S": "42"}, "SongTitle": {"S": "Call Me2"}},
            "OldImage": {"id": {"S": "42"}, "SongTitle": {"S": "Call Me"}},
            "SizeBytes": 45,
        },
        "eventSource": "aws:dynamodb",
    }
    assert (inserted["eventName"], "OldImage" in inserted["dynamodb"]) == ("INSERT", False)
    assert (expired["eventName"], expired["userIdentity"]["type"]) == ("REMOVE", "Service")


def test_an_update_moves_the_changes_to_another_stream(cloud: LocalCloud, tmp_path: Path) -> None:
    table = cloud.resource("dynamodb").Table("TestTable")
    deploy(cloud, tmp_path, "KinesisStreamSpecification: {StreamArn: !GetAtt Stream.Arn}")
    moved = "{StreamArn: !GetAtt Other.Arn, ApproximateCreationDateTimePrecision: MICROSECOND}"
    app = deploy(cloud, tmp_path, f"KinesisStreamSpecification: {moved}")
    table.put_item(Item={"id": "1"})
    cloud.settle()
    assert records(cloud, app["Stream"]) == []
    [change] = [each["dynamodb"] for each in records(cloud, app["Other"])]
    assert change["ApproximateCreationDateTimePrecision"] == "MICROSECOND"
    assert change["ApproximateCreationDateTime"] > 10**15
    deploy(cloud, tmp_path, "")
    table.put_item(Item={"id": "2"})
    cloud.settle()
    assert len(records(cloud, app["Other"])) == 1


def test_one_stream_at_a_time(cloud: LocalCloud, tmp_path: Path) -> None:
    app = deploy(cloud, tmp_path, "")
    api = cloud.client("dynamodb")
    arn = f"arn:aws:kinesis:us-east-1:123456789012:stream/{app['Stream']}"
    table = {"TableName": "TestTable"}
    nowhere = {**table, "StreamArn": arn + "-none"}
    assert api.describe_kinesis_streaming_destination(**table)["KinesisDataStreamDestinations"] == []
    assert api.enable_kinesis_streaming_destination(**nowhere)["DestinationStatus"] == "ENABLING"
    cloud.sleep(3)
    enabled = api.enable_kinesis_streaming_destination(**table, StreamArn=arn)
    assert enabled["EnableKinesisStreamingConfiguration"] == {}
    with pytest.raises(ClientError, match="must be DISABLED or ENABLE_FAILED to perform ENABLE operation"):
        api.enable_kinesis_streaming_destination(**nowhere)
    with pytest.raises(ClientError, match="must be ACTIVE to perform DISABLE operation"):
        api.disable_kinesis_streaming_destination(**table, StreamArn=arn)
    cloud.sleep(7)
    shown = api.describe_kinesis_streaming_destination(**table)["KinesisDataStreamDestinations"]
    assert shown == [
        {"StreamArn": arn, "DestinationStatus": "ACTIVE"},
        {
            "StreamArn": arn + "-none",
            "DestinationStatus": "ENABLE_FAILED",
            "DestinationStatusDescription": "User does not have a permission to use kinesis stream",
        },
    ]
    with pytest.raises(DeployFailed, match=r"Table .*User does not have a permission to use kinesis stream"):
        deploy(cloud, tmp_path, f"KinesisStreamSpecification: {{StreamArn: {arn}-none}}")
    with pytest.raises(ClientError, match="Requested resource not found"):
        api.describe_kinesis_streaming_destination(TableName="none")
