"""A world with a role that Scheduler may assume, and a queue to schedule messages to."""

from __future__ import annotations

import json
from typing import Any

from infra.cloud.local.kernel import SECOND
from infra.cloud.local.world import World

ACCOUNT = "123456789012"
QUEUE = f"arn:aws:sqs:us-east-1:{ACCOUNT}:jobs"
OFF = {"Mode": "OFF"}


class SchedulerWorld:
    """``target`` sends to the queue ``jobs``; the role may do ``actions``."""

    def __init__(self, actions: tuple[str, ...] = ("sqs:SendMessage",), principal: str = "scheduler") -> None:
        self.world = World()
        self.kernel = self.world.kernel
        iam = self.world.client("iam")
        trust = {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": [f"{principal}.amazonaws.com", "lambda.amazonaws.com"]},
                    "Action": "sts:AssumeRole",
                }
            ],
        }
        role = iam.create_role(RoleName="job", AssumeRolePolicyDocument=json.dumps(trust))
        self.role: str = role["Role"]["Arn"]
        allow = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
        iam.put_role_policy(RoleName="job", PolicyName="all", PolicyDocument=document)
        self.sqs = self.world.client("sqs")
        self.url = self.queue("jobs")
        self.api = self.world.client("scheduler")
        self.target: dict[str, Any] = {"Arn": QUEUE, "RoleArn": self.role, "Input": "go"}

    def queue(self, name: str, **attributes: str) -> str:
        url: str = self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        return url

    def create(self, expression: str, name: str = "job", target: Any = None, **params: Any) -> str:
        params.setdefault("FlexibleTimeWindow", OFF)
        arn: str = self.api.create_schedule(
            Name=name,
            ScheduleExpression=expression,
            Target={**self.target, **(target or {})},
            **params,
        )["ScheduleArn"]
        return arn

    def advance(self, seconds: float) -> None:
        self.kernel.advance(int(seconds * SECOND))

    def messages(self, url: str = "") -> list[dict[str, Any]]:
        """Everything in a queue, in order of sending."""
        found: list[dict[str, Any]] = []
        while True:
            batch = self.sqs.receive_message(
                QueueUrl=url or self.url,
                MaxNumberOfMessages=10,
                MessageAttributeNames=["All"],
                MessageSystemAttributeNames=["All"],
                VisibilityTimeout=43_200,
            ).get("Messages")
            if not batch:
                return sorted(found, key=lambda message: int(message["Attributes"]["SentTimestamp"]))
            found += batch

    def close(self) -> None:
        self.world.close()
