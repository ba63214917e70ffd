"""SNS topic -> 3 SQS queues -> 3 Lambda functions, in batches of 10; published ten at a time."""

from __future__ import annotations

import json
import time
from typing import Any

from .queue import package, peak_rss_mb, role

HANDLER = """
import json


def handler(event, context):
    for record in event["Records"]:
        order = json.loads(json.loads(record["body"])["Message"])
        assert order["total"] >= 0
"""

TEAMS = ("billing", "shipping", "analytics")


def build(client: Any, role_arn: str) -> tuple[str, list[str]]:
    """Topic, queues, functions and mappings, through boto3; returns the topic's ARN and the queues' URLs."""
    sns, sqs, functions = client("sns"), client("sqs"), client("lambda")
    topic: str = sns.create_topic(Name="orders")["TopicArn"]
    code = package(HANDLER)
    urls = []
    for team in TEAMS:
        url = sqs.create_queue(QueueName=team, Attributes={"VisibilityTimeout": "180"})["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        functions.create_function(
            FunctionName=team,
            Runtime="python3.11",
            Role=role_arn,
            Handler="app.handler",
            Code={"ZipFile": code},
            Timeout=30,
            MemorySize=256,
        )
        functions.create_event_source_mapping(EventSourceArn=arn, FunctionName=team, BatchSize=10)
        urls.append(url)
    return topic, urls


def publish(sns: Any, topic: str, messages: int) -> None:
    for first in range(0, messages, 10):
        sns.publish_batch(
            TopicArn=topic,
            PublishBatchRequestEntries=[
                {"Id": str(n), "Message": json.dumps({"id": f"order-{n}", "total": n % 97})}
                for n in range(first, min(first + 10, messages))
            ],
        )


def left(sqs: Any, urls: list[str]) -> int:
    """How many messages the queues hold, visible or in flight."""
    total = 0
    for url in urls:
        found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        total += int(found["ApproximateNumberOfMessages"])
        total += int(found["ApproximateNumberOfMessagesNotVisible"])
    return total


def run(messages: int, seed: int = 0) -> dict[str, Any]:
    """Wall time from the first publish until every queue is empty; an event is one delivery."""
    from infra.cloud import connect

    cloud = connect("local", seed=seed)
    topic, urls = build(cloud.client, role(cloud.client("iam")))
    virtual = cloud.elapsed
    started = time.perf_counter()
    publish(cloud.client("sns"), topic, messages)
    cloud.settle()
    wall = time.perf_counter() - started
    virtual = cloud.elapsed - virtual
    assert left(cloud.client("sqs"), urls) == 0
    processed = sum(
        len(entry.data["messages"])
        for entry in cloud.world.journal.select("sqs.deleted")  # type: ignore[attr-defined]
    )
    events = messages * len(TEAMS)
    assert processed == events, f"{processed} of {events} deliveries were processed"
    fingerprint = cloud.fingerprint()  # type: ignore[attr-defined]
    cloud.close()
    return {
        "benchmark": "fan_out",
        "messages": messages,
        "events": events,
        "wall_s": round(wall, 3),
        "events_per_s": round(events / wall),
        "virtual_s": round(virtual, 3),
        "peak_rss_mb": peak_rss_mb(),
        "fingerprint": fingerprint,
    }


def run_ministack(messages: int) -> dict[str, Any]:
    """The same on MiniStack: until the queues have been empty twice in a row."""
    from tests.ministack import server

    with server() as client:
        topic, urls = build(client, role(client("iam")))
        sqs = client("sqs")
        started = time.perf_counter()
        publish(client("sns"), topic, messages)
        empty = 0
        while empty < 2 and time.perf_counter() - started < 600:
            empty = empty + 1 if left(sqs, urls) == 0 else 0
            if empty == 1:
                ended = time.perf_counter()
            time.sleep(0.05)
        wall = ended - started
    return {"ministack_events_per_s": round(messages * len(TEAMS) / wall)}
