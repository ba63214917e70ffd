"""AWS::ApplicationAutoScaling: scalable targets with their scheduled actions, and scaling policies.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_ApplicationAutoScaling.html
"""

from __future__ import annotations

import datetime
from typing import Any

from .base import Context, Outcome, Provider, picked
from .schema import (
    BOOLEAN,
    INTEGER,
    NUMBER,
    STRING,
    accepts,
    list_of,
    optional,
    replaces,
    required,
    struct,
)

_SERVICE = "application-autoscaling"
_GONE = ("ObjectNotFoundException",)
_KEY = ("ServiceNamespace", "ResourceId", "ScalableDimension")
_DIMENSIONS = list_of(struct(_required=("Name", "Value"), Name=STRING, Value=STRING))
_RANGE = struct(MaxCapacity=INTEGER, MinCapacity=INTEGER)
_SCHEDULED = struct(
    _required=("Schedule", "ScheduledActionName"),
    EndTime=STRING,
    ScalableTargetAction=_RANGE,
    Schedule=STRING,
    ScheduledActionName=STRING,
    StartTime=STRING,
    Timezone=STRING,
)
_QUERIES = list_of(
    struct(
        Expression=STRING,
        Id=STRING,
        Label=STRING,
        MetricStat=struct(
            Metric=struct(Dimensions=_DIMENSIONS, MetricName=STRING, Namespace=STRING),
            Stat=STRING,
            Unit=STRING,
        ),
        ReturnData=BOOLEAN,
    )
)


class ScalableTarget(Provider):
    type = "AWS::ApplicationAutoScaling::ScalableTarget"
    properties = accepts(
        MaxCapacity=required(INTEGER),
        MinCapacity=required(INTEGER),
        ResourceId=required(STRING, replaces=True),
        RoleARN=optional(STRING),
        ScalableDimension=required(STRING, replaces=True),
        ScheduledActions=optional(list_of(_SCHEDULED)),
        ServiceNamespace=required(STRING, replaces=True),
        SuspendedState=optional(
            struct(
                DynamicScalingInSuspended=BOOLEAN,
                DynamicScalingOutSuspended=BOOLEAN,
                ScheduledScalingSuspended=BOOLEAN,
            )
        ),
    )
    attributes = ("Id",)
    missing = _GONE

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        return self._put(ctx, {}, props)

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        return self._put(ctx, old, new)

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        ctx.call(_SERVICE, "DeregisterScalableTarget", _named(physical_id))

    @staticmethod
    def _put(ctx: Context, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        key = picked(new, *_KEY)
        params = {**key, **picked(new, "MaxCapacity", "MinCapacity", "RoleARN", "SuspendedState")}
        ctx.call(_SERVICE, "RegisterScalableTarget", params)
        physical_id = "|".join(new[name] for name in ("ResourceId", "ScalableDimension", "ServiceNamespace"))
        ctx.created(physical_id)
        wanted = {action["ScheduledActionName"]: action for action in new.get("ScheduledActions", [])}
        for action in old.get("ScheduledActions", []):
            name = action["ScheduledActionName"]
            if name not in wanted:
                ctx.call(_SERVICE, "DeleteScheduledAction", {**key, "ScheduledActionName": name})
        for action in wanted.values():
            ctx.call(_SERVICE, "PutScheduledAction", {**key, **_with_times(action)})
        return Outcome(physical_id, {"Id": physical_id})


def _named(physical_id: str) -> dict[str, str]:
    resource, dimension, namespace = physical_id.split("|")
    return {"ServiceNamespace": namespace, "ResourceId": resource, "ScalableDimension": dimension}


def _with_times(action: dict[str, Any]) -> dict[str, Any]:
    found = dict(action)
    for name in ("StartTime", "EndTime"):
        if name in found:
            time = datetime.datetime.fromisoformat(found[name])
            found[name] = time if time.tzinfo else time.replace(tzinfo=datetime.UTC)
    return found


class ScalingPolicy(Provider):
    type = "AWS::ApplicationAutoScaling::ScalingPolicy"
    properties = accepts(
        PolicyName=required(STRING, replaces=True),
        PolicyType=required(STRING),
        ResourceId=replaces(STRING),
        ScalableDimension=replaces(STRING),
        ScalingTargetId=replaces(STRING),
        ServiceNamespace=replaces(STRING),
        StepScalingPolicyConfiguration=optional(
            struct(
                AdjustmentType=STRING,
                Cooldown=INTEGER,
                MetricAggregationType=STRING,
                MinAdjustmentMagnitude=INTEGER,
                StepAdjustments=list_of(
                    struct(
                        _required=("ScalingAdjustment",),
                        MetricIntervalLowerBound=NUMBER,
                        MetricIntervalUpperBound=NUMBER,
                        ScalingAdjustment=INTEGER,
                    )
                ),
            )
        ),
        TargetTrackingScalingPolicyConfiguration=optional(
            struct(
                _required=("TargetValue",),
                CustomizedMetricSpecification=struct(
                    Dimensions=_DIMENSIONS,
                    MetricName=STRING,
                    Metrics=_QUERIES,
                    Namespace=STRING,
                    Statistic=STRING,
                    Unit=STRING,
                ),
                DisableScaleIn=BOOLEAN,
                PredefinedMetricSpecification=struct(
                    _required=("PredefinedMetricType",), PredefinedMetricType=STRING, ResourceLabel=STRING
                ),
                ScaleInCooldown=INTEGER,
                ScaleOutCooldown=INTEGER,
                TargetValue=NUMBER,
            )
        ),
    )
    attributes = ("Arn",)
    missing = _GONE

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        kept = ("PolicyName", "PolicyType", "StepScalingPolicyConfiguration")
        params = {**_target(props), **picked(props, *kept, "TargetTrackingScalingPolicyConfiguration")}
        arn = ctx.call(_SERVICE, "PutScalingPolicy", params)["PolicyARN"]
        return Outcome(arn, {"Arn": arn})

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        return self.create(ctx, new)

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        ctx.call(_SERVICE, "DeleteScalingPolicy", {**_target(props), "PolicyName": props["PolicyName"]})


def _target(props: dict[str, Any]) -> dict[str, Any]:
    if "ScalingTargetId" in props:
        return _named(props["ScalingTargetId"])
    return picked(props, *_KEY)


PROVIDERS: tuple[type[Provider], ...] = (ScalableTarget, ScalingPolicy)
