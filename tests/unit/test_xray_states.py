"""State machines in X-Ray: an execution, its states, and the functions that they call, in one trace."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from typing import Any

import pytest

from infra.cloud.local.cloud import LocalCloud

from .deploy_tools import Deployer, function, role

HOUR = datetime.timedelta(hours=1)
HANDLER = """
def handler(event, context):
    if event.get("fail"): raise KeyError("card")
    return event
"""
DEFINITION = {
    "StartAt": "Both",
    "States": {
        "Both": {
            "Type": "Parallel",
            "Branches": [
                {"StartAt": "Left", "States": {"Left": {"Type": "Wait", "Seconds": 5, "End": True}}},
                {
                    "StartAt": "Right",
                    "States": {
                        "Right": {
                            "Type": "Task",
                            "Resource": "arn:aws:states:::lambda:invoke",
                            "Parameters": {"FunctionName": "pay", "Payload.$": "$"},
                            "End": True,
                        }
                    },
                },
            ],
            "ResultPath": None,
            "Next": "Send",
        },
        "Send": {
            "Type": "Task",
            "Resource": "arn:aws:states:::sqs:sendMessage",
            "Parameters": {"QueueUrl": "${Queue}", "MessageBody": "m"},
            "End": True,
        },
    },
}


@pytest.fixture(scope="module")
def deployed() -> Iterator[LocalCloud]:
    cloud = LocalCloud()
    states = json.loads(json.dumps(role("*")).replace("lambda.amazonaws.com", "states.amazonaws.com"))
    machine = {
        "StateMachineName": "orders",
        "RoleArn": {"Fn::GetAtt": ["States", "Arn"]},
        "DefinitionString": json.dumps(DEFINITION),
        "DefinitionSubstitutions": {"Queue": {"Ref": "Queue"}},
        "TracingConfiguration": {"Enabled": True},
    }
    resources = {
        "Role": role("*"),
        "States": states,
        "Pay": function(HANDLER, FunctionName="pay", TracingConfig={"Mode": "Active"}),
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "queue"}},
        "Machine": {"Type": "AWS::StepFunctions::StateMachine", "Properties": machine},
    }
    assert Deployer(cloud).create(resources) == "CREATE_COMPLETE"
    yield cloud
    cloud.close()


def execute(cloud: LocalCloud, **value: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The summary and the documents of one execution's trace."""
    cloud.advance("2s")
    began = cloud.world.datetime()
    arn = "arn:aws:states:us-east-1:123456789012:stateMachine:orders"
    cloud.client("stepfunctions").start_execution(stateMachineArn=arn, input=json.dumps(value))
    cloud.settle()
    xray = cloud.client("xray")
    (summary,) = xray.get_trace_summaries(StartTime=began, EndTime=began + HOUR)["TraceSummaries"]
    (trace,) = xray.batch_get_traces(TraceIds=[summary["Id"]])["Traces"]
    return summary, [json.loads(each["Document"]) for each in trace["Segments"]]


def test_an_execution_with_its_states_and_calls(deployed: LocalCloud) -> None:
    summary, found = execute(deployed)
    machine = found[0]
    assert (machine["name"], machine["origin"]) == ("orders", "AWS::StepFunctions::StateMachine")
    assert summary["EntryPoint"]["Type"] == "AWS::StepFunctions::StateMachine"
    both, send = machine["subsegments"]
    assert (both["name"], send["name"]) == ("Both", "Send")
    left, right = both["subsegments"]
    assert (left["name"], left["end_time"] - left["start_time"]) == ("Left", pytest.approx(5))
    (call,) = right["subsegments"]
    assert (call["name"], call["namespace"], call["aws"]) == (
        "Lambda",
        "aws",
        {
            "region": "us-east-1",
            "operation": "Invoke",
            "function_name": "pay",
            "resource_names": ["pay"],
        },
    )
    service = next(each for each in found if (each["name"], each["origin"]) == ("pay", "AWS::Lambda"))
    assert service["parent_id"] == call["id"]
    (message,) = send["subsegments"]
    assert message["aws"]["queue_url"].endswith("/queue")
    assert [each["origin"] for each in found if each.get("inferred")] == ["AWS::SQS::Queue"]
    assert summary["HasFault"] is False


def test_a_failed_execution(deployed: LocalCloud) -> None:
    summary, found = execute(deployed, fail=True)
    assert summary["HasFault"] is True
    assert found[0]["cause"]["exceptions"][0]["type"] == "KeyError"
    right = found[0]["subsegments"][0]["subsegments"][1]
    (call,) = right["subsegments"]
    assert right["fault"] is call["fault"] is True
    assert call["cause"]["exceptions"][0]["type"] == "KeyError"
