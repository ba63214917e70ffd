"""The experiment of this lesson: customers order, and each team opens its inbox.

It uses boto3 and the cloud's interface only.
"""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from infra.cloud import Application, Cloud
from infra.stacks.event_router import LARGE_AND_ABROAD, EventRouter
from labs.toolkit.arrivals import Arrivals, AtOnce
from labs.toolkit.load import LoadReport, Request, open_loop
from labs.toolkit.queues import drain

TEAMS = ("Warehouse", "Fraud", "Loyalty", "Everything")
BATCH = 10
"""Orders in one call of the publisher, and entries in one PutEvents: ten is the most.
https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html"""


@dataclasses.dataclass(frozen=True)
class Result:
    """One run.

    ``orders``   what was ordered
    ``inboxes``  team -> what lay in its inbox
    ``load``     the calls of the publisher
    ``flow``     who delivered what to whom (simulated only, else None)
    """

    app: Application
    orders: list[dict[str, Any]]
    inboxes: dict[str, list[dict[str, Any]]]
    load: LoadReport
    flow: Any
    bill: Any

    def arrived(self, team: str) -> set[str]:
        """Ids of the orders in a team's inbox."""
        return {order_id(message) for message in self.inboxes[team]}

    @property
    def suspicious(self) -> set[str]:
        """Ids of the orders that fraud detection should see: above 500 euros, and not to DE."""
        return {order["orderId"] for order in self.orders if is_suspicious(order)}

    def never(self, team: str, of: set[str] | None = None) -> set[str]:
        """Ids of the orders that never arrived at a team."""
        wanted = {order["orderId"] for order in self.orders} if of is None else of
        return wanted - self.arrived(team)


def run(
    cloud: Cloud,
    arrivals: Arrivals,
    *,
    name: str = "order",
    release: int = 1,
    stack_name: str = "EventRouter",
    **settings: Any,
) -> Result:
    """Deploy the stack with these settings, let ten customers order at each arrival, open the inboxes."""
    app = cloud.deploy(EventRouter, stack_name=stack_name, **settings)
    started = cloud.elapsed
    orders: list[dict[str, Any]] = []

    def publish(request: Request) -> Any:
        batch = [order(BATCH * request.number + index, name, release) for index in range(BATCH)]
        orders.extend(batch)
        return call(cloud, app["PublisherName"], batch)

    load = open_loop(cloud, arrivals, publish)
    cloud.settle()
    return Result(
        app=app,
        orders=sorted(orders, key=lambda each: str(each["orderId"])),
        inboxes={team: opened(cloud, app[f"{team}Url"], f"{name}-") for team in TEAMS},
        load=load,
        flow=cloud.flow(started) if cloud.simulated else None,
        bill=cloud.cost(started),
    )


def opened(cloud: Cloud, queue_url: str, prefix: str) -> list[dict[str, Any]]:
    """What lies in an inbox of orders whose id begins so; the inbox is empty afterwards."""
    return [message for message in drain(cloud, queue_url) if order_id(message).startswith(prefix)]


def order_id(message: dict[str, Any]) -> str:
    """The order of an event, or of the message that the warehouse gets."""
    return str(message["ship"] if "ship" in message else message["detail"]["orderId"])


class Refused(RuntimeError):
    """The publisher raised an error."""


def call(cloud: Cloud, function: str, orders: list[dict[str, Any]]) -> Any:
    """Invoke the publisher with orders; raises Refused with its error."""
    answer = cloud.client("lambda").invoke(FunctionName=function, Payload=json.dumps(orders))
    payload = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise Refused(f"{payload.get('errorType')}: {payload.get('errorMessage')}")
    return payload


def order(number: int, name: str = "order", release: int = 1) -> dict[str, Any]:
    """An order as release 1 or 2 of the shop writes it. One in ten has a note with quotation marks in it."""
    total = 620 if number % 10 in (3, 6) else 40
    return {
        "orderId": f"{name}-{number:05}",
        ("total" if release == 1 else "totalAmount"): total,
        "address": {"country": "FR" if number % 4 == 3 else "DE"},
        "note": 'a present for "Mum"' if number % 10 == 7 else "",
    }


def is_suspicious(order: dict[str, Any]) -> bool:
    """What fraud detection wants to see, said in Python: the contract, whatever a field is called."""
    total = order.get("total", order.get("totalAmount", 0))
    return total > 500 and order["address"]["country"] != "DE"


def both_releases(cloud: Cloud, fraud_detail: dict[str, Any] | None = None) -> Result:
    """Ten random orders, of either release of the shop: while one is rolled out, both run."""
    app = cloud.deploy(EventRouter, fraud_detail=fraud_detail or LARGE_AND_ABROAD)
    rng = cloud.rng("orders")
    orders = []
    for number in range(BATCH):
        made = order(number, "random", rng.choice((1, 2)))
        made.update({key: rng.choice((20, 499, 501, 900)) for key in ("total", "totalAmount") if key in made})
        orders.append(made | {"address": {"country": rng.choice(("DE", "FR", "US"))}})
    load = open_loop(cloud, AtOnce(requests=1), lambda request: call(cloud, app["PublisherName"], orders))
    cloud.settle()
    inboxes = {"Fraud": drain(cloud, app["FraudUrl"])}
    return Result(app, orders, inboxes, load, None, None)


def all_seen(result: Result) -> str:
    """The invariant: fraud detection sees every suspicious order, and no other; else a sentence."""
    arrived = result.arrived("Fraud")
    for each in result.orders:
        if is_suspicious(each) != (each["orderId"] in arrived):
            shown = {key: each[key] for key in each if key in ("total", "totalAmount", "address")}
            verb = "never arrived" if is_suspicious(each) else "arrived, though nobody asked for it"
            return f"{each['orderId']} {verb}: {json.dumps(shown)}"
    return ""
