"""AWS::Logs: log groups, resource policies.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_Logs.html
"""

from __future__ import annotations

from typing import Any

from .base import Context, Outcome, Provider
from .schema import INTEGER, STRING, accepts, optional, replaces, required


class LogGroup(Provider):
    type = "AWS::Logs::LogGroup"
    properties = accepts(LogGroupName=replaces(STRING), RetentionInDays=optional(INTEGER))
    attributes = ("Arn",)
    named_by = "LogGroupName"
    missing = ("ResourceNotFoundException",)

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        name = props.get("LogGroupName") or ctx.name(512)
        ctx.call("logs", "CreateLogGroup", {"logGroupName": name})
        ctx.created(name)
        self._keep(ctx, name, props.get("RetentionInDays"))
        return self._outcome(ctx, name)

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        if old.get("RetentionInDays") != new.get("RetentionInDays"):
            if "RetentionInDays" in new:
                self._keep(ctx, physical_id, new["RetentionInDays"])
            else:
                ctx.call("logs", "DeleteRetentionPolicy", {"logGroupName": physical_id})
        return self._outcome(ctx, physical_id)

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        ctx.call("logs", "DeleteLogGroup", {"logGroupName": physical_id})

    @staticmethod
    def _keep(ctx: Context, name: str, days: int | None) -> None:
        if days is not None:
            ctx.call("logs", "PutRetentionPolicy", {"logGroupName": name, "retentionInDays": days})

    @staticmethod
    def _outcome(ctx: Context, name: str) -> Outcome:
        return Outcome(name, {"Arn": f"arn:aws:logs:{ctx.region}:{ctx.account}:log-group:{name}:*"})


class ResourcePolicy(Provider):
    """Which services may write to log groups (an EventBridge rule needs one)."""

    type = "AWS::Logs::ResourcePolicy"
    properties = accepts(PolicyDocument=required(STRING), PolicyName=required(STRING, replaces=True))
    named_by = "PolicyName"
    missing = ("ResourceNotFoundException",)

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        return self._put(ctx, props)

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        return self._put(ctx, new)

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        ctx.call("logs", "DeleteResourcePolicy", {"policyName": physical_id})

    @staticmethod
    def _put(ctx: Context, props: dict[str, Any]) -> Outcome:
        name = props["PolicyName"]
        params = {"policyName": name, "policyDocument": props["PolicyDocument"]}
        ctx.call("logs", "PutResourcePolicy", params)
        return Outcome(name)


PROVIDERS: tuple[type[Provider], ...] = (LogGroup, ResourcePolicy)
