"""The operations on messages: send, receive, delete, change visibility, each also in batches.

Amazon SQS API Reference, the page of each operation
(https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_Operations.html).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from ...kernel import SECOND
from ...service import Call, Caller, ServiceError
from . import errors, sending
from .fifo import FifoQueue
from .message import NO_EXTRA, Extra, Message, Stored, md5_of_attributes, md5_of_body
from .queue import Queue
from .registry import RECEIVE, SEND, Registry, sender_id, shows_trace, trace_header


class Messaging(Registry):
    """SendMessage, ReceiveMessage, DeleteMessage, ChangeMessageVisibility and their batches."""

    # -- sending -----------------------------------------------------------------------------------

    def send(
        self,
        queue_arn: str,
        body: str,
        *,
        attributes: dict[str, Any] | None = None,
        group_id: str = "",
        dedup_id: str = "",
        trace: str = "",
        actor: str = "",
    ) -> str:
        queue = self.queue(queue_arn)
        entry: dict[str, Any] = {"MessageBody": body}
        if attributes:
            entry["MessageAttributes"] = attributes
        if group_id:
            entry["MessageGroupId"] = group_id
        if dedup_id:
            entry["MessageDeduplicationId"] = dedup_id
        item, delay, accepted = self._draft(queue, entry, actor, trace_header(trace), bool(trace))
        if accepted:
            queue.send([item], [delay], actor, trace)
        return item.message_id

    def send_entries(
        self,
        queue_arn: str,
        entries: Sequence[Mapping[str, Any]],
        caller: Caller,
        *,
        sender: str,
        traced: bool,
    ) -> list[ServiceError | None]:
        """Send what a service delivers, at this instant and without waiting: each entry as SendMessage takes
        it.

        The queue's policy must allow the caller. Returns each entry's error, or None; raises ServiceError for
        what concerns all of them (no queue, no permission, an injected fault).
        """
        world = self.world
        queue = self.queues.get(queue_arn)
        if queue is None:
            raise errors.no_such_queue()
        if world.faults.active:
            _, refusal = world.faults.before_call("sqs", "SendMessage", queue.url)
            if refusal is not None:
                raise refusal
        region, account = queue_arn.split(":", 5)[3:5]
        world.identity.check(caller, "sqs", "SendMessage", {"QueueUrl": queue.url}, region, account)
        if queue.settings.key:
            self.unlock(queue, caller, SEND)
        trace = trace_header(caller.trace)
        items, delays = [], []
        problems: list[ServiceError | None] = []
        for entry in entries:
            try:
                item, delay, accepted = self._draft(queue, entry, sender, trace, traced)
            except ServiceError as problem:
                problems.append(problem)
                continue
            problems.append(None)
            if accepted:
                items.append(item)
                delays.append(delay)
        if items:
            queue.send(items, delays, caller.name, caller.trace)
        return problems

    def SendMessage(self, call: Call) -> dict[str, Any]:
        queue = self._of(call)
        caller = call.caller
        if queue.settings.key:
            self.unlock(queue, caller, SEND)
        item, delay, accepted = self._draft(
            queue, call.params, sender_id(caller), trace_header(caller.trace), shows_trace(caller)
        )
        if accepted:
            queue.send([item], [delay], caller.name, caller.trace)
        return _sent(item, call.params)

    def SendMessageBatch(self, call: Call) -> dict[str, Any]:
        queue = self._of(call)
        entries: list[dict[str, Any]] = call.params["Entries"]
        sending.check_batch(entries, "SendMessageBatch")
        if queue.settings.key:
            self.unlock(queue, call.caller, SEND)
        if isinstance(queue, FifoQueue):
            self._check_fifo_batch(queue, entries)
        sizes = [sending.size(entry["MessageBody"], entry.get("MessageAttributes")) for entry in entries]
        sending.check_batch_size(sum(sizes))
        sender, trace = sender_id(call.caller), trace_header(call.caller.trace)
        shown = shows_trace(call.caller)
        items, delays = [], []
        successful, failed = [], []
        for entry, size in zip(entries, sizes, strict=True):
            try:
                sending.check_size(size, queue.settings.max_size, "cannot be validated")
                item, delay, accepted = self._draft(queue, entry, sender, trace, shown)
            except ServiceError as problem:
                failed.append(errors.batch_failure(entry["Id"], problem))
                continue
            successful.append({"Id": entry["Id"], **_sent(item, entry)})
            if accepted:
                items.append(item)
                delays.append(delay)
        if items:
            queue.send(items, delays, call.caller.name, call.caller.trace)
        return _outcome(successful, failed)

    def _check_fifo_batch(self, queue: FifoQueue, entries: Sequence[Mapping[str, Any]]) -> None:
        """What a FIFO queue refuses for the whole batch, with a code of its own (recorded from AWS)."""
        for entry in entries:
            if not queue.settings.content_dedup and "MessageDeduplicationId" not in entry:
                raise _no_dedup_id()
            if "MessageGroupId" not in entry:
                raise errors.invalid("The request must contain the parameter MessageGroupId.")

    def _draft(
        self, queue: Queue, entry: Mapping[str, Any], sender: str, trace: str, traced: bool
    ) -> tuple[Stored, int, bool]:
        """Check one message; the message, its delay in µs, and whether it is to be stored."""
        settings = queue.settings
        body: str = entry["MessageBody"]
        sending.check_body(body)
        attributes = entry.get("MessageAttributes")
        size = sending.size(body, attributes)
        if size > settings.max_size:
            sending.check_size(size, settings.max_size)
        if attributes:
            sending.check_attributes(attributes)
        system = entry.get("MessageSystemAttributes")
        if system:
            trace, traced = sending.check_system_attributes(system), True
        group_id = dedup_id = ""
        if "MessageGroupId" in entry:
            group_id = entry["MessageGroupId"]
            sending.check_fifo_id(group_id, "MessageGroupId")
        if "MessageDeduplicationId" in entry:
            dedup_id = entry["MessageDeduplicationId"]
            sending.check_fifo_id(dedup_id, "MessageDeduplicationId")
        seconds = entry.get("DelaySeconds")
        if seconds is not None and not 0 <= seconds <= 900:
            raise errors.invalid_value(seconds, "DelaySeconds", "DelaySeconds must be >= 0 and <= 900.")
        extra = Extra(attributes) if attributes else NO_EXTRA
        item = Stored(self.new_id(), body, size, self.kernel.now, sender, group_id, extra, trace, traced)
        if isinstance(queue, FifoQueue):
            if seconds:
                raise errors.invalid_value(
                    seconds,
                    "DelaySeconds",
                    "The request include parameter that is not valid for this queue type.",
                )
            if not group_id:
                raise errors.missing("MessageGroupId")
            if not dedup_id:
                if not settings.content_dedup:
                    raise _no_dedup_id()
                dedup_id = hashlib.sha256(body.encode()).hexdigest()
            return item, settings.delay, queue.accept(item, dedup_id)
        if dedup_id:
            raise errors.invalid_value(
                dedup_id,
                "MessageDeduplicationId",
                "The request includes a parameter that is not valid for this queue type.",
            )
        return item, settings.delay if seconds is None else seconds * SECOND, True

    # -- receiving ---------------------------------------------------------------------------------

    def ReceiveMessage(self, call: Call) -> dict[str, Any]:
        queue = self._of(call)
        params = call.params
        maximum = params.get("MaxNumberOfMessages", 1)
        if not 1 <= maximum <= 10:
            raise errors.invalid_value(
                maximum, "MaxNumberOfMessages", "Must be between 1 and 10, if provided."
            )
        seconds = params.get("VisibilityTimeout")
        if seconds is not None and not 0 <= seconds <= 43_200:
            raise errors.invalid_value(
                seconds, "VisibilityTimeout", "Must be >= 0 and <= 43200, if provided."
            )
        wait = params.get("WaitTimeSeconds")
        if wait is not None and not 0 <= wait <= 20:
            raise errors.invalid_value(wait, "WaitTimeSeconds", "Must be >= 0 and <= 20, if provided.")
        attempt = params.get("ReceiveRequestAttemptId", "")
        if attempt:
            sending.check_fifo_id(attempt, "ReceiveRequestAttemptId")
            if not isinstance(queue, FifoQueue):
                raise errors.invalid_value(
                    attempt,
                    "ReceiveRequestAttemptId",
                    "The request includes a parameter that is not valid for this queue type.",
                )
        if queue.settings.key:
            self.unlock(queue, call.caller, RECEIVE)
        timeout = None if seconds is None else seconds * SECOND
        deadline = self.kernel.now + (queue.settings.wait if wait is None else wait * SECOND)
        caller = call.caller
        messages: list[Message] = []
        while not messages:
            left = deadline - self.kernel.now
            if isinstance(queue, FifoQueue) and attempt:
                if left > 0 and not queue.remembers(attempt):
                    queue.wait_for_messages(left)
                messages = queue.receive_attempt(attempt, maximum, timeout, caller.name, caller.trace)
            else:
                if left > 0:
                    queue.wait_for_messages(left)
                messages = queue.receive(maximum, timeout, caller.name, caller.trace)
            if deadline <= self.kernel.now:
                break
        if not messages:
            return {}
        return {"Messages": self._shown(messages, params)}

    def _shown(self, messages: list[Message], params: Mapping[str, Any]) -> list[dict[str, Any]]:
        system = params.get("MessageSystemAttributeNames") or params.get("AttributeNames")
        wanted = params.get("MessageAttributeNames")
        shown = []
        for message in messages:
            body = message.body
            entry: dict[str, Any] = {
                "MessageId": message.message_id,
                "ReceiptHandle": message.receipt_handle,
                "MD5OfBody": md5_of_body(body),
                "Body": body,
            }
            if system:
                attributes = message.attributes
                if "All" not in system:
                    attributes = {name: value for name, value in attributes.items() if name in system}
                if attributes:
                    entry["Attributes"] = attributes
            if wanted:
                chosen = {
                    name: value
                    for name, value in message.message_attributes.items()
                    if any(_selects(pattern, name) for pattern in wanted)
                }
                if chosen:
                    entry["MD5OfMessageAttributes"] = md5_of_attributes(chosen)
                    entry["MessageAttributes"] = chosen
            shown.append(entry)
        return shown

    # -- deleting, changing visibility -------------------------------------------------------------

    def DeleteMessage(self, call: Call) -> dict[str, Any]:
        queue = self._of(call)
        caller = call.caller
        for problem in queue.delete([call.params["ReceiptHandle"]], caller.name, caller.trace):
            if problem is not None:
                raise problem
        return {}

    def DeleteMessageBatch(self, call: Call) -> dict[str, Any]:
        queue = self._of(call)
        entries: list[dict[str, Any]] = call.params["Entries"]
        sending.check_batch(entries, "DeleteMessageBatch")
        caller = call.caller
        problems = queue.delete([entry["ReceiptHandle"] for entry in entries], caller.name, caller.trace)
        return _per_entry(entries, problems)

    def ChangeMessageVisibility(self, call: Call) -> dict[str, Any]:
        queue = self._of(call)
        seconds = call.params["VisibilityTimeout"]
        _check_visibility(seconds)
        changes = [(call.params["ReceiptHandle"], seconds * SECOND)]
        for problem in queue.change_visibilities(changes, call.caller.name, call.caller.trace):
            if problem is not None:
                raise problem
        return {}

    def ChangeMessageVisibilityBatch(self, call: Call) -> dict[str, Any]:
        queue = self._of(call)
        entries: list[dict[str, Any]] = call.params["Entries"]
        sending.check_batch(entries, "ChangeMessageVisibilityBatch")
        problems: dict[str, ServiceError | None] = {}
        changes = {}
        for entry in entries:
            seconds = entry.get("VisibilityTimeout", queue.settings.visibility // SECOND)
            try:
                _check_visibility(seconds)
            except ServiceError as problem:
                problems[entry["Id"]] = problem
            else:
                changes[entry["Id"]] = (entry["ReceiptHandle"], seconds * SECOND)
        outcomes = queue.change_visibilities(list(changes.values()), call.caller.name, call.caller.trace)
        problems.update(zip(changes, outcomes, strict=True))
        return _per_entry(entries, [problems[entry["Id"]] for entry in entries])


def _check_visibility(seconds: int) -> None:
    if not 0 <= seconds <= 43_200:
        raise errors.invalid_value(seconds, "VisibilityTimeout", "Must be between 0 and 43200.")


def _no_dedup_id() -> ServiceError:
    return errors.invalid(
        "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided "
        "explicitly"
    )


def _selects(pattern: str, name: str) -> bool:
    """Does an entry of MessageAttributeNames select this attribute? All, .*, prefix.* or the name itself.

    A lone asterisk selects all as well (recorded from AWS; the API reference does not mention it).
    """
    if pattern.endswith(".*"):
        return name.startswith(pattern[:-2])
    return pattern in ("All", "*", name)


def _sent(item: Stored, entry: Mapping[str, Any]) -> dict[str, Any]:
    answer = {"MD5OfMessageBody": md5_of_body(item.body), "MessageId": item.message_id}
    if entry.get("MessageAttributes"):
        answer["MD5OfMessageAttributes"] = md5_of_attributes(entry["MessageAttributes"])
    if entry.get("MessageSystemAttributes"):
        answer["MD5OfMessageSystemAttributes"] = md5_of_attributes(entry["MessageSystemAttributes"])
    if item.extra.sequence:
        answer["SequenceNumber"] = item.extra.sequence
    return answer


def _per_entry(
    entries: Sequence[Mapping[str, Any]], problems: Sequence[ServiceError | None]
) -> dict[str, Any]:
    successful, failed = [], []
    for entry, problem in zip(entries, problems, strict=True):
        if problem is None:
            successful.append({"Id": entry["Id"]})
        else:
            failed.append(errors.batch_failure(entry["Id"], problem))
    return _outcome(successful, failed)


def _outcome(successful: list[dict[str, Any]], failed: list[dict[str, Any]]) -> dict[str, Any]:
    """AWS leaves an empty list out."""
    answer: dict[str, Any] = {}
    if successful:
        answer["Successful"] = successful
    if failed:
        answer["Failed"] = failed
    return answer
