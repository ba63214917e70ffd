"""What DynamoDB refuses in GetItem, Query and Scan, with their table.

Messages as the dynamodb-conformance suite recorded them from DynamoDB (tests/tier3/error-messages), or
dynalite's tests.
"""

from __future__ import annotations

import re
from typing import Any

from moto.dynamodb.exceptions import MockValidationException

from . import values
from .conditions import attribute_names
from .key_checks import INVALID, MISMATCH, check_key, types_of
from .metering import find
from .wording import check_expressions

Body = dict[str, Any]
_COMPARED = re.compile(
    r"(#?[\w-]+)\s*(?:=|<=|>=|<|>|BETWEEN)\s*(:\w+)|begins_with\s*\(\s*(#?[\w-]+)\s*,\s*(:\w+)", re.I
)


def get(handler: Any) -> None:
    body = handler.body
    values.check_items(body["Key"])
    check_expressions(body, ("ProjectionExpression",), ("AttributesToGet",))
    check_key(find(handler, body["TableName"]), body["Key"])


def query(handler: Any) -> None:
    body = handler.body
    if body.get("KeyConditions") is None and body.get("KeyConditionExpression") is None:
        raise MockValidationException(
            "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request."
        )
    for each in (body.get("KeyConditions") or {}).values():
        values.check_all(each.get("AttributeValueList") or ())
    taken = ("KeyConditionExpression", "FilterExpression", "ProjectionExpression")
    replaced = ("QueryFilter", "AttributesToGet", "ConditionalOperator")
    legacy = () if body.get("KeyConditionExpression") is None else ("KeyConditions",)
    check_expressions(body, taken, (*legacy, *replaced))
    table = find(handler, body["TableName"])
    if table is None:
        return
    keys = _keys_of(table, body)
    types, names = types_of(table), body.get("ExpressionAttributeNames") or {}
    placed = body.get("ExpressionAttributeValues") or {}
    for one, value, other, prefix in _COMPARED.findall(body.get("KeyConditionExpression") or ""):
        name = names.get(one or other, one or other)
        operand = placed.get(value or prefix)
        if name in keys and operand is not None and types[name] not in operand:
            raise MockValidationException(f"{INVALID}Condition parameter type does not match schema type")
    for name in attribute_names(body.get("FilterExpression") or "", names):
        if name in keys:
            raise MockValidationException(
                "Filter Expression can only contain non-primary key attributes: Primary key attribute: "
                + name
            )
    _check_start(table, keys, body)


def scan(handler: Any) -> None:
    body = handler.body
    check_expressions(
        body,
        ("ProjectionExpression", "FilterExpression"),
        ("AttributesToGet", "ScanFilter", "ConditionalOperator"),
    )
    segment, total = body.get("Segment"), body.get("TotalSegments")
    if segment is None and total is not None:
        raise MockValidationException(
            "The Segment parameter is required but was not present in the request when parameter "
            "TotalSegments is present"
        )
    if segment is not None and total is not None and segment >= total:
        raise MockValidationException(
            "The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: "
            f"{segment} is not less than TotalSegments: {total}"
        )
    table = find(handler, body["TableName"])
    if table is not None:
        _check_start(table, _keys_of(table, body), body)


def _keys_of(table: Any, body: Body) -> list[str]:
    """The names of the key of what is read: the table, or one of its indexes."""
    wanted = body.get("IndexName")
    if not wanted:
        return list(table.table_key_attrs)
    for index in (*table.global_indexes, *table.indexes):
        if index.name == wanted:
            if body.get("ConsistentRead") and index in table.global_indexes:
                raise MockValidationException(
                    "Consistent reads are not supported on global secondary indexes"
                )
            return list(index.schema_key_attrs)
    raise MockValidationException(f"The table does not have the specified index: {wanted}")


def _check_start(table: Any, keys: list[str], body: Body) -> None:
    start = body.get("ExclusiveStartKey")
    if not start:
        return
    values.check_items(start)
    types = types_of(table)
    wanted = {*table.table_key_attrs, *keys}
    if set(start) != wanted or any(types[name] not in start[name] for name in wanted):
        tail = "" if body.get("IndexName") else f": {MISMATCH}"
        raise MockValidationException(f"The provided starting key is invalid{tail}")
