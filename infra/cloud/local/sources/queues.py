"""Mappings of SQS queues: their settings, what they need of the queue and of the role.

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-parameters.html and
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html (queue and permissions)
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..functions.names import invalid
from ..kernel import SECOND
from ..service import Caller, ServiceError
from .filters import Filters
from .mapping import Mapping
from .sqs import Fleet, Settings
from .validation import check_batch, check_support

if TYPE_CHECKING:
    from ..world import World

PERMISSIONS = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
"""What the execution role must be allowed to do with the queue."""


@dataclasses.dataclass(frozen=True, slots=True)
class QueueSettings:
    """``maximum`` is MaximumConcurrency."""

    batch_size: int = 10
    window_s: int = 0
    maximum: int | None = None
    metrics: bool = False


class Queues:
    payload_key = "body"
    transition_reason = "USER_INITIATED"

    def __init__(self, world: World) -> None:
        self._world = world

    def check(self, arn: str, params: dict[str, Any], *, creating: bool) -> None:
        check_support(params)

    def settings(self, arn: str, before: Any, params: dict[str, Any]) -> QueueSettings:
        changes: dict[str, Any] = {}
        if params.get("BatchSize") is not None:
            changes["batch_size"] = params["BatchSize"]
        if params.get("MaximumBatchingWindowInSeconds") is not None:
            changes["window_s"] = params["MaximumBatchingWindowInSeconds"]
        if params.get("ScalingConfig") is not None:
            changes["maximum"] = params["ScalingConfig"].get("MaximumConcurrency")
        if params.get("MetricsConfig") is not None:
            changes["metrics"] = "EventCount" in (params["MetricsConfig"].get("Metrics") or ())
        settings = dataclasses.replace(before or QueueSettings(), **changes)
        check_batch(arn, settings.batch_size, settings.window_s)
        return settings

    def resolve(self, mapping: Mapping, role: str, timeout_s: int) -> None:
        world = self._world
        queue = world.sqs.queues.get(mapping.source_arn)
        if queue is None:
            raise invalid(
                "Error occurred while ReceiveMessage. SQS Error Code: "
                "AWS.SimpleQueueService.NonExistentQueue. SQS Error Message: The specified queue does not "
                "exist."
            )
        caller = Caller("service", "lambda", role)
        for operation in PERMISSIONS:
            try:
                world.identity.check(
                    caller, "sqs", operation, {"QueueUrl": queue.url}, world.region, world.account
                )
            except ServiceError as error:
                raise invalid(
                    f"The provided execution role does not have permissions to call {operation} on SQS"
                ) from error
        visibility_s = queue.settings.visibility // SECOND
        if visibility_s < timeout_s:
            raise invalid(
                f"Queue visibility timeout: {visibility_s} seconds is less than Function timeout: "
                f"{timeout_s} seconds"
            )

    def conflict(self, mapping: Mapping, other: Mapping) -> str:
        return (
            f'An event source mapping with SQS arn (" {mapping.source_arn} ") and function '
            f'(" {mapping.function_name} ") already exists. Please update or delete the existing '
            f"mapping with UUID {other.uuid}"
        )

    def fleet(self, mapping: Mapping, role: Callable[[], str | None]) -> Fleet | None:
        if mapping.source_arn not in self._world.sqs.queues:
            return None
        wanted: QueueSettings = mapping.settings
        settings = Settings(
            mapping.uuid,
            mapping.function,
            mapping.function_name,
            mapping.source_arn,
            wanted.batch_size,
            wanted.window_s * SECOND,
            mapping.report_failures,
            Filters(mapping.criteria),
            wanted.maximum,
            wanted.metrics,
        )
        return Fleet(self._world, settings, role)

    def shown(self, mapping: Mapping) -> dict[str, Any]:
        settings: QueueSettings = mapping.settings
        shown: dict[str, Any] = {
            "BatchSize": settings.batch_size,
            "MaximumBatchingWindowInSeconds": settings.window_s,
        }
        if settings.maximum is not None:
            shown["ScalingConfig"] = {"MaximumConcurrency": settings.maximum}
        if settings.metrics:
            shown["MetricsConfig"] = {"Metrics": ["EventCount"]}
        return shown
