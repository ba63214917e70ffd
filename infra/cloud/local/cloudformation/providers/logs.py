"""AWS::Logs: log groups, their streams and filters, resource policies.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_Logs.html
"""

from __future__ import annotations

from typing import Any

from .base import Context, Outcome, Provider
from .schema import (
    BOOLEAN,
    INTEGER,
    NUMBER,
    STRING,
    STRINGS,
    accepts,
    list_of,
    optional,
    replaces,
    required,
    struct,
)


class LogGroup(Provider):
    type = "AWS::Logs::LogGroup"
    properties = accepts(
        DeletionProtectionEnabled=optional(BOOLEAN),
        LogGroupName=replaces(STRING),
        RetentionInDays=optional(INTEGER),
    )
    attributes = ("Arn",)
    named_by = "LogGroupName"
    missing = ("ResourceNotFoundException",)

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        name = props.get("LogGroupName") or ctx.name(512)
        ctx.call("logs", "CreateLogGroup", {"logGroupName": name})
        ctx.created(name)
        self._keep(ctx, name, props.get("RetentionInDays"))
        self._protect(ctx, name, {}, props)
        return self._outcome(ctx, name)

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        if old.get("RetentionInDays") != new.get("RetentionInDays"):
            if "RetentionInDays" in new:
                self._keep(ctx, physical_id, new["RetentionInDays"])
            else:
                ctx.call("logs", "DeleteRetentionPolicy", {"logGroupName": physical_id})
        self._protect(ctx, physical_id, old, new)
        return self._outcome(ctx, physical_id)

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        ctx.call("logs", "DeleteLogGroup", {"logGroupName": physical_id})

    @staticmethod
    def _protect(ctx: Context, name: str, old: dict[str, Any], new: dict[str, Any]) -> None:
        wanted = new.get("DeletionProtectionEnabled", False)
        if old.get("DeletionProtectionEnabled", False) != wanted:
            params = {"logGroupIdentifier": name, "deletionProtectionEnabled": wanted}
            ctx.call("logs", "PutLogGroupDeletionProtection", params)

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


class LogStream(Provider):
    type = "AWS::Logs::LogStream"
    properties = accepts(LogGroupName=required(STRING, replaces=True), LogStreamName=replaces(STRING))
    named_by = "LogStreamName"
    missing = ("ResourceNotFoundException",)

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        name = props.get("LogStreamName") or ctx.name(512)
        params = {"logGroupName": props["LogGroupName"], "logStreamName": name}
        ctx.call("logs", "CreateLogStream", params)
        return Outcome(name)

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        return Outcome(physical_id)

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        params = {"logGroupName": props["LogGroupName"], "logStreamName": physical_id}
        ctx.call("logs", "DeleteLogStream", params)


class MetricFilter(Provider):
    type = "AWS::Logs::MetricFilter"
    properties = accepts(
        FilterName=replaces(STRING),
        FilterPattern=required(STRING),
        LogGroupName=required(STRING, replaces=True),
        MetricTransformations=required(
            list_of(
                struct(
                    _required=("MetricName", "MetricNamespace", "MetricValue"),
                    DefaultValue=NUMBER,
                    Dimensions=list_of(struct(_required=("Key", "Value"), Key=STRING, Value=STRING)),
                    MetricName=STRING,
                    MetricNamespace=STRING,
                    MetricValue=STRING,
                    Unit=STRING,
                )
            )
        ),
    )
    named_by = "FilterName"
    missing = ("ResourceNotFoundException",)

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        return self._put(ctx, props.get("FilterName") or ctx.name(512), props)

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        return self._put(ctx, physical_id, new)

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        params = {"logGroupName": props["LogGroupName"], "filterName": physical_id}
        ctx.call("logs", "DeleteMetricFilter", params)

    @staticmethod
    def _put(ctx: Context, name: str, props: dict[str, Any]) -> Outcome:
        transformations = []
        for each in props["MetricTransformations"]:
            made = {key[0].lower() + key[1:]: value for key, value in each.items() if key != "Dimensions"}
            if "defaultValue" in made:
                made["defaultValue"] = float(made["defaultValue"])
            if "Dimensions" in each:
                made["dimensions"] = {pair["Key"]: pair["Value"] for pair in each["Dimensions"]}
            transformations.append(made)
        params = {
            "logGroupName": props["LogGroupName"],
            "filterName": name,
            "filterPattern": props["FilterPattern"],
            "metricTransformations": transformations,
        }
        ctx.call("logs", "PutMetricFilter", params)
        return Outcome(name)


class SubscriptionFilter(Provider):
    type = "AWS::Logs::SubscriptionFilter"
    properties = accepts(
        DestinationArn=required(STRING),
        Distribution=optional(STRING),
        FilterName=replaces(STRING),
        FilterPattern=required(STRING),
        LogGroupName=required(STRING, replaces=True),
        RoleArn=optional(STRING),
    )
    named_by = "FilterName"
    missing = ("ResourceNotFoundException",)

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        return self._put(ctx, props.get("FilterName") or ctx.name(512), props)

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        return self._put(ctx, physical_id, new)

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        params = {"logGroupName": props["LogGroupName"], "filterName": physical_id}
        ctx.call("logs", "DeleteSubscriptionFilter", params)

    @staticmethod
    def _put(ctx: Context, name: str, props: dict[str, Any]) -> Outcome:
        names = ("DestinationArn", "Distribution", "FilterPattern", "LogGroupName", "RoleArn")
        params = {each[0].lower() + each[1:]: props[each] for each in names if each in props}
        ctx.call("logs", "PutSubscriptionFilter", {"filterName": name, **params})
        return Outcome(name)


class QueryDefinition(Provider):
    type = "AWS::Logs::QueryDefinition"
    properties = accepts(
        LogGroupNames=optional(STRINGS),
        Name=required(STRING),
        QueryLanguage=optional(STRING),
        QueryString=required(STRING),
    )
    attributes = ("QueryDefinitionId",)
    missing = ("ResourceNotFoundException",)

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        return self._put(ctx, props)

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        return self._put(ctx, new, queryDefinitionId=physical_id)

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        ctx.call("logs", "DeleteQueryDefinition", {"queryDefinitionId": physical_id})

    @staticmethod
    def _put(ctx: Context, props: dict[str, Any], **known: str) -> Outcome:
        params = {each[0].lower() + each[1:]: value for each, value in props.items() if each != "Tags"}
        identifier = ctx.call("logs", "PutQueryDefinition", {**params, **known})["queryDefinitionId"]
        return Outcome(identifier, {"QueryDefinitionId": identifier})


PROVIDERS: tuple[type[Provider], ...] = (
    LogGroup,
    LogStream,
    MetricFilter,
    QueryDefinition,
    ResourcePolicy,
    SubscriptionFilter,
)
