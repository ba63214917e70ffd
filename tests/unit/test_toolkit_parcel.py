"""The messages of the shop, and arrivals from a file."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime
from pathlib import Path

import pytest

from labs.toolkit import Recorded, parcel
from labs.toolkit.load import Request

AT = datetime(2026, 1, 5, 9, 0, 7, tzinfo=UTC)


def request(number: int) -> Request:
    return Request(number, 7.0, AT)


def test_an_order_follows_from_its_number() -> None:
    placed = parcel.order(request(3))
    assert placed == parcel.order(request(3))
    assert (placed["orderId"], placed["placedAt"]) == ("order-00003", "2026-01-05T09:00:07.000+00:00")
    assert placed["cents"] == sum(
        line["quantity"] * parcel.CATALOGUE[line["sku"]] for line in placed["lines"]
    )
    different = {json.dumps(parcel.order(request(number))["lines"]) for number in range(50)}
    assert len(different) > 20


def test_what_follows_from_an_order() -> None:
    placed = parcel.order(request(3), name="rush")
    assert parcel.payment(placed)["cents"] == placed["cents"]
    assert parcel.payment(placed)["paymentId"] == "payment-for-rush-00003"
    assert parcel.reservation(placed)["lines"] == placed["lines"]
    assert parcel.shipment(placed)["pieces"] == sum(line["quantity"] for line in placed["lines"])
    told = parcel.notification(placed, "Your order is on its way")
    assert told["text"].startswith("Your order is on its way: rush-00003, ")
    entry = parcel.entry("OrderPlaced", placed, bus="shop")
    assert (entry["Source"], json.loads(entry["Detail"])) == ("parcel", placed)


def recorded(tmp_path: Path, text: str, column: str | None = None) -> Recorded:
    path = tmp_path / "orders.csv"
    path.write_text(text, encoding="utf-8")
    return Recorded.read(path, column)


def test_arrivals_of_a_file_count_from_the_earliest(tmp_path: Path) -> None:
    seconds = recorded(tmp_path, "at\n12.5\n10\n11\n")
    assert seconds.offsets == (0, 1, 2.5)
    assert seconds.seconds == 3.75
    assert list(seconds.times(random.Random(1))) == [0, 1, 2.5]
    dates = "order,at\na,2026-01-05T09:00:00Z\nb,2026-01-05T10:00:01+01:00\nc,2026-01-05T09:00:03\n"
    assert recorded(tmp_path, dates, "at").offsets == (0, 1, 3)
    assert recorded(tmp_path, "at\n5\n").offsets == (0,)


def test_a_part_of_a_file_and_more_than_it_keep_its_pace(tmp_path: Path) -> None:
    whole = recorded(tmp_path, "at\n0\n1\n2\n3\n")
    assert whole.seconds == 4
    assert whole.scaled(0.5).offsets == (0, 1)
    assert whole.scaled(1) == whole
    assert whole.scaled(1.5).offsets == (0, 1, 2, 3, 4, 5)


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("at\n1\nsoon\n", None, "orders.csv, line 3: at is 'soon'; it must be a number of seconds or a date"),
        ("at\n1\n", "time", "orders.csv has no column 'time'; it has: at"),
        ("at\n", None, "has no arrivals"),
        ("", None, "has no arrivals"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(
    tmp_path: Path, text: str, column: str | None, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        recorded(tmp_path, text, column)


@pytest.mark.parametrize("offsets", [(2, 1), (-1, 1), (0, 9)])
def test_offsets_that_cannot_be(offsets: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match=r"offsets|not within"):
        Recorded(offsets=offsets, seconds=5)
