"""AWS::DynamoDB: tables.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html
"""

from __future__ import annotations

from typing import Any, ClassVar

from ...service import ServiceError
from .base import Context, Outcome, Provider, picked
from .schema import (
    BOOLEAN,
    INTEGER,
    STRING,
    STRINGS,
    accepts,
    list_of,
    optional,
    replaces,
    required,
    struct,
)

ATTRIBUTES = list_of(
    struct(_required=("AttributeName", "AttributeType"), AttributeName=STRING, AttributeType=STRING)
)
KEYS = list_of(struct(_required=("AttributeName", "KeyType"), AttributeName=STRING, KeyType=STRING))
PROJECTION = struct(NonKeyAttributes=STRINGS, ProjectionType=STRING)
_THROUGHPUT = struct(
    _required=("ReadCapacityUnits", "WriteCapacityUnits"),
    ReadCapacityUnits=INTEGER,
    WriteCapacityUnits=INTEGER,
)
_ON_DEMAND = struct(MaxReadRequestUnits=INTEGER, MaxWriteRequestUnits=INTEGER)
WARM = struct(ReadUnitsPerSecond=INTEGER, WriteUnitsPerSecond=INTEGER)
DATA_STREAM = struct(_required=("StreamArn",), ApproximateCreationDateTimePrecision=STRING, StreamArn=STRING)
_CAPACITY = ("ProvisionedThroughput", "OnDemandThroughput", "WarmThroughput")
_INDEX = ("IndexName", "KeySchema", "Projection", *_CAPACITY)


def indexes(**more: Any) -> Any:
    """Secondary indexes; ``more``: what some kinds of them have besides."""
    members = {"IndexName": STRING, "KeySchema": KEYS, "Projection": PROJECTION}
    return list_of(struct(_required=tuple(members), **members, **more))


class Table(Provider):
    type = "AWS::DynamoDB::Table"
    properties = accepts(
        AttributeDefinitions=optional(ATTRIBUTES),
        BillingMode=optional(STRING),
        DeletionProtectionEnabled=optional(BOOLEAN),
        GlobalSecondaryIndexes=optional(
            indexes(OnDemandThroughput=_ON_DEMAND, ProvisionedThroughput=_THROUGHPUT, WarmThroughput=WARM)
        ),
        KeySchema=required(KEYS, replaces=True),
        KinesisStreamSpecification=optional(DATA_STREAM),
        LocalSecondaryIndexes=replaces(indexes()),
        OnDemandThroughput=optional(_ON_DEMAND),
        PointInTimeRecoverySpecification=optional(struct(PointInTimeRecoveryEnabled=BOOLEAN)),
        ProvisionedThroughput=optional(_THROUGHPUT),
        StreamSpecification=optional(struct(_required=("StreamViewType",), StreamViewType=STRING)),
        TableName=replaces(STRING),
        TimeToLiveSpecification=optional(
            struct(_required=("Enabled",), AttributeName=STRING, Enabled=BOOLEAN)
        ),
        WarmThroughput=optional(WARM),
    )
    attributes: ClassVar[tuple[str, ...]] = ("Arn", "StreamArn")
    named_by = "TableName"
    missing = ("ResourceNotFoundException",)

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        name = props.get("TableName") or ctx.name(255)
        params = picked(
            props,
            "AttributeDefinitions",
            "BillingMode",
            "DeletionProtectionEnabled",
            "KeySchema",
            "LocalSecondaryIndexes",
            *_CAPACITY,
        )
        if props.get("GlobalSecondaryIndexes"):
            params["GlobalSecondaryIndexes"] = [
                picked(index, *_INDEX) for index in props["GlobalSecondaryIndexes"]
            ]
        if "StreamSpecification" in props:
            params["StreamSpecification"] = _stream(props)
        ctx.call("dynamodb", "CreateTable", {"TableName": name, **params})
        ctx.created(name)
        self._until_active(ctx, name)
        self._time_to_live(ctx, name, {}, props)
        self._recovery(ctx, name, {}, props)
        if "KinesisStreamSpecification" in props:
            self._data_stream(ctx, name, props)
        return self._outcome(ctx, name)

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        table = ctx.call("dynamodb", "DescribeTable", {"TableName": physical_id})["Table"]
        for change in _changes(table, old, new):
            ctx.call("dynamodb", "UpdateTable", {"TableName": physical_id, **change})
            self._until_active(ctx, physical_id)
        self._time_to_live(ctx, physical_id, old, new)
        self._recovery(ctx, physical_id, old, new)
        if old.get("KinesisStreamSpecification") != new.get("KinesisStreamSpecification"):
            self._data_stream(ctx, physical_id, new)
        return self._outcome(ctx, physical_id)

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        ctx.call("dynamodb", "DeleteTable", {"TableName": physical_id})

    @staticmethod
    def _until_active(ctx: Context, name: str) -> None:
        def ready() -> bool:
            table = ctx.call("dynamodb", "DescribeTable", {"TableName": name})["Table"]
            indexes = table.get("GlobalSecondaryIndexes", [])
            states = [table["TableStatus"], *(index.get("IndexStatus", "ACTIVE") for index in indexes)]
            return all(state == "ACTIVE" for state in states)

        ctx.until(ready, f"Table {name}")

    @staticmethod
    def _time_to_live(ctx: Context, name: str, old: dict[str, Any], new: dict[str, Any]) -> None:
        before = old.get("TimeToLiveSpecification", {"Enabled": False})
        after = new.get("TimeToLiveSpecification", {"Enabled": False})
        if before == after:
            return
        moved = before.get("AttributeName") != after.get("AttributeName")
        if before["Enabled"] and (moved or not after["Enabled"]):
            off = {"Enabled": False, "AttributeName": before["AttributeName"]}
            ctx.call("dynamodb", "UpdateTimeToLive", {"TableName": name, "TimeToLiveSpecification": off})
        if after["Enabled"]:
            ctx.call("dynamodb", "UpdateTimeToLive", {"TableName": name, "TimeToLiveSpecification": after})

    @staticmethod
    def _recovery(ctx: Context, name: str, old: dict[str, Any], new: dict[str, Any]) -> None:
        key, flag = "PointInTimeRecoverySpecification", "PointInTimeRecoveryEnabled"
        before, after = (props.get(key, {}).get(flag, False) for props in (old, new))
        if before != after:
            ctx.call("dynamodb", "UpdateContinuousBackups", {"TableName": name, key: {flag: after}})

    @staticmethod
    def _data_stream(ctx: Context, name: str, props: dict[str, Any]) -> None:
        """Let the table's changes go to the data stream that is named, and to no other."""
        table = {"TableName": name}

        def state(arn: str) -> str:
            shown = ctx.call("dynamodb", "DescribeKinesisStreamingDestination", table)
            found = [each for each in shown["KinesisDataStreamDestinations"] if each["StreamArn"] == arn]
            if found and found[0]["DestinationStatus"] == "ENABLE_FAILED":
                raise ServiceError("InvalidRequest", found[0]["DestinationStatusDescription"])
            return found[0]["DestinationStatus"] if found else ""

        there = ctx.call("dynamodb", "DescribeKinesisStreamingDestination", table)
        for each in there["KinesisDataStreamDestinations"]:
            if each["DestinationStatus"] == "ACTIVE":
                arn = each["StreamArn"]
                ctx.call("dynamodb", "DisableKinesisStreamingDestination", {**table, "StreamArn": arn})
                ctx.until(lambda arn=arn: state(arn) == "DISABLED", f"Data stream of {name}")  # type: ignore[misc]
        wanted = props.get("KinesisStreamSpecification")
        if wanted is None:
            return
        params = {**table, "StreamArn": wanted["StreamArn"]}
        precision = picked(wanted, "ApproximateCreationDateTimePrecision")
        if precision:
            params["EnableKinesisStreamingConfiguration"] = precision
        ctx.call("dynamodb", "EnableKinesisStreamingDestination", params)
        ctx.until(lambda: state(wanted["StreamArn"]) == "ACTIVE", f"Data stream of {name}")

    @staticmethod
    def _outcome(ctx: Context, name: str) -> Outcome:
        table = ctx.call("dynamodb", "DescribeTable", {"TableName": name})["Table"]
        attributes = {"Arn": table["TableArn"], "TableId": table.get("TableId", "")}
        if "LatestStreamArn" in table:
            attributes["StreamArn"] = table["LatestStreamArn"]
        return Outcome(name, attributes)


def _stream(props: dict[str, Any]) -> dict[str, Any]:
    return {"StreamEnabled": True, "StreamViewType": props["StreamSpecification"]["StreamViewType"]}


def _changes(table: dict[str, Any], old: dict[str, Any], new: dict[str, Any]) -> list[dict[str, Any]]:
    """The UpdateTable calls that lead from one to the other: DynamoDB allows one index change per call.

    Streams and indexes are compared with the ``table`` as it is, so that an update that failed half-way can
    be rolled back. https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateTable.html
    """
    calls: list[dict[str, Any]] = []
    billing = ("BillingMode", "ProvisionedThroughput", "OnDemandThroughput")
    if any(old.get(name) != new.get(name) for name in billing):
        calls.append({"BillingMode": new.get("BillingMode", "PROVISIONED"), **picked(new, *billing[1:])})
    if "WarmThroughput" in new and old.get("WarmThroughput") != new["WarmThroughput"]:
        calls.append(picked(new, "WarmThroughput"))
    if old.get("DeletionProtectionEnabled", False) != new.get("DeletionProtectionEnabled", False):
        calls.append({"DeletionProtectionEnabled": new.get("DeletionProtectionEnabled", False)})
    stream = table.get("StreamSpecification", {})
    wanted = _stream(new) if "StreamSpecification" in new else {}
    if wanted != (stream if stream.get("StreamEnabled") else {}):
        if stream.get("StreamEnabled"):
            calls.append({"StreamSpecification": {"StreamEnabled": False}})
        if wanted:
            calls.append({"StreamSpecification": wanted})
    there = [index["IndexName"] for index in table.get("GlobalSecondaryIndexes", [])]
    before = {index["IndexName"]: picked(index, *_INDEX) for index in old.get("GlobalSecondaryIndexes", [])}
    after = {index["IndexName"]: picked(index, *_INDEX) for index in new.get("GlobalSecondaryIndexes", [])}
    attributes = picked(new, "AttributeDefinitions")
    for name in there:
        if name not in after or (name in before and _rebuilt(before[name], after[name])):
            calls.append({"GlobalSecondaryIndexUpdates": [{"Delete": {"IndexName": name}}]})
    for name, index in after.items():
        if name not in there or (name in before and _rebuilt(before[name], index)):
            calls.append({**attributes, "GlobalSecondaryIndexUpdates": [{"Create": index}]})
        elif before.get(name) != index:
            capacity = {"IndexName": name, **picked(index, *_CAPACITY)}
            calls.append({"GlobalSecondaryIndexUpdates": [{"Update": capacity}]})
    return calls


def _rebuilt(old: dict[str, Any], new: dict[str, Any]) -> bool:
    return any(old[name] != new[name] for name in ("KeySchema", "Projection"))


PROVIDERS: tuple[type[Provider], ...] = (Table,)
