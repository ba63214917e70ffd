"""The settings of a stream's mapping, and what AWS refuses of them.

https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-parameters.html and
https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-params.html
"""

from __future__ import annotations

import dataclasses
from typing import Any

from ...constraints import constraint
from ...functions.names import invalid
from ...service import NotSimulated
from ...stores.kinesis.base import micros
from ..validation import OTHER_SOURCES

_NOT_FOR_STREAMS = ("ScalingConfig", *OTHER_SOURCES, "ProvisionedPollerConfig")
_NOT_SIMULATED = ("LoggingConfig",)
_LIMITS = (
    ("ParallelizationFactor", "parallelizationFactor", 1, 10),
    ("MaximumRetryAttempts", "maximumRetryAttempts", -1, 10_000),
    ("MaximumRecordAgeInSeconds", "maximumRecordAgeInSeconds", -1, 604_800),
    ("TumblingWindowInSeconds", "tumblingWindowInSeconds", 0, 900),
)


@dataclasses.dataclass(frozen=True, slots=True)
class StreamSettings:
    """As the request names them, in its units; ``timestamp`` in µs, -1 means without limit."""

    position: str = ""
    timestamp: int | None = None
    batch_size: int = 100
    window_s: int = 0
    parallel: int = 1
    bisect: bool = False
    retries: int = -1
    max_age_s: int = -1
    tumbling_s: int = 0
    destination: str = ""
    metrics: bool = False


_FIELDS = {
    "BatchSize": "batch_size",
    "MaximumBatchingWindowInSeconds": "window_s",
    "ParallelizationFactor": "parallel",
    "BisectBatchOnFunctionError": "bisect",
    "MaximumRetryAttempts": "retries",
    "MaximumRecordAgeInSeconds": "max_age_s",
    "TumblingWindowInSeconds": "tumbling_s",
}


def check(arn: str, params: dict[str, Any], *, creating: bool) -> None:
    """The request by itself."""
    for name, member, low, high in _LIMITS:
        value = params.get(name)
        if value is not None and value < low:
            raise constraint(value, member, f"have value greater than or equal to {low}")
        if value is not None and value > high:
            raise constraint(value, member, f"have value less than or equal to {high}")
    if 0 <= (params.get("MaximumRecordAgeInSeconds") or -1) < 60:
        raise invalid("MaximumRecordAgeInSeconds must be -1 or between 60 and 604800")
    for name in _NOT_SIMULATED:
        if params.get(name):
            raise NotSimulated(
                f"NotSimulated: AWS::Lambda::EventSourceMapping {name} - the local cloud does not do this"
            )
    for name in _NOT_FOR_STREAMS:
        if params.get(name):
            raise invalid(f"Unsupported {name} parameter for given event source mapping type.")
    if creating:
        _check_position(arn, params)


def _check_position(arn: str, params: dict[str, Any]) -> None:
    position = params.get("StartingPosition")
    if not position:
        raise invalid(
            "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: "
            "Member must not be null."
        )
    timestamp = params.get("StartingPositionTimestamp")
    if position != "AT_TIMESTAMP":
        if timestamp is not None:
            raise invalid("Timestamp only valid with StartingPosition AT_TIMESTAMP")
        return
    if arn.split(":")[2] == "dynamodb":
        raise invalid(f"Unsupported starting position for arn type: {arn}")
    if timestamp is None:
        raise invalid("Must provide timestamp with StartingPosition AT_TIMESTAMP")
    if micros(timestamp) < 0:
        raise invalid(
            "Received Exception while reading from provided stream. class java.lang.Long can not be "
            "converted to a Timestamp"
        )


def applied(before: StreamSettings | None, params: dict[str, Any]) -> StreamSettings:
    """The settings after a request."""
    changes: dict[str, Any] = {
        field: params[name] for name, field in _FIELDS.items() if params.get(name) is not None
    }
    if before is None:
        changes["position"] = params["StartingPosition"]
        timestamp = params.get("StartingPositionTimestamp")
        changes["timestamp"] = None if timestamp is None else micros(timestamp)
    if params.get("DestinationConfig") is not None:
        destination = (params["DestinationConfig"].get("OnFailure") or {}).get("Destination") or ""
        changes["destination"] = destination
    if params.get("MetricsConfig") is not None:
        changes["metrics"] = "EventCount" in (params["MetricsConfig"].get("Metrics") or ())
    settings = dataclasses.replace(before or StreamSettings(), **changes)
    if settings.tumbling_s and settings.parallel > 1:
        raise NotSimulated(
            "NotSimulated: TumblingWindowInSeconds with ParallelizationFactor - the local cloud keeps one "
            "window per shard"
        )
    service = settings.destination.split(":")[2] if settings.destination.count(":") >= 5 else ""
    if settings.destination and (
        service not in ("sqs", "sns", "s3") or settings.destination.endswith(".fifo")
    ):
        if service == "kafka" or settings.destination.startswith("kafka:"):
            raise NotSimulated(f"NotSimulated: on-failure destination {settings.destination}")
        raise invalid(
            f"The provided destination config DestinationConfig(onSuccess=null, "
            f"onFailure=OnFailure(destination={settings.destination})) is invalid."
        )
    return settings


def shown(settings: StreamSettings, timestamp: Any) -> dict[str, Any]:
    """As the API shows them."""
    destination = {"Destination": settings.destination} if settings.destination else {}
    answer: dict[str, Any] = {name: getattr(settings, field) for name, field in _FIELDS.items()}
    answer["StartingPosition"] = settings.position
    if timestamp is not None:
        answer["StartingPositionTimestamp"] = timestamp
    answer["DestinationConfig"] = {"OnFailure": destination}
    if settings.metrics:
        answer["MetricsConfig"] = {"Metrics": ["EventCount"]}
    return answer
