"""The price list (``prices.toml``) and what a line of a bill is."""

from __future__ import annotations

import dataclasses
import tomllib
from pathlib import Path
from typing import Literal

Growth = Literal["load", "time"]

HOURS_PER_MONTH = 730
POLLERS = 5
LONG_POLL_SECONDS = 20
"""An event source mapping long-polls its queue all the time, with five pollers (as few as two at low
traffic): https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html"""


@dataclasses.dataclass(frozen=True, slots=True)
class Price:
    usd: float
    per: float
    unit: str
    page: str
    seen: str
    date: str
    note: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Line:
    """``quantity`` in the price's unit. ``grows``: with the number of orders, or with the time that
    passes."""

    service: str
    item: str
    quantity: float
    price: Price
    grows: Growth = "load"
    note: str = ""

    @property
    def usd(self) -> float:
        return self.quantity * self.price.usd / self.price.per

    def scaled(self, factor: float) -> Line:
        return dataclasses.replace(self, quantity=self.quantity * factor)


def prices(path: Path | None = None) -> dict[str, Price]:
    """The price list by name."""
    data = tomllib.loads((path or Path(__file__).with_name("prices.toml")).read_text())
    return {name: Price(**row) for name, row in data.items()}
