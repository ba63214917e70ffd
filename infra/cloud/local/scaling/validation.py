"""What a scaling policy may say.

https://docs.aws.amazon.com/autoscaling/application/APIReference/API_PutScalingPolicy.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .decisions import problem
from .model import Key, invalid

PREDEFINED = {
    "ReadCapacityUnits": "DynamoDBReadCapacityUtilization",
    "WriteCapacityUnits": "DynamoDBWriteCapacityUtilization",
    "ProvisionedConcurrency": "LambdaProvisionedConcurrencyUtilization",
}
"""The one predefined metric of each scalable dimension."""


def check_step(config: Mapping[str, Any]) -> None:
    if "AdjustmentType" not in config:
        raise invalid("AdjustmentType must be specified")
    if config.get("Cooldown", 0) < 0:
        raise invalid("Cooldown cannot be negative")
    wrong = problem(config.get("StepAdjustments") or [], config["AdjustmentType"])
    if wrong:
        raise invalid(wrong)
    if "MinAdjustmentMagnitude" in config and config["AdjustmentType"] != "PercentChangeInCapacity":
        raise invalid("MinAdjustmentMagnitude can only be specified for PercentChangeInCapacity")


def check_tracking(key: Key, config: Mapping[str, Any]) -> None:
    predefined = config.get("PredefinedMetricSpecification")
    custom = config.get("CustomizedMetricSpecification")
    if (predefined is None) == (custom is None):
        raise invalid(
            "Exactly one of PredefinedMetricSpecification and CustomizedMetricSpecification must be specified"
        )
    target = config["TargetValue"]
    if target <= 0:
        raise invalid("TargetValue must be greater than zero")
    for name in ("ScaleInCooldown", "ScaleOutCooldown"):
        if config.get(name, 0) < 0:
            raise invalid(f"{name} cannot be negative")
    if predefined is not None:
        expected = PREDEFINED[key[2].rpartition(":")[2]]
        if predefined["PredefinedMetricType"] != expected:
            raise invalid(
                f"The predefined metric {predefined['PredefinedMetricType']} is not supported for "
                f"{key[2]}: {expected} is"
            )
        if key[0] == "dynamodb" and not 20 <= target <= 90:
            raise invalid(f"TargetValue must be between 20 and 90 for {expected}; it is {target}")
    elif "Metrics" not in custom:  # type: ignore[operator]
        for name in ("MetricName", "Namespace", "Statistic"):
            if name not in custom:  # type: ignore[operator]
                raise invalid(f"{name} must be specified in CustomizedMetricSpecification")


def same_metric(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    names = ("PredefinedMetricSpecification", "CustomizedMetricSpecification")
    return all(one.get(name) == other.get(name) for name in names)
