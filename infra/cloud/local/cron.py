"""AWS's cron: six fields, read once, and the next time that they mean. By the local clock, without a zone.

What is accepted, and where that is known from: ``schedules.py``.
"""

from __future__ import annotations

import calendar
import dataclasses
import datetime
import functools
import re
import zoneinfo
from bisect import bisect_left

_UTC = datetime.UTC
_MINUTE = datetime.timedelta(minutes=1)


class Refused(Exception):
    """This is not a value that the field accepts."""


@dataclasses.dataclass(frozen=True, eq=False)
class Cron:
    """A cron expression, read. ``days`` says which days of a month it means."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: _Days
    months: tuple[int, ...]
    years: tuple[int, ...]

    def next_utc(self, after: datetime.datetime) -> datetime.datetime | None:
        found = self.at_or_after(after.replace(second=0, microsecond=0, tzinfo=None) + _MINUTE)
        return None if found is None else found.replace(tzinfo=_UTC)

    def next_in(self, after: datetime.datetime, zone: zoneinfo.ZoneInfo) -> datetime.datetime | None:
        """By the local clock: what it jumps over is skipped, what it shows twice counts the first time."""
        local = self.at_or_after(after.astimezone(zone).replace(second=0, microsecond=0, tzinfo=None))
        while local is not None:
            moment = local.replace(tzinfo=zone).astimezone(_UTC)
            exists = moment.astimezone(zone).replace(tzinfo=None) == local
            if exists and moment > after:
                return moment
            local = self.at_or_after(local + _MINUTE)
        return None

    def at_or_after(self, time: datetime.datetime) -> datetime.datetime | None:
        """The first time that the fields mean, not before ``time`` (a whole minute, naive)."""
        year, month, day, hour, minute = time.year, time.month, time.day, time.hour, time.minute
        if year in self.years and month in self.months:
            days = self.days.of(year, month)
            if day in days:
                if hour in self.hours and minute <= self.minutes[-1]:
                    return time.replace(minute=self.minutes[bisect_left(self.minutes, minute)])
                later = bisect_left(self.hours, hour + 1)
                if later < len(self.hours):
                    return time.replace(hour=self.hours[later], minute=self.minutes[0])
            later = bisect_left(days, day + 1)
            if later < len(days):
                return self._first_on(year, month, days[later])
        for next_year in self.years[bisect_left(self.years, year) :]:
            for next_month in self.months:
                if (next_year, next_month) > (year, month) and (days := self.days.of(next_year, next_month)):
                    return self._first_on(next_year, next_month, days[0])
        return None

    def _first_on(self, year: int, month: int, day: int) -> datetime.datetime:
        return datetime.datetime(year, month, day, self.hours[0], self.minutes[0])


@dataclasses.dataclass(frozen=True)
class _Field:
    """A field's values; ``names`` stand for the first, the second … of them."""

    low: int
    high: int
    names: tuple[str, ...] = ()
    wraps: bool = True

    def value(self, text: str) -> int:
        if text.upper() in self.names:
            return self.low + self.names.index(text.upper())
        if not text.isascii() or not text.isdigit():
            raise Refused
        value = int(text)
        if not self.low <= value <= self.high:
            raise Refused
        return value

    def values(self, text: str) -> tuple[int, ...]:
        """A list of values, ranges and steps, in order."""
        found: set[int] = set()
        for part in text.split(","):
            found.update(self._part(part))
        return tuple(sorted(found))

    def _part(self, text: str) -> list[int]:
        span, slash, step_text = text.partition("/")
        step = 1
        if slash:
            if not step_text.isascii() or not step_text.isdigit():
                raise Refused
            step = int(step_text)
            if not 1 <= step <= max(self.high, 1):
                raise Refused
        if span == "*" or (slash and not span):
            first, last = self.low, self.high
        elif "-" in span:
            first_text, _, last_text = span.partition("-")
            first, last = self.value(first_text), self.value(last_text)
        else:
            first = self.value(span)
            last = self.high if slash else first
        if last < first:
            if not self.wraps:
                raise Refused
            count = self.high - self.low + 1
            return [self.low + (value - self.low) % count for value in range(first, last + count + 1, step)]
        return list(range(first, last + 1, step))


_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_MINUTES = _Field(0, 59)
_HOURS = _Field(0, 23)
_DAY = _Field(1, 31)
_MONTH = _Field(1, 12, _MONTHS)
_WEEKDAY = _Field(1, 7, _WEEKDAYS)
_YEAR = _Field(1970, 2199, wraps=False)
_RULE_YEAR = _Field(1970, 9999, wraps=False)
"""PutRule takes ``cron(0 20 * * ? 2500)``: measured in us-east-1 on 2026-09-07 (a public Rego policy, package
``cdk_preflight``, says so)."""

_LAST = re.compile(r"L(?:-([0-9]{1,2}))?(W?)")
_NEAREST = re.compile(r"([0-9]{1,2})W")
_LAST_WEEKDAY = re.compile(r"([0-9]|[A-Z]{3})L")
_NTH = re.compile(r"([0-9]|[A-Z]{3})#([1-5])")


def parse(text: str, *, rule: bool) -> Cron:
    """Read the six fields; ``rule``: as a rule has them (only Scheduler minds the year). Raises Refused."""
    fields = text.split()
    if len(fields) != 6:
        raise Refused
    minutes, hours, day, month, weekday, year = fields
    if (day == "?") == (weekday == "?"):
        raise Refused  # exactly one of them says which days
    years = _RULE_YEAR if rule and not ("*" in year or "/" in year) else _YEAR
    return Cron(
        _MINUTES.values(minutes),
        _HOURS.values(hours),
        _weekdays(weekday.upper()) if day == "?" else _days(day.upper()),
        _MONTH.values(month),
        years.values(year),
    )


def _days(text: str) -> _Days:
    """A day of the month: ``L``, ``L-3``, ``LW``, ``15W`` stand alone, everything else may be listed."""
    if found := _LAST.fullmatch(text):
        offset = int(found[1] or 0)
        if offset > 30:
            raise Refused
        return _Last(offset, bool(found[2]))
    if found := _NEAREST.fullmatch(text):
        return _Nearest(_DAY.value(found[1]))
    return _Numbers(_DAY.values(text))


def _weekdays(text: str) -> _Days:
    """A day of the week: ``L`` is Saturday, ``6L`` the month's last Friday, ``3#2`` its second Tuesday."""
    if text == "L":
        return _Weekdays((7,))
    if found := _LAST_WEEKDAY.fullmatch(text):
        return _Nth(_WEEKDAY.value(found[1]), 0)
    if found := _NTH.fullmatch(text):
        return _Nth(_WEEKDAY.value(found[1]), int(found[2]))
    return _Weekdays(_WEEKDAY.values(text))


class _Days:
    """Which days of a month are meant, in order."""

    def of(self, year: int, month: int) -> tuple[int, ...]:
        raise NotImplementedError


@dataclasses.dataclass(frozen=True)
class _Numbers(_Days):
    numbers: tuple[int, ...]

    def of(self, year: int, month: int) -> tuple[int, ...]:
        length = _shape(year, month)[1]
        return self.numbers if self.numbers[-1] <= length else tuple(d for d in self.numbers if d <= length)


@dataclasses.dataclass(frozen=True)
class _Last(_Days):
    """The last day of the month, or ``offset`` days before; ``weekday``: the working day nearest to it."""

    offset: int
    weekday: bool

    def of(self, year: int, month: int) -> tuple[int, ...]:
        day = _shape(year, month)[1] - self.offset
        if day < 1:
            return ()
        return (_working_day(year, month, day) if self.weekday else day,)


@dataclasses.dataclass(frozen=True)
class _Nearest(_Days):
    """The working day nearest to ``day``, in the same month. A month without that day has none."""

    day: int

    def of(self, year: int, month: int) -> tuple[int, ...]:
        return (_working_day(year, month, self.day),) if self.day <= _shape(year, month)[1] else ()


@dataclasses.dataclass(frozen=True)
class _Weekdays(_Days):
    weekdays: tuple[int, ...]

    def of(self, year: int, month: int) -> tuple[int, ...]:
        return _on_weekdays(self.weekdays, *_shape(year, month))


@dataclasses.dataclass(frozen=True)
class _Nth(_Days):
    """The nth such weekday of the month; 0: the last."""

    weekday: int
    nth: int

    def of(self, year: int, month: int) -> tuple[int, ...]:
        days = _on_weekdays((self.weekday,), *_shape(year, month))
        return days[self.nth - 1 : self.nth] if self.nth else days[-1:]


@functools.lru_cache(maxsize=4096)
def _shape(year: int, month: int) -> tuple[int, int]:
    """The weekday of a month's first day (0 = Monday), and its length."""
    return calendar.monthrange(year, month)


@functools.lru_cache(maxsize=4096)
def _on_weekdays(weekdays: tuple[int, ...], first: int, length: int) -> tuple[int, ...]:
    """The days that fall on these weekdays (1 = Sunday) in a month that begins on ``first`` (0 = Monday)."""
    return tuple(day for day in range(1, length + 1) if (first + day) % 7 + 1 in weekdays)


def _working_day(year: int, month: int, day: int) -> int:
    """The day itself, or the Friday before a Saturday, the Monday after a Sunday, within the month."""
    first, length = _shape(year, month)
    weekday = (first + day - 1) % 7
    if weekday == 5:
        return day - 1 if day > 1 else 3
    if weekday == 6:
        return day + 1 if day < length else day - 2
    return day
