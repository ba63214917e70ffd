"""The experiment of this lesson: deploy a variant, load it, wait until it is quiet, count every order.

It uses boto3 and the cloud's interface only, so it runs on either target.
"""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from typing import Any

from infra.cloud import Application, Cloud
from infra.stacks.queue_processing import QueueProcessing
from labs.toolkit.arrivals import Arrivals
from labs.toolkit.load import LoadReport, Request, send_messages

OUTCOMES = ("processed once", "processed twice", "in the DLQ", "lost", "still waiting")


@dataclasses.dataclass(frozen=True)
class Batch(Arrivals):
    """So many orders, all at once."""

    orders: int = 100
    poison_every: int = 0
    seconds: float = 1.0

    def rate_at(self, time: float) -> float:
        return self.orders / self.seconds

    @property
    def peak(self) -> float:
        return self.orders / self.seconds

    def times(self, rng: Any) -> Any:
        return iter([0.0] * self.orders)


@dataclasses.dataclass(frozen=True)
class Result:
    """What became of a load. ``orders`` maps each order's id to one of ``OUTCOMES``, ``parcels`` to how many
    parcels were sent for it; ``throttles`` counts the calls that the warehouse refused."""

    app: Application
    load: LoadReport
    orders: dict[str, str]
    parcels: Counter[str]
    seconds: float
    throttles: int

    def count(self, outcome: str) -> int:
        return Counter(self.orders.values())[outcome]

    @property
    def counts(self) -> dict[str, int]:
        return {outcome: self.count(outcome) for outcome in OUTCOMES}


def order(request: Request, poison_every: int = 0) -> dict[str, Any]:
    """An order as Parcel's shop sends it. Every ``poison_every``-th has no items and can never be shipped."""
    poison = poison_every and request.number % poison_every == poison_every - 1
    return {"orderId": f"order-{request.number:05}", "items": [] if poison else ["tea", "cup"]}


def run(
    cloud: Cloud,
    arrivals: Arrivals,
    *,
    poison_every: int = 0,
    stack_name: str = "QueueProcessing",
    **settings: Any,
) -> Result:
    """Deploy the stack with these settings, send the orders, wait until nothing is in flight, count."""
    app = cloud.deploy(QueueProcessing, stack_name=stack_name, **settings)
    poison_every = poison_every or getattr(arrivals, "poison_every", 0)
    started = cloud.elapsed
    load = send_messages(cloud, app["QueueUrl"], arrivals, lambda request: order(request, poison_every))
    cloud.settle()
    seconds = cloud.elapsed - started
    parcels = parcels_of(cloud, app)
    failed = Counter(body["orderId"] for body in peek(cloud, app["FailedQueueUrl"]))
    waiting = Counter(body["orderId"] for body in peek(cloud, app["QueueUrl"]))
    orders = {}
    for outcome in load.outcomes:
        name = order(outcome.request)["orderId"]
        orders[name] = _outcome(parcels[name], failed[name], waiting[name])
    throttled = cloud.metrics("AWS/Lambda", "Throttles", {"FunctionName": app["WarehouseName"]})
    return Result(app, load, orders, parcels, seconds, round(sum(value for _, value in throttled)))


def parcels_of(cloud: Cloud, app: Application) -> Counter[str]:
    """How many parcels were sent for each order, from the table."""
    pages = cloud.client("dynamodb").get_paginator("scan").paginate(TableName=app["TableName"])
    return Counter(item["orderId"]["S"] for page in pages for item in page["Items"])


def peek(cloud: Cloud, queue_url: str) -> list[dict[str, Any]]:
    """The bodies of every visible message of a queue; afterwards they are visible again."""
    sqs = cloud.client("sqs")
    handles, bodies = [], []
    while messages := sqs.receive_message(
        QueueUrl=queue_url, MaxNumberOfMessages=10, VisibilityTimeout=120
    ).get("Messages"):
        handles += [message["ReceiptHandle"] for message in messages]
        bodies += [json.loads(message["Body"]) for message in messages]
    for first in range(0, len(handles), 10):
        entries = [
            {"Id": str(number), "ReceiptHandle": handle, "VisibilityTimeout": 0}
            for number, handle in enumerate(handles[first : first + 10])
        ]
        sqs.change_message_visibility_batch(QueueUrl=queue_url, Entries=entries)
    return bodies


def _outcome(shipped: int, failed: int, waiting: int) -> str:
    if shipped > 1:
        return "processed twice"
    if failed:
        return "in the DLQ"
    if shipped == 1:
        return "processed once"
    return "still waiting" if waiting else "lost"
