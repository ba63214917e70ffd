"""Keys of tables and indexes in a request: of their type, not empty, and no attribute too many.

Messages as the dynamodb-conformance suite recorded them from DynamoDB (tests/tier3/error-messages,
captures/cross-region-latest.json).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from moto.dynamodb.exceptions import MockValidationException

MISMATCH = "The provided key element does not match the schema"
INVALID = "One or more parameter values were invalid: "
_NOT_VALID = "One or more parameter values are not valid. "
_EMPTY = "The AttributeValue for a key attribute cannot contain an empty {} value."


def types_of(table: Any) -> dict[str, str]:
    return {each["AttributeName"]: each["AttributeType"] for each in table.attr}


def matches(table: Any, key: Mapping[str, Any]) -> bool:
    types = types_of(table)
    names = table.table_key_attrs
    return len(key) == len(names) and all(name in key and types[name] in key[name] for name in names)


def key_of(table: Any, item: Mapping[str, Any]) -> dict[str, Any]:
    """As much of its key as an item has."""
    return {name: item[name] for name in table.table_key_attrs if name in item}


def check_key(table: Any, key: Mapping[str, Any]) -> None:
    if table is not None:
        if not matches(table, key):
            raise MockValidationException(MISMATCH)
        check_empty(table, key)


def check_empty(table: Any, attributes: Mapping[str, Any]) -> None:
    for name in table.table_key_attrs:
        kind = _empty(attributes.get(name))
        if kind:
            raise MockValidationException(f"{_NOT_VALID}{_EMPTY.format(kind)} Key: {name}")


def _empty(value: Mapping[str, Any] | None) -> str:
    if value is None:
        return ""
    return "string" if value.get("S") == "" else "binary" if value.get("B") == "" else ""


def check_index_keys(table: Any, attributes: Mapping[str, Any], *, update: bool = False) -> None:
    problem = type_problem(table, attributes)
    if problem:
        raise MockValidationException(problem)
    check_empty_index_keys(table, attributes, update=update)


def type_problem(table: Any, attributes: Mapping[str, Any]) -> str:
    """What is wrong if an attribute that is the key of an index is not of that key's type."""
    types = types_of(table)
    for index, name in _index_keys(table):
        value = attributes.get(name)
        if value is not None and types[name] not in value:
            return (
                f"{INVALID}Type mismatch for Index Key {name} Expected: {types[name]} Actual: "
                f"{next(iter(value))} IndexName: {index.name}"
            )
    return ""


def check_empty_index_keys(table: Any, attributes: Mapping[str, Any], *, update: bool = False) -> None:
    for index, name in _index_keys(table):
        kind = _empty(attributes.get(name))
        if kind and update:
            raise MockValidationException(
                f"{_NOT_VALID}The update expression attempted to update a secondary index key to a value "
                f"that is not supported. {_EMPTY.format(kind)}"
            )
        if kind:
            raise MockValidationException(
                f"{_NOT_VALID}A value specified for a secondary index key is not supported. "
                f"{_EMPTY.format(kind)} IndexName: {index.name}, IndexKey: {name}"
            )


def _index_keys(table: Any) -> list[tuple[Any, str]]:
    """Of the indexes in the order of their names: the key attributes that are not the table's."""
    indexes = sorted((*table.global_indexes, *table.indexes), key=lambda each: str(each.name))
    own = table.table_key_attrs
    return [(index, name) for index in indexes for name in index.schema_key_attrs if name not in own]
