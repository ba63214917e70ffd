"""Policies of advanced parameters: they expire, and tell EventBridge before, or when nothing has changed.

https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-policies.html
"""

from __future__ import annotations

import dataclasses
import datetime
import json
from typing import Any

from .model import invalid

_UNITS = {"Days": datetime.timedelta(days=1), "Hours": datetime.timedelta(hours=1)}


@dataclasses.dataclass(frozen=True, slots=True)
class Policy:
    """``kind``: Expiration, ExpirationNotification, NoChangeNotification. It acts ``at`` that time."""

    kind: str
    at: datetime.datetime


def parse(text: str, changed: datetime.datetime) -> list[Policy]:
    """The policies of a parameter that was changed at this time. Raises InvalidPolicyTypeException …"""
    try:
        given = json.loads(text)
        kinds = [each["Type"] for each in given]
    except (ValueError, KeyError, TypeError):
        raise invalid("Invalid policies input: it is a JSON array of policies.") from None
    if len(kinds) > 10:
        raise invalid("A parameter has at most 10 policies.", "PoliciesLimitExceededException")
    expires: datetime.datetime | None = None
    for each in given:
        if each["Type"] == "Expiration":
            expires = _moment(each.get("Attributes", {}).get("Timestamp", ""))
    return [_policy(each, expires, changed) for each in given]


def _policy(each: dict[str, Any], expires: datetime.datetime | None, changed: datetime.datetime) -> Policy:
    kind, attributes = each["Type"], each.get("Attributes", {})
    if kind == "Expiration" and expires is not None:
        return Policy(kind, expires)
    if kind == "ExpirationNotification":
        if expires is None:
            raise invalid("ExpirationNotification needs an Expiration policy.", "IncompatiblePolicyException")
        return Policy(kind, expires - _span(attributes, "Before"))
    if kind == "NoChangeNotification":
        return Policy(kind, changed + _span(attributes, "After"))
    raise invalid(f"The policy type {kind} is not supported.", "InvalidPolicyTypeException")


def _span(attributes: dict[str, Any], name: str) -> datetime.timedelta:
    try:
        return int(attributes[name]) * _UNITS[attributes["Unit"]]
    except (KeyError, ValueError, TypeError):
        raise invalid(
            f"A policy needs {name}, a number, and Unit, Days or Hours.", "InvalidPolicyAttributeException"
        ) from None


def _moment(text: str) -> datetime.datetime:
    try:
        found = datetime.datetime.fromisoformat(text)
    except (ValueError, TypeError):
        raise invalid(
            f"The Timestamp {text} of an Expiration policy is not a time.", "InvalidPolicyAttributeException"
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=datetime.UTC)
