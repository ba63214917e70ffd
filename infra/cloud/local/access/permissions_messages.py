"""Permissions for what carries messages: queues, topics, buses, streams, schedules.

A rule gives None for ``service:Operation`` on ``*``. Where from: ``permissions.py``.
"""

from __future__ import annotations

import base64
import binascii
import json

from ..stores.kinesis.iterators import stream_of
from .scope import Params, Permission, Rule, Scope, once


def _sqs(operation: str, params: Params, scope: Scope) -> list[Permission] | None:
    action = f"sqs:{operation.removesuffix('Batch')}"
    url = params.get("QueueUrl")
    if url:
        account, name = url.split("/")[-2:] if "/" in url else (scope.account, url)
        return [(action, f"arn:aws:sqs:{scope.region}:{account}:{name}")]
    if "QueueName" in params:
        return [(action, scope.arn("sqs", params["QueueName"]))]
    if operation == "StartMessageMoveTask":
        source = params["SourceArn"]
        actions = ("StartMessageMoveTask", "ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
        moves = [(f"sqs:{name}", source) for name in actions]
        target = params.get("DestinationArn")
        return moves + ([("sqs:SendMessage", target)] if target else [])
    if "SourceArn" in params:
        return [(action, params["SourceArn"])]
    if "TaskHandle" in params:
        return [(action, _task_source(params["TaskHandle"]))]
    return None


def _task_source(handle: str) -> str:
    try:
        return str(json.loads(base64.b64decode(handle))["sourceArn"])
    except (ValueError, KeyError, binascii.Error):
        return "*"


def _sns(operation: str, params: Params, scope: Scope) -> list[Permission] | None:
    action = f"sns:{operation.removesuffix('Batch')}"
    for name in ("TopicArn", "TargetArn", "ResourceArn"):
        if name in params:
            return [(action, params[name])]
    if "SubscriptionArn" in params:
        return [(action, params["SubscriptionArn"].rpartition(":")[0])]
    if operation == "CreateTopic":
        return [(action, scope.arn("sns", params["Name"]))]
    return None


def _events(operation: str, params: Params, scope: Scope) -> list[Permission] | None:
    action = f"events:{operation}"

    def bus(name: str) -> str:
        return scope.named("events", "event-bus/", name)

    if operation == "PutEvents":
        return once((action, bus(entry.get("EventBusName", "default"))) for entry in params["Entries"])
    rule = params.get("Rule") or (params.get("Name") if "Rule" in operation else None)
    on = params.get("EventBusName", "default").rpartition("/")[2]
    if operation == "ListRules":  # as AWS's refusals name it: … on resource: arn:aws:events:…:rule/*
        return [(action, scope.arn("events", "rule/*" if on == "default" else f"rule/{on}/*"))]
    if rule and operation != "ListRuleNamesByTarget":
        resource = scope.arn("events", f"rule/{rule}" if on == "default" else f"rule/{on}/{rule}")
        roles = [params["RoleArn"]] if "RoleArn" in params else []
        roles += [target["RoleArn"] for target in params.get("Targets", ()) if "RoleArn" in target]
        return [(action, resource), *once(("iam:PassRole", role) for role in roles)]
    if "Name" in params and "EventBus" in operation:
        return [(action, bus(params["Name"]))]
    for member, kind in (("ArchiveName", "archive/"), ("ReplayName", "replay/")):
        if member in params:
            return [(action, scope.arn("events", kind + params[member]))]
    if "Name" in params:
        kind = "api-destination/" if "ApiDestination" in operation else "connection/"
        return [(action, scope.arn("events", f"{kind}{params['Name']}/*"))]
    return [(action, params["ResourceARN"])] if "ResourceARN" in params else None


def _kinesis(operation: str, params: Params, scope: Scope) -> list[Permission] | None:
    action = f"kinesis:{operation}"
    for name in ("ConsumerARN", "StreamARN", "ResourceARN"):
        if name in params:
            return [(action, params[name])]
    if "StreamName" in params:
        return [(action, scope.arn("kinesis", f"stream/{params['StreamName']}"))]
    if "ShardIterator" in params:
        stream = stream_of(params["ShardIterator"])
        return [(action, stream)] if stream else None
    return None


def _scheduler(operation: str, params: Params, scope: Scope) -> list[Permission] | None:
    if "Name" not in params:
        return None
    group = params.get("GroupName", "default")
    kind = "schedule-group/" if operation.endswith("ScheduleGroup") else f"schedule/{group}/"
    return [(f"scheduler:{operation}", scope.arn("scheduler", kind + params["Name"]))]


def _firehose(operation: str, params: Params, scope: Scope) -> list[Permission] | None:
    name = params.get("DeliveryStreamName")
    return [(f"firehose:{operation}", scope.arn("firehose", f"deliverystream/{name}"))] if name else None


RULES: dict[str, Rule] = {
    "events": _events,
    "firehose": _firehose,
    "kinesis": _kinesis,
    "scheduler": _scheduler,
    "sns": _sns,
    "sqs": _sqs,
}
