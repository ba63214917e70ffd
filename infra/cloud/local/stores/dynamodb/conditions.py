"""DynamoDB's own condition keys: which items, which attributes and what of them a request asks for.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

Params = Mapping[str, Any]
Keys = dict[str, str | list[str]]

_EXPRESSIONS = (
    "ConditionExpression",
    "FilterExpression",
    "KeyConditionExpression",
    "ProjectionExpression",
    "UpdateExpression",
)
_BY_NAME = ("AttributeUpdates", "Expected", "Item", "Key", "KeyConditions", "QueryFilter", "ScanFilter")
"""Parameters that map attributes' names to something."""
_WORDS = frozenset({"add", "and", "between", "delete", "in", "not", "or", "remove", "set"})
_NAME = re.compile(r"(?<![\w.:#-])(#?[A-Za-z_][\w-]*|#\w+)(?!\s*\(|[\w-])")
_EQUALS = re.compile(r"(?:^|\(|\band\b)\s*\(?\s*(#?[\w-]+)\s*=\s*(:\w+)", re.IGNORECASE)


def request_keys(operation: str, params: Params) -> Keys:
    """What can be said without the table: attributes, Select, ReturnValues, ReturnConsumedCapacity."""
    found: Keys = {}
    names = dict.fromkeys(name for body in _bodies(params) for name in _attributes(body))
    if names:
        found["dynamodb:attributes"] = list(names)
    select = _select(operation, params)
    if select:
        found["dynamodb:select"] = select
    if operation in ("PutItem", "UpdateItem", "DeleteItem"):
        found["dynamodb:returnvalues"] = params.get("ReturnValues", "NONE")
    if "ReturnConsumedCapacity" in params:
        found["dynamodb:returnconsumedcapacity"] = params["ReturnConsumedCapacity"]
    if operation in ("TransactGetItems", "TransactWriteItems"):
        found["dynamodb:enclosingoperation"] = operation
    return found


def leading_keys(params: Params, region: str, account: str) -> Keys:
    """The values of the partition key: of every item, or of a query's condition. A scan has none."""
    values: dict[str, None] = {}
    for body in _bodies(params):
        name = _partition_key(body.get("TableName", ""), body.get("IndexName"), region, account)
        if name is None:
            continue
        for given in (body.get("Key"), body.get("Item")):
            if given and name in given:
                values[_text(given[name])] = None
        legacy = (body.get("KeyConditions") or {}).get(name)
        if legacy:
            values[_text(legacy["AttributeValueList"][0])] = None
        aliases = body.get("ExpressionAttributeNames") or {}
        for left, right in _EQUALS.findall(body.get("KeyConditionExpression") or ""):
            operand = (body.get("ExpressionAttributeValues") or {}).get(right)
            if aliases.get(left, left) == name and operand:
                values[_text(operand)] = None
    return {"dynamodb:leadingkeys": list(values)} if values else {}


def _bodies(params: Params) -> Iterator[Params]:
    """Each single request of a call, with its table's name."""
    if "TransactItems" in params:
        for item in params["TransactItems"]:
            yield from item.values()
    elif isinstance(params.get("RequestItems"), Mapping):
        for table, requests in params["RequestItems"].items():
            if isinstance(requests, Mapping):
                shared = {name: value for name, value in requests.items() if name != "Keys"}
                yield from ({"TableName": table, "Key": key, **shared} for key in requests.get("Keys", ()))
            else:
                yield from ({"TableName": table, **body} for each in requests for body in each.values())
    else:
        yield params


def _attributes(body: Params) -> Iterator[str]:
    for parameter in _BY_NAME:
        yield from body.get(parameter) or ()
    yield from body.get("AttributesToGet") or ()
    aliases = body.get("ExpressionAttributeNames") or {}
    for parameter in _EXPRESSIONS:
        yield from attribute_names(body.get(parameter) or "", aliases)


def attribute_names(expression: str, aliases: Mapping[str, str]) -> Iterator[str]:
    """The attributes that an expression names, without what lies within them."""
    for name in _NAME.findall(expression):
        if name.lower() not in _WORDS:
            yield aliases.get(name, name)


def _select(operation: str, params: Params) -> str:
    """As the request says, or as it means: a projection asks for specific attributes."""
    if operation not in ("GetItem", "BatchGetItem", "Query", "Scan"):
        return ""
    if "Select" in params:
        return str(params["Select"])
    bodies = list(_bodies(params))
    some = all(body.get("ProjectionExpression") or body.get("AttributesToGet") for body in bodies)
    return "SPECIFIC_ATTRIBUTES" if some and bodies else "ALL_ATTRIBUTES"


def _partition_key(table: str, index: str | None, region: str, account: str) -> str | None:
    from moto.dynamodb.models import dynamodb_backends

    backend: Any = dynamodb_backends[account][region]
    found = backend.tables.get(table.rpartition("table/")[2])
    if found is None:
        return None
    if index:
        for each in (*found.global_indexes, *found.indexes):
            if each.name == index:
                return str(next(part["AttributeName"] for part in each.schema if part["KeyType"] == "HASH"))
    return str(found.hash_key_attr)


def _text(value: Any) -> str:
    """A value as a policy compares it; ``value`` as the API has it (``{"S": "x"}``)."""
    if isinstance(value, Mapping) and len(value) == 1:
        value = next(iter(value.values()))
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
