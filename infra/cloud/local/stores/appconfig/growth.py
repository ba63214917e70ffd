"""How far a deployment has got, and who is in: pure functions of the strategy.

https://docs.aws.amazon.com/appconfig/latest/userguide/appconfig-creating-deployment-strategy.html: linear
steps of the growth factor, or G*(2^N), evenly over the deployment's time; then the bake time. A step is a
whole number of minutes if it is a minute at least (the log in the CLI's documentation of GetDeployment: 25 %
over 15 minutes comes at 3, 6, 9 and 12 minutes, and the bake time begins at 15).
"""

from __future__ import annotations

import dataclasses
import hashlib
import math
from typing import Any

from ...kernel import SECOND

_MINUTE = 60 * SECOND


@dataclasses.dataclass(frozen=True, slots=True)
class Strategy:
    """``duration`` and ``bake`` in minutes, ``factor`` in percent."""

    id: str
    name: str
    duration: int
    growth_type: str
    factor: float
    bake: int
    replicate_to: str = "NONE"
    description: str | None = None

    def settings(self) -> dict[str, Any]:
        """The part of it that a deployment shows too."""
        return {
            "DeploymentDurationInMinutes": self.duration,
            "GrowthType": self.growth_type,
            "GrowthFactor": self.factor,
            "FinalBakeTimeInMinutes": self.bake,
        }

    def shown(self) -> dict[str, Any]:
        described = {} if self.description is None else {"Description": self.description}
        return {
            "Id": self.id,
            "Name": self.name,
            **described,
            **self.settings(),
            "ReplicateTo": self.replicate_to,
        }


PREDEFINED = tuple(
    Strategy(name, name, duration, growth, factor, bake, "NONE", description)
    for name, duration, growth, factor, bake, description in (
        ("AppConfig.AllAtOnce", 0, "LINEAR", 100.0, 10, "Quick"),
        ("AppConfig.Linear50PercentEvery30Seconds", 1, "LINEAR", 50.0, 1, "Test/Demo"),
        ("AppConfig.Canary10Percent20Minutes", 20, "EXPONENTIAL", 10.0, 10, "AWS Recommended"),
        ("AppConfig.Linear20PercentEvery6Minutes", 30, "LINEAR", 20.0, 30, "AWS Recommended"),
    )
)
"""The strategies that every account has."""


def percentages(strategy: Strategy) -> list[float]:
    """The share of the clients after each step; the last is 100."""
    reached: list[float] = []
    while not reached or reached[-1] < 100:
        number = len(reached)
        share = strategy.factor * (2**number if strategy.growth_type == "EXPONENTIAL" else number + 1)
        reached.append(min(share, 100.0))
    return reached


def steps(strategy: Strategy) -> list[tuple[int, float]]:
    """µs from the start, and the share that is reached then."""
    shares = percentages(strategy)
    if not strategy.duration:
        return [(0, 100.0)]
    interval = strategy.duration * _MINUTE // len(shares)
    if interval >= _MINUTE:
        interval -= interval % _MINUTE
    return [(interval * number, share) for number, share in enumerate(shares, 1)]


def bake_starts(strategy: Strategy) -> int:
    """µs from the start."""
    return strategy.duration * _MINUTE


def bake_time(strategy: Strategy) -> int:
    return strategy.bake * _MINUTE


def place_of(client: str) -> float:
    """Where a client stands between 0 and 100: it is in while the share is above. It never changes, so who
    is in stays in as the share grows."""
    digest = hashlib.sha256(client.encode()).digest()
    return math.ldexp(int.from_bytes(digest[:6], "big"), -48) * 100
