"""The local cloud. What decides something without a world is importable from here, alone.

``matches`` and ``validate`` (event patterns, ``patterns.py``), ``next_fire`` and ``validate_schedule``
(schedule expressions, ``schedules.py``).
"""

from .patterns import InvalidPattern, matches, validate
from .schedules import InvalidSchedule, next_fire, validate_schedule

__all__ = [
    "InvalidPattern",
    "InvalidSchedule",
    "matches",
    "next_fire",
    "validate",
    "validate_schedule",
]
