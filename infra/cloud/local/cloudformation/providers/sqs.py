"""AWS::SQS: queues and their policies.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_SQS.html
"""

from __future__ import annotations

import json
from typing import Any

from ...service import ServiceError
from .base import Context, Outcome, Provider
from .schema import BOOLEAN, INTEGER, JSON, STRING, STRINGS, accepts, optional, replaces, required

_DEFAULTS = {
    "ContentBasedDeduplication": "false",
    "DeduplicationScope": "queue",
    "DelaySeconds": "0",
    "FifoThroughputLimit": "perQueue",
    "KmsDataKeyReusePeriodSeconds": "300",
    "KmsMasterKeyId": "",
    "MaximumMessageSize": "1048576",
    "MessageRetentionPeriod": "345600",
    "ReceiveMessageWaitTimeSeconds": "0",
    "RedriveAllowPolicy": "",
    "RedrivePolicy": "",
    "SqsManagedSseEnabled": "true",
    "VisibilityTimeout": "30",
}
"""What an attribute becomes when its property is removed from the template.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html"""

_GONE = ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist")


class Queue(Provider):
    type = "AWS::SQS::Queue"
    properties = accepts(
        ContentBasedDeduplication=optional(BOOLEAN),
        DeduplicationScope=optional(STRING),
        DelaySeconds=optional(INTEGER),
        FifoQueue=replaces(BOOLEAN),
        FifoThroughputLimit=optional(STRING),
        KmsDataKeyReusePeriodSeconds=optional(INTEGER),
        KmsMasterKeyId=optional(STRING),
        MaximumMessageSize=optional(INTEGER),
        MessageRetentionPeriod=optional(INTEGER),
        QueueName=replaces(STRING),
        ReceiveMessageWaitTimeSeconds=optional(INTEGER),
        RedriveAllowPolicy=optional(JSON),
        RedrivePolicy=optional(JSON),
        SqsManagedSseEnabled=optional(BOOLEAN),
        VisibilityTimeout=optional(INTEGER),
    )
    attributes = ("Arn", "QueueName", "QueueUrl")
    named_by = "QueueName"
    missing = _GONE

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        fifo = props.get("FifoQueue", False)
        name = props.get("QueueName") or ctx.name(80, suffix=".fifo" if fifo else "")
        if "QueueName" in props:
            self._must_be_free(ctx, name)
        attributes = _attributes(props)
        if fifo:
            attributes["FifoQueue"] = "true"
        url = ctx.call("sqs", "CreateQueue", {"QueueName": name, "Attributes": attributes})["QueueUrl"]
        return _outcome(ctx, url)

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        before, after = _attributes(old), _attributes(new)
        changes = {name: value for name, value in after.items() if before.get(name) != value}
        changes.update({name: _DEFAULTS[name] for name in before if name not in after})
        if after.get("KmsMasterKeyId"):  # a queue has one kind of encryption
            changes.pop("SqsManagedSseEnabled", None)
        if changes:
            ctx.call("sqs", "SetQueueAttributes", {"QueueUrl": physical_id, "Attributes": changes})
        return _outcome(ctx, physical_id)

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        ctx.call("sqs", "DeleteQueue", {"QueueUrl": physical_id})

    @staticmethod
    def _must_be_free(ctx: Context, name: str) -> None:
        """CreateQueue answers with an existing queue; CloudFormation must not adopt it."""
        try:
            ctx.call("sqs", "GetQueueUrl", {"QueueName": name})
        except ServiceError as error:
            if error.code not in _GONE:
                raise
            return
        raise ServiceError(
            "AlreadyExists", f"Resource of type 'AWS::SQS::Queue' with identifier '{name}' already exists."
        )


def _attributes(props: dict[str, Any]) -> dict[str, str]:
    return {name: _text(props[name]) for name in _DEFAULTS if name in props}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value) if isinstance(value, dict | list) else str(value)


def _outcome(ctx: Context, url: str) -> Outcome:
    name = url.rsplit("/", 1)[1]
    return Outcome(
        url, {"Arn": f"arn:aws:sqs:{ctx.region}:{ctx.account}:{name}", "QueueName": name, "QueueUrl": url}
    )


class QueuePolicy(Provider):
    type = "AWS::SQS::QueuePolicy"
    properties = accepts(PolicyDocument=required(JSON), Queues=required(STRINGS))
    attributes = ("Id",)
    missing = _GONE

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        self._set(ctx, props["Queues"], json.dumps(props["PolicyDocument"]))
        name = ctx.name()
        return Outcome(name, {"Id": name})

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        self._set(ctx, new["Queues"], json.dumps(new["PolicyDocument"]))
        self._set(ctx, [url for url in old["Queues"] if url not in new["Queues"]], "")
        return Outcome(physical_id, {"Id": physical_id})

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        self._set(ctx, props["Queues"], "")

    @staticmethod
    def _set(ctx: Context, urls: list[str], policy: str) -> None:
        for url in urls:
            ctx.call("sqs", "SetQueueAttributes", {"QueueUrl": url, "Attributes": {"Policy": policy}})


class QueueInlinePolicy(Provider):
    """The policy of one queue."""

    type = "AWS::SQS::QueueInlinePolicy"
    properties = accepts(PolicyDocument=required(JSON), Queue=required(STRING, replaces=True))
    missing = _GONE

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        self._set(ctx, props["Queue"], json.dumps(props["PolicyDocument"]))
        return Outcome(props["Queue"])

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        self._set(ctx, physical_id, json.dumps(new["PolicyDocument"]))
        return Outcome(physical_id)

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        self._set(ctx, physical_id, "")

    @staticmethod
    def _set(ctx: Context, url: str, policy: str) -> None:
        ctx.call("sqs", "SetQueueAttributes", {"QueueUrl": url, "Attributes": {"Policy": policy}})


PROVIDERS: tuple[type[Provider], ...] = (Queue, QueuePolicy, QueueInlinePolicy)
