"""What the tests of SQS share: the service called directly, at times that the test chooses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from infra.cloud.local.kernel import SECOND
from infra.cloud.local.service import NOTEBOOK, Call, Caller
from infra.cloud.local.stores.sqs.queue import Queue
from infra.cloud.local.world import World


class Desk:
    """Calls SQS without latency: ``desk.do("SendMessage", QueueUrl=…)``."""

    def __init__(self, world: World, caller: Caller = NOTEBOOK) -> None:
        self.world = world
        self.kernel = world.kernel
        self.caller = caller
        self.start = world.kernel.now

    def do(self, operation: str, **params: Any) -> dict[str, Any]:
        call = Call("sqs", operation, params, self.caller, self.world.region, self.world.account)
        return self.world.sqs.operation(operation)(call) or {}

    def create(self, name: str = "orders", **attributes: Any) -> str:
        if name.endswith(".fifo"):
            attributes.setdefault("FifoQueue", "true")
        given = {key: str(value) for key, value in attributes.items()}
        url: str = self.do("CreateQueue", QueueName=name, Attributes=given)["QueueUrl"]
        return url

    def queue(self, url: str) -> Queue:
        return self.world.sqs.queue(url)

    def send(self, url: str, body: str = "hello", **params: Any) -> dict[str, Any]:
        return self.do("SendMessage", QueueUrl=url, MessageBody=body, **params)

    def receive(self, url: str, **params: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.do("ReceiveMessage", QueueUrl=url, **params).get("Messages", [])
        return found

    def bodies(self, url: str, **params: Any) -> list[str]:
        return [message["Body"] for message in self.receive(url, **{"MaxNumberOfMessages": 10, **params})]

    def counts(self, url: str) -> tuple[int, int, int]:
        return self.queue(url).counts()

    def wait(self, seconds: float) -> None:
        self.kernel.run_until(self.kernel.now + int(seconds * SECOND))

    def run(self, function: Callable[[], Any]) -> Any:
        """Run as a task: what waits needs one."""
        return self.kernel.call(function, name="test")

    def now(self) -> float:
        """Seconds since the test began."""
        return (self.kernel.now - self.start) / SECOND

    def journal(self, *kinds: str) -> list[tuple[str, dict[str, Any]]]:
        return [(entry.what, entry.data) for entry in self.world.journal.entries if entry.what in kinds]
