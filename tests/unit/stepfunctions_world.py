"""A world with a role for state machines, a queue, and a function that fails or sleeps as its event says."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

from infra.cloud.local.kernel import SECOND
from infra.cloud.local.world import World

ACCOUNT = "123456789012"
FUNCTION = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:work"
QUEUE = f"https://sqs.us-east-1.amazonaws.com/{ACCOUNT}/jobs"

CODE = """
import time


class Declined(Exception):
    pass


calls = []


def handler(event, context):
    calls.append(event)
    time.sleep(event.get("sleep", 0))
    if event.get("fail", 0) >= len(calls):
        raise Declined("no money")
    return {"got": event, "call": len(calls)}
"""


class StepFunctionsWorld:
    """``run`` starts a state machine and settles; ``actions`` is what its role may do."""

    def __init__(self, actions: tuple[str, ...] = ("*",), seed: int = 0) -> None:
        self.world = World(seed=seed)
        self.kernel = self.world.kernel
        self.api = self.world.client("stepfunctions")
        self.sqs = self.world.client("sqs")
        self.sqs.create_queue(QueueName="jobs")
        self.role = self._role(actions)
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("app.py", CODE)
        self.world.client("lambda").create_function(
            FunctionName="work",
            Role=self.role,
            Runtime="python3.12",
            Handler="app.handler",
            Timeout=60,
            Code={"ZipFile": buffer.getvalue()},
        )
        self._machines = 0

    def _role(self, actions: tuple[str, ...]) -> str:
        iam = self.world.client("iam")
        principal = {"Service": ["states.amazonaws.com", "lambda.amazonaws.com"]}
        trust = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        role = iam.create_role(RoleName="machine", AssumeRolePolicyDocument=document)["Role"]
        allow = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
        iam.put_role_policy(RoleName="machine", PolicyName="all", PolicyDocument=policy)
        return str(role["Arn"])

    def machine(self, definition: dict[str, Any], kind: str = "STANDARD", name: str = "", **more: Any) -> str:
        """Create it; ``definition`` may be the states alone, the first of which is where it starts."""
        if "States" not in definition:
            definition = {"StartAt": next(iter(definition)), "States": definition}
        self._machines += 1
        arn: str = self.api.create_state_machine(
            name=name or f"machine-{self._machines}",
            definition=json.dumps(definition),
            roleArn=self.role,
            type=kind,
            **more,
        )["stateMachineArn"]
        return arn

    def start(self, definition: dict[str, Any], value: Any = None) -> str:
        arn: str = self.api.start_execution(
            stateMachineArn=self.machine(definition), input=json.dumps({} if value is None else value)
        )["executionArn"]
        return arn

    def run(self, definition: dict[str, Any], value: Any = None) -> dict[str, Any]:
        """What DescribeExecution says when everything is done."""
        arn = self.start(definition, value)
        self.kernel.settle()
        return self.describe(arn)

    def describe(self, arn: str) -> dict[str, Any]:
        shown: dict[str, Any] = self.api.describe_execution(executionArn=arn)
        if "stopDate" in shown:
            shown["seconds"] = int((shown["stopDate"] - shown["startDate"]).total_seconds())
        if "output" in shown:
            shown["output"] = json.loads(shown["output"])
        return shown

    def events(self, arn: str) -> list[dict[str, Any]]:
        events: list[dict[str, Any]] = self.api.get_execution_history(executionArn=arn)["events"]
        return events

    def types(self, arn: str) -> list[str]:
        return [event["type"] for event in self.events(arn)]

    def advance(self, seconds: float) -> None:
        self.kernel.advance(int(seconds * SECOND))

    def message(self) -> Any:
        """The body of the next message in the queue."""
        return json.loads(self.sqs.receive_message(QueueUrl=QUEUE)["Messages"][0]["Body"])

    def close(self) -> None:
        self.world.close()
