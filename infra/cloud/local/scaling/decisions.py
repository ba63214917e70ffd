"""How much capacity a policy wants: pure arithmetic.

Target tracking: https://docs.aws.amazon.com/autoscaling/application/userguide/target-tracking-scaling-policy-overview.html
(in proportion to the metric; out quickly: here by its last data point; in more carefully: by the highest of
those that the alarm went by; rounded up). Steps:
https://docs.aws.amazon.com/autoscaling/application/userguide/step-scaling-policy-overview.html
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any


def tracked(current: int, value: float, target: float, *, out: bool) -> int:
    """The capacity at which the metric would be at its target. Scaling out adds at least one."""
    wanted = math.ceil(current * value / target - 1e-9)
    return max(wanted, current + 1) if out else min(wanted, current)


def stepped(current: int, breach: float, config: Mapping[str, Any]) -> int:
    """``breach``: how far the metric is beyond the alarm's threshold (negative: below it)."""
    step = next((each for each in config["StepAdjustments"] if _holds(each, breach)), None)
    if step is None:
        return current
    adjustment = step["ScalingAdjustment"]
    kind = config["AdjustmentType"]
    if kind == "ExactCapacity":
        return int(adjustment)
    if kind == "ChangeInCapacity":
        return int(current + adjustment)
    change = current * adjustment / 100
    # "values larger than 1 are rounded down, between 0 and 1 to 1", and likewise below zero
    whole = math.trunc(change) if abs(change) >= 1 else (change > 0) - (change < 0)
    least = int(config.get("MinAdjustmentMagnitude", 0))
    if whole and abs(whole) < least:
        whole = least if whole > 0 else -least
    return int(current + whole)


def _holds(step: Mapping[str, Any], breach: float) -> bool:
    """A lower bound belongs to its interval above the threshold, an upper bound below it."""
    low = step.get("MetricIntervalLowerBound", -math.inf)
    high = step.get("MetricIntervalUpperBound", math.inf)
    if low is None or high is None:
        low, high = (-math.inf if low is None else low), (math.inf if high is None else high)
    return bool(low <= breach < high) if breach >= 0 else bool(low < breach <= high)


def problem(steps: Sequence[Mapping[str, Any]], kind: str) -> str:
    """Why step adjustments are refused; "" if they are not."""
    if not steps:
        return "At least one step adjustment must be specified"
    bounds = sorted(
        (
            step.get("MetricIntervalLowerBound", -math.inf),
            step.get("MetricIntervalUpperBound", math.inf),
            step["ScalingAdjustment"],
        )
        for step in steps
    )
    for index, (low, high, adjustment) in enumerate(bounds):
        if low == -math.inf and high == math.inf:
            return "At least one of MetricIntervalLowerBound and MetricIntervalUpperBound must be specified"
        if low >= high:
            return "MetricIntervalUpperBound must be greater than MetricIntervalLowerBound"
        if index and bounds[index - 1][1] != low:
            return "StepAdjustment intervals can't overlap or have a gap"
        if kind == "ExactCapacity" and adjustment < 0:
            return "ScalingAdjustment must not be negative for ExactCapacity"
    if -math.inf < bounds[0][0] < 0:
        return "The lowest of negative intervals must have no lower bound"
    if 0 < bounds[-1][1] < math.inf:
        return "The highest of positive intervals must have no upper bound"
    return ""


def within(low: int, wanted: int, high: int) -> int:
    return max(low, min(wanted, high))
