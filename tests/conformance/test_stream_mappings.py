"""Cases of ``stream_mappings.json``: records of one key in one shard, what the function does with them, which
invocations there are and what reaches the on-failure destination."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from infra.cloud.local.world import World
from tests.unit.test_sources_streams import Functions, data_of, fail_on, mapped, put, world

__all__ = ["world"]

CASES = json.loads((Path(__file__).parent / "stream_mappings.json").read_text(encoding="utf-8"))


def handler(case: dict[str, Any], event: dict[str, Any]) -> Any:
    if "failing" in case:
        return fail_on(*case["failing"])(event)
    if "reported" in case:
        failed = [
            {"itemIdentifier": record["kinesis"]["sequenceNumber"]}
            for record, text in zip(event["Records"], data_of(event), strict=True)
            if text in case["reported"]
        ]
        return {"batchItemFailures": failed[::-1]}
    return case.get("answer")


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in CASES])
def test_case(case: dict[str, Any], world: World) -> None:
    functions = world.functions
    assert isinstance(functions, Functions)
    queue = world.client("sqs").create_queue(QueueName="failed")["QueueUrl"]
    destination = {"OnFailure": {"Destination": "arn:aws:sqs:us-east-1:123456789012:failed"}}
    mapped(world, DestinationConfig=destination, **case["mapping"])
    for answer in case.get("answers", [case.get("answer")]):
        functions.batches.clear()
        functions.handler = lambda event, answer=answer: handler({**case, "answer": answer}, event)
        put(world, *case["records"])
        world.kernel.settle()
        assert [texts for _, texts in functions.batches] == case["invocations"]
    found = []
    for message in (
        world.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
    ):
        document = json.loads(message["Body"])
        context, response = document["requestContext"], document["responseContext"]
        found.append(
            {
                "condition": context["condition"],
                "approximateInvokeCount": context["approximateInvokeCount"],
                "batchSize": document["KinesisBatchInfo"]["batchSize"],
                "functionError": response["functionError"],
            }
        )
    assert found == case["discarded"]
