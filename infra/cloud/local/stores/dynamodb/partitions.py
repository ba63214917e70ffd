"""Reading a table at the cost of what is read: a partition keeps the order of its sort keys.

moto sorts the whole table for each query. A partition here sorts its keys when it is first queried and keeps
them sorted; a query finds its range by bisection and stops at its limit.
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Query.html
"""

from __future__ import annotations

import copy
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from .units import item_bytes

PAGE = 1 << 20
"""A page of results ends when its items exceed 1 MB."""

_LAST = "\U0010ffff"


class Partition(dict[Any, Any]):
    """The items of one partition key by sort key, as moto keeps them, with an order once it was asked for."""

    values_in_order: list[Any] | None = None
    keys_in_order: list[Any]

    def order(self) -> tuple[list[Any], list[Any]]:
        """The values of the sort keys, and the keys themselves, both in order."""
        if self.values_in_order is None:
            pairs = sorted(((key.cast_value, key) for key in self), key=lambda pair: pair[0])
            self.values_in_order = [value for value, _ in pairs]
            self.keys_in_order = [key for _, key in pairs]
        return self.values_in_order, self.keys_in_order

    def __setitem__(self, key: Any, item: Any) -> None:
        if self.values_in_order is not None and key not in self:
            value = key.cast_value
            index = bisect_left(self.values_in_order, value)
            self.values_in_order.insert(index, value)
            self.keys_in_order.insert(index, key)
        super().__setitem__(key, item)

    def pop(self, key: Any, *default: Any) -> Any:
        if self.values_in_order is not None and key in self:
            index = bisect_left(self.values_in_order, key.cast_value)
            del self.values_in_order[index], self.keys_in_order[index]
        return super().pop(key, *default)

    def __deepcopy__(self, memo: dict[int, Any]) -> Partition:
        return Partition((copy.deepcopy(key, memo), copy.deepcopy(item, memo)) for key, item in self.items())


def keep_in_order(table: Any) -> None:
    """Let a new table have such partitions."""
    table.items = defaultdict(Partition)


def bounds(comparison: str | None, operands: list[Any], values: list[Any]) -> tuple[int, int] | None:
    """From where to where in the sorted ``values`` a key condition holds; None for an unknown comparison."""
    if comparison is None:
        return 0, len(values)
    first = operands[0]
    if comparison in ("=", "EQ"):
        return bisect_left(values, first), bisect_right(values, first)
    if comparison in ("<", "LT"):
        return 0, bisect_left(values, first)
    if comparison in ("<=", "LE"):
        return 0, bisect_right(values, first)
    if comparison in (">", "GT"):
        return bisect_right(values, first), len(values)
    if comparison in (">=", "GE"):
        return bisect_left(values, first), len(values)
    if comparison == "BETWEEN":
        return bisect_left(values, first), bisect_right(values, operands[1])
    if comparison == "BEGINS_WITH" and isinstance(first, str):
        return bisect_left(values, first), bisect_right(values, first + _LAST)
    return None


Query = Callable[..., tuple[list[Any], int, dict[str, Any] | None]]


def query_by(original: Query) -> Query:
    """moto's ``Table.query``, with a shorter way for queries of a table with a sort key."""

    def query(
        table: Any,
        hash_key: Any,
        range_comparison: str | None,
        range_objs: list[Any],
        limit: int | None,
        exclusive_start_key: dict[str, Any] | None,
        scan_index_forward: bool,
        projection_expressions: Any,
        index_name: str | None = None,
        consistent_read: bool = False,
        filter_expression: Any = None,
        **more: Any,
    ) -> tuple[list[Any], int, dict[str, Any] | None]:
        partition = None
        known = more.keys() <= {"hash_key_conditions", "range_key_conditions"}
        if index_name is None and hash_key is not None and known and table.has_range_key:
            partition = table.items.get(hash_key, Partition())
        within = None
        if isinstance(partition, Partition):
            values, keys = partition.order()
            within = bounds(range_comparison, [each.cast_value for each in range_objs], values)
        if within is None:
            found, scanned, last = original(
                table,
                hash_key,
                range_comparison,
                range_objs,
                limit,
                exclusive_start_key,
                scan_index_forward,
                None,
                index_name,
                consistent_read,
                **more,
            )
            table._read = sum(map(item_bytes, found)), None if hash_key is None else hash_key.value
            return _shown(found, filter_expression, projection_expressions), scanned, last
        assert partition is not None
        first, end = within
        if exclusive_start_key is not None:
            kind = type(keys[0]) if keys else None
            start = kind(exclusive_start_key[table.range_key_attr]).cast_value if kind else None
            if start is not None and scan_index_forward is not False:
                first = max(first, bisect_right(values, start))
            elif start is not None:
                end = min(end, bisect_left(values, start))
        indexes = range(first, end) if scan_index_forward is not False else range(end - 1, first - 1, -1)
        found = []
        size = 0
        last = None
        for index in indexes:
            item = partition[keys[index]]
            bytes_of_item = item_bytes(item)
            if found and size + bytes_of_item > PAGE:
                last = table._get_last_evaluated_key(found[-1], None)
                break
            found.append(item)
            size += bytes_of_item
            if len(found) == limit:
                last = table._get_last_evaluated_key(item, None)
                break
        table._read = size, None if hash_key is None else hash_key.value
        return _shown(copy.deepcopy(found), filter_expression, projection_expressions), len(found), last

    return query


def scan_by(original: Query) -> Query:
    """moto's ``Table.scan``, which notes what a page looked at before the filter."""

    def scan(
        table: Any,
        filters: Any,
        limit: int | None,
        exclusive_start_key: dict[str, Any] | None,
        filter_expression: Any = None,
        index_name: str | None = None,
        consistent_read: bool = False,
        projection_expression: Any = None,
        **more: Any,
    ) -> tuple[list[Any], int, dict[str, Any] | None]:
        found, scanned, last = original(
            table, filters, limit, exclusive_start_key, None, index_name, consistent_read, None, **more
        )
        table._read = sum(map(item_bytes, found)), None
        return _shown(found, filter_expression, projection_expression), scanned, last

    return scan


def _shown(items: list[Any], filter_expression: Any, projection: Any) -> list[Any]:
    """https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.FilterExpression.html"""
    if filter_expression is not None:
        items = [item for item in items if filter_expression.expr(item)]
    if projection:
        items = [item.project(projection) for item in items]
    return items


def all_items(table: Any) -> list[Any]:
    """In place of moto's: every item, by partition key, then by sort key; compared as plain values."""
    hashes = sorted(table.items, key=lambda key: key.cast_value)
    if not table.range_key_attr:
        return [table.items[key] for key in hashes]
    found: list[Any] = []
    for key in hashes:
        partition = table.items[key]
        if isinstance(partition, Partition):
            found += [partition[each] for each in partition.order()[1]]
        else:
            found += sorted(partition.values(), key=lambda item: item.range_key.cast_value)
    return found
