"""A change of a table's capacity: what UpdateTable may be asked for, and what it answers otherwise.

The texts were recorded from AWS. Four decreases a UTC day, then one an hour, of the table and of each index
by itself: ``decreases.py``. Four switches to on demand in 24 hours:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-switching-capacity-modes.html
"""

from __future__ import annotations

import dataclasses
import datetime
from typing import Any

from moto.dynamodb.exceptions import MockValidationException

from ...kernel import SECOND
from ...service import ServiceError
from .decreases import DAY, Decreases
from .throughput import FIELDS

SWITCHES = 4
READ, WRITE = FIELDS["Read"][0], FIELDS["Write"][0]
INVALID = "One or more parameter values were invalid: "

Units = dict[str, int]


@dataclasses.dataclass(slots=True)
class Change:
    """What UpdateTable was asked for: units by index ("": the table), and the mode if it changes."""

    units: dict[str, Units]
    mode: str | None


def history_of(table: Any) -> dict[str, Decreases]:
    """Of the table ("") and of its indexes that changed."""
    known: dict[str, Decreases] | None = table.__dict__.get("_history")
    if known is None:
        known = table._history = {"": Decreases()}
    return known


def resource_of(table: Any, name: str) -> Any:
    """The table (""), or one of its indexes; None if it is gone."""
    return table if not name else next((i for i in table.global_indexes if i.name == name), None)


def asked(table: Any, body: dict[str, Any]) -> Change | None:
    """The change of capacity in a request; None if there is none. Raises ValidationException."""
    mode = body.get("BillingMode")
    throughput = body.get("ProvisionedThroughput")
    switching = mode is not None and mode != table.billing_mode
    provisioned = (mode or table.billing_mode) != "PAY_PER_REQUEST"
    updates = {
        update["Update"]["IndexName"]: update["Update"]
        for update in body.get("GlobalSecondaryIndexUpdates") or ()
        if "Update" in update
    }
    if throughput is not None and not provisioned:
        raise MockValidationException(
            f"{INVALID}Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when "
            "BillingMode is PAY_PER_REQUEST"
        )
    if mode == "PROVISIONED" and throughput is None:
        raise MockValidationException(
            f"{INVALID}ProvisionedThroughput must be specified when BillingMode is PROVISIONED"
        )
    if provisioned:
        for key in body.get("OnDemandThroughput") or {}:
            raise MockValidationException(
                f"{INVALID}{key} for OnDemandThroughput cannot be specified when table BillingMode is "
                "PROVISIONED"
            )
    units: dict[str, Units] = {}
    if throughput is not None:
        units[""] = throughput
    known = {index.name for index in table.global_indexes}
    for name, update in updates.items():
        if name not in known:
            raise ServiceError("ResourceNotFoundException", "Requested resource not found")
        if "ProvisionedThroughput" in update:
            if not provisioned:
                raise MockValidationException(
                    f"{INVALID}Neither ReadCapacityUnits nor WriteCapacityUnits can be specified for "
                    f"index: {name} when BillingMode is PAY_PER_REQUEST"
                )
            units[name] = update["ProvisionedThroughput"]
    if switching:
        missing = [index.name for index in table.global_indexes if index.name not in units]
        if provisioned and missing:
            raise MockValidationException(
                f"{INVALID}ProvisionedThroughput must be specified for index: {','.join(missing)}"
            )
        if not provisioned:
            units = {name: {READ: 0, WRITE: 0} for name in ("", *known)}
    if not units:
        return None
    return Change(units, mode if switching else None)


def check(table: Any, change: Change, now: int) -> None:
    """May it change? Raises ValidationException, LimitExceededException."""
    if change.mode == "PAY_PER_REQUEST":
        recent = [time for time in table.__dict__.get("_switches", ()) if time > now - DAY]
        if len(recent) >= SWITCHES:
            raise ServiceError(
                "LimitExceededException",
                f"Subscriber limit exceeded: Update to PayPerRequest mode are limited to {SWITCHES} times in "
                f"1 day(s). Last update at {_clock(recent[-1])}. Next update can be made at "
                f"{_clock(recent[0] + DAY)}",
            )
        return
    if change.mode is not None:
        return
    for name, wanted in change.units.items():
        resource = resource_of(table, name)
        have = resource.throughput
        if have[READ] == wanted[READ] and have[WRITE] == wanted[WRITE]:
            of_what = f"index {name}" if name else "the table"
            raise MockValidationException(
                f"The provisioned throughput for {f'the index {name}' if name else 'the table'} will not "
                "change. The requested value equals the current value. Current ReadCapacityUnits provisioned "
                f"for {of_what}: {have[READ]}. Requested ReadCapacityUnits: {wanted[READ]}. Current "
                f"WriteCapacityUnits provisioned for {of_what}: {have[WRITE]}. Requested "
                f"WriteCapacityUnits: {wanted[WRITE]}. Refer to the Amazon DynamoDB Developer Guide for "
                "current limits and how to request higher limits."
            )
    for name, wanted in change.units.items():
        have = resource_of(table, name).throughput
        if wanted[READ] < have[READ] or wanted[WRITE] < have[WRITE]:
            history_of(table).setdefault(name, Decreases()).check(now)


def _clock(time: int) -> str:
    moment = datetime.datetime.fromtimestamp(time // SECOND, datetime.UTC)
    return f"{moment:%a %b %d %H:%M:%S} UTC {moment:%Y}"
