"""1,000 concurrent executions of one function, every one a cold start."""

from __future__ import annotations

import time
from typing import Any

from . import queue

HANDLER = """
import os
import time

import boto3
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType

processor = BatchProcessor(event_type=EventType.SQS)
dynamodb = boto3.client("dynamodb")


def handler(event, context):
    time.sleep(10)
    return context.log_stream_name
"""


def run(executions: int = 1_000) -> dict[str, Any]:
    from infra.cloud import connect

    cloud = connect("local")
    lambda_ = cloud.client("lambda")
    lambda_.create_function(
        FunctionName="burst",
        Runtime="python3.11",
        Role=queue.role(cloud.client("iam")),
        Handler="app.handler",
        Code={"ZipFile": queue.package(HANDLER)},
        Timeout=60,
    )
    answers: list[bytes] = []

    def invoke() -> None:
        answers.append(lambda_.invoke(FunctionName="burst")["Payload"].read())

    started = time.perf_counter()
    for _ in range(executions):
        cloud.spawn(invoke)
    cloud.settle()
    wall = time.perf_counter() - started
    environments = len(set(answers))
    assert environments == executions, f"{environments} environments for {executions} concurrent executions"
    cloud.close()
    return {
        "benchmark": "burst",
        "executions": executions,
        "wall_s": round(wall, 3),
        "peak_rss_mb": queue.peak_rss_mb(),
    }
