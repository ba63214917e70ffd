"""The CloudWatch alarms of target tracking policies.

As recorded from AWS: of a DynamoDB policy the consumed capacity of a minute, above the target for 2 minutes
or 20 percentage points below it for 15, and the provisioned capacity, whose change by somebody else makes the
service compute the thresholds anew. Of others the metric itself, above the target for 3 minutes or below 90 %
of it for 15:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/AutoScaling.html
https://docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html#managing-provisioned-concurency
https://repost.aws/knowledge-center/dynamodb-auto-scaling (20 % below)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..service import Call, Caller, ServiceError
from .model import Policy

if TYPE_CHECKING:
    from ..world import World

HIGH, LOW = "AlarmHigh", "AlarmLow"
MAINTENANCE = ("ProvisionedCapacityHigh", "ProvisionedCapacityLow")


def wanted(policy: Policy, capacity: int) -> dict[str, dict[str, Any]]:
    """PutMetricAlarm's parameters by what the alarm watches for, without names."""
    config = policy.config
    target = float(config["TargetValue"])
    kind = config.get("PredefinedMetricSpecification", {}).get("PredefinedMetricType", "")
    found: dict[str, dict[str, Any]] = {}
    if kind.startswith("DynamoDB"):
        operation = "Read" if kind.startswith("DynamoDBRead") else "Write"
        used = _metric("AWS/DynamoDB", f"Consumed{operation}CapacityUnits", "Sum", _table(policy), 60)
        there = _metric(
            "AWS/DynamoDB", f"Provisioned{operation}CapacityUnits", "Average", _table(policy), 300
        )
        found[HIGH] = {**used, **_rule("Greater", capacity * 60 * target / 100, 2)}
        found[LOW] = {**used, **_rule("Less", capacity * 60 * max(target - 20, 0) / 100, 15)}
        found[MAINTENANCE[0]] = {**there, **_rule("Greater", capacity, 3)}
        found[MAINTENANCE[1]] = {**there, **_rule("Less", capacity, 3)}
    else:
        metric = _own(policy)
        found[HIGH] = {**metric, **_rule("Greater", target, 3)}
        found[LOW] = {**metric, **_rule("Less", target * 0.9, 15)}
    if config.get("DisableScaleIn"):
        del found[LOW]
    return found


def _rule(comparison: str, threshold: float, periods: int) -> dict[str, Any]:
    return {
        "ComparisonOperator": f"{comparison}ThanThreshold",
        "Threshold": round(threshold, 6),
        "EvaluationPeriods": periods,
    }


def _metric(
    namespace: str, name: str, statistic: str, dimensions: list[dict[str, str]], period: int
) -> dict[str, Any]:
    return {
        "Namespace": namespace,
        "MetricName": name,
        "Dimensions": dimensions,
        "Statistic": statistic,
        "Period": period,
    }


def _table(policy: Policy) -> list[dict[str, str]]:
    table, _, index = policy.target.key[1].removeprefix("table/").partition("/index/")
    dimensions = [{"Name": "TableName", "Value": table}]
    if index:
        dimensions.insert(0, {"Name": "GlobalSecondaryIndexName", "Value": index})
    return dimensions


def _own(policy: Policy) -> dict[str, Any]:
    """The metric that a policy itself names."""
    own = policy.config.get("CustomizedMetricSpecification")
    if own is None:
        _, name, qualifier = policy.target.key[1].split(":")
        dimensions = [
            {"Name": "FunctionName", "Value": name},
            {"Name": "Resource", "Value": f"{name}:{qualifier}"},
        ]
        return _metric("AWS/Lambda", "ProvisionedConcurrencyUtilization", "Average", dimensions, 60)
    if "Metrics" not in own:
        metric = _metric(own["Namespace"], own["MetricName"], own["Statistic"], own.get("Dimensions", []), 60)
        return {**metric, "Unit": own["Unit"]} if "Unit" in own else metric
    queries = []
    for query in own["Metrics"]:
        stat = query.get("MetricStat")
        queries.append({**query, "MetricStat": {**stat, "Period": 60}} if stat else dict(query))
    return {"Metrics": queries}


class Alarms:
    """Makes and removes them; they belong to the account, and anybody can see them."""

    def __init__(self, world: World, new_id: Callable[[], str]) -> None:
        self._world = world
        self._new_id = new_id

    def renew(self, policy: Policy, capacity: int) -> None:
        """A new family of alarms, in place of the old one. Raises ServiceError for a metric that is none."""
        made: dict[str, str] = {}
        for kind, params in wanted(policy, capacity).items():
            name = f"TargetTracking-{policy.target.key[1]}-{kind}-{self._new_id()}"
            description = f"DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {policy.action}."
            self._call(
                "PutMetricAlarm",
                {
                    "AlarmName": name,
                    "AlarmDescription": description,
                    "AlarmActions": [policy.action],
                    **params,
                },
            )
            made[kind] = name
        self.remove(policy)
        policy.alarms, policy.capacity = made, capacity

    def remove(self, policy: Policy) -> None:
        watch = self._world.cloudwatch.watch
        names = [name for name in policy.alarms.values() if name in watch.alarms]
        if names:
            self._call("DeleteAlarms", {"AlarmNames": names})
        policy.alarms = {}

    def raised(self, name: str) -> bool:
        alarm = self._world.cloudwatch.watch.alarms.get(name)
        return alarm is not None and alarm.state == "ALARM"

    def shown(self, policy: Policy) -> list[dict[str, str]]:
        """Its own alarms, or those that call it."""
        world = self._world
        names = list(policy.alarms.values()) or [
            alarm.name
            for alarm in world.cloudwatch.watch.alarms.values()
            if any(
                policy.arn in alarm.given.get(key, ())
                for key in ("AlarmActions", "OKActions", "InsufficientDataActions")
            )
        ]
        arns = f"arn:aws:cloudwatch:{world.region}:{world.account}:alarm:"
        return [{"AlarmName": name, "AlarmARN": arns + name} for name in names]

    def _call(self, operation: str, params: dict[str, Any]) -> None:
        world = self._world
        caller = Caller("service", "application-autoscaling")
        call = Call("cloudwatch", operation, params, caller, world.region, world.account)
        try:
            world.cloudwatch.operation(operation)(call)
        except ServiceError as error:
            raise ServiceError("ValidationException", error.message) from error
