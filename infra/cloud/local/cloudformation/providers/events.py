"""AWS::Events: buses and their policies, rules with their targets, archives.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_Events.html. Connections and API
destinations are in ``events_http``.
"""

from __future__ import annotations

import json
from typing import Any

from ...service import ServiceError
from .base import Context, Outcome, Provider, picked
from .events_http import ApiDestination, Connection
from .schema import (
    INTEGER,
    JSON,
    STRING,
    STRING_MAP,
    STRINGS,
    accepts,
    list_of,
    optional,
    replaces,
    required,
    struct,
)

_GONE = ("ResourceNotFoundException",)


class EventBus(Provider):
    type = "AWS::Events::EventBus"
    properties = accepts(
        Description=optional(STRING), Name=required(STRING, replaces=True), Policy=optional(JSON)
    )
    attributes = ("Arn", "Name", "Policy")
    named_by = "Name"
    missing = _GONE

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        arn = ctx.call("events", "CreateEventBus", picked(props, "Name", "Description"))["EventBusArn"]
        ctx.created(props["Name"])
        return self._policy(ctx, props, arn)

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        params = {"Name": physical_id, "Description": new.get("Description", "")}
        arn: str = ctx.call("events", "UpdateEventBus", params)["Arn"]
        if old.get("Policy") and not new.get("Policy"):
            gone = {"EventBusName": physical_id, "RemoveAllPermissions": True}
            ctx.call("events", "RemovePermission", gone)
        return self._policy(ctx, new, arn)

    @staticmethod
    def _policy(ctx: Context, props: dict[str, Any], arn: str) -> Outcome:
        policy = json.dumps(props.get("Policy", {}))
        if props.get("Policy"):
            ctx.call("events", "PutPermission", {"EventBusName": props["Name"], "Policy": policy})
        return Outcome(props["Name"], {"Arn": arn, "Name": props["Name"], "Policy": policy})

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        ctx.call("events", "DeleteEventBus", {"Name": physical_id})


class EventBusPolicy(Provider):
    """One statement of a bus's policy: as JSON, or as Action, Principal and Condition."""

    type = "AWS::Events::EventBusPolicy"
    properties = accepts(
        Action=optional(STRING),
        Condition=optional(struct(Key=STRING, Type=STRING, Value=STRING)),
        EventBusName=replaces(STRING),
        Principal=optional(STRING),
        Statement=optional(JSON),
        StatementId=required(STRING, replaces=True),
    )
    missing = _GONE

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        self._put(ctx, props)
        return Outcome(ctx.name())

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        self._put(ctx, new)
        return Outcome(physical_id)

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        ctx.call("events", "RemovePermission", picked(props, "EventBusName", "StatementId"))

    @staticmethod
    def _put(ctx: Context, props: dict[str, Any]) -> None:
        bus = picked(props, "EventBusName")
        if "Statement" not in props:
            params = picked(props, "Action", "Condition", "EventBusName", "Principal", "StatementId")
            ctx.call("events", "PutPermission", params)
            return
        name = props.get("EventBusName", "default")
        known = ctx.call("events", "DescribeEventBus", {"Name": name}).get("Policy")
        policy: dict[str, Any] = {"Version": "2012-10-17", "Statement": []}
        if known:
            policy = json.loads(known)
        sid = props["StatementId"]
        kept = [statement for statement in policy["Statement"] if statement.get("Sid") != sid]
        policy["Statement"] = [*kept, {**props["Statement"], "Sid": sid}]
        ctx.call("events", "PutPermission", {**bus, "Policy": json.dumps(policy)})


_TARGET = struct(
    _required=("Arn", "Id"),
    Arn=STRING,
    DeadLetterConfig=struct(Arn=STRING),
    HttpParameters=struct(
        HeaderParameters=STRING_MAP, PathParameterValues=STRINGS, QueryStringParameters=STRING_MAP
    ),
    Id=STRING,
    Input=STRING,
    InputPath=STRING,
    InputTransformer=struct(_required=("InputTemplate",), InputPathsMap=STRING_MAP, InputTemplate=STRING),
    KinesisParameters=struct(_required=("PartitionKeyPath",), PartitionKeyPath=STRING),
    RetryPolicy=struct(MaximumEventAgeInSeconds=INTEGER, MaximumRetryAttempts=INTEGER),
    RoleArn=STRING,
    SqsParameters=struct(MessageGroupId=STRING),
)


class Rule(Provider):
    """On a custom bus the physical id is ``bus|rule``."""

    type = "AWS::Events::Rule"
    properties = accepts(
        Description=optional(STRING),
        EventBusName=replaces(STRING),
        EventPattern=optional(JSON),
        Name=replaces(STRING),
        RoleArn=optional(STRING),
        ScheduleExpression=optional(STRING),
        State=optional(STRING),
        Targets=optional(list_of(_TARGET)),
    )
    attributes = ("Arn",)
    named_by = "Name"
    missing = _GONE

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        name = props.get("Name") or ctx.name(64)
        if "Name" in props:
            self._must_be_free(ctx, props)
        physical_id = self._physical(props, name)
        ctx.created(physical_id)
        return self._put(ctx, physical_id, {}, props)

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        return self._put(ctx, physical_id, old, new)

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        bus, name = picked(props, "EventBusName"), physical_id.rpartition("|")[2]
        ids = [target["Id"] for target in props.get("Targets", ())]
        if ids:
            ctx.call("events", "RemoveTargets", {**bus, "Rule": name, "Ids": ids})
        ctx.call("events", "DeleteRule", {**bus, "Name": name})

    @staticmethod
    def _physical(props: dict[str, Any], name: str) -> str:
        bus = props.get("EventBusName", "default").rpartition("event-bus/")[2]
        return name if bus == "default" else f"{bus}|{name}"

    @staticmethod
    def _must_be_free(ctx: Context, props: dict[str, Any]) -> None:
        """PutRule replaces an existing rule; CloudFormation must not adopt it."""
        try:
            ctx.call("events", "DescribeRule", picked(props, "EventBusName", "Name"))
        except ServiceError as error:
            if error.code not in _GONE or "Event bus" in error.message:
                raise
            return
        raise ServiceError("AlreadyExists", f"{props['Name']} already exists in stack or account")

    @staticmethod
    def _put(ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        bus, name = picked(new, "EventBusName"), physical_id.rpartition("|")[2]
        params = {**bus, "Name": name, **picked(new, "Description", "RoleArn", "ScheduleExpression", "State")}
        if "EventPattern" in new:
            params["EventPattern"] = json.dumps(new["EventPattern"], separators=(",", ":"))
        arn = ctx.call("events", "PutRule", params)["RuleArn"]
        targets = new.get("Targets", [])
        ids = [target["Id"] for target in targets]
        gone = [target["Id"] for target in old.get("Targets", ()) if target["Id"] not in ids]
        if gone:
            ctx.call("events", "RemoveTargets", {**bus, "Rule": name, "Ids": gone})
        if targets:
            ctx.call("events", "PutTargets", {**bus, "Rule": name, "Targets": targets})
        return Outcome(physical_id, {"Arn": arn})


class Archive(Provider):
    type = "AWS::Events::Archive"
    properties = accepts(
        ArchiveName=replaces(STRING),
        Description=optional(STRING),
        EventPattern=optional(JSON),
        RetentionDays=optional(INTEGER),
        SourceArn=required(STRING, replaces=True),
    )
    attributes = ("ArchiveName", "Arn")
    named_by = "ArchiveName"
    missing = _GONE

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        name = props.get("ArchiveName") or ctx.name(48)
        params = {"ArchiveName": name, "EventSourceArn": props["SourceArn"], **self._settings(props)}
        return self._outcome(name, ctx.call("events", "CreateArchive", params))

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        settings = {"Description": "", "EventPattern": "", "RetentionDays": 0, **self._settings(new)}
        answer = ctx.call("events", "UpdateArchive", {"ArchiveName": physical_id, **settings})
        return self._outcome(physical_id, answer)

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        ctx.call("events", "DeleteArchive", {"ArchiveName": physical_id})

    @staticmethod
    def _settings(props: dict[str, Any]) -> dict[str, Any]:
        settings = picked(props, "Description", "RetentionDays")
        if "EventPattern" in props:
            settings["EventPattern"] = json.dumps(props["EventPattern"], separators=(",", ":"))
        return settings

    @staticmethod
    def _outcome(name: str, answer: dict[str, Any]) -> Outcome:
        return Outcome(name, {"ArchiveName": name, "Arn": answer["ArchiveArn"]})


PROVIDERS: tuple[type[Provider], ...] = (
    ApiDestination,
    Archive,
    Connection,
    EventBus,
    EventBusPolicy,
    Rule,
)
