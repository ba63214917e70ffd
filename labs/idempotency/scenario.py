"""The experiments of this lesson: payments, some of them sent twice, and a count of what was charged.

It uses boto3 and the cloud's interface only.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import Any

from infra.cloud import Application, Cloud
from infra.stacks.idempotency import Idempotency
from labs.toolkit.arrivals import AtOnce
from labs.toolkit.load import send_messages


@dataclasses.dataclass(frozen=True)
class Charged:
    """What a trial came to: each payment's id -> how often it was charged."""

    charges: Counter[str]
    payments: tuple[str, ...]


def trial(cloud: Cloud, *, payments: int = 2, card: str = "good", **settings: Any) -> Charged:
    """A few payments at once: small enough that what happens under one seed can be read."""
    app = cloud.deploy(Idempotency, stack_name="Idempotency", **settings)
    bodies = [payment(number, "payment", card) for number in range(payments)]
    send_messages(cloud, app["QueueUrl"], AtOnce(requests=payments), lambda request: bodies[request.number])
    cloud.settle()
    return Charged(charges_of(cloud, app), tuple(body["paymentId"] for body in bodies))


def charged_once(result: Charged) -> str:
    """The invariant of the lesson: every payment is charged exactly once."""
    for name in result.payments:
        times = result.charges[name]
        if times == 0:
            return f"{name} was never charged"
        if times > 1:
            return f"{name} was charged {times} times"
    return ""


def second_charge(steps: list[Any]) -> int | None:
    """The step of a story at which a payment was charged a second time."""
    charged: set[str] = set()
    for index, step in enumerate(steps):
        if step.call == "dynamodb.PutItem" and step.on == "Charges" and step.ok:
            name = step.data["item"]["paymentId"]
            if name in charged:
                return index
            charged.add(name)
    return None


def payment(number: int, name: str = "payment", card: str = "good") -> dict[str, Any]:
    """A payment as Parcel's checkout sends it. ``card`` is one of the provider's test cards."""
    return {"paymentId": f"{name}-{number + 1}", "amount": 4200, "currency": "EUR", "card": card}


def charges_of(cloud: Cloud, app: Application) -> Counter[str]:
    """How often each payment was charged, from the provider's own books."""
    pages = cloud.client("dynamodb").get_paginator("scan").paginate(TableName=app["ChargesName"])
    return Counter(
        item["paymentId"]["S"]
        for page in pages
        for item in page["Items"]
        if item["entry"]["S"].startswith("charge")
    )
