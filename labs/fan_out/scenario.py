"""The experiment of this lesson: customers check out, and each team's work is counted.

It uses boto3 and the cloud's interface only.
"""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from typing import Any

from infra.cloud import Application, Cloud
from infra.stacks.fan_out import FanOut
from labs.toolkit.arrivals import Arrivals, Constant
from labs.toolkit.load import LoadReport, Request, open_loop
from labs.toolkit.queues import drain, peek

TEAMS = FanOut.TEAMS
OUTCOMES = ("processed once", "processed more than once", "in the DLQ", "lost")
TRIES = 3
"""How often a customer presses the button before they give up."""


class CheckoutFailed(RuntimeError):
    """The customer saw an error each time they tried."""


@dataclasses.dataclass(frozen=True)
class Result:
    """One run. Times are seconds since the cloud was connected, or from the first order where it says so.

    ``load``     what the customers saw: latency from the press of the button to the answer
    ``done``     team -> order id -> how often the team did its work for it
    ``failed``   team -> ids of the orders in its dead-letter queue
    ``depth``    team -> its queue over time
    ``latency``  team -> seconds from the publication of a message until its work was done
    ``flow``     who delivered what to whom (simulated only, else None)
    ``seconds``  until nothing was in flight any more
    """

    app: Application
    load: LoadReport
    name: str
    done: dict[str, Counter[str]]
    failed: dict[str, set[str]]
    depth: dict[str, Any]
    latency: dict[str, list[float]]
    seconds: float
    started: float
    bill: Any
    flow: Any

    @property
    def ids(self) -> list[str]:
        return [order(outcome.request, self.name)["orderId"] for outcome in self.load.outcomes]

    def counts(self, team: str) -> dict[str, int]:
        """How many orders met which outcome at a team."""
        found = Counter(self._outcome(team, name) for name in self.ids)
        return {outcome: found[outcome] for outcome in OUTCOMES}

    def _outcome(self, team: str, name: str) -> str:
        times = self.done[team][name]
        if times:
            return "processed once" if times == 1 else "processed more than once"
        return "in the DLQ" if name in self.failed[team] else "lost"


def run(
    cloud: Cloud,
    arrivals: Arrivals,
    *,
    name: str = "order",
    stack_name: str = "FanOut",
    tries: int = TRIES,
    **settings: Any,
) -> Result:
    """Deploy the stack with these settings, let customers check out, wait until nothing is in flight."""
    app = cloud.deploy(FanOut, stack_name=stack_name, **settings)
    started = cloud.elapsed
    client = cloud.client("lambda")

    def buy(request: Request) -> int:
        """Press the button until it works; the number of times."""
        payload = json.dumps(order(request, name))
        for attempt in range(1, tries + 1):
            answer = client.invoke(FunctionName=app["CheckoutName"], Payload=payload)
            if "FunctionError" not in answer:
                return attempt
        raise CheckoutFailed(f"order {request.number}: an error, {tries} times")

    load = open_loop(cloud, arrivals, buy)
    cloud.settle()
    result = Result(
        app=app,
        load=load,
        name=name,
        done={},
        failed={},
        depth={team: cloud.queue_depth(app[f"{team}QueueArn"], started) for team in TEAMS},
        latency={team: cloud.latency(app[f"{team}QueueArn"], started).values for team in TEAMS},
        seconds=cloud.elapsed - started,
        started=started,
        bill=cloud.cost(started),
        flow=cloud.flow(started) if cloud.simulated else None,
    )
    return recount(cloud, result)


def recount(cloud: Cloud, result: Result) -> Result:
    """The same run with each team's work counted anew, after something else was done about it."""
    done: dict[str, Counter[str]] = {team: Counter() for team in TEAMS}
    pages = cloud.client("dynamodb").get_paginator("scan").paginate(TableName=result.app["TableName"])
    ids = set(result.ids)
    for item in (item for page in pages for item in page["Items"]):
        if item["orderId"]["S"] in ids:
            done[item["work"]["S"].partition("#")[0]][item["orderId"]["S"]] += 1
    failed = {
        team: {body["orderId"] for body in peek(cloud, result.app[f"{team}FailedUrl"])} for team in TEAMS
    }
    return dataclasses.replace(result, done=done, failed=failed)


def order(request: Request, name: str = "order") -> dict[str, Any]:
    """An order as the shop sends it. One in ten is above 500 euros, one in four goes abroad."""
    return {
        "type": "OrderPlaced",
        "orderId": f"{name}-{request.number:05}",
        "total": 620 if request.number % 10 == 3 else 40,
        "address": {"country": "FR" if request.number % 4 == 3 else "DE"},
    }


def a_rush(cloud: Cloud, checkout: str) -> Result:
    """Three customers, one after the other, who press the button once: small enough for many seeds."""
    return run(cloud, Constant(rate=0.5, seconds=6), tries=1, checkout=checkout)


def all_or_nobody(result: Result) -> str:
    """The invariant: an order reaches all teams, or none; else a sentence about one that did not."""
    for name in result.ids:
        worked = [team for team in TEAMS if result.done[team][name]]
        if worked and len(worked) < len(TEAMS):
            missing = [team for team in TEAMS if team not in worked]
            return f"{' and '.join(worked)} worked on {name}, and {' and '.join(missing)} never heard of it"
    return ""


def deliveries(
    cloud: Cloud,
    fraud: Application,
    orders: list[dict[str, Any]],
    filter_policy: dict[str, Any] | None,
    filter_policy_scope: str = "MessageAttributes",
) -> set[str]:
    """Set a filter policy on fraud detection's subscription, publish orders, and take what arrives."""
    sns = cloud.client("sns")
    attributes = {
        "FilterPolicyScope": filter_policy_scope,
        "FilterPolicy": json.dumps(filter_policy or {}),
    }
    for name, value in attributes.items():
        sns.set_subscription_attributes(
            SubscriptionArn=fraud["SubscriptionArn"], AttributeName=name, AttributeValue=value
        )
    for each in orders:
        sns.publish(TopicArn=fraud["TopicArn"], Message=json.dumps(each))
    cloud.settle()
    return {body["orderId"] for body in drain(cloud, fraud["QueueUrl"])}
