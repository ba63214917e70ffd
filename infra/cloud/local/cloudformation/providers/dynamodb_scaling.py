"""The scaling that a global table's properties ask for: scalable targets and target tracking policies.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-dynamodb-globaltable-capacityautoscalingsettings.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...service import ServiceError
from .base import Context, picked

_SERVICE = "application-autoscaling"


def settings(props: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(Index or "", "Read" or "Write", settings) of everything that scales by itself."""
    if props.get("BillingMode", "PROVISIONED") != "PROVISIONED":
        return
    replica = props["Replicas"][0]
    of_replica = {index["IndexName"]: index for index in replica.get("GlobalSecondaryIndexes", [])}
    resources = [("", props, replica)]
    for index in props.get("GlobalSecondaryIndexes", []):
        name = index["IndexName"]
        resources.append((name, index, of_replica.get(name, {})))
    for name, writes, reads in resources:
        for operation, holder in (("Write", writes), ("Read", reads)):
            provisioned = holder.get(f"{operation}ProvisionedThroughputSettings", {})
            found = provisioned.get(f"{operation}CapacityAutoScalingSettings")
            if found is not None:
                yield name, operation, found


def apply(ctx: Context, table: str, old: dict[str, Any], new: dict[str, Any]) -> None:
    """Make the scaling what ``new`` says. The properties may be empty."""
    before = {(index, operation): one for index, operation, one in settings(old)} if old else {}
    after = {(index, operation): one for index, operation, one in settings(new)} if new else {}
    for (index, operation), wanted in after.items():
        if before.get((index, operation)) == wanted:
            continue
        key = _key(table, index, operation)
        ctx.call(_SERVICE, "RegisterScalableTarget", {**key, **picked(wanted, "MinCapacity", "MaxCapacity")})
        config = wanted["TargetTrackingScalingPolicyConfiguration"]
        metric = f"DynamoDB{operation}CapacityUtilization"
        ctx.call(
            _SERVICE,
            "PutScalingPolicy",
            {
                **key,
                "PolicyName": f"{metric}:{key['ResourceId']}",
                "PolicyType": "TargetTrackingScaling",
                "TargetTrackingScalingPolicyConfiguration": {
                    **config,
                    "PredefinedMetricSpecification": {"PredefinedMetricType": metric},
                },
            },
        )
    for index, operation in before.keys() - after.keys():
        try:
            ctx.call(_SERVICE, "DeregisterScalableTarget", _key(table, index, operation))
        except ServiceError as error:
            if error.code != "ObjectNotFoundException":
                raise


def kept(table: dict[str, Any], props: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    """``wanted`` (as of an AWS::DynamoDB::Table) with the capacity that ``table`` has been scaled to."""
    scaled = {(index, operation) for index, operation, _ in settings(props)}
    there = {"": table, **{index["IndexName"]: index for index in table.get("GlobalSecondaryIndexes", [])}}

    def one(name: str, resource: dict[str, Any]) -> dict[str, Any]:
        if "ProvisionedThroughput" not in resource or name not in there:
            return resource
        units = dict(resource["ProvisionedThroughput"])
        for operation in ("Read", "Write"):
            unit = f"{operation}CapacityUnits"
            have = there[name].get("ProvisionedThroughput", {}).get(unit, 0)
            if (name, operation) in scaled and have:
                units[unit] = have
        return {**resource, "ProvisionedThroughput": units}

    found = one("", wanted)
    if "GlobalSecondaryIndexes" in found:
        found["GlobalSecondaryIndexes"] = [
            one(index["IndexName"], index) for index in found["GlobalSecondaryIndexes"]
        ]
    return found


def _key(table: str, index: str, operation: str) -> dict[str, Any]:
    kind = "index" if index else "table"
    return {
        "ServiceNamespace": "dynamodb",
        "ResourceId": f"table/{table}/index/{index}" if index else f"table/{table}",
        "ScalableDimension": f"dynamodb:{kind}:{operation}CapacityUnits",
    }
