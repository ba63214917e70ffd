"""Kinesis (2 shards) -> Lambda, in batches of 100; put by PutRecords of up to 500.

A shard takes 1,000 records per second of virtual time: what is refused is put again a little later.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from .queue import package, peak_rss_mb, role

HANDLER = """
import base64
import json


def handler(event, context):
    for record in event["Records"]:
        order = json.loads(base64.b64decode(record["kinesis"]["data"]))
        assert order["total"] >= 0
    print("PROCESSED", len(event["Records"]))
"""

PER_CALL = 500


def function(client: Any, handler: str) -> None:
    client("lambda").create_function(
        FunctionName="worker",
        Runtime="python3.11",
        Role=role(client("iam"), ("kinesis:*", "dynamodb:*", "logs:*")),
        Handler="app.handler",
        Code={"ZipFile": package(handler)},
        Timeout=30,
        MemorySize=256,
    )


def build(client: Any, wait: Callable[[float], Any]) -> None:
    """Stream, function and mapping, through boto3, ready to go."""
    kinesis = client("kinesis")
    kinesis.create_stream(StreamName="orders", ShardCount=2)
    while True:
        stream = kinesis.describe_stream_summary(StreamName="orders")["StreamDescriptionSummary"]
        if stream["StreamStatus"] == "ACTIVE":
            break
        wait(1)
    function(client, HANDLER)
    mapping = client("lambda").create_event_source_mapping(
        EventSourceArn=stream["StreamARN"],
        FunctionName="worker",
        BatchSize=100,
        StartingPosition="TRIM_HORIZON",
    )
    until_enabled(client, mapping["UUID"], wait)


def until_enabled(client: Any, mapping: str, wait: Callable[[float], Any]) -> None:
    while client("lambda").get_event_source_mapping(UUID=mapping)["State"] != "Enabled":
        wait(1)


def put(kinesis: Any, records: int, wait: Callable[[float], Any]) -> None:
    for first in range(0, records, PER_CALL):
        entries = [
            {
                "Data": json.dumps({"id": f"order-{n}", "total": n % 97}).encode(),
                "PartitionKey": f"customer-{n % 1009}",
            }
            for n in range(first, min(first + PER_CALL, records))
        ]
        while entries:
            answers = kinesis.put_records(StreamName="orders", Records=entries)["Records"]
            entries = [
                entry for entry, answer in zip(entries, answers, strict=True) if answer.get("ErrorCode")
            ]
            if entries:
                wait(0.2)


def run(messages: int, seed: int = 0) -> dict[str, Any]:
    """Wall time from the first put until everything is processed; an event is one record."""
    from infra.cloud import connect

    cloud = connect("local", seed=seed)
    build(cloud.client, cloud.advance)
    virtual = cloud.elapsed
    started = time.perf_counter()
    put(cloud.client("kinesis"), messages, cloud.advance)
    cloud.settle()
    wall = time.perf_counter() - started
    return result("stream", cloud, messages, wall, cloud.elapsed - virtual)


def result(name: str, cloud: Any, messages: int, wall: float, virtual: float) -> dict[str, Any]:
    processed = sum(entry.data["records"] for entry in cloud.world.journal.select("esm.batch"))
    assert processed == messages, f"{processed} of {messages} records were processed"
    fingerprint = cloud.fingerprint()
    cloud.close()
    return {
        "benchmark": name,
        "events": messages,
        "wall_s": round(wall, 3),
        "events_per_s": round(messages / wall),
        "virtual_s": round(virtual, 3),
        "peak_rss_mb": peak_rss_mb(),
        "fingerprint": fingerprint,
    }


def run_ministack(messages: int) -> dict[str, Any]:
    """The same on MiniStack: until the function's log says that it has processed everything."""
    from tests.ministack import server

    with server() as client:
        build(client, time.sleep)
        started = time.perf_counter()
        put(client("kinesis"), messages, time.sleep)
        wall = until_processed(client("logs"), messages, started)
    return {"ministack_events_per_s": round(messages / wall)}


def until_processed(logs: Any, messages: int, started: float) -> float:
    """Seconds until the log lines of the function add up."""
    processed = 0
    while processed < messages and time.perf_counter() - started < 600:
        time.sleep(0.25)
        ended = time.perf_counter()
        processed = 0
        token: dict[str, str] = {}
        try:
            while True:
                page = logs.filter_log_events(logGroupName="/aws/lambda/worker", limit=10_000, **token)
                for event in page["events"]:
                    words = event["message"].split()
                    if "PROCESSED" in words:
                        processed += int(words[words.index("PROCESSED") + 1])
                if "nextToken" not in page:
                    break
                token = {"nextToken": page["nextToken"]}
        except logs.exceptions.ResourceNotFoundException:
            continue
    return ended - started
