"""The entries of PutEvents: what is wrong with one, how large it is, the event it becomes. Pure functions.

https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html,
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html#eb-putevent-size
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

MAX_ENTRIES = 10

MAX_REQUEST = 1024 * 1024
"""Bytes that all entries together stay under; 256 KB until 2026-01-29
(https://aws.amazon.com/about-aws/whats-new/2026/01/ , "up to 1 MB")."""

_TIME_SIZE = 14


class Malformed(ValueError):
    """The detail is not a JSON object."""


def size(entry: Mapping[str, Any]) -> int:
    """Bytes of an entry as EventBridge counts them."""
    total = _TIME_SIZE if "Time" in entry else 0
    for name in ("Source", "DetailType", "Detail"):
        total += len(entry.get(name, "").encode())
    return total + sum(len(resource.encode()) for resource in entry.get("Resources", ()))


def missing(entry: Mapping[str, Any]) -> str | None:
    """The first required argument that an entry lacks."""
    for name in ("Source", "DetailType", "Detail"):
        if not entry.get(name):
            return name
    return None


def detail(text: str) -> dict[str, Any]:
    """An entry's detail. Raises Malformed."""
    try:
        value = json.loads(text, parse_constant=_refuse)
    except ValueError:
        raise Malformed from None
    if not isinstance(value, dict):
        raise Malformed
    return value


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def envelope(
    *,
    id: str,
    detail_type: str,
    source: str,
    account: str,
    time: str,
    region: str,
    resources: Sequence[str],
    detail: Mapping[str, Any],
) -> dict[str, Any]:
    """An event in AWS's order of fields.

    https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html
    """
    return {
        "version": "0",
        "id": id,
        "detail-type": detail_type,
        "source": source,
        "account": account,
        "time": time,
        "region": region,
        "resources": list(resources),
        "detail": detail,
    }


def replayed(fields: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The event again, with ``replay-name`` where AWS puts it: behind the Region (recorded)."""
    again: dict[str, Any] = {}
    for key, value in fields.items():
        again[key] = value
        if key == "region":
            again["replay-name"] = name
    return again


def shown(entry: Mapping[str, Any]) -> str:
    """An entry in AWS's validation error (recorded)."""
    fields = {
        "time": entry.get("Time"),
        "source": entry.get("Source"),
        "resources": entry.get("Resources"),
        "detailType": entry.get("DetailType"),
        "detail": entry.get("Detail"),
        "eventBusName": entry.get("EventBusName"),
        "traceHeader": entry.get("TraceHeader"),
        "kmsKeyIdentifier": None,
        "internalMetadata": None,
    }
    inner = ", ".join(f"{name}={_java(value)}" for name, value in fields.items())
    return f"PutEventsRequestEntry({inner})"


def _java(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, list):
        return f"[{', '.join(value)}]"
    if isinstance(value, datetime.datetime):
        return value.strftime("%a %b %d %H:%M:%S UTC %Y")
    return str(value)
