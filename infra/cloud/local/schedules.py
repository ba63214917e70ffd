"""When does this schedule fire next? AWS's cron, rate and at expressions, as pure functions.

Two services read them, with small differences (``service="events"`` or ``"scheduler"``):

- A rule of EventBridge takes cron and rate, in UTC; a rate's unit agrees with its value (``1 minute``,
  ``5 minutes``): https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
- EventBridge Scheduler takes at as well, and a time zone; it does not mind ``1 minutes``:
  https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html

Daylight saving, as the second page has it: a cron time that the clock jumps over is skipped; one that it
shows twice fires once, the first time. An at time that does not exist is meant by the clock from before the
jump. A rate's day is 24 hours.

What cron accepts beyond the pages was measured, or is what Quartz does (EventBridge answers as Quartz would
wherever a measurement is known): ranges wrap (``FRI-MON``, ``22-2``), names may be in small letters, a step
is at most the field's largest value, and a rule's year is not checked.

Why not a library: aws-croniter 2.1, the nearest one, fails on ``LW``, refuses ``L-3W``, never finds ``L`` as
a day of the week, and gives up on what comes once in ten steps (``7#5`` in February is 2048, it says never).
pyawscron 1.0 fails likewise and takes ``*`` in both day fields. croniter and cronsim read Unix cron: 0 is
Sunday, no ``?``, no ``W``. None knows time zones as Scheduler does.
"""

from __future__ import annotations

import datetime
import functools
import re
import zoneinfo
from typing import Literal

from . import cron
from .cron import Refused

__all__ = ["InvalidSchedule", "next_fire", "validate_schedule"]

ScheduleService = Literal["events", "scheduler"]

_UTC = datetime.UTC


class InvalidSchedule(ValueError):
    """The expression or the time zone is refused; the text is what AWS's ValidationException says."""


def next_fire(
    expression: str,
    after: datetime.datetime | str,
    timezone: str = "UTC",
    *,
    start: datetime.datetime | None = None,
    service: ScheduleService = "scheduler",
) -> datetime.datetime | None:
    """The first time strictly after ``after`` at which the schedule fires, in UTC; None if never again.

    ``after`` is a datetime or its text in ISO 8601; without a zone it is UTC. A rate counts from ``start``
    (a schedule's StartDate or the moment it was made), which is itself a time at which it fires; without
    ``start`` it counts from ``after``, so the answer is one interval later. ``start`` has no meaning for cron
    and at. Raises ``InvalidSchedule``.
    """
    if isinstance(after, str):
        after = datetime.datetime.fromisoformat(after)
    if after.tzinfo is None:
        after = after.replace(tzinfo=_UTC)
    read = _read(expression, service)
    zone = _zone(timezone)
    after = after.astimezone(_UTC)
    if isinstance(read, datetime.timedelta):
        return _next_rate(read, after, after if start is None else start.astimezone(_UTC))
    if isinstance(read, datetime.datetime):
        moment = read.replace(tzinfo=zone).astimezone(_UTC)
        return moment if moment > after else None
    return read.next_utc(after) if timezone == "UTC" else read.next_in(after, zone)


def validate_schedule(
    expression: str, timezone: str = "UTC", *, service: ScheduleService = "scheduler"
) -> Literal["at", "cron", "rate"]:
    """Which kind of expression this is. Raises ``InvalidSchedule`` with AWS's text."""
    read = _read(expression, service)
    _zone(timezone)
    if isinstance(read, datetime.timedelta):
        return "rate"
    return "at" if isinstance(read, datetime.datetime) else "cron"


# -- the three kinds -----------------------------------------------------------------------------------


def _next_rate(
    interval: datetime.timedelta, after: datetime.datetime, start: datetime.datetime
) -> datetime.datetime | None:
    if start > after:
        return start
    try:
        return start + interval * ((after - start) // interval + 1)
    except OverflowError:
        return None


@functools.lru_cache(maxsize=4096)
def _read(expression: str, service: ScheduleService) -> cron.Cron | datetime.timedelta | datetime.datetime:
    try:
        if expression.endswith(")"):
            if expression.startswith("cron("):
                return cron.parse(expression[5:-1], rule=service == "events")
            if expression.startswith("rate("):
                return _rate(expression[5:-1], service)
            if expression.startswith("at(") and service == "scheduler":
                return _at(expression[3:-1])
    except (Refused, ValueError, OverflowError):
        pass
    if service == "events":
        raise InvalidSchedule("Parameter ScheduleExpression is not valid.")
    raise InvalidSchedule(f"Invalid Schedule Expression {expression}.")


@functools.lru_cache(maxsize=256)
def _zone(name: str) -> zoneinfo.ZoneInfo:
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidSchedule(f"Invalid Schedule Expression Timezone {name}.") from None


_RATE = re.compile(r"([0-9]+) (minutes?|hours?|days?)")
_ANY_CASE_RATE = re.compile(_RATE.pattern, re.IGNORECASE)
_AT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", re.ASCII)


def _rate(text: str, service: ScheduleService) -> datetime.timedelta:
    """Rules want the unit's number to agree and small letters, Scheduler neither (both recorded)."""
    found = (_RATE if service == "events" else _ANY_CASE_RATE).fullmatch(text)
    if found is None:
        raise Refused
    value, unit = int(found[1]), found[2].lower()
    if value == 0 or (service == "events" and (value == 1) == unit.endswith("s")):
        raise Refused
    return datetime.timedelta(**{unit.rstrip("s") + "s": value})


def _at(text: str) -> datetime.datetime:
    if not _AT.fullmatch(text):
        raise Refused
    return datetime.datetime.fromisoformat(text)
