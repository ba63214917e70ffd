"""The experiments of this lesson: lots on sale, customers who want them, and what the store says afterwards.

It uses boto3 and the cloud's interface only.
"""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from typing import Any

from infra.cloud import Application, Cloud
from infra.stacks.event_sourcing import EventSourcing
from labs.toolkit.arrivals import Arrivals, AtOnce
from labs.toolkit.load import LoadReport, Request, open_loop

PIECES = 10
"""How many pieces of each lot there are."""
CUSTOMERS = 25
"""How many customers want one, for each lot."""


@dataclasses.dataclass(frozen=True)
class Sale:
    """One sale.

    ``answers``   what the customers were told -> how many
    ``attempts``  how often each order was tried
    ``promised``  each lot -> how many pieces were promised to customers
    ``reserved``  each lot -> how many reservations are in the store
    ``pieces``    how many pieces there are of each lot
    ``bill``      what it cost
    """

    app: Application
    load: LoadReport
    answers: Counter[str]
    attempts: list[int]
    promised: Counter[str]
    reserved: Counter[str]
    pieces: int
    bill: Any

    @property
    def lots(self) -> int:
        return len(self.promised)

    @property
    def oversold(self) -> int:
        """Pieces that were promised and that there are not."""
        return sum(max(0, count - self.pieces) for count in self.promised.values())

    @property
    def unsold(self) -> int:
        """Pieces that are still there."""
        return sum(max(0, self.pieces - count) for count in self.promised.values())

    @property
    def unrecorded(self) -> int:
        """Promises of which the store knows nothing."""
        return sum((self.promised - self.reserved).values())

    @property
    def conflicts(self) -> int:
        """How often an order had to be tried again."""
        return sum(self.attempts) - len(self.attempts)


def sell(
    cloud: Cloud,
    arrivals: Arrivals,
    *,
    name: str = "lot",
    pieces: int = PIECES,
    customers: int = CUSTOMERS,
    poison_at: int | None = None,
    stack_name: str = "EventSourcing",
    **settings: Any,
) -> Sale:
    """Deploy with these settings, put lots on sale one after the other, and let the customers come.

    ``name`` is the first part of the lots' names, so that several sales can share a stack. With the order
    number ``poison_at``, events are appended to a lot of its own of which nobody can read the last.
    """
    app = cloud.deploy(EventSourcing, stack_name=stack_name, **settings)
    orders = sum(1 for _ in arrivals.times(cloud.rng(f"load.{name}")))
    lots = [f"{name}-{number:02}" for number in range(1, -(-orders // customers) + 1)]
    for lot in lots:
        ask(cloud, app, {"type": "receive", "lot": lot, "quantity": pieces})
    started = cloud.elapsed

    def buy(request: Request) -> Any:
        if request.number == poison_at:
            poison(cloud, app, f"{name}-misprint")
        lot = lots[request.number // customers]
        order = f"{name}-order-{request.number + 1:05}"
        return lot, ask(cloud, app, {"type": "reserve", "lot": lot, "orderId": order})

    load = open_loop(cloud, arrivals, buy, name=name)
    bill = cloud.cost(started)
    store = events_of(cloud, app)
    return Sale(
        app=app,
        load=load,
        answers=Counter(said["answer"] for _, said in load.results),
        attempts=[said["attempts"] for _, said in load.results],
        promised=Counter(dict.fromkeys(lots, 0))
        + Counter(lot for lot, said in load.results if said["answer"] == "reserved"),
        reserved=Counter(
            {lot: sum(fact["type"] == "StockReserved" for fact in store.get(lot, [])) for lot in lots}
        ),
        pieces=pieces,
        bill=bill,
    )


class Failed(RuntimeError):
    """A function raised something. ``response`` is as boto3's errors have it: loads count by its code."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(f"{kind}: {message}")
        self.response = {"Error": {"Code": kind, "Message": message}}


def ask(cloud: Cloud, app: Application, command: dict[str, Any]) -> dict[str, Any]:
    """What the sales function answers to a command: ``answer``, ``attempts``, ``read``. Raises Failed."""
    said = call(cloud, app["SalesName"], command)
    if not isinstance(said, dict) or "answer" not in said:
        raise Failed("NoAnswer", f"the sales function returned {said!r}, which has no `answer`")
    return {"attempts": 1, "read": 0, **said}


def call(cloud: Cloud, function: str, payload: dict[str, Any]) -> Any:
    """What a function answers. Raises Failed with what it raised."""
    answer = cloud.client("lambda").invoke(FunctionName=function, Payload=json.dumps(payload))
    said = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise Failed(str(said.get("errorType", "Error")), str(said.get("errorMessage", "")))
    return said


# -- the store and the view ----------------------------------------------------------------------


def events_of(cloud: Cloud, app: Application) -> dict[str, list[dict[str, Any]]]:
    """Each lot -> its events, oldest first: the truth."""
    table = cloud.resource("dynamodb").Table(app["EventsName"])
    found: dict[str, list[dict[str, Any]]] = {}
    for fact in _scan(table):
        found.setdefault(fact["lot"], []).append(fact)
    return {lot: sorted(facts, key=lambda fact: fact["version"]) for lot, facts in sorted(found.items())}


def view_of(cloud: Cloud, app: Application) -> dict[str, int]:
    """Each lot -> how many pieces are available, as the shop page shows it."""
    table = cloud.resource("dynamodb").Table(app["ViewName"])
    return {row["lot"]: int(row["available"]) for row in _scan(table)}


def available(facts: list[dict[str, Any]]) -> int:
    """How many pieces these events leave; those that cannot be read are left out."""
    signs = {"StockReceived": 1, "StockReserved": -1}
    return sum(
        signs[fact["type"]] * int(fact["quantity"]) for fact in facts if str(fact["quantity"]).isdigit()
    )


def wrong_rows(cloud: Cloud, app: Application) -> dict[str, tuple[int | None, int]]:
    """Each lot of which the view is wrong -> (what it says, what is true)."""
    view = view_of(cloud, app)
    truth = {lot: available(facts) for lot, facts in events_of(cloud, app).items()}
    return {lot: (view.get(lot), true) for lot, true in truth.items() if view.get(lot) != true}


def pieces_off(cloud: Cloud, app: Application) -> int:
    """How many pieces the view is wrong by, all lots together."""
    return sum(abs((seen or 0) - true) for seen, true in wrong_rows(cloud, app).values())


def poison(cloud: Cloud, app: Application, lot: str) -> None:
    """Append at once what somebody's script once wrote: two deliveries, and one that no program can read."""
    name = app["EventsName"]
    facts = [
        {"lot": lot, "version": version, "type": "StockReceived", "quantity": quantity}
        for version, quantity in enumerate((10, 10, "a dozen"), 1)
    ]
    puts: list[Any] = [{"Put": {"TableName": name, "Item": fact}} for fact in facts]
    cloud.resource("dynamodb").meta.client.transact_write_items(TransactItems=puts)


def sell_and_follow(
    cloud: Cloud, arrivals: Arrivals, *, seconds: float, name: str, poison_at: int, **settings: Any
) -> tuple[Sale, list[tuple[float, float]]]:
    """A sale, and every other second until ``seconds`` after its beginning: (second, ``pieces_off``)."""
    app = cloud.deploy(EventSourcing, **settings)
    start = cloud.elapsed
    seen: list[tuple[float, float]] = []

    def look() -> bool:
        off = pieces_off(cloud, app)
        seen.append((round(cloud.elapsed - start, 3), float(off)))
        return seen[-1][0] >= seconds

    watching = cloud.spawn(
        lambda: cloud.wait_for(look, "the end of the observation", limit=seconds + 60, every=2), name="watch"
    )
    sale = sell(cloud, arrivals, name=name, poison_at=poison_at, **settings)
    watching.join()
    return sale, seen


def fill(cloud: Cloud, app: Application, lot: str, events: int) -> None:
    """Give a lot a longer history: pieces come in one by one, until it has so many events."""
    known = len(events_of(cloud, app).get(lot, []))
    with cloud.resource("dynamodb").Table(app["EventsName"]).batch_writer() as batch:
        for version in range(known + 1, events + 1):
            batch.put_item(Item={"lot": lot, "version": version, "type": "StockReceived", "quantity": 1})


def failures(cloud: Cloud, app: Application) -> list[dict[str, Any]]:
    """What the projector's mapping has put aside: the bodies of the messages, which stay in the queue."""
    sqs = cloud.client("sqs")
    answer = sqs.receive_message(
        QueueUrl=app["FailedQueueUrl"], MaxNumberOfMessages=10, VisibilityTimeout=0, WaitTimeSeconds=2
    )
    return [json.loads(message["Body"]) for message in answer.get("Messages", [])]


def order_from(cloud: Cloud, app: Application, lot: str, orders: int, name: str) -> list[int]:
    """Customers who come one after the other: how many events had to be read for each."""
    return [
        ask(cloud, app, {"type": "reserve", "lot": lot, "orderId": f"{name}-{number}"})["read"]
        for number in range(orders)
    ]


def _scan(table: Any) -> list[dict[str, Any]]:
    pages = table.meta.client.get_paginator("scan").paginate(TableName=table.name, ConsistentRead=True)
    return [item for page in pages for item in page["Items"]]


# -- small enough to be read, for explore --------------------------------------------------------


def trial(cloud: Cloud, *, pieces: int = 2, customers: int = 4, **settings: Any) -> Sale:
    """A few customers at once who all want a piece of one lot."""
    return sell(cloud, AtOnce(requests=customers), pieces=pieces, customers=customers, **settings)


def one_too_many(steps: list[Any]) -> int | None:
    """The step of a story at which more was reserved than there is."""
    left = 0
    for index, step in enumerate(steps):
        item = step.data.get("item", {})
        if step.call == "dynamodb.PutItem" and step.on == "Events" and step.ok:
            quantity = int(item["quantity"])
            left += quantity if item["type"] == "StockReceived" else -quantity
            if left < 0:
                return index
    return None


def torn_snapshot(steps: list[Any]) -> int | None:
    """The step of a story at which a snapshot was written with a version that its stock does not have."""
    version, loaded = 0, {}
    for index, step in enumerate(steps):
        if not step.ok:
            continue
        item = step.data.get("item", {})
        if (step.call, step.on) == ("dynamodb.PutItem", "Events"):
            version = max(version, int(item["version"]))
        elif step.call == "dynamodb.Query" and len(step.data.get("values", {})) > 1:
            loaded[step.run] = version
        elif step.on == "Snapshots" and item and int(item["version"]) > loaded[step.run]:
            return index
    return None


def never_oversold(sale: Sale) -> str:
    """The invariant of the lesson: nobody is promised what there is not, and every promise is recorded."""
    for lot, count in sale.promised.items():
        if count > sale.pieces:
            return f"{count} customers were promised one of the {sale.pieces} pieces of {lot}"
    if sale.unrecorded:
        return f"{sale.unrecorded} promises are not in the store"
    return ""
