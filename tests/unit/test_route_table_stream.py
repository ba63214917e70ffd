"""A CDK stack, as a learner writes it: a table, its stream, a function that projects each change."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from infra.cloud import connect

from aws_cdk import CfnOutput, Stack  # isort: skip
from aws_cdk import aws_dynamodb as dynamodb  # isort: skip
from aws_cdk import aws_lambda as lambda_  # isort: skip
from aws_cdk import aws_lambda_event_sources as sources  # isort: skip

HANDLER = """
import json

def handler(event, context):
    for record in event["Records"]:
        change = record["dynamodb"]
        expired = record.get("userIdentity", {}).get("principalId")
        print(json.dumps([record["eventName"], change["Keys"]["id"]["S"], expired]))
"""


class Projected(Stack):
    def __init__(self, scope: Any, identifier: str, **settings: Any) -> None:
        super().__init__(scope, identifier, **settings)
        table = dynamodb.TableV2(
            self,
            "Orders",
            partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING),
            dynamo_stream=dynamodb.StreamViewType.NEW_AND_OLD_IMAGES,
            time_to_live_attribute="ttl",
        )
        function = lambda_.Function(
            self,
            "Projector",
            runtime=lambda_.Runtime.PYTHON_3_12,
            handler="index.handler",
            code=lambda_.Code.from_inline(HANDLER),
        )
        source = sources.DynamoEventSource(
            table,
            starting_position=lambda_.StartingPosition.TRIM_HORIZON,
            batch_size=10,
            filters=[lambda_.FilterCriteria.filter({"eventName": lambda_.FilterRule.not_equals("MODIFY")})],
        )
        function.add_event_source(source)
        CfnOutput(self, "TableName", value=table.table_name)
        CfnOutput(self, "StreamArn", value=str(table.table_stream_arn))
        CfnOutput(self, "FunctionName", value=function.function_name)


@pytest.fixture(scope="module")
def cloud() -> Iterator[Any]:
    with connect("local") as cloud:
        yield cloud


def test_a_table_of_the_cdk_feeds_its_function(cloud: Any) -> None:
    app = cloud.deploy(Projected)
    table = cloud.client("dynamodb")
    name = app["TableName"]
    assert table.describe_table(TableName=name)["Table"]["LatestStreamArn"] == app["StreamArn"]
    now = int(cloud.world.kernel.now // 1_000_000)
    table.put_item(TableName=name, Item={"id": {"S": "a"}, "ttl": {"N": str(now + 60)}})
    table.update_item(
        TableName=name,
        Key={"id": {"S": "a"}},
        UpdateExpression="SET paid = :yes",
        ExpressionAttributeValues={":yes": {"BOOL": True}},
    )
    table.put_item(TableName=name, Item={"id": {"S": "b"}})
    table.delete_item(TableName=name, Key={"id": {"S": "b"}})
    cloud.settle()
    cloud.advance("8d")  # "typically within a few days"
    lines = [line for line in cloud.logs(app["FunctionName"]) if str(message(line))[:1] == "["]
    assert [json.loads(message(line)) for line in lines] == [
        ["INSERT", "a", None],
        ["INSERT", "b", None],
        ["REMOVE", "b", None],
        ["REMOVE", "a", "dynamodb.amazonaws.com"],
    ]


def message(line: Any) -> str:
    return str(line["message"] if isinstance(line, dict) else getattr(line, "message", line)).strip()
