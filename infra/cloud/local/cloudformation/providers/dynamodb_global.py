"""AWS::DynamoDB::GlobalTable: a table with replicas, of which there is one here.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-globaltable.html
"""

from __future__ import annotations

from typing import Any

from ...service import ServiceError
from . import dynamodb_scaling
from .base import Context, Outcome, Provider, picked
from .dynamodb import ATTRIBUTES, DATA_STREAM, KEYS, WARM, Table, indexes
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

_SCALING = {
    "SeedCapacity": INTEGER,
    "TargetTrackingScalingPolicyConfiguration": struct(
        DisableScaleIn=BOOLEAN, ScaleInCooldown=INTEGER, ScaleOutCooldown=INTEGER, TargetValue=NUMBER
    ),
}
_READ = struct(
    ReadCapacityUnits=INTEGER,
    ReadCapacityAutoScalingSettings=struct(
        _required=("MinCapacity",), MinCapacity=INTEGER, MaxCapacity=INTEGER, **_SCALING
    ),
)
_WRITE = struct(
    WriteCapacityAutoScalingSettings=struct(
        _required=("MinCapacity",), MinCapacity=INTEGER, MaxCapacity=INTEGER, **_SCALING
    ),
)
_READ_ON_DEMAND = struct(MaxReadRequestUnits=INTEGER)
_WRITE_ON_DEMAND = struct(MaxWriteRequestUnits=INTEGER)


class GlobalTable(Table):
    """The replica in the stack's Region, as CDK's ``TableV2`` has it; others are refused."""

    type = "AWS::DynamoDB::GlobalTable"
    properties = accepts(
        AttributeDefinitions=required(ATTRIBUTES),
        BillingMode=optional(STRING),
        GlobalSecondaryIndexes=optional(
            indexes(
                WarmThroughput=WARM,
                WriteOnDemandThroughputSettings=_WRITE_ON_DEMAND,
                WriteProvisionedThroughputSettings=_WRITE,
            )
        ),
        KeySchema=required(KEYS, replaces=True),
        LocalSecondaryIndexes=Table.properties["LocalSecondaryIndexes"],
        Replicas=required(
            list_of(
                struct(
                    _required=("Region",),
                    DeletionProtectionEnabled=BOOLEAN,
                    KinesisStreamSpecification=DATA_STREAM,
                    GlobalSecondaryIndexes=list_of(
                        struct(
                            _required=("IndexName",),
                            IndexName=STRING,
                            ReadOnDemandThroughputSettings=_READ_ON_DEMAND,
                            ReadProvisionedThroughputSettings=_READ,
                        )
                    ),
                    PointInTimeRecoverySpecification=struct(PointInTimeRecoveryEnabled=BOOLEAN),
                    ReadOnDemandThroughputSettings=_READ_ON_DEMAND,
                    ReadProvisionedThroughputSettings=_READ,
                    Region=STRING,
                )
            )
        ),
        StreamSpecification=Table.properties["StreamSpecification"],
        TableName=replaces(STRING),
        TimeToLiveSpecification=Table.properties["TimeToLiveSpecification"],
        WarmThroughput=optional(WARM),
        WriteOnDemandThroughputSettings=optional(_WRITE_ON_DEMAND),
        WriteProvisionedThroughputSettings=optional(_WRITE),
    )
    attributes = ("Arn", "StreamArn", "TableId")

    def refused(self, props: dict[str, Any]) -> list[str]:
        regions = [replica.get("Region") for replica in props.get("Replicas", [])]
        if len(regions) < 2:
            return []
        return [f"Replicas ({', '.join(map(str, regions))}: tables are not replicated, name one Region)"]

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        region = props["Replicas"][0]["Region"]
        if region != ctx.region:
            raise ServiceError(
                "InvalidRequest",
                f"Replica in the Region of the stack is required: {ctx.region} (found {region})",
            )
        outcome = super().create(ctx, _as_table(props))
        dynamodb_scaling.apply(ctx, outcome.physical_id, {}, props)
        return outcome

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        table = ctx.call("dynamodb", "DescribeTable", {"TableName": physical_id})["Table"]
        before, after = (dynamodb_scaling.kept(table, new, _as_table(props)) for props in (old, new))
        outcome = super().update(ctx, physical_id, before, after)
        dynamodb_scaling.apply(ctx, physical_id, old, new)
        return outcome

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        dynamodb_scaling.apply(ctx, physical_id, props, {})
        super().delete(ctx, physical_id, props)


def _as_table(props: dict[str, Any]) -> dict[str, Any]:
    """The one replica of a global table as the properties of an AWS::DynamoDB::Table."""
    replica = props["Replicas"][0]
    table = picked(
        props,
        "AttributeDefinitions",
        "BillingMode",
        "KeySchema",
        "LocalSecondaryIndexes",
        "StreamSpecification",
        "TableName",
        "TimeToLiveSpecification",
        "WarmThroughput",
    )
    own = ("DeletionProtectionEnabled", "KinesisStreamSpecification", "PointInTimeRecoverySpecification")
    table.update(picked(replica, *own))
    table.update(_throughput(props, props, replica))
    of_replica = {index["IndexName"]: index for index in replica.get("GlobalSecondaryIndexes", [])}
    if props.get("GlobalSecondaryIndexes"):
        table["GlobalSecondaryIndexes"] = [
            {
                **picked(index, "IndexName", "KeySchema", "Projection", "WarmThroughput"),
                **_throughput(props, index, of_replica.get(index["IndexName"], {})),
            }
            for index in props["GlobalSecondaryIndexes"]
        ]
    return table


def _throughput(props: dict[str, Any], writes: dict[str, Any], reads: dict[str, Any]) -> dict[str, Any]:
    """Provisioned or on-demand capacity; of one that scales by itself, its minimum."""
    if props.get("BillingMode", "PROVISIONED") == "PROVISIONED":
        write = writes.get("WriteProvisionedThroughputSettings", {})
        read = reads.get("ReadProvisionedThroughputSettings", {})
        write_units = _seed(write.get("WriteCapacityAutoScalingSettings", {}))
        scaled = _seed(read.get("ReadCapacityAutoScalingSettings", {}))
        read_units = read.get("ReadCapacityUnits", scaled)
        capacity = {"ReadCapacityUnits": read_units, "WriteCapacityUnits": write_units}
        return {"ProvisionedThroughput": capacity}
    limits = {
        **writes.get("WriteOnDemandThroughputSettings", {}),
        **reads.get("ReadOnDemandThroughputSettings", {}),
    }
    return {"OnDemandThroughput": limits} if limits else {}


def _seed(scaling: dict[str, Any]) -> int:
    return int(scaling.get("SeedCapacity", scaling.get("MinCapacity", 1)))


PROVIDERS: tuple[type[Provider], ...] = (GlobalTable,)
