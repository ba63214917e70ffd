"""The experiments of this lesson: payments, some of them sent twice, and a count of what was charged.

It uses boto3 and the cloud's interface only.
"""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from infra.cloud import Application, Cloud
from infra.stacks.idempotency import Idempotency
from labs.toolkit.arrivals import Arrivals
from labs.toolkit.load import LoadReport, Request, open_loop

AMOUNT = 42.00
"""What every payment is worth, in euros."""
COPY_EVERY = 5
"""The checkout page lost patience with one payment in so many, and sent it again."""
LONGEST_GAP = 2.0
"""Seconds: a copy follows between at once and so much later."""
DUPLICATES = {"duplicate": 0.5, "on": "QueueArn"}
"""SQS delivers every second message twice: more than it ever does, so that few seeds show much."""
CRASHES = [{"kill": 0.2, "on": "ChargerName"}, {"kill": 0.2, "on": "ProviderName"}]
"""One invocation in five ends at a random moment, on either side."""
LATE = "13 days"
"""How long a copy lies in a dead-letter queue that nobody looks at."""


@dataclasses.dataclass(frozen=True)
class Result:
    """One run.

    ``charges``  each payment's id -> how often it was charged
    ``gaps``     the payments that were sent twice -> how many seconds apart
    ``failed``   the payments that have a message in the dead-letter queue
    ``seconds``  from the first payment until nothing was in flight any more
    ``bill``     what it cost
    """

    app: Application
    load: LoadReport
    charges: dict[str, int]
    gaps: dict[str, float]
    failed: frozenset[str]
    seconds: float
    bill: Any

    @property
    def counts(self) -> dict[str, int]:
        """What became of the payments, by the names that ``plots.outcomes`` knows."""
        found = Counter(self._outcome(name, times) for name, times in self.charges.items())
        return {
            outcome: found[outcome]
            for outcome in ("processed once", "processed more than once", "in the DLQ", "lost")
        }

    @property
    def twice(self) -> list[str]:
        """The payments that were charged more than once."""
        return [name for name, times in self.charges.items() if times > 1]

    @property
    def never(self) -> list[str]:
        """The payments that were not charged at all."""
        return [name for name, times in self.charges.items() if times == 0]

    @property
    def too_much(self) -> float:
        """Euros that customers paid too much."""
        return AMOUNT * sum(times - 1 for times in self.charges.values() if times > 1)

    def share_charged_twice(self, width: float = 0.25) -> list[tuple[float, float]]:
        """Of the payments that were sent twice: (gap in s, % charged twice), in bins of the gap."""
        bins: dict[int, list[bool]] = {}
        for name, gap in self.gaps.items():
            bins.setdefault(int(gap / width), []).append(self.charges[name] > 1)
        return [
            ((number + 0.5) * width, 100 * sum(hits) / len(hits)) for number, hits in sorted(bins.items())
        ]

    def _outcome(self, name: str, times: int) -> str:
        if times == 1:
            return "processed once"
        if times > 1:
            return "processed more than once"
        return "in the DLQ" if name in self.failed else "lost"


def run(
    cloud: Cloud,
    arrivals: Arrivals,
    *,
    name: str = "payment",
    cards: Mapping[str, int] | None = None,
    stack_name: str = "Idempotency",
    **settings: Any,
) -> Result:
    """Deploy the stack with these settings, send the payments, wait until nothing is in flight, count.

    One payment in five is sent twice, ``LONGEST_GAP`` seconds apart at most. ``cards`` maps a test card of
    the provider to how often it comes: ``{"fails once": 10}`` is one payment in ten. ``name`` is the first
    part of the payments' ids, so that several runs can share a stack.
    """
    app = cloud.deploy(Idempotency, stack_name=stack_name, **settings)
    gaps: dict[str, float] = {}

    def send(request: Request) -> str:
        body = payment(request.number, name, card_of(request.number, cards or {}))
        _send(cloud, app, body)
        if request.number % COPY_EVERY == COPY_EVERY - 1:
            gaps[body["paymentId"]] = gap_of(request.number)
            cloud.sleep(gaps[body["paymentId"]])
            _send(cloud, app, body)
        return str(body["paymentId"])

    started = cloud.elapsed
    load = open_loop(cloud, arrivals, send)
    cloud.settle()
    seconds = cloud.elapsed - started
    charged = charges_of(cloud, app)
    return Result(
        app=app,
        load=load,
        charges={outcome.result: charged[outcome.result] for outcome in load.outcomes if not outcome.error},
        gaps=gaps,
        failed=frozenset(body["paymentId"] for body in peek(cloud, app["FailedQueueUrl"])),
        seconds=seconds,
        bill=cloud.cost(started),
    )


def trial(cloud: Cloud, *, spread: float = LONGEST_GAP, card: str = "good", **settings: Any) -> Counter[str]:
    """Two payments, so few that their story can be read; the second is sent twice within ``spread`` seconds.

    Returns how often each was charged.
    """
    settings.setdefault("max_receive_count", 10)  # so many crashes in a row are too unlikely to matter
    app = cloud.deploy(Idempotency, stack_name="Idempotency", **settings)
    first, second = payment(0), payment(1, card=card)
    _send(cloud, app, first)
    cloud.settle()
    _send(cloud, app, second)
    cloud.sleep(cloud.rng("idempotency.gap").uniform(0, spread))
    _send(cloud, app, second)
    cloud.settle()
    charged = charges_of(cloud, app)
    return Counter({body["paymentId"]: charged[body["paymentId"]] for body in (first, second)})


def late_copy(cloud: Cloud, **settings: Any) -> Counter[str]:
    """A payment, and its copy ``LATE``: how often it was charged."""
    app = cloud.deploy(Idempotency, stack_name="Idempotency", **settings)
    _send(cloud, app, payment(0))
    cloud.settle()
    cloud.advance(LATE)
    _send(cloud, app, payment(0))
    cloud.settle()
    return Counter({payment(0)["paymentId"]: charges_of(cloud, app)[payment(0)["paymentId"]]})


def other_amount(cloud: Cloud, **settings: Any) -> str:
    """A payment, and a request with its id and another amount: what is wrong with how that ended, or ""."""
    app = cloud.deploy(Idempotency, stack_name="Idempotency", **settings)
    _send(cloud, app, payment(0))
    cloud.settle()
    _send(cloud, app, {**payment(0), "amount": "99.00"})
    cloud.settle()
    name = payment(0)["paymentId"]
    if charges_of(cloud, app)[name] != 1:
        return f"{name} was charged twice, 42.00 and 99.00 euros"
    if not peek(cloud, app["FailedQueueUrl"]):
        return f"the request to charge 99.00 euros for {name} was dropped without a word"
    return ""


def all_is_well(sentence: str) -> str:
    """The invariant of a scenario that judges itself."""
    return sentence


def charged_once(charges: Counter[str]) -> str:
    """The invariant of the lesson: every payment is charged exactly once."""
    wrong = [f"{name} was charged {times} times" for name, times in charges.items() if times > 1]
    return never_lost(charges) or next(iter(wrong), "")


def never_lost(charges: Counter[str]) -> str:
    """Half of it: every payment is charged."""
    return next((f"{name} was never charged" for name, times in charges.items() if times == 0), "")


def second_charge(steps: list[Any]) -> int | None:
    """The step of a story at which a payment was charged again; if none was, the last crash."""
    charged: set[str] = set()
    crash = None
    for index, step in enumerate(steps):
        if step.call == "dynamodb.PutItem" and step.on == "Charges" and step.ok:
            name = step.data["item"]["paymentId"]
            if name in charged:
                return index
            charged.add(name)
        if step.kind == "end" and not step.ok and step.who.startswith("Charger"):
            crash = index
    return crash


def payment(number: int, name: str = "payment", card: str = "good") -> dict[str, Any]:
    """A payment as Parcel's checkout sends it. ``card`` is one of the provider's test cards."""
    return {
        "paymentId": f"{name}-{number + 1:03}",
        "amount": f"{AMOUNT:.2f}",
        "currency": "EUR",
        "card": card,
    }


def card_of(number: int, cards: Mapping[str, int]) -> str:
    """The card of a payment: every so-many-th is a test card, but none of those that are sent twice."""
    for card, every in cards.items():
        if number % every == every // 4 and number % COPY_EVERY != COPY_EVERY - 1:
            return card
    return "good"


def gap_of(number: int) -> float:
    """Seconds from a payment to its copy: spread evenly from 0 to ``LONGEST_GAP``, in no order."""
    return LONGEST_GAP * ((number // COPY_EVERY * 0.618034) % 1)


def charges_of(cloud: Cloud, app: Application) -> Counter[str]:
    """How often each payment was charged, from the provider's own books."""
    pages = (
        cloud.client("dynamodb")
        .get_paginator("scan")
        .paginate(TableName=app["ChargesName"], ConsistentRead=True)
    )
    return Counter(
        item["paymentId"]["S"]
        for page in pages
        for item in page["Items"]
        if item["id"]["S"].startswith("charge")
    )


def peek(cloud: Cloud, queue_url: str) -> list[dict[str, Any]]:
    """The bodies of every visible message of a queue; a minute later they are visible again."""
    sqs = cloud.client("sqs")
    bodies: list[dict[str, Any]] = []
    while messages := sqs.receive_message(
        QueueUrl=queue_url, MaxNumberOfMessages=10, VisibilityTimeout=60
    ).get("Messages"):
        bodies += [json.loads(message["Body"]) for message in messages]
    return bodies


def _send(cloud: Cloud, app: Application, body: dict[str, Any]) -> None:
    cloud.client("sqs").send_message(QueueUrl=app["QueueUrl"], MessageBody=json.dumps(body))
