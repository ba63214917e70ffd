"""What Application Auto Scaling keeps: scalable targets, their policies, scheduled actions, activities.

https://docs.aws.amazon.com/autoscaling/application/APIReference/Welcome.html
"""

from __future__ import annotations

import dataclasses
from typing import Any

from ..kernel import Timer
from ..service import ServiceError

DIMENSIONS = {
    "dynamodb:table:ReadCapacityUnits": "read capacity units",
    "dynamodb:table:WriteCapacityUnits": "write capacity units",
    "dynamodb:index:ReadCapacityUnits": "read capacity units",
    "dynamodb:index:WriteCapacityUnits": "write capacity units",
    "lambda:function:ProvisionedConcurrency": "desired concurrency",
}
"""What is simulated, and how activities call it."""

SUSPENDABLE = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")

Key = tuple[str, str, str]
"""Service namespace, resource id, scalable dimension."""


@dataclasses.dataclass(eq=False, slots=True)
class Target:
    """``busy``: an activity is changing its capacity. Times in microseconds."""

    key: Key
    arn: str
    low: int
    high: int
    role: str
    created: int
    suspended: dict[str, bool]
    busy: bool = False
    last_in: int = -(1 << 62)
    last_out: int = -(1 << 62)
    before_out: int = 0
    """The capacity before the last scaling out, on which further steps build while it cools down."""

    @property
    def described(self) -> dict[str, Any]:
        namespace, resource, dimension = self.key
        return {"ServiceNamespace": namespace, "ResourceId": resource, "ScalableDimension": dimension}

    @property
    def words(self) -> str:
        return DIMENSIONS[self.key[2]]


@dataclasses.dataclass(eq=False, slots=True)
class Policy:
    """``alarms``: the names of those that the service made for it (target tracking), by what they watch for.
    ``capacity`` is what their thresholds were computed from."""

    target: Target
    name: str
    arn: str
    kind: str
    config: dict[str, Any]
    created: int
    creator: str
    alarms: dict[str, str] = dataclasses.field(default_factory=dict)
    capacity: int = 0
    recheck: Timer | None = None

    @property
    def action(self) -> str:
        """The ARN that its own alarms call."""
        return f"{self.arn}:createdBy/{self.creator}"


@dataclasses.dataclass(eq=False, slots=True)
class Scheduled:
    target: Target
    name: str
    arn: str
    request: dict[str, Any]
    created: int
    anchor: int
    timer: Timer | None = None


@dataclasses.dataclass(eq=False, slots=True)
class Activity:
    id: str
    target: Target
    description: str
    cause: str
    started: int
    status: str
    message: str
    ended: int = 0
    not_scaled: list[dict[str, Any]] = dataclasses.field(default_factory=list)


def invalid(message: str) -> ServiceError:
    return ServiceError("ValidationException", message)


def missing(what: str, key: Key, more: str = "") -> ServiceError:
    namespace, resource, dimension = key
    return ServiceError(
        "ObjectNotFoundException",
        f"No {what} for service namespace: {namespace}, resource ID: {resource}, scalable dimension: "
        f"{dimension}{more}",
    )
