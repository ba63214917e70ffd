"""What a stack costs per hour while it stands and nobody uses it, in USD.

List prices in us-east-1 without the free tier, of ``infra/cloud/views/prices.toml``. Most of what a lesson
deploys costs nothing until it is used; what does not is here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from infra.cloud.views.prices import HOURS_PER_MONTH, LONG_POLL_SECONDS, POLLERS, prices

_LISTED = prices()
SHARD = _LISTED["kinesis_shard_hours"].usd
SQS_REQUEST = _LISTED["sqs_standard"].usd / _LISTED["sqs_standard"].per
EMPTY_RECEIVES_PER_HOUR = POLLERS * 3600 / LONG_POLL_SECONDS
"""Of an event source mapping on an idle queue."""
BY_THE_MONTH = {
    "AWS::CloudWatch::CompositeAlarm": "alarms_composite",
    "AWS::CloudWatch::Dashboard": "dashboards",
    "AWS::KMS::Key": "kms_keys",
    "AWS::SecretsManager::Secret": "secrets",
}
"""What costs the same whatever its properties are."""
STORED = {"AWS::S3::Bucket": "s3_storage", "AWS::Logs::LogGroup": "logs_storage"}
"""What costs as much as lies in it."""
MINUTE = 60
"""An alarm with a shorter period is one of high resolution."""
SMALLEST_CACHE = _LISTED["apigateway_cache_0_5"]
"""Of an API whose template does not say how large, or says it with a function such as Ref."""


def hourly(template: Mapping[str, Any]) -> float:
    """USD per hour of the resources of a template (parsed) while nothing happens."""
    resources = template.get("Resources") or {}
    return sum(_of(each, resources) for each in resources.values())


def stored(kind: str, size: float) -> float:
    """USD per hour for ``size`` bytes in a bucket or a log group; of a log group at most so much, since it is
    compressed."""
    return _monthly(STORED[kind]) * size / 1e9


def _monthly(price: str) -> float:
    return _LISTED[price].usd / HOURS_PER_MONTH


def _of(resource: Mapping[str, Any], resources: Mapping[str, Any]) -> float:
    properties = resource.get("Properties") or {}
    kind = resource.get("Type")
    if kind in BY_THE_MONTH:
        return _monthly(BY_THE_MONTH[kind])
    match kind:
        case "AWS::CloudWatch::Alarm":
            return _alarm(properties)
        case "AWS::ApiGateway::Stage" if str(properties.get("CacheClusterEnabled")).lower() == "true":
            size = str(properties.get("CacheClusterSize")).replace(".", "_")
            return _LISTED.get(f"apigateway_cache_{size}", SMALLEST_CACHE).usd
        case "AWS::Kinesis::Stream":
            mode = (properties.get("StreamModeDetails") or {}).get("StreamMode", "PROVISIONED")
            if mode == "ON_DEMAND":
                return _LISTED["kinesis_stream_hours"].usd
            return SHARD * _number(properties, "ShardCount", 1)
        case "AWS::Kinesis::StreamConsumer":
            stream = _referred(properties.get("StreamARN"), resources).get("Properties") or {}
            return _LISTED["kinesis_consumer_shard_hours"].usd * _number(stream, "ShardCount", 1)
        case "AWS::DynamoDB::Table" if properties.get("BillingMode") != "PAY_PER_REQUEST":
            held = [properties, *_list(properties, "GlobalSecondaryIndexes")]
            return sum(_capacity(each.get("ProvisionedThroughput") or {}) for each in held)
        case "AWS::Lambda::Alias" | "AWS::Lambda::Version":
            return _provisioned_concurrency(properties, resources)
        case "AWS::Lambda::EventSourceMapping" if _reads_a_queue(properties, resources):
            return SQS_REQUEST * EMPTY_RECEIVES_PER_HOUR
    return 0.0


def _alarm(properties: Mapping[str, Any]) -> float:
    """Each metric that an alarm watches is billed: https://aws.amazon.com/cloudwatch/pricing/"""
    watched = [each["MetricStat"] for each in _list(properties, "Metrics") if "MetricStat" in each]
    periods = [_number(each, "Period", MINUTE) for each in watched or [properties]]
    price = "alarms_high_resolution" if min(periods) < MINUTE else "alarms"
    return _monthly(price) * len(periods)


def _capacity(units: Mapping[str, Any]) -> float:
    return sum(
        _LISTED[f"dynamodb_{kind.lower()}_capacity"].usd * _number(units, f"{kind}CapacityUnits", 0)
        for kind in ("Read", "Write")
    )


def _provisioned_concurrency(properties: Mapping[str, Any], resources: Mapping[str, Any]) -> float:
    settings = properties.get("ProvisionedConcurrencyConfig") or {}
    function = _referred(properties.get("FunctionName"), resources).get("Properties") or {}
    architecture = "arm64" if "arm64" in _list(function, "Architectures") else "x86_64"
    gigabytes = _number(function, "MemorySize", 128) / 1024
    environments = _number(settings, "ProvisionedConcurrentExecutions", 0)
    return _LISTED[f"lambda_provisioned_{architecture}"].usd * 3600 * gigabytes * environments


def _number(properties: Mapping[str, Any], name: str, default: float) -> float:
    """A number of a template; a function such as Ref counts as the default."""
    value = properties.get(name)
    return float(value) if isinstance(value, int | float | str) and str(value).isdigit() else default


def _list(properties: Mapping[str, Any], name: str) -> list[Any]:
    """A list of a template; a function such as Fn::If counts as none."""
    value = properties.get(name)
    return value if isinstance(value, list) else []


def _referred(value: Any, resources: Mapping[str, Any]) -> Mapping[str, Any]:
    """The resource that a Ref or a Fn::GetAtt means; an empty one if it is none of this template."""
    if not isinstance(value, Mapping):
        return {}
    attribute = value.get("Fn::GetAtt") or [""]
    name = value.get("Ref") or (attribute.split(".") if isinstance(attribute, str) else attribute)[0]
    return resources.get(name) or {}


def _reads_a_queue(mapping: Mapping[str, Any], resources: Mapping[str, Any]) -> bool:
    source = mapping.get("EventSourceArn")
    if isinstance(source, Mapping):
        return _referred(source, resources).get("Type") == "AWS::SQS::Queue"
    return ":sqs:" in str(source)
