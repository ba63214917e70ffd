"""Faults, seeded and journaled: what goes wrong in a real cloud, switched on for a while.

    with cloud.faults(duplicate=0.1, on=app["QueueArn"]):
        …

Each fault happens by rate (a number from 0 to 1: that share of the occasions) or at a given time (a duration
from the start of the block, ``"90s"``, or a list of them: the first occasion at or after each). ``on`` names
what it strikes: an ARN, a name, a service (``"dynamodb"``) or an operation (``"dynamodb.PutItem"``);
without it, everything.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Self

from infra.cloud.durations import microseconds

from .service import ServiceError

if TYPE_CHECKING:
    from .world import World

KINDS: dict[str, str] = {
    "duplicate": "a message of a standard queue, or an event to a rule's target, is delivered twice",
    "reorder": "a standard queue delivers out of order",
    "latency": "API calls take longer by a duration",
    "throttle": "API calls are refused with the service's throttling error",
    "error": "API calls fail with a 500 or 503",
    "kill": "a function's environment is killed at a random point of an invocation",
}

# Source: each service's API reference, "Common Errors" and the operation's own errors (read 2026-11).
_THROTTLES: dict[str, tuple[str, str, int]] = {
    "dynamodb": (
        "ProvisionedThroughputExceededException",
        "The level of configured provisioned throughput for the table was exceeded. Consider increasing your "
        "provisioning level with the UpdateTable API.",
        400,
    ),
    "lambda": ("TooManyRequestsException", "Rate Exceeded.", 429),
    "s3": ("SlowDown", "Please reduce your request rate.", 503),
    "sqs": ("RequestThrottled", "Request is throttled.", 403),
}
_THROTTLE = ("ThrottlingException", "Rate exceeded", 400)
_FAILURES: dict[str, tuple[str, str, int]] = {
    "lambda": ("ServiceException", "An error occurred and the request cannot be processed.", 500),
    "s3": ("InternalError", "We encountered an internal error. Please try again.", 500),
    "dynamodb": ("InternalServerError", "Internal server error", 500),
    "sqs": ("ServiceUnavailable", "The request has failed due to a temporary failure of the server.", 503),
}
_FAILURE = ("InternalFailure", "The request processing has failed because of an unknown error.", 500)


@dataclasses.dataclass(slots=True)
class Fault:
    """One kind of fault on one target. ``times``: virtual µs at which it is due, for faults by time."""

    kind: str
    on: str
    rate: float = 0.0
    times: list[int] = dataclasses.field(default_factory=list)
    amount: int = 0

    def concerns(self, *names: str) -> bool:
        return not self.on or any(_same(self.on, name) for name in names)


class Faults:
    """The faults that are switched on in a world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._on: list[Fault] = []
        self.active = False
        """False while no fault is on: the one thing hot paths look at."""

    def __call__(self, on: str = "", *, rate: float = 1.0, **kinds: Any) -> FaultBlock:
        """Make a block of faults; ``with`` switches it on. ``rate``: the share of calls a latency strikes."""
        if not isinstance(on, str):
            raise TypeError(f"on={on!r}: give an ARN, a name, a service or an operation, as text")
        if not kinds:
            raise ValueError(f"name a fault, such as duplicate=0.1. Known: {_known()}")
        return FaultBlock(self, [self._parse(kind, value, on, rate) for kind, value in kinds.items()])

    def happens(self, kind: str, resource: str) -> bool:
        """Does a fault of this kind strike this resource now? Each question is one draw."""
        if self._strike(kind, resource) is None:
            return False
        self._record(resource, {"kind": kind})
        return True

    def before_call(self, service: str, operation: str, resource: str) -> tuple[int, ServiceError | None]:
        """What befalls an API call: added latency in µs, and the error it gets instead of an answer."""
        delay = 0
        call = f"{service}.{operation}"
        names = (call, service, resource)
        for fault in self._on:
            if fault.kind == "latency" and self._due(fault, *names):
                delay += fault.amount
                self._record(resource or call, {"kind": "latency", "call": call, "us": fault.amount})
        for kind, errors, other in (("throttle", _THROTTLES, _THROTTLE), ("error", _FAILURES, _FAILURE)):
            if self._strike(kind, *names):
                self._record(resource or call, {"kind": kind, "call": call})
                return delay, ServiceError(*errors.get(service, other))
        return delay, None

    def _strike(self, kind: str, *names: str) -> Fault | None:
        for fault in self._on:
            if fault.kind == kind and self._due(fault, *names):
                return fault
        return None

    def _record(self, resource: str, data: dict[str, Any]) -> None:
        self._world.journal.record("fault.injected", resource, data=data)

    def _due(self, fault: Fault, *names: str) -> bool:
        if not fault.concerns(*names):
            return False
        if fault.times:
            if fault.times[0] > self._world.kernel.now:
                return False
            fault.times.pop(0)
            return True
        return fault.rate > 0 and self._world.kernel.rng(f"faults.{fault.kind}").random() < fault.rate

    def _parse(self, kind: str, value: Any, on: str, rate: float) -> Fault:
        if kind not in KINDS:
            raise ValueError(f"there is no fault {kind!r}. Known: {_known()}")
        if kind == "latency":
            return Fault(kind, on, rate=_rate("rate", rate), amount=microseconds(value, "latency"))
        if isinstance(value, str):
            value = [value]
        if isinstance(value, list | tuple):
            now = self._world.kernel.now
            return Fault(kind, on, times=sorted(now + microseconds(when, kind) for when in value))
        return Fault(kind, on, rate=_rate(kind, value))

    def switch_on(self, faults: list[Fault]) -> None:
        self._on += faults
        self.active = bool(self._on)

    def switch_off(self, faults: list[Fault]) -> None:
        self._on = [fault for fault in self._on if all(fault is not gone for gone in faults)]
        self.active = bool(self._on)


class FaultBlock:
    """``with cloud.faults(…):`` - on inside the block, off after it."""

    def __init__(self, faults: Faults, block: list[Fault]) -> None:
        self._faults = faults
        self._block = block

    def __enter__(self) -> Self:
        self._faults.switch_on(self._block)
        return self

    def __exit__(self, *_: object) -> None:
        self._faults.switch_off(self._block)


def _known() -> str:
    return "; ".join(f"{name}: {meaning}" for name, meaning in KINDS.items())


def _rate(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError(
            f"{name}={value!r}: give a rate from 0 to 1 (the share of occasions), or a time such as '90s'"
        )
    return float(value)


def _same(wanted: str, name: str) -> bool:
    """``orders`` names ``arn:aws:sqs:…:orders`` and a queue URL that ends in it as well."""
    if wanted == name:
        return True
    tail = name.replace("/", ":").rsplit(":", 1)[-1]
    return bool(name) and wanted.replace("/", ":").rsplit(":", 1)[-1] == tail
