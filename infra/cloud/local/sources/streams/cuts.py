"""Decisions about a batch of a stream, as pure functions: where it is split, what has failed, when to try
again, which window a record belongs to.

- https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html (batches)
- https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html (retries, bisection)
- https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html (checkpoints)
- https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-windows.html (tumbling windows)
"""

from __future__ import annotations

import datetime
import json
import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...backoff import doubling
from ...kernel import SECOND

if TYPE_CHECKING:
    from ...stores.stream import Record

PAYLOAD_LIMIT = 6 * 1024 * 1024
"""Bytes of one event (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html)."""

ROOM = PAYLOAD_LIMIT - 64
"""Bytes for the records of an event."""

STATE_LIMIT = 1024 * 1024
"""Bytes of the state of a window."""

WINDOW_GRACE = 120 * SECOND
"""How long after its end a window is kept open for records that may still come: "up to 2 minutes"."""

RETRY_FIRST = SECOND
RETRY_LAST = 60 * SECOND


def retry_delay(attempt: int) -> int:
    """µs between a failed attempt (counted from 1) and the next. An estimate: AWS documents that it retries
    until the records expire, and no times; its pollers are seen to back off up to about a minute."""
    return doubling(attempt, RETRY_FIRST, RETRY_LAST)


def bisect(low: int, high: int) -> int:
    """Where a failed batch of the records from ``low`` up to ``high`` is split in two."""
    return low + (high - low) // 2


def first_failure(answer: bytes, sequences: Sequence[str]) -> int | None:
    """The position of the lowest record that has failed, by the answer of a function that reports batch item
    failures; None: all is well.

    Everything before it is done; it and all that follow are tried again. An empty or null answer or list:
    nothing has failed. An answer of another form, or an identifier that is empty, null, missing or not of
    this batch: the whole batch has.
    """
    try:
        parsed = json.loads(answer or b"null")
    except ValueError:
        return 0
    if not parsed:
        return None
    items = parsed.get("batchItemFailures") if isinstance(parsed, dict) else parsed
    if not isinstance(parsed, dict) or not isinstance(items, list | None):
        return 0
    if not items:
        return None
    positions = {sequence: position for position, sequence in enumerate(sequences)}
    lowest = len(sequences)
    for item in items:
        identifier = item.get("itemIdentifier") if isinstance(item, dict) else None
        position = positions.get(identifier) if isinstance(identifier, str) else None
        if position is None:
            return 0
        lowest = min(lowest, position)
    return lowest


def retries_left(attempts: int, maximum: int) -> bool:
    """May a batch be tried again after so many failed attempts? ``maximum`` retries; -1: always."""
    return maximum < 0 or attempts <= maximum


def too_old(records: Sequence[Record], low: int, high: int, oldest: int) -> int:
    """The first position from ``low`` up to ``high`` whose record arrived at ``oldest`` (µs) or later."""
    while low < high and records[low].arrived < oldest:
        low += 1
    return low


def lane(key: str, lanes: int) -> int:
    """Which of the parallel batches of a shard takes the records of a key: always the same one."""
    return zlib.crc32(key.encode()) % lanes


def window_start(arrived: int, length: int) -> int:
    """The beginning of the tumbling window (µs) that a record belongs to, by its arrival."""
    return arrived // length * length


def window_shown(start: int, length: int) -> dict[str, str]:
    """The window as an event shows it."""
    return {"start": _second(start), "end": _second(start + length)}


def window_state(answer: bytes) -> dict[str, Any] | None:
    """The state in a function's answer; None if it has none, which is a failed invocation."""
    try:
        parsed = json.loads(answer or b"null")
    except ValueError:
        return None
    state = parsed.get("state") if isinstance(parsed, dict) else None
    return state if isinstance(state, dict) else None


def next_tick(time: int, phase: int, interval: int) -> int:
    """The first poll at ``time`` or later; polls are at ``phase`` and every ``interval`` from there (µs)."""
    return phase + -(-(time - phase) // interval) * interval


def _second(time: int) -> str:
    return datetime.datetime.fromtimestamp(time // SECOND, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
