"""Message move tasks: the redrive of a dead-letter queue, in virtual time.

API Reference, StartMessageMoveTask, ListMessageMoveTasks, CancelMessageMoveTask; Developer Guide,
"Configure a dead-letter queue redrive" (sqs-configure-dead-letter-queue-redrive): a redriven message is a
new message with a new message id and enqueue time; without a destination each goes back to the queue it
came from; at most 500 messages a second.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from ...kernel import SECOND
from ...service import Call, ServiceError
from . import errors
from .message import NO_EXTRA, Extra, Stored
from .queue import Queue
from .registry import Registry

MAX_RATE = 500
"""Messages per second, and what is used without MaxNumberOfMessagesPerSecond (SQS then chooses by itself)."""
_TICKS_PER_SECOND = 50


class MoveTask:
    """One task. ``status`` is RUNNING, CANCELLING, CANCELLED, COMPLETED or FAILED."""

    def __init__(self, name: str, source: Queue, destination: str, rate: int | None, started: int) -> None:
        self.name = name
        self.source = source
        self.destination = destination
        self.rate = rate
        self.started = started
        self.status = "RUNNING"
        self.moved = 0
        self.to_move = source.counts()[0]
        self.failure = ""

    @property
    def handle(self) -> str:
        document = json.dumps({"taskId": self.name, "sourceArn": self.source.arn}, separators=(",", ":"))
        return base64.b64encode(document.encode()).decode()

    @property
    def active(self) -> bool:
        return self.status in ("RUNNING", "CANCELLING")

    def shown(self) -> dict[str, Any]:
        """An entry of ListMessageMoveTasks."""
        entry: dict[str, Any] = {
            "Status": self.status,
            "SourceArn": self.source.arn,
            "ApproximateNumberOfMessagesMoved": self.moved,
            "ApproximateNumberOfMessagesToMove": self.to_move,
            "StartedTimestamp": self.started // 1000,
        }
        if self.status == "RUNNING":
            entry["TaskHandle"] = self.handle
        if self.destination:
            entry["DestinationArn"] = self.destination
        if self.rate is not None:
            entry["MaxNumberOfMessagesPerSecond"] = self.rate
        if self.failure:
            entry["FailureReason"] = self.failure
        return entry


class MoveTasks(Registry):
    """StartMessageMoveTask, ListMessageMoveTasks, CancelMessageMoveTask."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._move_tasks: dict[str, MoveTask] = {}

    def StartMessageMoveTask(self, call: Call) -> dict[str, Any]:
        params = call.params
        source = self._resource(params["SourceArn"], "SourceArn")
        rate = params.get("MaxNumberOfMessagesPerSecond")
        if rate is not None and not 1 <= rate <= MAX_RATE:
            raise errors.invalid_value(
                rate, "MaxNumberOfMessagesPerSecond", f"Must be between 1 and {MAX_RATE}, if provided."
            )
        if not any(queue.settings.dead_letter_arn == source.arn for queue in self.queues.values()):
            raise errors.invalid("Source queue must be configured as a Dead Letter Queue.")
        destination = params.get("DestinationArn", "")
        if destination:
            target = self._resource(destination, "DestinationArn")
            if target.fifo != source.fifo:
                raise errors.invalid("Source and destination queues must be of the same type.")
        if any(task.active and task.source is source for task in self._move_tasks.values()):
            raise errors.invalid(
                "There is already a task running. Only one active task is allowed for a source queue arn "
                "at a "
                "given time."
            )
        task = MoveTask(self.new_id(), source, destination, rate, self.kernel.now)
        self._move_tasks[task.name] = task
        self.kernel.spawn(self._move_all, task, name=f"move messages out of {source.name}")
        return {"TaskHandle": task.handle}

    def ListMessageMoveTasks(self, call: Call) -> dict[str, Any]:
        source = self._resource(call.params["SourceArn"], "SourceArn")
        maximum = call.params.get("MaxResults", 1)
        if not 1 <= maximum <= 10:
            raise errors.invalid_value(maximum, "MaxResults", "Must be between 1 and 10, if provided.")
        tasks = [task for task in reversed(self._move_tasks.values()) if task.source is source]
        return {"Results": [task.shown() for task in tasks[:maximum]]} if tasks else {}

    def CancelMessageMoveTask(self, call: Call) -> dict[str, Any]:
        try:
            document = json.loads(base64.b64decode(call.params["TaskHandle"], validate=True))
            name, source_arn = document["taskId"], document["sourceArn"]
        except (binascii.Error, ValueError, KeyError, TypeError):
            raise errors.invalid("Value for parameter TaskHandle is invalid.") from None
        self._resource(source_arn, "SourceArn")
        task = self._move_tasks.get(name)
        if task is None:
            raise errors.error("ResourceNotFoundException", "Task does not exist.")
        if task.status != "RUNNING":
            raise errors.error("UnsupportedOperation", f"A task that is {task.status} cannot be cancelled.")
        task.status = "CANCELLING"
        return {"ApproximateNumberOfMessagesMoved": task.moved}

    def _resource(self, arn: str, parameter: str) -> Queue:
        found = self.queues.get(arn)
        if found is None:
            if arn.count(":") < 5:
                raise errors.invalid(
                    f"You must use this format to specify the {parameter}: "
                    "arn:<partition>:<service>:<region>:<account-id>:<resource-id>"
                )
            raise errors.error(
                "ResourceNotFoundException",
                f"The resource that you specified for the {parameter} parameter doesn't exist.",
            )
        return found

    def _move_all(self, task: MoveTask) -> None:
        """The task itself: so many messages per tick, until none is visible."""
        rate = task.rate or MAX_RATE
        batch = max(1, rate // _TICKS_PER_SECOND)
        while True:
            self.kernel.sleep(batch * SECOND // rate)
            if task.status == "CANCELLING":
                task.status = "CANCELLED"
                return
            try:
                if not self._move(task, batch):
                    task.status = "COMPLETED"
                    return
            except ServiceError as problem:
                task.status = "FAILED"
                task.failure = problem.code
                return

    def _move(self, task: MoveTask, maximum: int) -> int:
        """Move up to ``maximum`` messages now; those of one destination together."""
        source = task.source
        if source.deleted:
            raise errors.no_such_queue()
        targets: list[Queue] = []

        def fits(item: Stored) -> bool:
            target = self.queues.get(task.destination or item.extra.source)
            if target is not None:
                targets.append(target)
            return target is not None

        items = source.take(maximum, fits)
        groups: dict[str, list[tuple[Stored, Stored]]] = {}
        for item, target in zip(items, targets, strict=True):
            groups.setdefault(target.arn, []).append((item, self._renewed(item)))
        for arn, pairs in groups.items():
            self.journal.record(
                "sqs.moved",
                source.arn,
                data={
                    "to": arn,
                    "messages": [old.message_id for old, _ in pairs],
                    "new": [new.message_id for _, new in pairs],
                    "receive_counts": [old.receive_count for old, _ in pairs],
                    "reason": "redrive task",
                },
            )
            self.queues[arn].take_over([new for _, new in pairs])
        task.moved += len(items)
        if len(items) < maximum and source.counts()[0] and not self._destination_of_next(task):
            raise errors.no_such_queue() if task.destination else _no_source()
        return len(items)

    def _destination_of_next(self, task: MoveTask) -> bool:
        """Has the next message a destination? True as well if there is none that could be moved now."""
        found: list[Stored] = []

        def look(item: Stored) -> bool:
            found.append(item)
            return False

        task.source.take(1, look)
        return not found or (task.destination or found[0].extra.source) in self.queues

    def _renewed(self, item: Stored) -> Stored:
        extra = item.extra
        plain = Extra(extra.attributes, extra.dedup_id)
        has_any = extra.attributes or extra.dedup_id
        return Stored(
            self.new_id(),
            item.body,
            item.size,
            self.kernel.now,
            item.sender,
            item.group_id,
            plain if has_any else NO_EXTRA,
            item.trace,
            item.traced,
        )


def _no_source() -> ServiceError:
    return ServiceError(
        "CouldNotDetermineMessageSource",
        "A message was sent to the dead-letter queue directly: its source queue is not known.",
    )
