"""AWS::XRay: groups, sampling rules, resource policies.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_XRay.html
"""

from __future__ import annotations

import json
from typing import Any

from .base import Context, Outcome, Provider
from .schema import (
    BOOLEAN,
    INTEGER,
    JSON,
    NUMBER,
    STRING,
    STRING_MAP,
    accepts,
    optional,
    replaces,
    required,
    struct,
)

_GONE = ("InvalidRequestException",)
_INSIGHTS = struct(InsightsEnabled=BOOLEAN, NotificationsEnabled=BOOLEAN)
_RULE = struct(
    Attributes=STRING_MAP,
    FixedRate=NUMBER,
    HTTPMethod=STRING,
    Host=STRING,
    Priority=INTEGER,
    ReservoirSize=INTEGER,
    ResourceARN=STRING,
    RuleARN=STRING,
    RuleName=STRING,
    ServiceName=STRING,
    ServiceType=STRING,
    URLPath=STRING,
    Version=INTEGER,
)


class TraceGroup(Provider):
    """Ref is the ARN."""

    type = "AWS::XRay::Group"
    properties = accepts(
        FilterExpression=optional(STRING),
        GroupName=replaces(STRING),
        InsightsConfiguration=optional(_INSIGHTS),
    )
    attributes = ("GroupARN",)
    named_by = "GroupName"
    missing = _GONE

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        name = props.get("GroupName") or ctx.name(32)
        arn = ctx.call("xray", "CreateGroup", _group(props, GroupName=name))["Group"]["GroupARN"]
        return Outcome(arn, {"GroupARN": arn})

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        ctx.call("xray", "UpdateGroup", _group(new, GroupARN=physical_id))
        return Outcome(physical_id, {"GroupARN": physical_id})

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        ctx.call("xray", "DeleteGroup", {"GroupARN": physical_id})


def _group(props: dict[str, Any], **identity: str) -> dict[str, Any]:
    params: dict[str, Any] = {"FilterExpression": props.get("FilterExpression", ""), **identity}
    if "InsightsConfiguration" in props:
        params["InsightsConfiguration"] = props["InsightsConfiguration"]
    return params


class SamplingRule(Provider):
    """Ref is the ARN. The members that a template leaves out match everything, as the console has them."""

    type = "AWS::XRay::SamplingRule"
    properties = accepts(
        RuleName=optional(STRING),
        SamplingRule=optional(_RULE),
        SamplingRuleUpdate=optional(_RULE),
    )
    attributes = ("RuleARN",)
    missing = _GONE

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        rule = _rule(props)
        rule.setdefault("RuleName", props.get("RuleName") or ctx.name(32))
        made = ctx.call("xray", "CreateSamplingRule", {"SamplingRule": {"Version": 1, **rule}})
        arn = made["SamplingRuleRecord"]["SamplingRule"]["RuleARN"]
        return Outcome(arn, {"RuleARN": arn})

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        changes = {key: value for key, value in _rule(new).items() if key not in ("RuleName", "Version")}
        ctx.call("xray", "UpdateSamplingRule", {"SamplingRuleUpdate": {**changes, "RuleARN": physical_id}})
        return Outcome(physical_id, {"RuleARN": physical_id})

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        ctx.call("xray", "DeleteSamplingRule", {"RuleARN": physical_id})


def _rule(props: dict[str, Any]) -> dict[str, Any]:
    everything = {
        "FixedRate": 0.05,
        "HTTPMethod": "*",
        "Host": "*",
        "Priority": 9999,
        "ReservoirSize": 1,
        "ResourceARN": "*",
        "ServiceName": "*",
        "ServiceType": "*",
        "URLPath": "*",
    }
    given = props.get("SamplingRule") or props.get("SamplingRuleUpdate") or {}
    return {**everything, **given}


class ResourcePolicy(Provider):
    """Ref is the name."""

    type = "AWS::XRay::ResourcePolicy"
    properties = accepts(
        BypassPolicyLockoutCheck=optional(BOOLEAN),
        PolicyDocument=required(JSON),
        PolicyName=required(STRING, replaces=True),
    )
    named_by = "PolicyName"
    missing = ("ResourceNotFoundException",)

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        params = {"PolicyName": props["PolicyName"], "PolicyDocument": json.dumps(props["PolicyDocument"])}
        ctx.call("xray", "PutResourcePolicy", params)
        return Outcome(props["PolicyName"])

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        return self.create(ctx, new)

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        ctx.call("xray", "DeleteResourcePolicy", {"PolicyName": physical_id})


PROVIDERS: tuple[type[Provider], ...] = (TraceGroup, SamplingRule, ResourcePolicy)
