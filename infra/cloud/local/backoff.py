"""Exponential back-off: the interval doubles up to a longest one. Whose numbers they are says who calls."""

from __future__ import annotations


def doubling(attempt: int, first: int, longest: int) -> int:
    """The interval after the nth attempt (n from 1), in the unit of ``first`` and ``longest``."""
    return min(first << min(attempt - 1, 20), longest)


def upper_half(interval: int, draw: float) -> int:
    """Jitter: ``draw`` (0 to 1) takes the upper half of the interval evenly, so that what was refused
    together does not come back together."""
    return interval - int(draw * (interval // 2))
