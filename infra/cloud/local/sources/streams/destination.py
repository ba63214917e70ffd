"""The record of a discarded batch, and its way to the on-failure destination.

https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html and
https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html: metadata to a queue or a topic, to
a bucket also the event, as an escaped JSON string. Field by field as recorded from AWS.
"""

from __future__ import annotations

import datetime
import json
from typing import TYPE_CHECKING, Any

from ...kernel import SECOND
from ...routes.targets import Delivery, deliver
from ...service import Caller, ServiceError

if TYPE_CHECKING:
    from ...stores.stream import Record, Shard
    from ...world import World

EXHAUSTED = "RetryAttemptsExhausted"
TOO_OLD = "RecordAgeExceeded"


def record(
    shard: Shard,
    records: list[Record],
    *,
    function_arn: str,
    request_id: str,
    condition: str,
    attempts: int,
    response: dict[str, Any] | None,
    now: int,
    pipe: bool = False,
) -> dict[str, Any]:
    """The document, without the records themselves. ``now`` in µs. A pipe's names the pipe instead of an
    invocation (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-kinesis.html)."""
    kinesis = ":kinesis:" in shard.stream.arn
    shown = _millisecond if kinesis else _second
    document: dict[str, Any] = {"context": {"partnerResourceArn": function_arn, "condition": condition}}
    if not pipe:
        document = {
            "requestContext": {
                "requestId": request_id,
                "functionArn": function_arn,
                "condition": condition,
                "approximateInvokeCount": max(1, attempts),
            }
        }
    if response is not None and condition == EXHAUSTED and not pipe:
        document["responseContext"] = response
    document["version"] = "1.0"
    document["timestamp"] = _millisecond(now)
    document["KinesisBatchInfo" if kinesis else "DDBStreamBatchInfo"] = {
        "shardId": shard.id,
        "startSequenceNumber": str(records[0].sequence),
        "endSequenceNumber": str(records[-1].sequence),
        "approximateArrivalOfFirstRecord": shown(records[0].arrived),
        "approximateArrivalOfLastRecord": shown(records[-1].arrived),
        "batchSize": len(records),
        "streamArn": shard.stream.arn,
    }
    return document


def object_key(mapping: str, shard_id: str, now: int, unique: str) -> str:
    """``aws/lambda/<UUID>/<shard>/YYYY/MM/DD/YYYY-MM-DDTHH.MM.SS-<random UUID>``"""
    moment = datetime.datetime.fromtimestamp(now // SECOND, datetime.UTC)
    return f"aws/lambda/{mapping}/{shard_id}/{moment:%Y/%m/%d}/{moment:%Y-%m-%dT%H.%M.%S}-{unique}"


def send(
    world: World,
    actor: str,
    request_id: str,
    mapping: str,
    function: str,
    destination: str,
    role: str | None,
    shard_id: str,
    document: dict[str, Any],
    payload: str,
    trace: str,
    records: int,
    metrics: bool,
) -> None:
    """Deliver as the execution role, from a task, and write it down. ``payload`` is the event's JSON text."""
    caller = Caller("service", actor, role=role, trace=trace)
    outcome = "ok"
    try:
        if ":s3:" in destination:
            body = json.dumps({**document, "payload": payload}, separators=(",", ":"))
            key = object_key(mapping, shard_id, world.kernel.now, world.functions.new_id())
            bucket = destination.rpartition(":")[2]
            world.call("s3", "PutObject", {"Bucket": bucket, "Key": key, "Body": body.encode()}, caller)
        else:
            deliver(world, Delivery(destination, json.dumps(document, separators=(",", ":")), caller))
    except ServiceError as error:
        outcome = error.code
    world.journal.record(
        "esm.delivery",
        mapping,
        actor=actor,
        outcome=outcome,
        trace=trace,
        data={
            "to": destination,
            "id": request_id,
            "attempt": 1,
            "function": function,
            "records": records,
            **({"metrics": True} if metrics else {}),
        },
    )


def _millisecond(time: int) -> str:
    moment = datetime.datetime.fromtimestamp(time // SECOND, datetime.UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{time % SECOND // 1000:03d}Z"


def _second(time: int) -> str:
    return f"{datetime.datetime.fromtimestamp(time // SECOND, datetime.UTC):%Y-%m-%dT%H:%M:%SZ}"
