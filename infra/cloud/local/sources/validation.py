"""What CreateEventSourceMapping and UpdateEventSourceMapping accept: pure checks of a request.

https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html (limits) and
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-parameters.html (what applies to queues)
"""

from __future__ import annotations

from typing import Any

from ..constraints import constraint
from ..functions.names import invalid
from ..service import NotSimulated

MAXIMUM_WINDOW = 300
POSITIONS = ("LATEST", "AT_TIMESTAMP", "TRIM_HORIZON")
"""In the order of AWS's message (LocalStack's test_create_starting_position_validation_exceptions)."""

OTHER_SOURCES = (
    "Topics",
    "Queues",
    "SourceAccessConfigurations",
    "SelfManagedEventSource",
    "AmazonManagedKafkaEventSourceConfig",
    "SelfManagedKafkaEventSourceConfig",
    "DocumentDBEventSourceConfig",
)
"""Parameters of the event sources that are neither queues nor streams."""

_NOT_FOR_QUEUES = [
    "StartingPosition",
    "StartingPositionTimestamp",
    "DestinationConfig",
    "MaximumRecordAgeInSeconds",
    "BisectBatchOnFunctionError",
    "MaximumRetryAttempts",
    "ParallelizationFactor",
    "TumblingWindowInSeconds",
    *OTHER_SOURCES,
]
_NOT_SIMULATED = ("ProvisionedPollerConfig", "LoggingConfig")


def check_model(params: dict[str, Any]) -> None:
    """Limits of AWS's API model."""
    _range(params.get("BatchSize"), "batchSize", 1, 10_000)
    _range(params.get("MaximumBatchingWindowInSeconds"), "maximumBatchingWindowInSeconds", 0, MAXIMUM_WINDOW)
    _range(
        (params.get("ScalingConfig") or {}).get("MaximumConcurrency"),
        "scalingConfig.maximumConcurrency",
        2,
        1000,
    )
    position = params.get("StartingPosition")
    if position is not None and position not in POSITIONS:
        raise constraint(position, "startingPosition", f"satisfy enum value set: [{', '.join(POSITIONS)}]")
    types = params.get("FunctionResponseTypes") or []
    if any(kind != "ReportBatchItemFailures" for kind in types):
        raise constraint(
            f"[{', '.join(types)}]",
            "functionResponseTypes",
            "satisfy constraint: [Member must satisfy enum value set: [ReportBatchItemFailures]]",
        )


def service_of(arn: str) -> str:
    """The kind of event source, by the ARN's service; those that are not read say so by name."""
    parts = arn.split(":")
    service = parts[2] if len(parts) > 5 and parts[0] == "arn" else ""
    if service in ("sqs", "kinesis", "dynamodb"):
        return service
    if service in ("kafka", "mq", "rds"):
        raise NotSimulated(
            f"NotSimulated: event source mapping of {service} ({arn}) - the local cloud reads queues and "
            "streams only"
        )
    raise invalid("Unrecognized event source.")


def check_support(params: dict[str, Any]) -> None:
    """Parameters that belong to other event sources, or that the local cloud does not do."""
    for name in _NOT_SIMULATED:
        if params.get(name):
            raise NotSimulated(
                f"NotSimulated: AWS::Lambda::EventSourceMapping {name} - the local cloud does not do this"
            )
    for name in _NOT_FOR_QUEUES:
        if params.get(name) is not None:
            if name == "StartingPosition":
                raise invalid("StartingPosition is not valid for SQS event sources.")
            raise invalid(f"Unsupported {name} parameter for given event source mapping type.")


def check_batch(queue_arn: str, batch_size: int, window_s: int) -> None:
    """What a batch's size and window mean to each other and to the kind of queue."""
    fifo = queue_arn.endswith(".fifo")
    if fifo and window_s:
        raise invalid("Batching window is not supported for FIFO queues")
    if fifo and batch_size > 10:
        raise invalid("Batch size must not exceed 10 for FIFO queues")
    if batch_size > 10 and not window_s:
        raise invalid(
            "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10"
        )


def _range(value: int | None, member: str, low: int, high: int) -> None:
    if value is None:
        return
    if value < low:
        raise constraint(value, member, f"have value greater than or equal to {low}")
    if value > high:
        raise constraint(value, member, f"have value less than or equal to {high}")
