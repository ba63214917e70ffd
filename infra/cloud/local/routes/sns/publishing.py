"""Publish and PublishBatch: check, number, filter, and hand over to delivery.

What is wrong with one entry fails the whole batch, as AWS does it (recorded: LocalStack's test_sns,
test_publish_batch_exceptions and test_empty_or_wrong_message_attributes).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from ...service import Call, NotSimulated, ServiceError
from ...stores.sqs.registry import shows_trace
from . import checks, errors
from .delivery import Delivery
from .envelopes import Message
from .topic import Topic

_NO_ATTRIBUTES: dict[str, Any] = {}


class Publishing(Delivery):
    """The two operations."""

    def Publish(self, call: Call) -> dict[str, Any]:
        params = call.params
        if "PhoneNumber" in params:
            checks.check_phone_number(params["PhoneNumber"])
            raise NotSimulated("NotSimulated: sns Publish to a PhoneNumber - the local cloud sends no SMS")
        topic = self._target(call)
        self._unlock(topic, call)
        message = self._draft(topic, params)
        if message.size > checks.MAX_BYTES:
            raise errors.invalid("Message too long")
        self._send(topic, call, [message], self._numbered(topic, params, message))
        return _answer(message)

    def PublishBatch(self, call: Call) -> dict[str, Any]:
        entries: list[dict[str, Any]] = call.params["PublishBatchRequestEntries"]
        checks.check_batch(entries)
        topic = self.topic(call)
        self._unlock(topic, call)
        messages = [self._draft(topic, entry) for entry in entries]
        checks.check_batch_size(sum(message.size for message in messages))
        fresh: list[Message] = []
        for entry, message in zip(entries, messages, strict=True):
            fresh += self._numbered(topic, entry, message)
        self._send(topic, call, messages, fresh)
        successful = [
            {"Id": entry["Id"], **_answer(message)} for entry, message in zip(entries, messages, strict=True)
        ]
        return {"Successful": successful, "Failed": []}

    def _unlock(self, topic: Topic, call: Call) -> None:
        """Who publishes to an encrypted topic uses its KMS key, which its policy must allow.

        https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
        """
        key = topic.attributes.get("KmsMasterKeyId")
        if not key:
            return
        try:
            self.world.keys.use(
                call.caller,
                key,
                ("kms:GenerateDataKey", "kms:Decrypt"),
                "sns",
                topic.region,
                {"aws:sns:topicArn": topic.arn},
            )
        except ServiceError as problem:
            raise errors.of_key(problem, self.world.wire.request_id()) from problem

    def _target(self, call: Call) -> Topic:
        params = call.params
        if "TopicArn" in params:
            return self.topic(call)
        if "TargetArn" not in params:
            raise errors.invalid("TopicArn or TargetArn Reason: no value for required parameter")
        try:
            return self.topic(call, "TargetArn")
        except ServiceError as problem:
            if ":endpoint/" in params["TargetArn"]:
                raise errors.invalid(
                    "TargetArn Reason: No endpoint found for the target arn specified"
                ) from problem
            raise

    def _draft(self, topic: Topic, entry: Mapping[str, Any]) -> Message:
        """The message of Publish, or of an entry of PublishBatch, if nothing is wrong with it."""
        text: str = entry["Message"]
        checks.check_text(text)
        subject = entry.get("Subject")
        if subject is not None:
            checks.check_subject(subject)
        attributes = entry.get("MessageAttributes") or _NO_ATTRIBUTES
        if attributes:
            checks.check_attributes(attributes)
        structure = entry.get("MessageStructure")
        texts = checks.variants(text, structure) if structure else _NO_ATTRIBUTES
        group_id = entry.get("MessageGroupId")
        checks.check_group(group_id, entry.get("MessageDeduplicationId"), topic.fifo, topic.content_dedup)
        bytes_ = checks.size(text, attributes)
        if texts:
            text = texts["default"]
        return Message(
            self.new_id(), text, bytes_, self.kernel.now, subject, attributes, texts, group_id or ""
        )

    def _numbered(self, topic: Topic, entry: Mapping[str, Any], message: Message) -> list[Message]:
        """The message, if it is to be delivered: in a FIFO topic it gets its number, or is a duplicate."""
        if not topic.fifo:
            return [message]
        dedup_id = entry.get("MessageDeduplicationId")
        if dedup_id is None:
            dedup_id = hashlib.sha256(entry["Message"].encode()).hexdigest()
        message.dedup_id = dedup_id
        message.id, message.sequence, fresh = topic.accept(
            message.id, message.group_id, dedup_id, self.kernel.now
        )
        return [message] if fresh else []

    def _send(self, topic: Topic, call: Call, messages: list[Message], fresh: list[Message]) -> None:
        caller = call.caller
        self.journal.record(
            "sns.published",
            topic.arn,
            actor=caller.name,
            trace=caller.trace,
            data={"messages": [[message.id, message.size] for message in messages]},
        )
        if fresh:
            self.fan_out(topic, fresh, caller.trace, shows_trace(caller))


def _answer(message: Message) -> dict[str, str]:
    if message.sequence:
        return {"MessageId": message.id, "SequenceNumber": message.sequence}
    return {"MessageId": message.id}
