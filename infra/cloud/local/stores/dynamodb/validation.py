"""What DynamoDB refuses in a request on items, with its table: keys, batches, transactions, queries.

Messages and their order as the dynamodb-conformance suite recorded them from DynamoDB
(tests/tier3/error-messages, captures/cross-region-latest.json), LocalStack's test_dynamodb, or dynalite's
tests.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from moto.core.responses import ActionResult
from moto.dynamodb.exceptions import (
    MockValidationException,
    MultipleTransactionsException,
    TransactionCanceledException,
    TransactWriteSingleOpException,
)

from . import values
from .dumps import dumped
from .key_checks import (
    MISMATCH,
    check_empty,
    check_empty_index_keys,
    check_index_keys,
    check_key,
    key_of,
    matches,
)
from .metering import find
from .reads import get, query, scan
from .values import ENVELOPE
from .wording import check_expressions

Body = dict[str, Any]
MAX_BATCH = 25
"""Items of one BatchWriteItem: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html"""
_SET = re.compile(
    r"(?:\bSET\b|,)\s*(#?\w+)\s*=\s*(:\w+)(?=\s*(?:,|$|ADD\b|REMOVE\b|DELETE\b))", re.IGNORECASE
)


def checked(action: Callable[[Any], ActionResult], operation: str) -> Callable[[Any], ActionResult]:
    check = _CHECKS[operation]

    def acted(handler: Any) -> ActionResult:
        check(handler)
        try:
            return action(handler)
        except MockValidationException as error:
            told = _told(operation, str(error.message), handler.body)
            if told == str(error.message):
                raise
            raise MockValidationException(told) from error

    return acted


def _told(operation: str, message: str, body: Body) -> str:
    """moto's words for a write's expression, as DynamoDB says it."""
    if operation not in ("PutItem", "UpdateItem", "DeleteItem"):
        reading = message.startswith(f"{ENVELOPE}Invalid ProjectionExpression: ")
        return message.removeprefix(ENVELOPE) if reading else message
    wrong = re.search(
        r"Incorrect operand type for operator or function; .*: ([+-]|list_append), .*: (\w+)$", message
    )
    if wrong is not None:
        given = {next(iter(each)) for each in (body.get("ExpressionAttributeValues") or {}).values()}
        if wrong[2] not in given:  # the item's attribute is of that type
            return "An operand in the update expression has an incorrect data type"
    if message.startswith(("Invalid UpdateExpression: ", "Invalid ConditionExpression: ")):
        return ENVELOPE + message
    return message


def _check_returned(body: Body) -> None:
    if body.get("ReturnValues", "NONE") not in ("ALL_OLD", "NONE"):
        raise MockValidationException(f"{ENVELOPE}ReturnValues can only be ALL_OLD or NONE")


def _expected(body: Body) -> None:
    for each in (body.get("Expected") or {}).values():
        if "Value" in each:
            values.check(each["Value"])
        values.check_all(each.get("AttributeValueList") or ())


def _put(handler: Any) -> None:
    body = handler.body
    values.check_items(body["Item"])
    _check_returned(body)
    check_expressions(body, ("ConditionExpression",), ("Expected",), envelope=True)
    _expected(body)
    table = find(handler, body["TableName"])
    if table is not None:
        check_empty(table, body["Item"])
        if matches(table, key_of(table, body["Item"])):
            check_index_keys(table, body["Item"])


def _update(handler: Any) -> None:
    body = handler.body
    values.check_items(body["Key"])
    both = ("UpdateExpression", "ConditionExpression")
    check_expressions(body, both, ("AttributeUpdates", "Expected"), envelope=True)
    _expected(body)
    for each in (body.get("AttributeUpdates") or {}).values():
        if "Value" in each:
            values.check(each["Value"])
    table = find(handler, body["TableName"])
    check_key(table, body["Key"])
    if table is not None:
        check_index_keys(table, assigned(body), update=True)


def assigned(body: Body) -> dict[str, Any]:
    """The attributes that an update sets to a value of the request."""
    names = body.get("ExpressionAttributeNames") or {}
    placed = body.get("ExpressionAttributeValues") or {}
    found = _SET.findall(body.get("UpdateExpression") or "")
    return {names.get(name, name): placed[value] for name, value in found if value in placed}


def written(kind: str, op: Body) -> dict[str, Any]:
    """The attributes that one operation of a transaction writes, as far as the request says."""
    return op["Item"] if kind == "Put" else assigned(op) if kind == "Update" else {}


def _delete(handler: Any) -> None:
    body = handler.body
    values.check_items(body["Key"])
    _check_returned(body)
    check_expressions(body, ("ConditionExpression",), ("Expected",), envelope=True)
    _expected(body)
    check_key(find(handler, body["TableName"]), body["Key"])


def _batch_write(handler: Any) -> None:
    asked = handler.body["RequestItems"]
    if not asked:
        raise MockValidationException("The requestItems parameter is required for BatchWriteItem")
    if any(len(writes) > MAX_BATCH for writes in asked.values()):
        raise MockValidationException(
            f"{ENVELOPE}Value '{dumped(asked)}' at 'requestItems' failed to satisfy constraint: Map value "
            "must satisfy constraint: [Member must have length less than or equal to 25, Member must have "
            "length greater than or equal to 1]"
        )
    if sum(map(len, asked.values())) > MAX_BATCH:
        raise MockValidationException("Too many items requested for the BatchWriteItem call")
    for name, writes in asked.items():
        table, seen = find(handler, name), set()
        for write in writes:
            put = write.get("PutRequest")
            given = write["DeleteRequest"]["Key"] if put is None else put["Item"]
            values.check_items(given)
            if table is None:
                continue
            key = key_of(table, given)
            check_key(table, given if put is None else key)
            if put is not None:
                check_index_keys(table, given)
            same = str(sorted(key.items()))
            if same in seen:
                raise MockValidationException("Provided list of item keys contains duplicates")
            seen.add(same)


def _batch_get(handler: Any) -> None:
    asked = handler.body["RequestItems"]
    if not asked:
        raise MockValidationException("The requestItems parameter is required for BatchGetItem")
    for name, reads in asked.items():
        if len(reads["Keys"]) > 100:
            raise MockValidationException(
                f"{ENVELOPE}Value at 'RequestItems.{name}.member.Keys' failed to satisfy constraint: Member "
                "must have length less than or equal to 100"
            )
        check_expressions(reads, ("ProjectionExpression",), ("AttributesToGet",))
        table = find(handler, name)
        for key in reads["Keys"]:
            values.check_items(key)
            check_key(table, key)


def _transact_write(handler: Any) -> None:
    for item in handler.body["TransactItems"]:
        if len(item) != 1:
            raise TransactWriteSingleOpException
        ((kind, op),) = item.items()
        given = op["Item"] if kind == "Put" else op["Key"]
        values.check_items(given)
        check_expressions(op, ("UpdateExpression", "ConditionExpression"))
        table = find(handler, op["TableName"])
        if table is not None:
            check_empty(table, given)
            check_empty_index_keys(table, written(kind, op), update=kind == "Update")


def _transact_get(handler: Any) -> None:
    reasons: list[tuple[str | None, str | None, Any]] = []
    seen = set()
    for item in handler.body["TransactItems"]:
        op = item["Get"]
        values.check_items(op["Key"])
        check_expressions(op, ("ProjectionExpression",))
        table = find(handler, op["TableName"])
        if table is None:
            return  # moto says so
        check_empty(table, op["Key"])
        wrong = not matches(table, op["Key"])
        reasons.append(("ValidationError", MISMATCH, None) if wrong else (None, None, None))
        same = table.name, str(sorted(op["Key"].items()))
        if same in seen:
            raise MultipleTransactionsException
        seen.add(same)
    if any(code for code, _, _ in reasons):
        raise TransactionCanceledException(reasons)


_CHECKS: dict[str, Callable[[Any], None]] = {
    "BatchGetItem": _batch_get,
    "BatchWriteItem": _batch_write,
    "DeleteItem": _delete,
    "GetItem": get,
    "PutItem": _put,
    "Query": query,
    "Scan": scan,
    "TransactGetItems": _transact_get,
    "TransactWriteItems": _transact_write,
    "UpdateItem": _update,
}
