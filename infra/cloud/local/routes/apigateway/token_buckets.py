"""Token buckets: how many requests may come, in a steady stream and at once. Nothing ticks.

A token stands for a request; a bucket holds at most ``burst`` of them, begins full, and gets ``rate`` more a
second, counted when somebody asks:
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html
"""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Mapping
from typing import Any

TOKEN = 1_000_000
"""Tokens are kept in millionths, so that a rate times microseconds is exact."""


@dataclasses.dataclass(frozen=True, slots=True)
class Limit:
    """``rate`` in requests a second, ``burst`` in requests."""

    rate: float
    burst: int


@dataclasses.dataclass(frozen=True, slots=True)
class Bucket:
    """``tokens`` in millionths, as they were at ``time`` (virtual microseconds)."""

    tokens: float
    time: int


def take(bucket: Bucket | None, limit: Limit, now: int) -> tuple[Bucket, bool]:
    """The bucket after a request at ``now``, and whether there was a token for it; None is a full bucket."""
    most = float(limit.burst * TOKEN)
    held = most if bucket is None else min(most, bucket.tokens + limit.rate * (now - bucket.time))
    return (Bucket(held - TOKEN, now), True) if held >= TOKEN else (Bucket(held, now), False)


def limit_of(settings: Mapping[str, Any], rate: str = "rateLimit", burst: str = "burstLimit") -> Limit | None:
    """The limit that settings name; None without one, which is how a rate or burst of -1 reads."""
    steady, most = settings.get(rate), settings.get(burst)
    if steady is None or most is None or steady < 0 or most < 0:
        return None
    return Limit(float(steady), int(most))


class Buckets:
    """The buckets of everything that is limited, by any key."""

    def __init__(self) -> None:
        self._held: dict[Hashable, Bucket] = {}

    def take(self, key: Hashable, limit: Limit, now: int) -> bool:
        self._held[key], taken = take(self._held.get(key), limit, now)
        return taken
