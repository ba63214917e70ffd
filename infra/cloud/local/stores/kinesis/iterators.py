"""Shard iterators: opaque tokens that say a shard, a position, and when they were given out.

https://docs.aws.amazon.com/kinesis/latest/APIReference/API_GetShardIterator.html: valid for 5 minutes.
"""

from __future__ import annotations

import base64
import binascii
import datetime
import json

from ...kernel import SECOND
from ...service import ServiceError
from . import errors

LIFETIME = 300 * SECOND


def encode(stream_arn: str, shard_id: str, position: int, now: int) -> str:
    inner = json.dumps([stream_arn, shard_id, position, now], separators=(",", ":")).encode()
    return base64.b64encode(b"\0\0\0\0\0\0\0\1" + inner).decode()


def decode(token: str, now: int) -> tuple[str, str, int]:
    """The stream's ARN, the shard's id, the position. Raises if the token is none, or too old."""
    inner = _inner(token)
    if inner is None:
        raise errors.invalid("Invalid ShardIterator.")
    stream_arn, shard_id, position, given = inner
    if now > given + LIFETIME:
        raise ServiceError(
            "ExpiredIteratorException",
            f"Iterator expired. The iterator was created at time {_shown(given)} while right now it is "
            f"{_shown(now)} which is further in the future than the tolerated delay of "
            f"{LIFETIME // 1000} milliseconds.",
        )
    return stream_arn, shard_id, position


def stream_of(token: str) -> str:
    """The ARN of the stream that an iterator reads; "" if it is none."""
    inner = _inner(token)
    return "" if inner is None else inner[0]


def _inner(token: str) -> tuple[str, str, int, int] | None:
    try:
        stream_arn, shard_id, position, given = json.loads(base64.b64decode(token, validate=True)[8:])
    except (binascii.Error, ValueError, TypeError):
        return None
    return stream_arn, shard_id, position, given


def _shown(time: int) -> str:
    """As Java writes a date."""
    moment = datetime.datetime.fromtimestamp(time // SECOND, datetime.UTC)
    return moment.strftime("%a %b %d %H:%M:%S UTC %Y")
