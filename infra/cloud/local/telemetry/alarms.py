"""When an alarm is in which state: pure decisions, and the sentences in which AWS gives the reason.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
"""

from __future__ import annotations

import dataclasses
import datetime
import operator
from collections.abc import Callable, Sequence
from typing import Literal

State = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]
Missing = Literal["missing", "notBreaching", "breaching", "ignore"]

COMPARISONS: dict[str, tuple[Callable[[float, float], bool], str]] = {
    "GreaterThanOrEqualToThreshold": (operator.ge, "greater than or equal to"),
    "GreaterThanThreshold": (operator.gt, "greater than"),
    "LessThanThreshold": (operator.lt, "less than"),
    "LessThanOrEqualToThreshold": (operator.le, "less than or equal to"),
}

EXTRA_PERIODS = 2
"""CloudWatch looks at more periods than Evaluation Periods where data is missing; how many more is not
documented. The examples of its documentation show 5 for 3 evaluation periods."""


@dataclasses.dataclass(frozen=True, slots=True)
class Rule:
    """The part of an alarm's configuration that decides: ``m`` of the last ``n`` points compare with
    ``threshold``."""

    comparison: str
    threshold: float
    n: int
    m: int
    missing: Missing
    explicit_m: bool = False

    def breaches(self, value: float) -> bool:
        return COMPARISONS[self.comparison][0](value, self.threshold)

    @property
    def range(self) -> int:
        """How many periods an evaluation looks at."""
        return self.n + EXTRA_PERIODS


@dataclasses.dataclass(frozen=True, slots=True)
class Point:
    """A period's value; ``time`` (µs) is the beginning of the period."""

    time: int
    value: float


@dataclasses.dataclass(frozen=True, slots=True)
class Verdict:
    """What an evaluation found. ``state`` is None if the alarm keeps the state it has."""

    state: State | None
    reason: str
    points: tuple[Point, ...]


def judge(rule: Rule, points: Sequence[Point | None]) -> Verdict:
    """Evaluate the last ``rule.range`` periods, oldest first; None stands for a period without data.

    Where at least ``n`` points exist, the newest ``n`` of them decide, and how missing data is treated does
    not matter. Otherwise the missing ones up to ``n`` are filled in as the alarm says.
    """
    existing = [point for point in points if point is not None]
    evaluated = existing[-rule.n :]
    breaching = [point for point in evaluated if rule.breaches(point.value)]
    absent = rule.n - len(evaluated)
    if not absent:
        state: State = "ALARM" if len(breaching) >= rule.m else "OK"
        return Verdict(state, _threshold_reason(rule, state, evaluated), tuple(evaluated))
    if rule.missing in ("breaching", "notBreaching"):
        bad = len(breaching) + (absent if rule.missing == "breaching" else 0)
        state = "ALARM" if bad >= rule.m else "OK"
        return Verdict(state, _filled_reason(rule, state, evaluated, absent), tuple(evaluated))
    if len(breaching) >= rule.m:
        return Verdict("ALARM", _threshold_reason(rule, "ALARM", evaluated), tuple(evaluated))
    if len(breaching) < len(evaluated):
        return Verdict("OK", _threshold_reason(rule, "OK", evaluated), tuple(evaluated))
    if rule.missing == "ignore":
        return Verdict(None, "", tuple(evaluated))
    if breaching and _age(points) >= rule.m:
        return Verdict("ALARM", _threshold_reason(rule, "ALARM", evaluated), tuple(evaluated))
    return Verdict("INSUFFICIENT_DATA", _unknown_reason(absent), tuple(evaluated))


def _age(points: Sequence[Point | None]) -> int:
    """How many periods ago the oldest point is, the newest period being 1. With only breaching and missing
    points, the alarm goes to ALARM once its oldest breaching point is as old as Datapoints to Alarm."""
    return next(len(points) - index for index, point in enumerate(points) if point is not None)


def enough_samples(percent: float | None, samples: float) -> bool:
    """Whether a percentile of so many samples means something, where the alarm ignores those that do not:
    10/(1-percentile) from the median up, 10/percentile below it.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/percentiles-with-low-samples.html
    """
    if percent is None or not 0 < percent < 100:
        return True
    return samples >= 1000 / ((100 - percent) if percent >= 50 else percent)


# -- the reason, in AWS's words, as users show what they received ------------------------------------

MOST_SHOWN = 5
"""From so many data points on, a reason shows the most recent ones apart. (Of four, no example is known.)"""


def clock(time: int) -> str:
    """A time as alarm reasons show it: day/month/year, two digits each."""
    moment = datetime.datetime.fromtimestamp(0, datetime.UTC) + datetime.timedelta(microseconds=time)
    return moment.strftime("%d/%m/%y %H:%M:%S")


def _threshold_reason(rule: Rule, state: State, evaluated: Sequence[Point], treated: str = "") -> str:
    """``treated`` says what was made of the periods without data."""
    breach = state == "ALARM"
    deciding = [point for point in reversed(evaluated) if rule.breaches(point.value) == breach]
    shown = ", ".join(f"{point.value} ({clock(point.time)})" for point in deciding[:MOST_SHOWN])
    were = (
        f"{'was' if len(deciding) == 1 else 'were'}{'' if breach else ' not'} "
        f"{COMPARISONS[rule.comparison][1]} the threshold ({float(rule.threshold)}){treated}"
    )
    if len(deciding) < MOST_SHOWN:
        tail = f"[{shown}] {were}"
    else:
        which = f"which {'crossed' if breach else 'did not cross'} the threshold"
        tail = f"{were}. The most recent datapoints {which}: [{shown}]"
    if not rule.explicit_m:
        return f"Threshold Crossed: {len(deciding)} {_plural('datapoint', len(deciding))} {tail}."
    needed = rule.m if breach else rule.n - rule.m + 1
    transition = "OK -> ALARM" if breach else "ALARM -> OK"
    return (
        f"Threshold Crossed: {len(deciding)} out of the last {rule.n} datapoints {tail} "
        f"(minimum {needed} {_plural('datapoint', needed)} for {transition} transition)."
    )


def _filled_reason(rule: Rule, state: State, evaluated: Sequence[Point], absent: int) -> str:
    kind = "Breaching" if rule.missing == "breaching" else "NonBreaching"
    were = "was" if absent == 1 else "were"
    treated = f" and {absent} missing {_plural('datapoint', absent)} {were} treated as [{kind}]"
    if any(rule.breaches(point.value) == (state == "ALARM") for point in evaluated):
        return _threshold_reason(rule, state, evaluated, treated)
    received = len(evaluated)
    return (
        f"Threshold Crossed: {received or 'no'} {_plural('datapoint', received)} "
        f"{'was' if received == 1 else 'were'} received for {rule.n} {_plural('period', rule.n)}{treated}."
    )


def _unknown_reason(absent: int) -> str:
    were = "was" if absent == 1 else "were"
    return f"Insufficient Data: {absent} {_plural('datapoint', absent)} {were} unknown."


def _plural(word: str, count: int) -> str:
    return word if count == 1 else word + "s"
