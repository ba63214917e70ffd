"""DynamoDB table -> its stream -> Lambda, in batches of 100; written by one PutItem each."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from .queue import TABLE
from .stream import function, result, until_enabled, until_processed

HANDLER = """
def handler(event, context):
    for record in event["Records"]:
        assert int(record["dynamodb"]["NewImage"]["total"]["N"]) >= 0
    print("PROCESSED", len(event["Records"]))
"""


def build(client: Any, wait: Callable[[float], Any]) -> None:
    """Table with a stream, function and mapping, through boto3, ready to go."""
    view = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    table = client("dynamodb").create_table(**TABLE, StreamSpecification=view)["TableDescription"]
    function(client, HANDLER)
    mapping = client("lambda").create_event_source_mapping(
        EventSourceArn=table["LatestStreamArn"],
        FunctionName="worker",
        BatchSize=100,
        StartingPosition="TRIM_HORIZON",
    )
    until_enabled(client, mapping["UUID"], wait)


def write(dynamodb: Any, items: int) -> None:
    for n in range(items):
        dynamodb.put_item(
            TableName="orders",
            Item={"id": {"S": f"order-{n}"}, "total": {"N": str(n % 97)}, "customer": {"S": "ada"}},
        )


def run(messages: int, seed: int = 0) -> dict[str, Any]:
    """Wall time from the first write until everything is processed; an event is one write."""
    from infra.cloud import connect

    cloud = connect("local", seed=seed)
    build(cloud.client, cloud.advance)
    virtual = cloud.elapsed
    started = time.perf_counter()
    write(cloud.client("dynamodb"), messages)
    cloud.settle()
    wall = time.perf_counter() - started
    return result("table_stream", cloud, messages, wall, cloud.elapsed - virtual)


def run_ministack(messages: int) -> dict[str, Any]:
    """The same on MiniStack: until the function's log says that it has processed everything."""
    from tests.ministack import server

    with server() as client:
        build(client, time.sleep)
        started = time.perf_counter()
        write(client("dynamodb"), messages)
        wall = until_processed(client("logs"), messages, started)
    return {"ministack_events_per_s": round(messages / wall)}
