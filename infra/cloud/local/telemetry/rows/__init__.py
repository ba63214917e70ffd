"""Which metric data points follow from which journal entries: a module per service, a ``Row`` per metric."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from ...journal import Entry
from ..series import Dimensions


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """What one entry of a ``kind`` contributes: a value (a list: one data point each; None: nothing), at
    which time (µs), under which sets of dimensions."""

    namespace: str
    name: str
    unit: str
    kind: str
    value: Callable[[Entry], float | list[float] | None]
    time: Callable[[Entry], int]
    dimensions: Callable[[Entry], list[Dimensions]]


def at_end(entry: Entry) -> int:
    return entry.time
