"""The shop *Parcel*: what its services tell each other, typed, and made for any number of customers.

    send_messages(cloud, queue_url, Poisson(rate=20, seconds=60), parcel.order)
    events.put_events(Entries=[parcel.entry("OrderPlaced", parcel.order(request), bus=bus_name)])

Every message is a plain dictionary, ready for JSON. What is in it follows from the request's number alone, so
the same load has the same orders on every run and on either target. Amounts are whole cents.
"""

from __future__ import annotations

import json
import random
from typing import Any, TypedDict

from .load import Request

CATALOGUE = {"tea": 450, "cup": 990, "kettle": 4_900, "honey": 720, "biscuits": 380}
"""What is sold -> its price in cents."""
CUSTOMERS = 200
SOURCE = "parcel"
"""The source of all its events."""


class Line(TypedDict):
    sku: str
    quantity: int
    cents: int
    """Of all pieces together."""


class Order(TypedDict):
    orderId: str
    customerId: str
    lines: list[Line]
    cents: int
    placedAt: str
    """ISO 8601."""


class Reservation(TypedDict):
    orderId: str
    lines: list[Line]


class Payment(TypedDict):
    paymentId: str
    orderId: str
    customerId: str
    cents: int


class Shipment(TypedDict):
    shipmentId: str
    orderId: str
    pieces: int


class Notification(TypedDict):
    customerId: str
    subject: str
    text: str


def order(request: Request, *, name: str = "order") -> Order:
    """What the customer of this request orders. ``name`` begins its id, so that several runs differ."""
    rng = random.Random(f"parcel {request.number}")  # str: a seed that is the same on every machine
    lines: list[Line] = []
    for sku in rng.sample(list(CATALOGUE), rng.randint(1, 3)):
        quantity = rng.choice((1, 1, 1, 2, 4))
        lines.append({"sku": sku, "quantity": quantity, "cents": quantity * CATALOGUE[sku]})
    return {
        "orderId": f"{name}-{request.number:05}",
        "customerId": f"customer-{rng.randrange(CUSTOMERS):03}",
        "lines": lines,
        "cents": sum(line["cents"] for line in lines),
        "placedAt": request.at.isoformat(timespec="milliseconds"),
    }


def reservation(placed: Order) -> Reservation:
    """What the inventory is asked to keep for an order."""
    return {"orderId": placed["orderId"], "lines": placed["lines"]}


def payment(placed: Order) -> Payment:
    """What the payment provider is asked to charge for an order: one payment each, with an id of its own."""
    return {
        "paymentId": f"payment-for-{placed['orderId']}",
        "orderId": placed["orderId"],
        "customerId": placed["customerId"],
        "cents": placed["cents"],
    }


def shipment(placed: Order) -> Shipment:
    """What the warehouse is asked to send."""
    return {
        "shipmentId": f"shipment-of-{placed['orderId']}",
        "orderId": placed["orderId"],
        "pieces": sum(line["quantity"] for line in placed["lines"]),
    }


def notification(placed: Order, subject: str) -> Notification:
    """What the customer is told about an order."""
    return {
        "customerId": placed["customerId"],
        "subject": subject,
        "text": f"{subject}: {placed['orderId']}, {placed['cents'] / 100:.2f} EUR",
    }


def entry(detail_type: str, detail: Any, *, bus: str, source: str = SOURCE) -> dict[str, str]:
    """An entry of PutEvents: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsRequestEntry.html"""
    return {
        "EventBusName": bus,
        "Source": source,
        "DetailType": detail_type,
        "Detail": json.dumps(detail),
    }
