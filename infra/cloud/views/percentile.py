"""A percentile that occurred: nearest rank, of weighted values."""

from __future__ import annotations

from collections.abc import Sequence


def percentile(ordered: Sequence[tuple[float, float]], percent: float) -> float:
    """The smallest of the ordered (value, weight) that at least ``percent`` of the weight does not exceed."""
    needed = percent * sum(weight for _, weight in ordered) / 100 - 1e-9
    seen = 0.0
    for value, weight in ordered:
        seen += weight
        if seen >= needed:
            return value
    return ordered[-1][0]
