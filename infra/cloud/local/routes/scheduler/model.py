"""What a schedule is, and what CreateSchedule accepts.

https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html (limits),
https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule.html (state, completion).
"""

from __future__ import annotations

import dataclasses
import datetime
import re
from typing import Any

from botocore.utils import parse_to_aware_datetime

from ...constraints import constraint
from ...kernel import SECOND, Timer
from ...schedules import InvalidSchedule, next_fire, validate_schedule
from ...service import ServiceError
from ..retries import DEFAULT_AGE_S, DEFAULT_RETRIES

MINUTE = 60 * SECOND
_EPOCH = datetime.datetime.fromtimestamp(0, datetime.UTC)
_MICROSECOND = datetime.timedelta(microseconds=1)
_NAME = re.compile(r"[0-9a-zA-Z-_.]{1,64}")
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+", re.ASCII)
_QUEUE = re.compile(r"arn:aws[a-z-]*:sqs:[a-z0-9\-]+:\d{12}:[a-zA-Z0-9\-_]+")
_EARLIEST_START = 5 * MINUTE


@dataclasses.dataclass(eq=False, slots=True)
class Group:
    arn: str
    name: str
    created: int
    modified: int
    token: str = ""
    tags: dict[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(eq=False, slots=True)
class Schedule:
    """``request`` is what was asked for, with AWS's defaults filled in; times are in µs.

    ``offset`` is where in its minute the schedule fires (Scheduler's precision is 60 seconds, and it keeps to
    the same second), ``last`` the scheduled time of the last invocation, or the moment to count from.
    """

    arn: str
    group: str
    name: str
    region: str
    request: dict[str, Any]
    created: int
    modified: int
    offset: int
    last: int
    anchor: int
    token: str = ""
    timer: Timer | None = None

    @property
    def enabled(self) -> bool:
        return bool(self.request["State"] == "ENABLED")

    @property
    def recurring(self) -> bool:
        return not self.request["ScheduleExpression"].startswith("at(")

    @property
    def window_us(self) -> int:
        window = self.request["FlexibleTimeWindow"]
        return int(window.get("MaximumWindowInMinutes", 0)) * MINUTE if window["Mode"] == "FLEXIBLE" else 0

    def next_time(self) -> int | None:
        """The scheduled time (µs) that follows ``last``; None if there is none before the end date."""
        request = self.request
        found = next_fire(
            request["ScheduleExpression"],
            moment(self.last),
            request["ScheduleExpressionTimezone"],
            start=moment(self.anchor),
        )
        if found is None:
            return None
        time = micros(found)
        if self.recurring and "EndDate" in request and time > micros(request["EndDate"]):
            return None
        return time


def moment(time: int) -> datetime.datetime:
    return _EPOCH + datetime.timedelta(microseconds=time)


def micros(time: datetime.datetime) -> int:
    return (time - _EPOCH) // _MICROSECOND


def counted_from(request: dict[str, Any], now: int) -> tuple[int, int]:
    """(``last``, ``anchor``) of a schedule that is made or changed now.

    A rate begins with its start date, or at once
    (https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#rate-based); the seconds of a
    start date do not count (users have measured that ``rate(1 minutes)`` keeps to the minute whatever they
    are).
    """
    start = micros(request["StartDate"]) if "StartDate" in request else None
    expression = request["ScheduleExpression"]
    if expression.startswith("at("):
        return now - 1, now
    anchor = (now if start is None else start) // MINUTE * MINUTE
    if expression.startswith("rate("):
        return (anchor - 1 if start is None or start > now else now), anchor
    return (now if start is None or start <= now else start - 1), anchor


# -- what is accepted ----------------------------------------------------------------------------------


def invalid(message: str) -> ServiceError:
    return ServiceError("ValidationException", message)


def check_name(name: str, member: str) -> None:
    if len(name) > 64:
        raise constraint(name, member, "have length less than or equal to 64")
    if not _NAME.fullmatch(name):
        raise constraint(name, member, "satisfy regular expression pattern: ^[0-9a-zA-Z-_.]+$")


def check_request(params: dict[str, Any], now: int) -> dict[str, Any]:
    """The parameters of CreateSchedule or UpdateSchedule with defaults. Raises ValidationException."""
    check_name(params["Name"], "name")
    check_name(params.get("GroupName", "default"), "groupName")
    _one_of(params.get("State", "ENABLED"), "state", "ENABLED", "DISABLED")
    _one_of(params.get("ActionAfterCompletion", "NONE"), "actionAfterCompletion", "NONE", "DELETE")
    window = params["FlexibleTimeWindow"]
    _one_of(window["Mode"], "flexibleTimeWindow.mode", "OFF", "FLEXIBLE")
    _between(window.get("MaximumWindowInMinutes"), "flexibleTimeWindow.maximumWindowInMinutes", 1, 1440)
    if len(params["ScheduleExpression"]) > 256:
        raise constraint(
            params["ScheduleExpression"], "scheduleExpression", "have length less than or equal to 256"
        )
    target = _checked_target(params["Target"])
    zone = params.get("ScheduleExpressionTimezone", "UTC")
    try:
        kind = validate_schedule(params["ScheduleExpression"], zone)
    except InvalidSchedule as error:
        raise invalid(str(error)) from None
    if window["Mode"] == "FLEXIBLE" and "MaximumWindowInMinutes" not in window:
        raise invalid("MaximumWindowInMinutes must be provided when FlexibleTimeWindow Mode is FLEXIBLE.")
    if window["Mode"] == "OFF" and "MaximumWindowInMinutes" in window:
        raise invalid("MaximumWindowInMinutes must not be provided when FlexibleTimeWindow Mode is OFF.")
    times = {
        name: parse_to_aware_datetime(params[name])
        for name in ("StartDate", "EndDate")
        if params.get(name) is not None
    }
    start, end = times.get("StartDate"), times.get("EndDate")
    if kind != "at":
        if start is not None and micros(start) < now - _EARLIEST_START:
            raise invalid("The StartDate you specify cannot be earlier than 5 minutes ago.")
        if end is not None and micros(end) < now:
            raise invalid("The EndDate you specify must be in the future.")
        if start is not None and end is not None and end <= start:
            raise invalid("The EndDate you specify must be after the StartDate.")
    kept = {name: params[name] for name in ("Description", "KmsKeyArn") if params.get(name) is not None}
    return {
        "Name": params["Name"],
        "GroupName": params.get("GroupName", "default"),
        "ScheduleExpression": params["ScheduleExpression"],
        "ScheduleExpressionTimezone": zone,
        "State": params.get("State", "ENABLED"),
        "FlexibleTimeWindow": dict(window),
        "ActionAfterCompletion": params.get("ActionAfterCompletion", "NONE"),
        "Target": target,
        **kept,
        **times,
    }


def _checked_target(target: dict[str, Any]) -> dict[str, Any]:
    policy = target.get("RetryPolicy") or {}
    _between(policy.get("MaximumRetryAttempts"), "target.retryPolicy.maximumRetryAttempts", 0, 185)
    _between(
        policy.get("MaximumEventAgeInSeconds"), "target.retryPolicy.maximumEventAgeInSeconds", 60, 86_400
    )
    if not _ROLE.fullmatch(target["RoleArn"]):
        raise constraint(
            target["RoleArn"],
            "target.roleArn",
            r"satisfy regular expression pattern: ^arn:aws(-[a-z]+)?:iam::\d{12}:role\/[\w+=,.@\/-]+$",
        )
    queue = (target.get("DeadLetterConfig") or {}).get("Arn")
    if queue is not None and not _QUEUE.fullmatch(queue):
        raise constraint(
            queue,
            "target.deadLetterConfig.arn",
            r"satisfy regular expression pattern: ^arn:aws(-[a-z]+)?:sqs:[a-z0-9\-]+:\d{12}:[a-zA-Z0-9\-_]+$",
        )
    filled = {
        "MaximumEventAgeInSeconds": policy.get("MaximumEventAgeInSeconds", DEFAULT_AGE_S),
        "MaximumRetryAttempts": policy.get("MaximumRetryAttempts", DEFAULT_RETRIES),
    }
    return {**target, "RetryPolicy": filled}


def _one_of(value: str, member: str, *accepted: str) -> None:
    if value not in accepted:
        raise constraint(value, member, f"satisfy enum value set: [{', '.join(accepted)}]")


def _between(value: int | None, member: str, low: int, high: int) -> None:
    if value is None or low <= value <= high:
        return
    if value < low:
        raise constraint(value, member, f"have value greater than or equal to {low}")
    raise constraint(value, member, f"have value less than or equal to {high}")
