"""What a pipe is, and what CreatePipe and UpdatePipe accept.

https://docs.aws.amazon.com/eventbridge/latest/pipes-reference/API_CreatePipe.html,
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-batching-concurrency.html (batch sizes).
"""

from __future__ import annotations

import dataclasses
import re
from typing import Any, Protocol

from ...constraints import constraint
from ...kernel import Timer
from ...service import NotSimulated, ServiceError
from ...sources.filters import Filters
from ...sources.mapping import Mapping
from ..eventbridge.paths import InvalidPath
from .transform import ENCODED, check_template

SOURCES = ("dynamodb", "kinesis", "sqs")
ENRICHMENTS = ("api-destination", "lambda", "states")
TARGETS = ("api-destination", "event-bus", "kinesis", "lambda", "logs", "sns", "sqs", "states")
LARGEST_BATCH = {"api-destination": 1, "event-bus": 10, "kinesis": 500, "sns": 10, "sqs": 10}
FILTERS_LIMIT = 5

SOURCE_PARAMETERS = {
    "dynamodb": "DynamoDBStreamParameters",
    "kinesis": "KinesisStreamParameters",
    "sqs": "SqsQueueParameters",
}
TARGET_PARAMETERS = {
    "api-destination": "HttpParameters",
    "event-bus": "EventBridgeEventBusParameters",
    "kinesis": "KinesisStreamParameters",
    "lambda": "LambdaFunctionParameters",
    "logs": "CloudWatchLogsParameters",
    "sqs": "SqsQueueParameters",
    "states": "StepFunctionStateMachineParameters",
}
_ARN = re.compile(r"arn:aws[a-zA-Z0-9-]*:([a-zA-Z0-9\-]+):[a-z0-9-]*:(\d{12})?:.+")
_NAME = re.compile(r"[.\-_A-Za-z0-9]{1,64}")


class Readers(Protocol):
    """What reads a pipe's source while it runs."""

    def start(self) -> None: ...
    def stop(self) -> None: ...


@dataclasses.dataclass(eq=False, slots=True)
class Pipe:
    """``request`` is what was asked for; times are in µs. ``mapping`` holds how far a stream is read."""

    arn: str
    name: str
    region: str
    request: dict[str, Any]
    desired: str
    created: int
    modified: int
    state: str = ""
    reason: str = ""
    tags: dict[str, str] = dataclasses.field(default_factory=dict)
    readers: Readers | None = None
    transition: Timer | None = None
    mapping: Mapping | None = None

    @property
    def source_service(self) -> str:
        return service_of(self.request["Source"])

    @property
    def source_parameters(self) -> dict[str, Any]:
        given = self.request.get("SourceParameters") or {}
        return dict(given.get(SOURCE_PARAMETERS[self.source_service]) or {})

    @property
    def batch_size(self) -> int:
        """Ten for queues, a hundred for streams, if nothing is said; no more than the target takes."""
        limit = largest_batch(self.request)
        default = 10 if self.source_service == "sqs" else 100
        return int(self.source_parameters.get("BatchSize") or min(default, limit))

    def filters(self) -> Filters:
        criteria = (self.request.get("SourceParameters") or {}).get("FilterCriteria")
        return Filters(criteria, ENCODED.get(self.source_service, ""))


def service_of(arn: str) -> str:
    """The service of an ARN, and of EventBridge which of its resources; "" for what is no ARN."""
    found = _ARN.fullmatch(arn)
    if found is None:
        return ""
    return arn.split(":", 5)[5].partition("/")[0] if found[1] == "events" else found[1]


def largest_batch(request: dict[str, Any]) -> int:
    """The smallest of what the target and the enrichment take at once."""
    stages = (request["Target"], request.get("Enrichment") or "")
    return min(LARGEST_BATCH.get(service_of(arn), 10_000) for arn in stages)


def invalid(message: str) -> ServiceError:
    return ServiceError("ValidationException", message)


def check_request(request: dict[str, Any]) -> None:
    """Raises ValidationException for what AWS refuses, NotSimulated for what only we do."""
    if not _NAME.fullmatch(request["Name"]):
        raise constraint(request["Name"], "name", r"satisfy regular expression pattern: ^[\.\-_A-Za-z0-9]+$")
    source = _known(request["Source"], "source", SOURCES)
    if request.get("Enrichment"):
        _known(request["Enrichment"], "enrichment", ENRICHMENTS)
    target = _known(request["Target"], "target", TARGETS)
    _only(
        request.get("SourceParameters") or {}, "SourceParameters", "FilterCriteria", SOURCE_PARAMETERS[source]
    )
    _only(
        request.get("TargetParameters") or {},
        "TargetParameters",
        "InputTemplate",
        TARGET_PARAMETERS.get(target, "InputTemplate"),
    )
    http = ("HttpParameters",) if service_of(request.get("Enrichment") or "") == "api-destination" else ()
    _only(request.get("EnrichmentParameters") or {}, "EnrichmentParameters", "InputTemplate", *http)
    for parameters in ("TargetParameters", "EnrichmentParameters"):
        text = (request.get(parameters) or {}).get("InputTemplate")
        try:
            check_template(text or "")
        except InvalidPath as error:
            raise invalid(f"{parameters}.InputTemplate: {error}") from None
    _check_source(request, source)
    _check_filters(request, source)


def _known(arn: str, what: str, accepted: tuple[str, ...]) -> str:
    service = service_of(arn)
    if not service and not arn.startswith("smk://"):
        raise constraint(arn, what, "satisfy regular expression pattern of an ARN")
    if service not in accepted:
        raise NotSimulated(f"NotSimulated: {arn} as the {what} of a pipe")
    return service


def _only(given: dict[str, Any], where: str, *accepted: str) -> None:
    """The parameters of another kind of source or target do not apply."""
    for name, value in given.items():
        if value is not None and name not in accepted:
            raise invalid(f"{where}.{name} is not valid for this pipe; accepted: {', '.join(accepted)}")


def _check_source(request: dict[str, Any], source: str) -> None:
    name = SOURCE_PARAMETERS[source]
    given = (request.get("SourceParameters") or {}).get(name) or {}
    _between(given.get("BatchSize"), "batchSize", 1, 10_000)
    _between(given.get("MaximumBatchingWindowInSeconds"), "maximumBatchingWindowInSeconds", 0, 300)
    _between(given.get("MaximumRetryAttempts"), "maximumRetryAttempts", -1, 10_000)
    _between(given.get("MaximumRecordAgeInSeconds"), "maximumRecordAgeInSeconds", -1, 604_800)
    _between(given.get("ParallelizationFactor"), "parallelizationFactor", 1, 10)
    size = given.get("BatchSize") or 1
    limit = largest_batch(request)
    if size > limit:
        raise invalid(f"BatchSize {size} is larger than the pipe's target or enrichment supports: {limit}.")
    if source == "sqs":
        if size > 10 and not given.get("MaximumBatchingWindowInSeconds"):
            raise invalid(
                "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater "
                "than 10"
            )
    elif not given.get("StartingPosition"):
        raise invalid(f"SourceParameters.{name}.StartingPosition is required.")


def _between(value: int | None, member: str, low: int, high: int) -> None:
    if value is None or low <= value <= high:
        return
    bound = f"greater than or equal to {low}" if value < low else f"less than or equal to {high}"
    raise constraint(value, member, f"have value {bound}")


def _check_filters(request: dict[str, Any], source: str) -> None:
    criteria = (request.get("SourceParameters") or {}).get("FilterCriteria") or {}
    filters = criteria.get("Filters") or []
    if len(filters) > FILTERS_LIMIT:
        raise invalid(
            "1 validation error detected: Value at 'sourceParameters.filterCriteria.filters' failed to "
            f"satisfy constraint: Member must have length less than or equal to {FILTERS_LIMIT}"
        )
    try:
        Filters(criteria, ENCODED.get(source, ""))
    except ServiceError as error:
        raise invalid(error.message) from None
