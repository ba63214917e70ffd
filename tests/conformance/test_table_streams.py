"""Runs ``table_streams.json``: calls of DynamoDB on ``table``, and the records of its stream."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from infra.cloud.local.world import World

CASES = json.loads(Path(__file__).with_name("table_streams.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in CASES])
def test_case(case: dict[str, Any]) -> None:
    world = World(latency={"*": 0})
    try:
        table, streams = world.client("dynamodb"), world.client("dynamodbstreams")
        key, kind = case["key"], case.get("key_type", "S")
        arn = table.create_table(
            TableName="table",
            KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": kind}],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": case["view"]},
        )["TableDescription"]["LatestStreamArn"]
        for operation, params in case["calls"]:
            getattr(table, operation)(**params)
        (shard,) = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
        where = {"StreamArn": arn, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
        iterator = streams.get_shard_iterator(**where)["ShardIterator"]
        found = []
        for record in streams.get_records(ShardIterator=iterator)["Records"]:
            change = record["dynamodb"]
            assert change["StreamViewType"] == case["view"]
            names = ("Keys", "NewImage", "OldImage", "SizeBytes")
            shown = {name: change[name] for name in names if name in change}
            found.append({"eventName": record["eventName"], **shown})
        assert found == case["records"]
    finally:
        world.close()
