"""What a stack costs per hour while it stands and nobody uses it, in USD.

List prices in us-east-1 without the free tier. Those given here are from memory of the pages named: they
could not be read where this was written (2026-11). Most of what a lesson deploys costs nothing until it is
used; what does not is here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from infra.cloud.views.prices import HOURS_PER_MONTH, LONG_POLL_SECONDS, POLLERS, prices

_LISTED = prices()
ALARM = _LISTED["alarms"].usd / HOURS_PER_MONTH
SHARD = _LISTED["kinesis_shard_hours"].usd
SQS_REQUEST = _LISTED["sqs_standard"].usd / _LISTED["sqs_standard"].per
"""What ``infra/cloud/views/prices.toml`` has; the rest is here."""
STREAM_ON_DEMAND = 0.04
"""A stream with on-demand capacity (the same page)."""
READ_UNIT, WRITE_UNIT = 0.00013, 0.00065
"""Provisioned capacity: https://aws.amazon.com/dynamodb/pricing/provisioned/"""
KEY = 1.00 / HOURS_PER_MONTH
"""A customer managed key: https://aws.amazon.com/kms/pricing/"""
SECRET = 0.40 / HOURS_PER_MONTH
"""https://aws.amazon.com/secrets-manager/pricing/"""
EMPTY_RECEIVES_PER_HOUR = POLLERS * 3600 / LONG_POLL_SECONDS
"""Of an event source mapping on an idle queue."""
STORED = {"AWS::S3::Bucket": 0.023 / HOURS_PER_MONTH, "AWS::Logs::LogGroup": 0.03 / HOURS_PER_MONTH}
"""One GB stored for an hour: https://aws.amazon.com/s3/pricing/ and https://aws.amazon.com/cloudwatch/pricing/"""


def hourly(template: Mapping[str, Any]) -> float:
    """USD per hour of the resources of a template (parsed) while nothing happens."""
    resources = template.get("Resources") or {}
    return sum(_of(each, resources) for each in resources.values())


def stored(kind: str, size: float) -> float:
    """USD per hour for ``size`` bytes in a bucket or a log group."""
    return STORED[kind] * size / 1e9


def _of(resource: Mapping[str, Any], resources: Mapping[str, Any]) -> float:
    properties = resource.get("Properties") or {}
    match resource.get("Type"):
        case "AWS::CloudWatch::Alarm":
            return ALARM
        case "AWS::KMS::Key":
            return KEY
        case "AWS::SecretsManager::Secret":
            return SECRET
        case "AWS::Kinesis::Stream":
            mode = (properties.get("StreamModeDetails") or {}).get("StreamMode", "PROVISIONED")
            return STREAM_ON_DEMAND if mode == "ON_DEMAND" else SHARD * _number(properties, "ShardCount", 1)
        case "AWS::DynamoDB::Table" if properties.get("BillingMode") != "PAY_PER_REQUEST":
            units = properties.get("ProvisionedThroughput") or {}
            reads, writes = (_number(units, f"{each}CapacityUnits", 0) for each in ("Read", "Write"))
            return READ_UNIT * reads + WRITE_UNIT * writes
        case "AWS::Lambda::EventSourceMapping" if _reads_a_queue(properties, resources):
            return SQS_REQUEST * EMPTY_RECEIVES_PER_HOUR
    return 0.0


def _number(properties: Mapping[str, Any], name: str, default: float) -> float:
    """A number of a template; a function such as Ref counts as the default."""
    value = properties.get(name)
    return float(value) if isinstance(value, int | float | str) and str(value).isdigit() else default


def _reads_a_queue(mapping: Mapping[str, Any], resources: Mapping[str, Any]) -> bool:
    source = mapping.get("EventSourceArn")
    if isinstance(source, Mapping):
        name = source.get("Fn::GetAtt", [""])[0]
        return (resources.get(name) or {}).get("Type") == "AWS::SQS::Queue"
    return ":sqs:" in str(source)
