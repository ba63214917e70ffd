"""Distributed Maps: what files hold, batches, tolerated failures, and a run from S3 to S3."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.cloud.local.routes.stepfunctions.language.distributed import (
    Unreadable,
    cut_batches,
    exceeds,
    read_items,
)

from .stepfunctions_world import StepFunctionsWorld


def test_files_hold_items() -> None:
    assert read_items('{"a": {"b": [1, 2]}}', {"InputType": "JSON", "ItemsPointer": "/a/b"}) == [1, 2]
    assert read_items('{"x": 1}\n\n{"x": 2}\n', {"InputType": "JSONL"}) == [{"x": 1}, {"x": 2}]
    csv = 'id;name\n1;"a;b"\n2\n'
    first = {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW", "CSVDelimiter": "SEMICOLON"}
    assert read_items(csv, first) == [{"id": "1", "name": "a;b"}, {"id": "2", "name": ""}]
    with pytest.raises(Unreadable, match="non-iterable"):
        read_items('{"a": 1}', {"InputType": "JSON"})
    with pytest.raises(Unreadable, match="duplicates"):
        read_items("a,a\n1,2\n", {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"})


def test_batches_are_cut_by_count_and_by_bytes() -> None:
    assert cut_batches([1, 2, 3], 2, None, {"k": 9}) == [
        {"BatchInput": {"k": 9}, "Items": [1, 2]},
        {"BatchInput": {"k": 9}, "Items": [3]},
    ]
    texts = ["x" * 40, "y" * 40, "z"]
    assert [len(batch["Items"]) for batch in cut_batches(texts, None, 57, None)] == [1, 1, 1]
    assert [len(batch["Items"]) for batch in cut_batches(texts, None, 120, None)] == [3]
    with pytest.raises(Unreadable):
        cut_batches(["x" * 100], None, 60, None)


def test_tolerated_failures() -> None:
    assert [
        exceeds(0, 10, None, None),
        exceeds(1, 10, None, None),
        exceeds(2, 10, 2, None),
        exceeds(3, 10, 2, None),
        exceeds(1, 10, None, 10.0),
        exceeds(2, 10, None, 10.0),
    ] == [False, True, False, True, False, True]


def test_a_run_from_s3_to_s3() -> None:
    cloud = StepFunctionsWorld()
    s3 = cloud.world.client("s3")
    s3.create_bucket(Bucket="data")
    s3.put_object(Bucket="data", Key="in.jsonl", Body="\n".join(json.dumps({"n": n}) for n in range(5)))
    worker: dict[str, Any] = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "Check",
        "States": {
            "Check": {
                "Type": "Choice",
                "Choices": [{"Variable": "$.Items[0]", "NumericEquals": 4, "Next": "No"}],
                "Default": "Yes",
            },
            "No": {"Type": "Fail", "Error": "Four", "Cause": "is too many"},
            "Yes": {"Type": "Succeed"},
        },
    }
    state = {
        "Type": "Map",
        "ItemReader": {
            "Resource": "arn:aws:states:::s3:getObject",
            "ReaderConfig": {"InputType": "JSONL"},
            "Parameters": {"Bucket": "data", "Key.$": "$.key"},
        },
        "ItemSelector": {"n.$": "$$.Map.Item.Value.n"},
        "ItemBatcher": {"MaxItemsPerBatch": 2, "BatchInput": {"run.$": "$.run"}},
        "ItemProcessor": worker,
        "ToleratedFailurePercentage": 20,
        "ResultWriter": {
            "Resource": "arn:aws:states:::s3:putObject",
            "Parameters": {"Bucket": "data", "Prefix": "out"},
        },
        "End": True,
    }
    worker["States"]["Check"]["Choices"][0]["Variable"] = "$.Items[0].n"
    shown = cloud.run({"Work": state}, {"key": "in.jsonl", "run": 7})
    assert shown["status"] == "SUCCEEDED", shown
    where = shown["output"]["ResultWriterDetails"]
    manifest = json.loads(s3.get_object(Bucket=where["Bucket"], Key=where["Key"])["Body"].read())
    files = {
        status: [json.loads(s3.get_object(Bucket="data", Key=each["Key"])["Body"].read()) for each in found]
        for status, found in manifest["ResultFiles"].items()
    }
    succeeded = [json.loads(each["Output"]) for each in files["SUCCEEDED"][0]]
    assert succeeded == [
        {"BatchInput": {"run": 7}, "Items": [{"n": 0}, {"n": 1}]},
        {"BatchInput": {"run": 7}, "Items": [{"n": 2}, {"n": 3}]},
    ]
    assert [(each["Error"], each["Cause"]) for each in files["FAILED"][0]] == [("Four", "is too many")]
    assert files["PENDING"] == []
    state["ToleratedFailurePercentage"] = 19.5
    shown = cloud.run({"Work": state}, {"key": "in.jsonl", "run": 7})
    assert (shown["status"], shown["error"]) == ("FAILED", "States.ExceedToleratedFailureThreshold")
    cloud.world.close()


def test_express_children_end_after_five_minutes() -> None:
    """As distributed-batch-import of aws-samples/step-functions-workflows-collection has them."""
    cloud = StepFunctionsWorld()
    cloud.world.client("s3").create_bucket(Bucket="out")
    wait = {"Type": "Wait", "SecondsPath": "$.seconds", "Next": "Done"}
    done = {"Type": "Pass", "Parameters": {"id.$": "$$.Execution.Id"}, "End": True}
    processor: dict[str, Any] = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"},
        "StartAt": "Wait",
        "States": {"Wait": wait, "Done": done},
    }
    writer = {"Resource": "arn:aws:states:::s3:putObject", "Parameters": {"Bucket": "out", "Prefix": "p"}}
    state = {
        "Type": "Map",
        "Label": "Waits",
        "MaxConcurrency": 1,
        "ItemProcessor": processor,
        "ToleratedFailureCount": 1,
        "ResultWriter": writer,
        "End": True,
    }
    shown = cloud.run({"Work": state}, [{"seconds": 290}, {"seconds": 400}, {"seconds": 0}])
    assert shown["status"] == "SUCCEEDED", shown
    assert (shown["stopDate"] - shown["startDate"]).seconds // 10 == 59
    run = cloud.api.describe_map_run(mapRunArn=shown["output"]["MapRunArn"])
    counts = {key: run["itemCounts"][key] for key in ("succeeded", "failed", "timedOut", "running")}
    assert counts == {"succeeded": 2, "failed": 0, "timedOut": 1, "running": 0}
    where = shown["output"]["ResultWriterDetails"]["Key"].replace("manifest", "SUCCEEDED_0")
    kept = json.loads(cloud.world.client("s3").get_object(Bucket="out", Key=where)["Body"].read())
    assert ":express:" in json.loads(kept[0]["Output"])["id"]
    state["ToleratedFailureCount"] = 0
    shown = cloud.run({"Work": state}, [{"seconds": 400}])
    assert shown["error"] == "States.ExceedToleratedFailureThreshold"
    token = {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken", "End": True}
    token["Parameters"] = {"QueueUrl": "q", "MessageBody.$": "$$.Task.Token"}
    processor["States"] = {"Wait": token}
    with pytest.raises(ClientError, match=r"Express state machine does not support '[.]waitForTaskToken'"):
        cloud.machine({"Work": state})
    cloud.world.close()
