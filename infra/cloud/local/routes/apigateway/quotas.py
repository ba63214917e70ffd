"""Quotas of usage plans: how many requests a key has in a day, a week or a month, all of them in UTC.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-apigateway-usageplan-quotasettings.html:
``offset`` is the day that a period starts on: 0 is Sunday for a week, and the first day for a month.
"""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Mapping

LARGEST = 2_147_483_647
"""What is shown to remain where there is no quota."""
_OFFSETS = {"DAY": 0, "WEEK": 6, "MONTH": 27}
_DAY = datetime.timedelta(days=1)


@dataclasses.dataclass(frozen=True, slots=True)
class Quota:
    limit: int
    period: str
    offset: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class Grant:
    """An extension by UpdateUsage: ``extra`` requests (or fewer, below zero) for the period of ``start``."""

    start: datetime.date
    extra: int


def day_of(now: int) -> datetime.date:
    """The day in UTC of a virtual time in microseconds."""
    return datetime.datetime.fromtimestamp(now // 1_000_000, datetime.UTC).date()


def start_of(quota: Quota, day: datetime.date) -> datetime.date:
    """The first day of the period that a day is in."""
    if quota.period == "WEEK":
        return day - ((day.isoweekday() - quota.offset) % 7) * _DAY
    if quota.period == "MONTH":
        first = day.replace(day=1 + quota.offset)
        return first if day >= first else (day.replace(day=1) - _DAY).replace(day=1 + quota.offset)
    return day


def remaining(
    quota: Quota | None, used: Mapping[datetime.date, int], grant: Grant | None, day: datetime.date
) -> int:
    """How many requests are left at the end of a day; ``used`` has the number of each day."""
    if quota is None:
        return LARGEST
    start = start_of(quota, day)
    spent = sum(count for each, count in used.items() if start <= each <= day)
    extra = grant.extra if grant is not None and grant.start == start else 0
    return max(quota.limit + extra - spent, 0)


def granted(quota: Quota, used: Mapping[datetime.date, int], day: datetime.date, wanted: int) -> Grant:
    """The extension after which ``wanted`` requests remain on this day."""
    start = start_of(quota, day)
    spent = sum(count for each, count in used.items() if start <= each <= day)
    return Grant(start, wanted + spent - quota.limit)


def shown(
    quota: Quota | None,
    used: Mapping[datetime.date, int],
    grant: Grant | None,
    first: datetime.date,
    last: datetime.date,
) -> list[list[int]]:
    """[used, remaining] for each day, as GetUsage answers them."""
    days = [first + number * _DAY for number in range((last - first).days + 1)]
    return [[used.get(day, 0), remaining(quota, used, grant, day)] for day in days]


def problem(quota: Quota) -> str | None:
    """What is wrong with a quota, in AWS's words."""
    most = _OFFSETS.get(quota.period)
    if most is None:
        return f"Invalid quota period specified: {quota.period}. Must be one of: [DAY, WEEK, MONTH]"
    if quota.limit < 0:
        return "Usage Plan quota limit must be greater than or equal to zero"
    if 0 <= quota.offset <= most:
        return None
    words = {
        "DAY": "zero",
        "WEEK": "between zero and six inclusive",
        "MONTH": "between zero and 27 inclusive",
    }
    return f"Usage Plan quota offset must be {words[quota.period]} in the {quota.period} period"
