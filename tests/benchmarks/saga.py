"""A saga of four Lambda tasks, each with its own Catch: executions per second until all have succeeded."""

from __future__ import annotations

import json
import time
from typing import Any

from tests import ministack

from .queue import package, peak_rss_mb

MINISTACK_EXECUTIONS = 20
"""It takes 200 processes and 10 GB for 50 of them, so it is measured with few."""

HANDLER = """
def handler(event, context):
    return {"order": event["order"], "done": event.get("done", 0) + 1}
"""

STEPS = ("Reserve", "Pay", "Ship", "Notify")


def role(iam: Any) -> str:
    """A role for the functions and for the state machine."""
    principal = {"Service": ["lambda.amazonaws.com", "states.amazonaws.com"]}
    trust = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    allow = {"Effect": "Allow", "Action": ["lambda:InvokeFunction", "logs:*"], "Resource": "*"}
    arn: str = iam.create_role(
        RoleName="saga",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )["Role"]["Arn"]
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    iam.put_role_policy(RoleName="saga", PolicyName="all", PolicyDocument=policy)
    return arn


def build(client: Any) -> str:
    """Four functions and the saga over them, through boto3; returns the state machine's ARN."""
    arn = role(client("iam"))
    code = package(HANDLER)
    states: dict[str, Any] = {"Undo": {"Type": "Fail", "Error": "Undone"}}
    for position, step in enumerate(STEPS):
        function = client("lambda").create_function(
            FunctionName=step,
            Runtime="python3.11",
            Role=arn,
            Handler="app.handler",
            Code={"ZipFile": code},
        )
        last = position == len(STEPS) - 1
        states[step] = {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Parameters": {"FunctionName": function["FunctionArn"], "Payload.$": "$"},
            "OutputPath": "$.Payload",
            "Retry": [{"ErrorEquals": ["Lambda.TooManyRequestsException"], "IntervalSeconds": 2}],
            "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Undo"}],
            **({"End": True} if last else {"Next": STEPS[position + 1]}),
        }
    definition = json.dumps({"StartAt": STEPS[0], "States": states})
    machine: str = client("stepfunctions").create_state_machine(
        name="saga", definition=definition, roleArn=arn
    )["stateMachineArn"]
    return machine


def start(machines: Any, arn: str, executions: int) -> None:
    for n in range(executions):
        machines.start_execution(stateMachineArn=arn, name=f"order-{n}", input=json.dumps({"order": n}))


def succeeded(machines: Any, arn: str) -> int:
    """How many executions have succeeded."""
    pages = machines.get_paginator("list_executions").paginate(stateMachineArn=arn, statusFilter="SUCCEEDED")
    return sum(len(page["executions"]) for page in pages)


def run(messages: int, seed: int = 0) -> dict[str, Any]:
    """``messages`` executions: wall time from the first start until all have succeeded."""
    from infra.cloud import connect

    cloud = connect("local", seed=seed)
    arn = build(cloud.client)
    machines = cloud.client("stepfunctions")
    virtual = cloud.elapsed
    started = time.perf_counter()
    start(machines, arn, messages)
    cloud.settle()
    wall = time.perf_counter() - started
    virtual = cloud.elapsed - virtual
    found = succeeded(machines, arn)
    assert found == messages, f"{found} of {messages} executions succeeded"
    fingerprint = cloud.fingerprint()  # type: ignore[attr-defined]
    cloud.close()
    return {
        "benchmark": "saga",
        "events": messages,
        "wall_s": round(wall, 3),
        "events_per_s": round(messages / wall, 1),
        "virtual_s": round(virtual, 3),
        "peak_rss_mb": peak_rss_mb(),
        "fingerprint": fingerprint,
    }


def run_ministack(messages: int) -> dict[str, Any]:
    """The same on MiniStack, at most 20 executions."""
    messages = min(messages, MINISTACK_EXECUTIONS)
    with ministack.server() as client:
        arn = build(client)
        machines = client("stepfunctions")
        started = time.perf_counter()
        start(machines, arn, messages)
        while succeeded(machines, arn) < messages and time.perf_counter() - started < 300:
            time.sleep(0.1)
        wall = time.perf_counter() - started
        found = succeeded(machines, arn)
    return {
        "ministack_executions": found,
        "ministack_events_per_s": round(found / wall, 2),
    }
