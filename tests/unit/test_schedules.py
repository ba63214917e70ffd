"""Laws of schedule expressions; what fires when is in tests/conformance/schedules.json."""

from __future__ import annotations

import datetime
import time
import zoneinfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.cloud.local import InvalidSchedule, next_fire, validate_schedule

START = datetime.datetime(2026, 1, 5, 9, tzinfo=datetime.UTC)
MOMENTS = st.datetimes(
    datetime.datetime(2020, 1, 1), datetime.datetime(2040, 1, 1), timezones=st.just(datetime.UTC)
)
CRONS = st.builds(
    "cron({} {} {} {} {} *)".format,
    st.sampled_from(["0", "*/7", "5,50", "58-3"]),
    st.sampled_from(["*", "2", "1-3", "0/6"]),
    st.sampled_from(["*", "L", "15W", "31", "1,10"]),
    st.sampled_from(["*", "3", "NOV", "OCT-MAR"]),
    st.just("?"),
)
ZONES = st.sampled_from(["UTC", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kolkata"])


@settings(max_examples=150, deadline=None)
@given(CRONS, MOMENTS, ZONES)
def test_a_fire_is_after_on_a_whole_minute_and_nothing_lies_between(
    expression: str, after: datetime.datetime, zone: str
) -> None:
    """Asked from any moment before it, the answer is the same; and the local clock shows it."""
    fire = next_fire(expression, after, zone)
    if fire is None:
        assert " 31 " in expression
        return
    assert fire > after
    local = fire.astimezone(zoneinfo.ZoneInfo(zone))
    assert (local.second, local.microsecond, local.fold) == (0, 0, 0)
    between = after + (fire - after) / 2
    assert next_fire(expression, between, zone) == fire


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 10_000), MOMENTS, MOMENTS)
def test_a_rate_keeps_to_its_grid(value: int, start: datetime.datetime, after: datetime.datetime) -> None:
    fire = next_fire(f"rate({value} minutes)", after, start=start)
    interval = datetime.timedelta(minutes=value)
    assert fire is not None
    assert fire > after
    assert fire >= start
    assert (fire - start) % interval == datetime.timedelta(0)
    assert fire == start or fire - interval <= after


def test_a_time_zone_that_does_not_exist_is_refused() -> None:
    for zone in ("Mars/Olympus", "", "../etc/passwd"):
        with pytest.raises(InvalidSchedule):
            validate_schedule("rate(1 hour)", zone)


def test_a_time_without_a_zone_is_utc() -> None:
    there = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    for after in (there, there.replace(tzinfo=None), "2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00"):
        assert next_fire("rate(1 hour)", after) == there + datetime.timedelta(hours=1)


def test_a_year_of_five_minutes_is_cheap() -> None:
    began = time.perf_counter()
    after, ticks = START, 0
    while after.year == 2026:
        fire = next_fire("cron(0/5 * * * ? *)", after)
        assert fire is not None
        after, ticks = fire, ticks + 1
    assert ticks == 103_860  # 360 days and 15 hours
    assert time.perf_counter() - began < 10
