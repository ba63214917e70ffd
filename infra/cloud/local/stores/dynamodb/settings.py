"""A table's capacity as it is set: CreateTable, UpdateTable and DescribeTable in place of moto's.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateTable.html

A change of the mode or of provisioned capacity takes its time (``latency.toml``); until then the table is
UPDATING, shows the old values and works with them. Other changes are made at once, as moto does. What may be
changed: ``capacity_change.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.core.responses import ActionResult
from moto.dynamodb.exceptions import MockValidationException, ResourceNotFoundException
from moto.dynamodb.responses import DynamoResult

from ...service import ServiceError
from .capacity_change import INVALID, READ, SWITCHES, WRITE, Change, asked, check, history_of, resource_of
from .decreases import Decreases
from .throughput import of

if TYPE_CHECKING:
    from .metering import Action, Owner
    from .streams import DynamoDBStreams


def create_table(action: Action, owner: Owner) -> Action:
    def acted(handler: Any) -> ActionResult:
        body = handler.body
        provisioned = body.get("BillingMode") != "PAY_PER_REQUEST"
        for index in body.get("GlobalSecondaryIndexes") or ():
            name = index["IndexName"]
            if provisioned and "ProvisionedThroughput" not in index:
                raise MockValidationException(
                    f"{INVALID}ProvisionedThroughput is not specified for index: {name}"
                )
            if not provisioned and "ProvisionedThroughput" in index:
                raise MockValidationException(
                    f"{INVALID}ProvisionedThroughput should not be specified for index: {name} when "
                    "BillingMode is PAY_PER_REQUEST"
                )
        result = action(handler)
        table = handler.dynamodb_backend.tables[body["TableName"]]
        limits = {"": body.get("OnDemandThroughput") or {}}
        for index in body.get("GlobalSecondaryIndexes") or ():
            limits[index["IndexName"]] = index.get("OnDemandThroughput") or {}
        _limit(table, limits)
        service = owner()
        if provisioned:
            _write_down(service, table)
        else:
            table._switches = [service.kernel.now]
        return DynamoResult(table.describe()) if table.__dict__.get("_on_demand") else result

    return acted


def update_table(action: Action, owner: Owner) -> Action:
    def acted(handler: Any) -> ActionResult:
        body, service = handler.body, owner()
        table = _existing(handler, body["TableName"])
        if table.__dict__.get("_pending") is not None:
            raise ServiceError(
                "ResourceInUseException",
                "Attempt to change a resource which is still in use: Table is being updated: " + table.name,
            )
        change = asked(table, body)
        now = service.kernel.now
        if change is not None:
            check(table, change, now)
        updates = body.get("GlobalSecondaryIndexUpdates") or []
        limits = {"": body.get("OnDemandThroughput") or {}}
        for update in updates:
            if "Update" in update or "Create" in update:
                one = update.get("Update") or update["Create"]
                limits[one["IndexName"]] = one.get("OnDemandThroughput") or {}
                if "Update" in update and "WarmThroughput" in one:
                    resource_of(table, one["IndexName"]).warm_throughput.update(one["WarmThroughput"])
        ours = ("BillingMode", "ProvisionedThroughput", "OnDemandThroughput", "GlobalSecondaryIndexUpdates")
        rest = [update for update in updates if "Update" not in update]
        handler.body = {key: value for key, value in body.items() if key not in ours}
        if rest:
            handler.body["GlobalSecondaryIndexUpdates"] = rest
        result = action(handler)
        _limit(table, limits)
        of(table, now).configure(table, now)
        if change is not None:
            kind = "billing_update" if change.mode is not None else "throughput_update"
            delay = service.world.latency.sample(f"dynamodb.{kind}")
            if delay:
                table._pending = change
                service.kernel.call_later(delay, _settle, service, table, change)
            else:
                _settle(service, table, change)
        elif any(limits.values()) or rest:
            if table.billing_mode != "PAY_PER_REQUEST":
                _write_down(service, table)
        else:
            return result
        return DynamoResult(table.describe())

    return acted


def described(describe: Any, owner: Owner) -> Any:
    """As AWS describes a table: with an id, without empty lists, with the history of its capacity."""

    def shown(table: Any, base_key: str = "TableDescription") -> dict[str, Any]:
        answer: dict[str, Any] = describe(table, base_key)
        found = answer[base_key]
        service = owner()
        found["TableId"] = service.table_id(table)
        limits = table.__dict__.get("_on_demand", {})
        change: Change | None = table.__dict__.get("_pending")
        for name in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes"):
            if not found[name]:
                del found[name]
        if limits.get(""):
            found["OnDemandThroughput"] = limits[""]
        history = history_of(table)
        found["ProvisionedThroughput"] = {
            **found["ProvisionedThroughput"],
            **history[""].shown(service.world),
        }
        for index in found.get("GlobalSecondaryIndexes", ()):
            name = index["IndexName"]
            if limits.get(name):
                index["OnDemandThroughput"] = limits[name]
            if name in history:
                one = history[name].shown(service.world)
                index["ProvisionedThroughput"] = {**index["ProvisionedThroughput"], **one}
            if change is not None and name in change.units:
                index["IndexStatus"] = "UPDATING"
        if change is not None:
            found["TableStatus"] = "UPDATING"
        switched = table.__dict__.get("_switched")
        if switched is not None:
            found["BillingModeSummary"]["LastUpdateToPayPerRequestDateTime"] = service.world.datetime(
                switched
            )
        elif found["BillingModeSummary"]["BillingMode"] != "PAY_PER_REQUEST":
            del found["BillingModeSummary"]
        return answer

    return shown


def _existing(handler: Any, name: str) -> Any:
    try:
        return handler.dynamodb_backend.get_table(name)
    except ResourceNotFoundException as error:
        raise ResourceNotFoundException(table_name=name) from error


def _limit(table: Any, limits: dict[str, dict[str, int]]) -> None:
    """Maximum throughput on demand: what is named changes, -1 takes it away."""
    known: dict[str, dict[str, int]] = table.__dict__.setdefault("_on_demand", {})
    for name, wanted in limits.items():
        merged = {key: value for key, value in {**known.get(name, {}), **wanted}.items() if value != -1}
        known.pop(name, None)
        if merged:
            known[name] = merged


def _settle(service: DynamoDBStreams, table: Any, change: Change) -> None:
    """The change is made."""
    now = service.kernel.now
    table._pending = None
    for name, wanted in change.units.items():
        resource = resource_of(table, name)
        if resource is None:
            continue
        have = resource.throughput
        history = history_of(table).setdefault(name, Decreases())
        counts = change.mode is None
        if wanted[READ] < have[READ] or wanted[WRITE] < have[WRITE]:
            history.decreased(now, counts=counts)
        if wanted[READ] > have[READ] or wanted[WRITE] > have[WRITE]:
            history.increased(now)
        resource.throughput = {**have, READ: wanted[READ], WRITE: wanted[WRITE]}
    if change.mode is not None:
        table.billing_mode = change.mode
        if change.mode == "PAY_PER_REQUEST":
            table._switched = now
            table._switches = [*table.__dict__.get("_switches", ()), now][-SWITCHES:]
        else:
            table._on_demand = {}
            table.__dict__.setdefault("_switched", table.__dict__.get("_switches", [now])[-1])
    of(table, now).configure(table, now)
    _write_down(service, table)


def _write_down(service: DynamoDBStreams, table: Any) -> None:
    """What is provisioned from now on: one ``dynamodb.capacity`` entry for the table and each index."""
    for name in ("", *(index.name for index in table.global_indexes)):
        units = resource_of(table, name).throughput
        data = {"index": name, "read": units[READ], "write": units[WRITE]}
        service.note("dynamodb.capacity", table.name, data)


def deleted(service: DynamoDBStreams, table: Any) -> None:
    if table.billing_mode != "PAY_PER_REQUEST":
        for name in ("", *(index.name for index in table.global_indexes)):
            service.note("dynamodb.capacity", table.name, {"index": name, "read": 0, "write": 0})
