"""When a secret is rotated next: pure functions of its rules.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_schedule.html: a rotation
happens at any time within a window. Windows begin at the full hour, for a number of days at midnight UTC;
they close after Duration, else after one hour (rates and cron expressions of several times a day) or at
the end of the day.
"""

from __future__ import annotations

import dataclasses
import datetime
import re
from collections.abc import Mapping
from typing import Any

from ... import schedules
from .model import invalid_parameter

_HOUR = datetime.timedelta(hours=1)
_DAY = datetime.timedelta(days=1)
_RATE = re.compile(r"rate\((\d+) (hours?|days?)\)")
_DURATION = re.compile(r"(\d{1,2})h")


@dataclasses.dataclass(frozen=True, slots=True)
class Window:
    opens: datetime.datetime
    closes: datetime.datetime

    @property
    def last(self) -> datetime.datetime:
        """The last second: what NextRotationDate shows."""
        return self.closes - datetime.timedelta(seconds=1)


def check(rules: Mapping[str, Any]) -> None:
    """RotationRules of RotateSecret. Raises InvalidParameterException."""
    days, expression = rules.get("AutomaticallyAfterDays"), rules.get("ScheduleExpression")
    if days is not None and expression is not None:
        raise invalid_parameter(
            "You can't specify both AutomaticallyAfterDays and ScheduleExpression in RotationRules."
        )
    if days is not None and not 1 <= days <= 1000:
        raise invalid_parameter("RotationRules.AutomaticallyAfterDays must be within 1-1000.")
    duration = rules.get("Duration")
    if duration is not None and not (_DURATION.fullmatch(duration) and 1 <= int(duration[:-1]) <= 24):
        raise invalid_parameter(f"Duration {duration} is invalid: it is a number of hours, 1h to 24h.")
    if expression is None:
        return
    rate = _RATE.fullmatch(expression)
    if rate is not None:
        hours = int(rate[1]) * (24 if rate[2].startswith("day") else 1)
        if not 4 <= hours <= 999 * 24:
            raise invalid_parameter(f"{expression} is invalid: a secret rotates every 4 hours to 999 days.")
        return
    try:
        if schedules.validate_schedule(expression, service="events") == "cron":
            return
    except schedules.InvalidSchedule:
        pass
    raise invalid_parameter(f"The schedule expression {expression} is invalid.")


def following(rules: Mapping[str, Any], after: datetime.datetime) -> Window | None:
    """The next window of a schedule that was last served (or set) at ``after``; None: never again."""
    expression = rules.get("ScheduleExpression")
    days = rules.get("AutomaticallyAfterDays")
    length = int(rules["Duration"][:-1]) * _HOUR if "Duration" in rules else None
    midnight = after.replace(hour=0, minute=0, second=0, microsecond=0)
    rate = _RATE.fullmatch(expression or "")
    if rate is not None and rate[2].startswith("day"):
        days = int(rate[1])
    if days is not None:
        opens = midnight + days * _DAY
        return Window(opens, opens + (length or _DAY))
    if rate is not None:
        interval = int(rate[1]) * _HOUR
        opens = midnight + interval * ((after - midnight) // interval + 1)
        return Window(opens, opens + (length or _HOUR))
    if expression is None:
        return None
    found = schedules.next_fire(expression, after, service="events")
    if found is None:
        return None
    if length is None:
        second = schedules.next_fire(expression, found, service="events")
        daily = second is None or second - found >= _DAY
        end = found.replace(hour=0, minute=0, second=0, microsecond=0) + _DAY
        length = end - found if daily else _HOUR
    return Window(found, found + length)
