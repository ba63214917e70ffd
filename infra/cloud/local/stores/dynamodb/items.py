"""moto's items, which know here what they weigh."""

from __future__ import annotations

from typing import Any

from moto.dynamodb.exceptions import ItemSizeTooLarge, MockValidationException
from moto.dynamodb.models.dynamo_type import DynamoType, LimitedSizeDict

from .metering import SEEN
from .units import attribute_bytes, value_bytes

MAX_ITEM = 400 * 1024
"""Bytes: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html"""


def make_item(item: Any, hash_key: Any, range_key: Any, attrs: dict[str, Any]) -> None:
    """In place of Item's constructor, which measures the whole item again for each of its attributes."""
    item.hash_key = hash_key
    item.range_key = range_key
    item.attrs = LimitedSizeDict.__new__(LimitedSizeDict)
    total = 0
    for name, given in attrs.items():
        value = DynamoType(given)
        total += len(name.encode()) + value_bytes(value)
        if total > MAX_ITEM:
            raise ItemSizeTooLarge
        dict.__setitem__(item.attrs, name, value)
    item._bytes = total


def measured(table: Any, item: Any) -> Any:
    """An update changed the item in place: note what it weighs now, and what it weighed."""
    table._old_bytes = item.__dict__.get("_bytes", 0)
    item._bytes = attribute_bytes(item.attrs)
    table._written = item
    return item


def get_item(table: Any, hash_key: Any, range_key: Any = None, projection_expression: Any = None) -> Any:
    """In place of moto's: notes what was found, for its size."""
    if table.range_key_attr is not None and not range_key:
        raise MockValidationException("Table has a range key, but no range key was passed into get_item")
    found = table.items.get(hash_key)
    if found is not None and range_key:
        found = found.get(range_key)
    table._found = found
    SEEN.table = table
    if found is not None and projection_expression:
        return found.project(projection_expression)
    return found
