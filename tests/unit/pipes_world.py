"""A world with a role for pipes, a queue ``in`` to read and a queue ``out`` to deliver to."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

from tests.unit.scheduler_world import ACCOUNT, SchedulerWorld

IN = f"arn:aws:sqs:us-east-1:{ACCOUNT}:in"
OUT = f"arn:aws:sqs:us-east-1:{ACCOUNT}:out"


class PipesWorld(SchedulerWorld):
    def __init__(self, actions: tuple[str, ...] = ("*",), **attributes: str) -> None:
        super().__init__(actions=actions, principal="pipes")
        self.into = self.queue("in", **attributes)
        self.out = self.queue("out")
        self.pipes = self.world.client("pipes")

    def pipe(self, target: str = OUT, source: str = IN, **params: Any) -> str:
        """Create a pipe and wait until it runs."""
        arn: str = self.pipes.create_pipe(
            Name="p", Source=source, Target=target, RoleArn=self.role, **params
        )["Arn"]
        self.advance(11)
        return arn

    def send(self, *bodies: Any) -> None:
        for body in bodies:
            text = body if isinstance(body, str) else json.dumps(body)
            self.sqs.send_message(QueueUrl=self.into, MessageBody=text)

    def function(self, name: str, code: str) -> str:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("app.py", code)
        arn: str = self.world.client("lambda").create_function(
            FunctionName=name,
            Runtime="python3.12",
            Role=self.role,
            Handler="app.handler",
            Code={"ZipFile": buffer.getvalue()},
        )["FunctionArn"]
        return arn

    def delivered(self) -> list[Any]:
        """The bodies in ``out``, read as JSON."""
        return [json.loads(message["Body"]) for message in self.messages(self.out)]

    def left(self) -> int:
        """How many messages are in ``in``, visible or not."""
        found = self.sqs.get_queue_attributes(QueueUrl=self.into, AttributeNames=["All"])["Attributes"]
        return int(found["ApproximateNumberOfMessages"]) + int(found["ApproximateNumberOfMessagesNotVisible"])
