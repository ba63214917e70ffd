"""When an alarm has to be looked at next. CloudWatch evaluates every minute; here only when it can matter.

An alarm's periods end at its evaluation and slide along with it, minute by minute (ten seconds for periods
below a minute), so its result changes only when data enters a period or leaves one. From the steps in which
the data differs from the step before, ``next_evaluation`` computes the next such moment; where there is none,
the alarm needs no timer until something is written.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation-window.html
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .alarms import Point, Rule


def following(now: int, step: int) -> int:
    """The first evaluation after now."""
    return now // step * step + step


def next_evaluation(now: int, step: int, period: int, periods: int, changed: Iterable[int]) -> int | None:
    """When a step that differs from the one before (``changed``: their beginnings) crosses the border of a
    period.

    At an evaluation at T, the k-th last period is [T - k*period, T - (k-1)*period). A step that begins at c
    has passed the border between k and k+1 at T = c + k*period + step. All times in microseconds.
    """
    best: int | None = None
    for begin in changed:
        passed = max((now - begin - step) // period + 1, 0)
        if passed <= periods:
            candidate = begin + passed * period + step
            if best is None or candidate < best:
                best = candidate
    return best


def next_while_mixed(now: int, step: int, period: int, periods: int, changed: Sequence[int]) -> int | None:
    """As ``next_evaluation`` for a gauge's average or sum: while periods slide over a change, they hold a
    mixture of old and new values, another one each minute. Periods of more than an hour are looked at sixty
    times while they pass, so that an alarm over days stays cheap; its state may change that much later than
    on AWS.
    """
    last = max((begin for begin in changed if begin < now), default=None)
    if last is None or last + periods * period + step < now:
        return next_evaluation(now, step, period, periods, [begin for begin in changed if begin >= now])
    return following(now, max(step, period // 60 // step * step))


def next_for_age(now: int, step: int, rule: Rule, points: Sequence[Point | None], since: int) -> int | None:
    """As ``next_evaluation`` for the age of what arrived at ``since``: it grows on its own, until it crosses
    the threshold once and for all."""
    verdicts = {None if point is None else rule.breaches(point.value) for point in points}
    upwards = rule.comparison.startswith("Greater")
    if verdicts == {upwards}:
        return None
    crossing = since + round(rule.threshold * 1_000_000)
    if crossing <= now:
        return following(now, step)
    return following(-(-crossing // step) * step, step)
