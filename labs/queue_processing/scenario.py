"""The experiment of this lesson: deploy a variant, load it, wait until it is quiet, count every order.

It uses boto3 and the cloud's interface only.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import Any

from infra.cloud import Application, Cloud
from infra.stacks.queue_processing import QueueProcessing
from labs.toolkit.arrivals import Arrivals, AtOnce, Poisson
from labs.toolkit.load import LoadReport, Request, send_messages
from labs.toolkit.queues import peek

OUTCOMES = ("processed once", "processed more than once", "in the DLQ", "lost", "still waiting")


@dataclasses.dataclass(frozen=True)
class Result:
    """One run. Times are seconds since its first order.

    ``orders``        each order's id -> one of ``OUTCOMES`` ("processed" means: a parcel was sent)
    ``parcels``       each order's id -> how many parcels were sent for it
    ``seconds``       until nothing was in flight any more
    ``refused``       calls that the warehouse refused because it was full (0 if it has no limit)
    ``sent``, ``done``   when messages were sent, and when they were deleted after success
    ``latencies``     from a message's send to its deletion after success
    ``journeys``      for each of these messages: when it was sent, and its latency
    ``depth``         the queue over time, as ``cloud.queue_depth`` gives it
    ``environments``  the worker's execution environments
    ``bill``          what it cost
    """

    app: Application
    load: LoadReport
    name: str
    orders: dict[str, str]
    parcels: Counter[str]
    seconds: float
    refused: int
    sent: list[float]
    done: list[float]
    latencies: list[float]
    journeys: list[tuple[float, float]]
    depth: Any
    environments: list[Any]
    bill: Any

    def count(self, outcome: str) -> int:
        """How many orders met this outcome; ValueError for one that there is not."""
        if outcome not in OUTCOMES:
            raise ValueError(f"there is no outcome {outcome!r}; there is: {', '.join(OUTCOMES)}")
        return Counter(self.orders.values())[outcome]

    @property
    def shipped(self) -> int:
        """How many orders were shipped, once or more often."""
        return sum(self.parcels[name] > 0 for name in self.orders)

    @property
    def counts(self) -> dict[str, int]:
        return {outcome: self.count(outcome) for outcome in OUTCOMES}


def run(
    cloud: Cloud,
    arrivals: Arrivals,
    *,
    name: str = "order",
    poison_every: int = 0,
    stack_name: str = "QueueProcessing",
    **settings: Any,
) -> Result:
    """Deploy the stack with these settings, send the orders, wait until nothing is in flight, count.

    ``name`` is the first part of the orders' ids, so that several runs can share a stack.
    """
    app = cloud.deploy(QueueProcessing, stack_name=stack_name, **settings)
    limited = settings.get("warehouse_capacity") is not None
    before = throttles(cloud, app) if limited and has_throttles(cloud, app) else 0
    started = cloud.elapsed
    load = send_messages(cloud, app["QueueUrl"], arrivals, lambda request: order(request, name, poison_every))
    cloud.settle()
    seconds = cloud.elapsed - started
    queue, worker = app["QueueArn"], app["WorkerName"]
    stories = cloud.messages(queue, started)
    result = Result(
        app=app,
        load=load,
        name=name,
        orders={},
        parcels=Counter(),
        seconds=seconds,
        refused=throttles(cloud, app) - before if limited else 0,
        sent=[story.sent for story in stories],
        done=[story.ended for story in stories if story.fate == "processed"],
        latencies=cloud.latency(queue, started).values,
        journeys=[(story.sent, story.ended - story.sent) for story in stories if story.fate == "processed"],
        depth=cloud.queue_depth(queue, started),
        environments=cloud.environments(worker, started),
        bill=cloud.cost(started),
    )
    return recount(cloud, result)


def few_orders(cloud: Cloud, **settings: Any) -> Result:
    """Twenty orders at once: short enough to be tried under many seeds."""
    return run(cloud, AtOnce(requests=20), **settings)


def one_parcel_each(result: Result) -> str:
    """What is wrong if an order was not shipped exactly once; "" if all were."""
    wrong = [f"{name} was {outcome}" for name, outcome in result.orders.items() if outcome != OUTCOMES[0]]
    return "; ".join(wrong[:1]) + (f", and {len(wrong) - 1} others" if len(wrong) > 1 else "")


def recount(cloud: Cloud, result: Result) -> Result:
    """The same run with its orders counted anew, after something else was done about them."""
    parcels = parcels_of(cloud, result.app)
    failed = {body["orderId"] for body in peek(cloud, result.app["FailedQueueUrl"])}
    waiting = {body["orderId"] for body in peek(cloud, result.app["QueueUrl"])}
    ids = [order(outcome.request, result.name)["orderId"] for outcome in result.load.outcomes]
    orders = {name: _outcome(parcels[name], name in failed, name in waiting) for name in ids}
    return dataclasses.replace(result, orders=orders, parcels=Counter({name: parcels[name] for name in ids}))


def throttles(cloud: Cloud, app: Application) -> int:
    """How many calls the warehouse has refused since the stack was made."""
    metric = cloud.metrics("AWS/Lambda", "Throttles", {"FunctionName": app["WarehouseName"]})
    return round(sum(value for _, value in metric))


def has_throttles(cloud: Cloud, app: Application) -> bool:
    """Whether CloudWatch knows the metric already: a function that was never called has none."""
    dimensions = [{"Name": "FunctionName", "Value": app["WarehouseName"]}]
    answer = cloud.client("cloudwatch").list_metrics(
        Namespace="AWS/Lambda", MetricName="Throttles", Dimensions=dimensions
    )
    return bool(answer["Metrics"])


def order(request: Request, name: str = "order", poison_every: int = 0) -> dict[str, Any]:
    """An order as Parcel's shop sends it. Every ``poison_every``-th has no items and can never be shipped."""
    poison = poison_every and request.number % poison_every == poison_every - 1
    return {"orderId": f"{name}-{request.number:05}", "items": [] if poison else ["tea", "cup"]}


def parcels_of(cloud: Cloud, app: Application) -> Counter[str]:
    """How many parcels were sent for each order, from the table."""
    pages = cloud.client("dynamodb").get_paginator("scan").paginate(TableName=app["TableName"])
    return Counter(item["orderId"]["S"] for page in pages for item in page["Items"])


def _outcome(parcels: int, failed: bool, waiting: bool) -> str:
    if parcels > 1:
        return "processed more than once"
    if failed:
        return "in the DLQ"
    if parcels == 1:
        return "processed once"
    return "still waiting" if waiting else "lost"


def compare(cloud: Cloud, scale: float) -> Result:
    """What ``workshop compare 04`` runs on both targets: the healthy worker under the usual load."""
    return run(cloud, Poisson(rate=30, seconds=40).scaled(scale), name="compare")
