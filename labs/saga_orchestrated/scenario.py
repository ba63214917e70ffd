"""The experiment of this lesson: customers order, some meet trouble, and the books are read afterwards.

It uses boto3 and the cloud's interface only.
"""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from infra.cloud import Application, Cloud
from infra.stacks.saga_orchestrated import SagaOrchestrated
from labs.toolkit.arrivals import Arrivals, AtOnce
from labs.toolkit.load import LoadReport, Request, open_loop

STOCK = {"cup": 10_000, "kettle": 0}
"""What is on the shelf when a run begins."""
TROUBLES = {
    "sold out": {"sku": "kettle"},
    "declined": {"card": "declined"},
    "address unknown": {"address": "unknown"},
    "slow": {"card": "slow"},
    "late": {"card": "late"},
    "far away": {"address": "far away"},
    "refunds are down": {"card": "refunds are down", "address": "unknown"},
}
"""What an order can meet, and what is special about it."""
REFUSED = ("sold out", "declined", "address unknown")
"""Troubles in which a service says no."""
TIMED_OUT = ("slow", "late")
"""Cards whose provider answers too late: ``slow`` charges at once, ``late`` charges after 8 s."""
OUTCOMES = ("delivered and paid", "paid, no parcel", "paid twice", "given away", "undone")


@dataclasses.dataclass(frozen=True)
class Result:
    """One run, as the books tell it after nothing was in flight any more.

    ``orders``    each order's id -> one of ``OUTCOMES``
    ``status``    each order's id -> how its execution ended, as Step Functions calls it
    ``errors``    each order's id -> the error of its execution, or ""
    ``executions``   each order's id -> the ARN of its execution
    ``parcels``   how many pieces of each product were sent
    ``missing``   pieces that are on the shelf and not in the inventory's books: reserved for nobody
    ``invented``  pieces that are in the books and not on the shelf
    ``refund_calls``  how often the provider's refund desk was asked, for each order
    """

    app: Application
    load: LoadReport
    orders: dict[str, str]
    status: dict[str, str]
    errors: dict[str, str]
    executions: dict[str, str]
    parcels: Counter[str]
    missing: int
    invented: int
    refund_calls: Counter[str]
    bill: Any

    @property
    def counts(self) -> dict[str, int]:
        """How many orders met which outcome."""
        found = Counter(self.orders.values())
        return {outcome: found[outcome] for outcome in OUTCOMES}

    @property
    def statuses(self) -> dict[str, int]:
        """How many executions ended in which way."""
        return dict(sorted(Counter(self.status.values()).items(), reverse=True))

    def first(self, outcome: str) -> str:
        """The ARN of the first execution whose order met this outcome."""
        return next(self.executions[name] for name, met in self.orders.items() if met == outcome)


def run(
    cloud: Cloud,
    arrivals: Arrivals,
    *,
    name: str = "order",
    troubles: Sequence[str] = (),
    stack_name: str = "SagaOrchestrated",
    **settings: Any,
) -> Result:
    """Deploy the stack with these settings, let customers order, wait until all is over, read the books.

    Of ten orders, the first meets the first of the troubles, and so on.
    """
    app = cloud.deploy(SagaOrchestrated, stack_name=stack_name, **settings)
    started = cloud.elapsed
    dynamodb = cloud.client("dynamodb")
    for sku, quantity in STOCK.items():
        item = {"id": {"S": f"stock {sku}"}, "quantity": {"N": str(quantity)}}
        dynamodb.put_item(TableName=app["StockName"], Item=item)
    client = cloud.client("stepfunctions")

    def buy(request: Request) -> str:
        """The order's id is the execution's name: the same order cannot be started twice."""
        placed = order(request, name, troubles)
        answer = client.start_execution(
            stateMachineArn=app["MachineArn"], name=placed["orderId"], input=json.dumps({"order": placed})
        )
        return str(answer["executionArn"])

    load = open_loop(cloud, arrivals, buy)
    cloud.settle()
    return books(cloud, app, load, name, cloud.cost(started))


def order(request: Request, name: str, troubles: Sequence[str] = ()) -> dict[str, Any]:
    """An order as Parcel's shop sends it; its place among ten decides which trouble it meets."""
    place = request.number % 10
    placed = {"sku": "cup", "card": "good", "address": "known"}
    placed |= TROUBLES[troubles[place]] if place < len(troubles) else {}
    return {"orderId": f"{name}-{request.number:05}", "quantity": 1, "cents": 4200, **placed}


def books(cloud: Cloud, app: Application, load: LoadReport, name: str, bill: Any) -> Result:
    """What the inventory, the card provider and shipping have in their books, against each other."""
    ids = [order(outcome.request, name)["orderId"] for outcome in load.outcomes]
    known = set(ids)
    parcels = {
        item["orderId"]["S"]: item["sku"]["S"]
        for item in _scan(cloud, app["ShipmentsName"])
        if item["orderId"]["S"] in known and item["status"]["S"] == "sent"
    }
    paid, calls = _money(cloud, app, known)
    off = {
        item["id"]["S"].removeprefix("stock "): int(item["quantity"]["N"])
        for item in _scan(cloud, app["StockName"])
        if item["id"]["S"].startswith("stock ")
    }
    for sku, quantity in STOCK.items():
        off[sku] -= quantity - sum(sent == sku for sent in parcels.values())
    executions = dict(zip(ids, (outcome.result for outcome in load.outcomes), strict=True))
    ended = {name: _ended(cloud, arn) for name, arn in executions.items()}
    return Result(
        app=app,
        load=load,
        orders={name: _outcome(name in parcels, paid[name]) for name in ids},
        status={name: status for name, (status, _) in ended.items()},
        errors={name: error for name, (_, error) in ended.items()},
        executions=executions,
        parcels=Counter(parcels.values()),
        missing=-sum(min(pieces, 0) for pieces in off.values()),
        invented=sum(max(pieces, 0) for pieces in off.values()),
        refund_calls=calls,
        bill=bill,
    )


def all_or_nothing(result: Result) -> str:
    """The invariant of a saga: each order is done or undone, and the shelf is as the books say."""
    for name, outcome in result.orders.items():
        if outcome not in ("delivered and paid", "undone"):
            return f"{name} is {outcome}"
    if result.missing or result.invented:
        kind = "reserved for nobody" if result.missing else "in the books and not on the shelf"
        pieces = result.missing or result.invented
        return f"{pieces} piece{' is' if pieces == 1 else 's are'} {kind}"
    return ""


def trial(cloud: Cloud, *, trouble: str = "address unknown", **settings: Any) -> Result:
    """One order that meets trouble: small enough to be read, and every step and compensation is there."""
    return run(cloud, AtOnce(requests=1), troubles=(trouble,), **settings)


def counted_twice(steps: list[Any]) -> int | None:
    """The step of a story at which the stock was changed in the same way for a second time."""
    seen: set[Any] = set()
    for index, step in enumerate(steps):
        if step.call == "dynamodb.UpdateItem" and step.on == "Stock" and step.ok:
            change = step.data["values"][":change"]
            if change in seen:
                return index
            seen.add(change)
    return None


def _money(cloud: Cloud, app: Application, known: set[str]) -> tuple[Counter[str], Counter[str]]:
    """How often each order is paid after all refunds, and how often its refund was asked for."""
    entries: dict[str, list[dict[str, Any]]] = {}
    for item in _scan(cloud, app["ChargesName"]):
        entries.setdefault(item["paymentId"]["S"], []).append(item)
    paid: Counter[str] = Counter()
    calls: Counter[str] = Counter()
    for name in sorted(known & entries.keys()):
        kinds = Counter(item["entry"]["S"].split(" ")[0] for item in entries[name])
        paid[name] = kinds["charge"] - kinds["credit"] - min(kinds["void"], kinds["charge"])
        calls[name] = sum(
            int(item["calls"]["N"]) for item in entries[name] if item["entry"]["S"] == "calls of void"
        )
    return paid, calls


def _outcome(parcel: bool, paid: int) -> str:
    if paid > 1:
        return "paid twice"
    if paid == 1:
        return "delivered and paid" if parcel else "paid, no parcel"
    return "given away" if paid < 0 or parcel else "undone"


def _ended(cloud: Cloud, arn: str) -> tuple[str, str]:
    found = cloud.client("stepfunctions").describe_execution(executionArn=arn)
    return found["status"], found.get("error", "")


def _scan(cloud: Cloud, table: str) -> list[dict[str, Any]]:
    pages = cloud.client("dynamodb").get_paginator("scan").paginate(TableName=table)
    return [item for page in pages for item in page["Items"]]
