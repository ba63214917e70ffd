"""Log events in and out: what PutLogEvents accepts, and the pages of GetLogEvents and FilterLogEvents.

Positions in tokens are events' keys, so a page stays where it was when more events arrive.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from typing import Any

from ..kernel import MILLISECOND, SECOND
from .log_checks import constraint, invalid, limit_of
from .log_pattern_values import PatternError
from .log_patterns import compile_pattern
from .log_store import DAY, OVERHEAD, Event, Group, Timeline, of_streams

MAX_BATCH_BYTES = 1_048_576
MAX_BATCH_EVENTS = 10_000
MAX_PAGE_BYTES = 1_048_576
MAX_PAGE_EVENTS = 10_000
TOO_OLD = 14 * DAY
TOO_NEW = 7_200 * SECOND
END_OF_TIME = 1 << 62


def accept(
    events: Sequence[dict[str, Any]], group: Group, now: int
) -> tuple[Sequence[dict[str, Any]], dict[str, int]]:
    """The events of a batch that are neither too old nor too new, and ``rejectedLogEventsInfo`` of the rest:
    https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html"""
    _check_batch(events)
    oldest = max(now - TOO_OLD, group.kept_since(now))
    first = sum(1 for event in events if event["timestamp"] * MILLISECOND < oldest)
    after = sum(1 for event in events if event["timestamp"] * MILLISECOND <= now + TOO_NEW)
    valid = events[first:after]
    if valid and valid[-1]["timestamp"] - valid[0]["timestamp"] > DAY // MILLISECOND:
        raise invalid(
            "The batch of log events in a single PutLogEvents request cannot span more than 24 hours."
        )
    rejected: dict[str, int] = {}
    if after < len(events):
        rejected["tooNewLogEventStartIndex"] = after
    if first:
        expired = group.retention is not None and group.retention * DAY < TOO_OLD
        rejected["expiredLogEventEndIndex" if expired else "tooOldLogEventEndIndex"] = first
    return valid, rejected


def time_range(group: Group, params: dict[str, Any], now: int, inclusive: bool) -> tuple[int, int]:
    """The range of a call in µs, without what the retention has removed; its end is not part of it."""
    start = max(params.get("startTime", 0) * MILLISECOND, group.kept_since(now))
    end = params.get("endTime")
    if end is None:
        return start, END_OF_TIME
    return start, (end + 1 if inclusive else end) * MILLISECOND


def read(timeline: Timeline, params: dict[str, Any], start: int, end: int) -> dict[str, Any]:
    """GetLogEvents: ``f/…`` goes on after the page, ``b/…`` before it; at an end the token stays the same."""
    low, high = timeline.index(start << 40), timeline.index(end << 40)
    size = limit_of(params, MAX_PAGE_EVENTS)
    token = params.get("nextToken")
    if token is None:
        forward = params.get("startFromHead", False)
        position = low if forward else high
    else:
        forward, key = _position(token)
        position = min(max(timeline.index(key), low), high)
    if forward:
        page = _fit(timeline.events[position : min(position + size, high)])
        first, last = position, position + len(page)
    else:
        page = _fit(timeline.events[max(position - size, low) : position][::-1])[::-1]
        first, last = position - len(page), position
    after = timeline.keys[last - 1] + 1 if last else 0
    before = timeline.keys[first] if first < len(timeline.keys) else after
    return {
        "events": [_shown(event) for event in page],
        "nextForwardToken": f"f/{after:056d}",
        "nextBackwardToken": f"b/{before:056d}",
    }


def search(group: Group, params: dict[str, Any], start: int, end: int) -> dict[str, Any]:
    """FilterLogEvents: events of all or some streams that match a pattern, in either direction of time."""
    names, prefix = params.get("logStreamNames", []), params.get("logStreamNamePrefix")
    if names and prefix is not None:
        raise invalid("Log stream names and log stream name prefix cannot be both specified")
    try:
        matches = compile_pattern(params.get("filterPattern", ""))
    except PatternError as error:
        raise invalid(str(error)) from None
    size = limit_of(params, MAX_PAGE_EVENTS)
    events = group.timeline.between(start, end)
    forward, token = params.get("startFromHead", True), params.get("nextToken")
    if token is not None:
        forward, key = _position(token)
        events = [event for event in events if (event.key >= key if forward else event.key <= key)]
    ordered = of_streams(events if forward else events[::-1], names, prefix or "")
    found = list(itertools.islice((event for event in ordered if matches(event.message)), size + 1))
    page = _fit(found[:size])
    answer: dict[str, Any] = {
        "events": [
            {"logStreamName": event.stream, **_shown(event), "eventId": f"{event.key:056d}"} for event in page
        ],
        "searchedLogStreams": [],
    }
    if len(found) > len(page):
        answer["nextToken"] = f"{'f' if forward else 'b'}/{found[len(page)].key:056d}"
    return answer


def _shown(event: Event) -> dict[str, Any]:
    return {
        "timestamp": event.time // MILLISECOND,
        "message": event.message,
        "ingestionTime": event.arrived // MILLISECOND,
    }


def _check_batch(events: Sequence[dict[str, Any]]) -> None:
    if not 1 <= len(events) <= MAX_BATCH_EVENTS:
        bound = "greater than or equal to 1" if not events else f"less than or equal to {MAX_BATCH_EVENTS}"
        raise constraint(f"[{len(events)} events]", "logEvents", f"have length {bound}")
    if any(later["timestamp"] < earlier["timestamp"] for earlier, later in itertools.pairwise(events)):
        raise invalid("Log events in a single PutLogEvents request must be in chronological order.")
    sizes = [len(event["message"].encode()) for event in events]
    if 0 in sizes:
        where = f"logEvents.{sizes.index(0) + 1}.member.message"
        raise constraint("", where, "have length greater than or equal to 1")
    if max(sizes) > MAX_BATCH_BYTES:
        raise invalid(f"Log event too large: {max(sizes)} bytes exceeds limit of {MAX_BATCH_BYTES}")
    size = sum(sizes) + OVERHEAD * len(sizes)
    if size > MAX_BATCH_BYTES:
        raise invalid(f"Upload too large: {size} bytes exceeds limit of {MAX_BATCH_BYTES}")


def _fit(events: Sequence[Event]) -> list[Event]:
    """As many events as a page of 1 MB holds, at least one."""
    page: list[Event] = []
    size = 0
    for event in events:
        size += event.size
        if page and size > MAX_PAGE_BYTES:
            break
        page.append(event)
    return page


def _position(token: str) -> tuple[bool, int]:
    """Whether a token leads forward, and from which key."""
    match = re.fullmatch(r"([fb])/(\d{56})", token)
    if match is None:
        raise invalid("The specified nextToken is invalid.")
    return match[1] == "f", int(match[2])
