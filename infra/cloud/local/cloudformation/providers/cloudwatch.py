"""AWS::CloudWatch: alarms, composite alarms and dashboards.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_CloudWatch.html
"""

from __future__ import annotations

from typing import Any, ClassVar

from .base import Context, Outcome, Provider, picked
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

_DIMENSIONS = list_of(struct(_required=("Name", "Value"), Name=STRING, Value=STRING))
_METRIC_STAT = struct(
    _required=("Metric", "Period", "Stat"),
    Metric=struct(Dimensions=_DIMENSIONS, MetricName=STRING, Namespace=STRING),
    Period=INTEGER,
    Stat=STRING,
    Unit=STRING,
)
_QUERIES = list_of(
    struct(
        _required=("Id",),
        AccountId=STRING,
        Expression=STRING,
        Id=STRING,
        Label=STRING,
        MetricStat=_METRIC_STAT,
        Period=INTEGER,
        ReturnData=BOOLEAN,
    )
)


class _Alarm(Provider):
    """What both kinds of alarms share: one space of names, and one operation that makes and changes."""

    attributes = ("Arn",)
    named_by = "AlarmName"
    missing = ("ResourceNotFound",)

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        return self._put(ctx, props.get("AlarmName") or ctx.name(255), props)

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        return self._put(ctx, physical_id, new)

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        ctx.call("cloudwatch", "DeleteAlarms", {"AlarmNames": [physical_id]})

    puts: ClassVar[str]
    """The operation."""

    def params(self, props: dict[str, Any]) -> dict[str, Any]:
        return picked(props, *(each for each in self.properties if each != "AlarmName"))

    def _put(self, ctx: Context, name: str, props: dict[str, Any]) -> Outcome:
        ctx.call("cloudwatch", self.puts, {"AlarmName": name, **self.params(props)})
        return Outcome(name, {"Arn": f"arn:aws:cloudwatch:{ctx.region}:{ctx.account}:alarm:{name}"})


class Alarm(_Alarm):
    type = "AWS::CloudWatch::Alarm"
    properties = accepts(
        ActionsEnabled=optional(BOOLEAN),
        AlarmActions=optional(STRINGS),
        AlarmDescription=optional(STRING),
        AlarmName=replaces(STRING),
        ComparisonOperator=optional(STRING),
        DatapointsToAlarm=optional(INTEGER),
        Dimensions=optional(_DIMENSIONS),
        EvaluateLowSampleCountPercentile=optional(STRING),
        EvaluationPeriods=optional(INTEGER),
        ExtendedStatistic=optional(STRING),
        InsufficientDataActions=optional(STRINGS),
        MetricName=optional(STRING),
        Metrics=optional(_QUERIES),
        Namespace=optional(STRING),
        OKActions=optional(STRINGS),
        Period=optional(INTEGER),
        Statistic=optional(STRING),
        Threshold=optional(NUMBER),
        ThresholdMetricId=optional(STRING),
        TreatMissingData=optional(STRING),
        Unit=optional(STRING),
    )
    puts = "PutMetricAlarm"

    def params(self, props: dict[str, Any]) -> dict[str, Any]:
        params = super().params(props)
        if "Threshold" in params:
            params["Threshold"] = float(params["Threshold"])
        return params


class CompositeAlarm(_Alarm):
    type = "AWS::CloudWatch::CompositeAlarm"
    properties = accepts(
        ActionsEnabled=optional(BOOLEAN),
        ActionsSuppressor=optional(STRING),
        ActionsSuppressorExtensionPeriod=optional(INTEGER),
        ActionsSuppressorWaitPeriod=optional(INTEGER),
        AlarmActions=optional(STRINGS),
        AlarmDescription=optional(STRING),
        AlarmName=replaces(STRING),
        AlarmRule=required(STRING),
        InsufficientDataActions=optional(STRINGS),
        OKActions=optional(STRINGS),
    )
    puts = "PutCompositeAlarm"


class Dashboard(Provider):
    type = "AWS::CloudWatch::Dashboard"
    properties = accepts(DashboardBody=required(STRING), DashboardName=replaces(STRING))
    named_by = "DashboardName"
    missing = ("DashboardNotFoundError", "ResourceNotFound")

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        return self._put(ctx, props.get("DashboardName") or ctx.name(255), props)

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        return self._put(ctx, physical_id, new)

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        ctx.call("cloudwatch", "DeleteDashboards", {"DashboardNames": [physical_id]})

    @staticmethod
    def _put(ctx: Context, name: str, props: dict[str, Any]) -> Outcome:
        ctx.call("cloudwatch", "PutDashboard", {"DashboardName": name, **picked(props, "DashboardBody")})
        return Outcome(name)


PROVIDERS: tuple[type[Provider], ...] = (Alarm, CompositeAlarm, Dashboard)
