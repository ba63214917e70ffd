"""What an operation costs in capacity units, counted in halves so that all sums are exact.

- A write costs one unit per KB of the larger of the item before and after; a read one per 4 KB, half of that
  if it is eventually consistent; in a transaction both cost double:
  https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
- An item's size: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
- What a write does to an index: a new or removed entry and a changed projection cost one write, a changed
  index key two, nothing visible nothing:
  https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html#GSI.ThroughputConsiderations.Writes
  An index is charged once even if a transaction writes (recorded from AWS).
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any

from .images import attributes_size, content_size

HALF = 1
UNIT = 2
"""Halves of a unit."""

WRITTEN, READ = 1024, 4096
"""Bytes that one unit covers."""


def value_bytes(value: Any) -> int:
    """The size of a value as moto holds it (a DynamoType)."""
    return content_size(value.type, value.value, value_bytes)


def attribute_bytes(attributes: Mapping[str, Any]) -> int:
    """The size of attributes as moto holds them."""
    return attributes_size(attributes, value_bytes)


def item_bytes(item: Any) -> int:
    """The size of an item of moto's; 0 for none. It is kept on the item, and dropped when it changes."""
    if item is None:
        return 0
    known: int | None = item.__dict__.get("_bytes")
    if known is None:
        known = item._bytes = attribute_bytes(item.attrs)
    return known


def write_halves(before: int, after: int, *, transactional: bool = False) -> int:
    """Of a write that finds an item of ``before`` bytes and leaves one of ``after`` (0: there is none)."""
    units = max(1, -(-max(before, after) // WRITTEN))
    return units * UNIT * (2 if transactional else 1)


def read_halves(size: int, *, consistent: bool = False, transactional: bool = False) -> int:
    """Of a read of ``size`` bytes: one item, or all that a page looked at."""
    units = max(1, -(-size // READ))
    return units * (4 if transactional else UNIT if consistent else HALF)


class Entry:
    """What an index holds of an item: its key there, and the projected attributes."""

    __slots__ = ("attributes", "key", "size")

    def __init__(self, index: Any, item: Any, *, keep: bool) -> None:
        names = _projected(index)
        found = item.attrs if names is None else {n: item.attrs[n] for n in names if n in item.attrs}
        self.key = tuple(_plain(item.attrs[name]) for name in index.schema_key_attrs)
        self.size = attribute_bytes(found)
        self.attributes: Mapping[str, Any] = copy.deepcopy(dict(found)) if keep else found


def entry_of(index: Any, item: Any, *, keep: bool = False) -> Entry | None:
    """None if the index has no entry for it. ``keep``: as it is now, whatever becomes of the item."""
    if item is None or any(name not in item.attrs for name in index.schema_key_attrs):
        return None
    return Entry(index, item, keep=keep)


def entry_halves(before: Entry | None, after: Entry | None) -> int:
    """What a write costs an index."""
    if before is None and after is None:
        return 0
    if before is None or after is None:
        one = before or after
        assert one is not None
        return write_halves(0, one.size)
    if before.key != after.key:
        return write_halves(before.size, 0) + write_halves(0, after.size)
    if before.attributes == after.attributes:
        return 0
    return write_halves(before.size, after.size)


def _projected(index: Any) -> set[str] | None:
    """The attributes that an index holds; None: all."""
    projection = index.projection or {}
    kind = projection.get("ProjectionType", "ALL")
    if kind == "ALL":
        return None
    names = {*index.table_key_attrs, *index.schema_key_attrs}
    if kind == "INCLUDE":
        names.update(projection.get("NonKeyAttributes", ()))
    return names


def _plain(value: Any) -> tuple[str, Any]:
    return value.type, value.value


def plain_key(value: Any) -> Any:
    """A key attribute of a request (``{"S": "a"}``) as something to look up by."""
    if isinstance(value, dict) and value:
        return next(iter(value.values()))
    return getattr(value, "value", None)


def units(halves: int) -> float:
    return halves / UNIT


def total(halves: Iterable[int]) -> float:
    return units(sum(halves))
