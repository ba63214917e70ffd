"""A mapping's calls of the SQS API: made as the function's execution role, struck by faults like any call."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..service import Caller, ServiceError
from ..stores.sqs.registry import RECEIVE
from .scaling import retry_delay

if TYPE_CHECKING:
    from ..stores.sqs.message import Message
    from ..stores.sqs.queue import Queue
    from ..world import World

PER_CALL = 10
"""Messages per ReceiveMessage and per DeleteMessageBatch."""

DELETE_ATTEMPTS = 4


class Reader:
    """Receives from and deletes in one queue. ``name`` is who the journal says did it."""

    def __init__(self, world: World, queue_arn: str, name: str, role: Callable[[], str | None]) -> None:
        """``role`` tells the function's execution role as it is now."""
        self._world = world
        self._kernel = world.kernel
        self._role = role
        self.queue: Queue = world.sqs.queue(queue_arn)
        self.caller = Caller("service", name, role())

    def receive(self, maximum: int) -> list[Message]:
        """Receive at this instant; nothing if a fault strikes the call or too much is in flight."""
        if self._world.faults.active and self._struck("ReceiveMessage"):
            return []
        try:
            return self.queue.receive(min(maximum, PER_CALL), None, self.caller.name)
        except ServiceError:
            return []

    def delete(self, messages: list[Message]) -> list[str]:
        """DeleteMessageBatch, ten at a time, all at once. Returns the ids that could not be deleted.

        A call that fails is made again; if it fails for good, the messages come back and are processed twice.
        """
        kernel = self._kernel
        left: list[str] = []
        parts = [messages[start : start + PER_CALL] for start in range(0, len(messages), PER_CALL)]
        for attempt in range(DELETE_ATTEMPTS):
            if attempt:
                kernel.sleep(retry_delay(attempt))
            latency = self.latency("DeleteMessageBatch")
            kernel.sleep(latency >> 1)
            again = []
            allowed = self.may("DeleteMessage")
            for part in parts:
                if not allowed:
                    left += [message.message_id for message in part]
                elif self._world.faults.active and self._struck("DeleteMessageBatch"):
                    again.append(part)
                elif not self.queue.deleted:
                    outcomes = self.queue.delete(
                        [message.receipt_handle for message in part], self.caller.name
                    )
                    left += [
                        message.message_id
                        for message, problem in zip(part, outcomes, strict=True)
                        if problem is not None
                    ]
            kernel.sleep(latency - (latency >> 1))
            parts = again
            if not parts:
                return left
        return left + [message.message_id for part in parts for message in part]

    def latency(self, operation: str) -> int:
        """µs that one call takes now."""
        sample: int = self._world.latency.sample(f"sqs.{operation}")
        return sample

    def _struck(self, operation: str) -> bool:
        delay, refusal = self._world.faults.before_call("sqs", operation, self.queue.arn)
        if delay:
            self._kernel.sleep(delay)
        return refusal is not None

    def may(self, operation: str) -> bool:
        """Does the execution role, as it is now, allow the call?"""
        world = self._world
        role = self._role()
        if role != self.caller.role:
            self.caller = dataclasses.replace(self.caller, role=role)
        try:
            world.identity.check(
                self.caller,
                "sqs",
                operation,
                {"QueueUrl": self.queue.url},
                world.region,
                world.account,
            )
            if operation == "ReceiveMessage" and self.queue.settings.key:
                world.sqs.unlock(self.queue, self.caller, RECEIVE)
        except ServiceError:
            return False
        return True
