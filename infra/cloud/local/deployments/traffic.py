"""How a deployment configuration shifts traffic: pure.

https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-configurations.html
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from ..kernel import SECOND
from ..service import ServiceError

MINUTE = 60 * SECOND
ALL_AT_ONCE = "CodeDeployDefault.LambdaAllAtOnce"


@dataclasses.dataclass(frozen=True)
class Config:
    """A deployment configuration. ``routing`` is its trafficRoutingConfig; ``created`` 0 for AWS's own."""

    id: str
    name: str
    platform: str
    routing: dict[str, Any]
    created: int = 0


def steps(routing: Mapping[str, Any]) -> list[tuple[int, float]]:
    """(microseconds to wait before it, the target version's share of requests), in order; the last is 1.

    The first increment takes effect at once, the next one after the interval.
    """
    if routing["type"] == "AllAtOnce":
        return [(0, 1.0)]
    if routing["type"] == "TimeBasedCanary":
        given = routing["timeBasedCanary"]
        first, interval = given["canaryPercentage"], given["canaryInterval"] * MINUTE
        return [(0, first / 100), (interval, 1.0)]
    given = routing["timeBasedLinear"]
    each, interval = given["linearPercentage"], given["linearInterval"] * MINUTE
    shares = [share / 100 for share in range(each, 100, each)] + [1.0]
    return [(interval if number else 0, share) for number, share in enumerate(shares)]


def check_routing(routing: Mapping[str, Any]) -> dict[str, Any]:
    """The routing of a Lambda configuration, checked.

    https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_TrafficRoutingConfig.html
    """
    kind = routing.get("type", "AllAtOnce")
    if kind == "AllAtOnce":
        return {"type": kind}
    if kind not in ("TimeBasedCanary", "TimeBasedLinear"):
        raise _invalid(f"type must be one of AllAtOnce, TimeBasedCanary, TimeBasedLinear, not {kind!r}")
    word = "canary" if kind == "TimeBasedCanary" else "linear"
    part = f"timeBased{word.capitalize()}"
    given = routing.get(part) or {}
    percentage, interval = given.get(f"{word}Percentage"), given.get(f"{word}Interval")
    if percentage is None or not 1 <= percentage <= 99:
        raise _invalid(f"{part}.{word}Percentage must be between 1 and 99, not {percentage}")
    if interval is None or not 1 <= interval <= 2880:
        raise _invalid(f"{part}.{word}Interval must be between 1 and 2880 minutes, not {interval}")
    return {"type": kind, part: {f"{word}Percentage": percentage, f"{word}Interval": interval}}


def _invalid(message: str) -> ServiceError:
    return ServiceError("InvalidTrafficRoutingConfigurationException", f"trafficRoutingConfig: {message}")


def _canary(minutes: int) -> dict[str, Any]:
    return {
        "type": "TimeBasedCanary",
        "timeBasedCanary": {"canaryPercentage": 10, "canaryInterval": minutes},
    }


def _linear(minutes: int) -> dict[str, Any]:
    return {
        "type": "TimeBasedLinear",
        "timeBasedLinear": {"linearPercentage": 10, "linearInterval": minutes},
    }


PREDEFINED: dict[str, dict[str, Any]] = {
    ALL_AT_ONCE: {"type": "AllAtOnce"},
    **{f"CodeDeployDefault.LambdaCanary10Percent{n}Minutes": _canary(n) for n in (5, 10, 15, 30)},
    **{
        f"CodeDeployDefault.LambdaLinear10PercentEvery{n}Minute{'s' if n > 1 else ''}": _linear(n)
        for n in (1, 2, 3, 10)
    },
}
"""AWS's own configurations for Lambda, by name."""
