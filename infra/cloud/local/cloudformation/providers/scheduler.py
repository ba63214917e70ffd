"""AWS::Scheduler: schedules and their groups.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_Scheduler.html
"""

from __future__ import annotations

import datetime
from typing import Any

from .base import Context, Outcome, Provider
from .schema import INTEGER, STRING, accepts, optional, replaces, required, struct

_GONE = ("ResourceNotFoundException",)

_TARGET = struct(
    _required=("Arn", "RoleArn"),
    Arn=STRING,
    DeadLetterConfig=struct(Arn=STRING),
    EventBridgeParameters=struct(_required=("DetailType", "Source"), DetailType=STRING, Source=STRING),
    Input=STRING,
    KinesisParameters=struct(_required=("PartitionKey",), PartitionKey=STRING),
    RetryPolicy=struct(MaximumEventAgeInSeconds=INTEGER, MaximumRetryAttempts=INTEGER),
    RoleArn=STRING,
    SqsParameters=struct(MessageGroupId=STRING),
)


class Schedule(Provider):
    type = "AWS::Scheduler::Schedule"
    properties = accepts(
        Description=optional(STRING),
        EndDate=optional(STRING),
        FlexibleTimeWindow=required(struct(_required=("Mode",), MaximumWindowInMinutes=INTEGER, Mode=STRING)),
        GroupName=replaces(STRING),
        Name=replaces(STRING),
        ScheduleExpression=required(STRING),
        ScheduleExpressionTimezone=optional(STRING),
        StartDate=optional(STRING),
        State=optional(STRING),
        Target=required(_TARGET),
    )
    attributes = ("Arn",)
    named_by = "Name"
    missing = _GONE

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        name = props.get("Name") or ctx.name()
        arn = ctx.call("scheduler", "CreateSchedule", _params(name, props))["ScheduleArn"]
        return Outcome(name, {"Arn": arn})

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        arn = ctx.call("scheduler", "UpdateSchedule", _params(physical_id, new))["ScheduleArn"]
        return Outcome(physical_id, {"Arn": arn})

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        params = {"Name": physical_id, "GroupName": props.get("GroupName", "default")}
        ctx.call("scheduler", "DeleteSchedule", params)


def _params(name: str, props: dict[str, Any]) -> dict[str, Any]:
    params = {key: props[key] for key in Schedule.properties if key in props}
    for key in ("StartDate", "EndDate"):
        if key in params:
            time = datetime.datetime.fromisoformat(params[key])
            params[key] = time if time.tzinfo else time.replace(tzinfo=datetime.UTC)
    return {**params, "Name": name}


class ScheduleGroup(Provider):
    type = "AWS::Scheduler::ScheduleGroup"
    properties = accepts(Name=replaces(STRING))
    attributes = ("Arn", "CreationDate", "LastModificationDate", "State")
    named_by = "Name"
    missing = _GONE

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        name = props.get("Name") or ctx.name()
        ctx.call("scheduler", "CreateScheduleGroup", {"Name": name})
        return self._outcome(ctx, name)

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        return self._outcome(ctx, physical_id)

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        ctx.call("scheduler", "DeleteScheduleGroup", {"Name": physical_id})

    @staticmethod
    def _outcome(ctx: Context, name: str) -> Outcome:
        group = ctx.call("scheduler", "GetScheduleGroup", {"Name": name})
        attributes = {
            "Arn": group["Arn"],
            "CreationDate": group["CreationDate"].isoformat(),
            "LastModificationDate": group["LastModificationDate"].isoformat(),
            "State": group["State"],
        }
        return Outcome(name, attributes)


PROVIDERS: tuple[type[Provider], ...] = (Schedule, ScheduleGroup)
