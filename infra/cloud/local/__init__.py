"""The local cloud. What decides something without a world is importable from here, alone.

``matches``, ``explain`` and ``validate`` (event patterns, ``patterns.py``), ``matches_filter_policy``,
``explain_filter_policy`` and ``validate_filter_policy`` (SNS, ``filter_policies.py``), ``next_fire`` and
``validate_schedule`` (schedule expressions, ``schedules.py``).
"""

from .filter_policies import (
    InvalidFilterPolicy,
    explain_filter_policy,
    matches_filter_policy,
    validate_filter_policy,
)
from .patterns import InvalidPattern, explain, matches, validate
from .schedules import InvalidSchedule, next_fire, validate_schedule

__all__ = [
    "InvalidFilterPolicy",
    "InvalidPattern",
    "InvalidSchedule",
    "explain",
    "explain_filter_policy",
    "matches",
    "matches_filter_policy",
    "next_fire",
    "validate",
    "validate_filter_policy",
    "validate_schedule",
]
