"""AWS::Kinesis: streams, consumers with enhanced fan-out, resource policies.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_Kinesis.html
"""

from __future__ import annotations

import json
from typing import Any

from .base import Context, Outcome, Provider, picked
from .schema import INTEGER, JSON, STRING, STRINGS, accepts, optional, replaces, required, struct

_GONE = ("ResourceNotFoundException",)
_RETENTION = 24  # hours


class Stream(Provider):
    type = "AWS::Kinesis::Stream"
    properties = accepts(
        DesiredShardLevelMetrics=optional(STRINGS),
        MaxRecordSizeInKiB=optional(INTEGER),
        Name=replaces(STRING),
        RetentionPeriodHours=optional(INTEGER),
        ShardCount=optional(INTEGER),
        StreamEncryption=optional(struct(EncryptionType=STRING, KeyId=STRING)),
        StreamModeDetails=optional(struct(_required=("StreamMode",), StreamMode=STRING)),
    )
    attributes = ("Arn",)
    named_by = "Name"
    missing = _GONE

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        name = props.get("Name") or ctx.name(128)
        params = {
            "StreamName": name,
            **picked(props, "ShardCount", "StreamModeDetails", "MaxRecordSizeInKiB"),
        }
        ctx.call("kinesis", "CreateStream", params)
        ctx.created(name)
        self._until_active(ctx, name)
        self._settings(ctx, name, {}, props)
        return self._outcome(ctx, name)

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        arn = self._arn(ctx, physical_id)
        before, after = _mode(old), _mode(new)
        if before != after:
            params = {"StreamARN": arn, "StreamModeDetails": {"StreamMode": after}}
            ctx.call("kinesis", "UpdateStreamMode", params)
            self._until_active(ctx, physical_id)
        if after == "PROVISIONED" and old.get("ShardCount") != new.get("ShardCount") and "ShardCount" in new:
            params = {
                "StreamName": physical_id,
                "TargetShardCount": new["ShardCount"],
                "ScalingType": "UNIFORM_SCALING",
            }
            ctx.call("kinesis", "UpdateShardCount", params)
            self._until_active(ctx, physical_id)
        if old.get("MaxRecordSizeInKiB") != new.get("MaxRecordSizeInKiB"):
            size = new.get("MaxRecordSizeInKiB", 1024)
            ctx.call("kinesis", "UpdateMaxRecordSize", {"StreamARN": arn, "MaxRecordSizeInKiB": size})
        self._settings(ctx, physical_id, old, new)
        return self._outcome(ctx, physical_id)

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        params = {"StreamName": physical_id, "EnforceConsumerDeletion": True}
        ctx.call("kinesis", "DeleteStream", params)

    def _settings(self, ctx: Context, name: str, old: dict[str, Any], new: dict[str, Any]) -> None:
        before = old.get("RetentionPeriodHours", _RETENTION)
        after = new.get("RetentionPeriodHours", _RETENTION)
        if before != after:
            verb = "Increase" if after > before else "Decrease"
            params = {"StreamName": name, "RetentionPeriodHours": after}
            ctx.call("kinesis", f"{verb}StreamRetentionPeriod", params)
        encryption, earlier = new.get("StreamEncryption"), old.get("StreamEncryption")
        if encryption != earlier:
            verb = "Start" if encryption else "Stop"
            ctx.call(
                "kinesis", f"{verb}StreamEncryption", {"StreamName": name, **(encryption or earlier or {})}
            )
        metrics, known = new.get("DesiredShardLevelMetrics", []), old.get("DesiredShardLevelMetrics", [])
        for verb, names in (
            ("Enable", [metric for metric in metrics if metric not in known]),
            ("Disable", [metric for metric in known if metric not in metrics]),
        ):
            if names:
                params = {"StreamName": name, "ShardLevelMetrics": names}
                ctx.call("kinesis", f"{verb}EnhancedMonitoring", params)

    @staticmethod
    def _until_active(ctx: Context, name: str) -> None:
        def active() -> bool:
            found = ctx.call("kinesis", "DescribeStreamSummary", {"StreamName": name})
            return bool(found["StreamDescriptionSummary"]["StreamStatus"] == "ACTIVE")

        ctx.until(active, f"Stream {name}")

    @staticmethod
    def _arn(ctx: Context, name: str) -> str:
        return f"arn:aws:kinesis:{ctx.region}:{ctx.account}:stream/{name}"

    def _outcome(self, ctx: Context, name: str) -> Outcome:
        return Outcome(name, {"Arn": self._arn(ctx, name)})


def _mode(props: dict[str, Any]) -> str:
    """Without a mode: provisioned if it says how many shards, else on-demand."""
    default = "PROVISIONED" if "ShardCount" in props else "ON_DEMAND"
    return str(props.get("StreamModeDetails", {}).get("StreamMode", default))


class StreamConsumer(Provider):
    type = "AWS::Kinesis::StreamConsumer"
    properties = accepts(
        ConsumerName=required(STRING, replaces=True),
        StreamARN=required(STRING, replaces=True),
    )
    attributes = ("ConsumerARN", "ConsumerCreationTimestamp", "ConsumerName", "ConsumerStatus", "StreamARN")
    missing = _GONE

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        arn = ctx.call("kinesis", "RegisterStreamConsumer", props)["Consumer"]["ConsumerARN"]
        ctx.created(arn)
        found: dict[str, Any] = {}

        def active() -> bool:
            asked = {"ConsumerARN": arn}
            found.update(ctx.call("kinesis", "DescribeStreamConsumer", asked)["ConsumerDescription"])
            return bool(found["ConsumerStatus"] == "ACTIVE")

        ctx.until(active, f"Consumer {props['ConsumerName']}")
        created = str(int(found["ConsumerCreationTimestamp"].timestamp()))
        return Outcome(arn, {**found, "ConsumerCreationTimestamp": created})

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        found = ctx.call("kinesis", "DescribeStreamConsumer", {"ConsumerARN": physical_id})
        description = found["ConsumerDescription"]
        created = str(int(description["ConsumerCreationTimestamp"].timestamp()))
        return Outcome(physical_id, {**description, "ConsumerCreationTimestamp": created})

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        ctx.call("kinesis", "DeregisterStreamConsumer", {"ConsumerARN": physical_id})


class ResourcePolicy(Provider):
    type = "AWS::Kinesis::ResourcePolicy"
    properties = accepts(ResourceArn=required(STRING, replaces=True), ResourcePolicy=required(JSON))
    missing = _GONE

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        return self._put(ctx, props)

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        return self._put(ctx, new)

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        ctx.call("kinesis", "DeleteResourcePolicy", {"ResourceARN": physical_id})

    @staticmethod
    def _put(ctx: Context, props: dict[str, Any]) -> Outcome:
        policy = json.dumps(props["ResourcePolicy"])
        ctx.call("kinesis", "PutResourcePolicy", {"ResourceARN": props["ResourceArn"], "Policy": policy})
        return Outcome(props["ResourceArn"])


PROVIDERS: tuple[type[Provider], ...] = (Stream, StreamConsumer, ResourcePolicy)
