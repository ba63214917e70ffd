"""TransactWriteItems: check every condition, then write every item, or nothing, at the cost of its items.

moto copies the whole table for each item to be able to go back. Here nothing is written before every
condition holds, and what was written is undone item by item if a write turns out to be invalid.
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
"""

from __future__ import annotations

import copy
import hashlib
import json
from collections import deque
from typing import TYPE_CHECKING, Any

from moto.dynamodb.comparisons import get_filter_expression
from moto.dynamodb.exceptions import (
    DynamodbException,
    MultipleTransactionsException,
    TooManyTransactionsException,
    TransactionCanceledException,
    TransactWriteSingleOpException,
)
from moto.dynamodb.models.dynamo_type import DynamoType

from ...kernel import SECOND
from .key_checks import type_problem
from .validation import written

if TYPE_CHECKING:
    from ...kernel import Kernel

TOKEN_LIFE = 600 * SECOND
"""A client request token is valid for 10 minutes after the first request that used it (µs)."""

FAILED = ("ConditionalCheckFailed", "The conditional request failed")
WRONG_KEY = ("ValidationError", "The provided key element does not match the schema")

Reason = tuple[str | None, str | None, dict[str, Any] | None]
"""Why one item of a transaction fails: code, message, the item as it is."""

PASSED: Reason = (None, None, None)


class IdempotentParameterMismatch(DynamodbException):
    def __init__(self) -> None:
        super().__init__(
            "com.amazonaws.dynamodb.v20120810#IdempotentParameterMismatchException",
            "The provided client request token was already used with different request parameters",
        )


class Tokens:
    """The client request tokens of successful transactions, for 10 minutes."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._known: dict[str, bytes] = {}
        self._order: deque[tuple[int, str]] = deque()

    def used(self, token: str, request: bytes) -> bool:
        """Was this very request made with this token? Another one raises IdempotentParameterMismatch."""
        while self._order and self._order[0][0] < self._kernel.now:
            del self._known[self._order.popleft()[1]]
        known = self._known.get(token)
        if known is not None and known != request:
            raise IdempotentParameterMismatch
        return known is not None

    def use(self, token: str, request: bytes) -> None:
        self._known[token] = request
        self._order.append((self._kernel.now + TOKEN_LIFE, token))


def digest(items: list[dict[str, Any]]) -> bytes:
    """What makes two requests the same."""
    return hashlib.sha256(json.dumps(items, sort_keys=True, default=str).encode()).digest()


class Write:
    """One item of a transaction: the operation, its table, its key as moto holds it."""

    __slots__ = ("hash", "kind", "op", "range", "table", "wrong")

    def __init__(self, backend: Any, item: dict[str, Any]) -> None:
        if len(item) > 1:
            raise TransactWriteSingleOpException
        self.kind, self.op = next(iter(item.items()))
        self.table = table = backend.get_table(self.op["TableName"])
        key = self.op["Item"] if self.kind == "Put" else self.op["Key"]
        names = table.table_key_attrs
        self.wrong = any(name not in key for name in names)
        if not self.wrong and self.kind != "Put":
            types = (table.hash_key_type, table.range_key_type)
            self.wrong = len(key) != len(names) or any(
                kind not in key[name] for name, kind in zip(names, types, strict=False)
            )
        self.hash = None if self.wrong else DynamoType(key[table.hash_key_attr])
        self.range = None if self.wrong or len(names) < 2 else DynamoType(key[table.range_key_attr])

    @property
    def identity(self) -> tuple[Any, ...]:
        assert self.hash is not None
        return self.table.name, self.hash, self.range

    def current(self) -> Any:
        return self.table.get_item(self.hash, self.range)

    def check(self) -> Reason:
        """Does the condition hold?"""
        if self.wrong:
            if self.kind == "Put":
                return PASSED  # writing it says which key is missing
            return (*WRONG_KEY, None)
        problem = type_problem(self.table, written(self.kind, self.op))
        if problem:
            return ("ValidationError", problem, None)
        condition = self.op.get("ConditionExpression")
        if condition is None:
            return PASSED
        item = self.current()
        expression = get_filter_expression(
            condition, self.op.get("ExpressionAttributeNames"), self.op.get("ExpressionAttributeValues")
        )
        if expression.expr(item):
            return PASSED
        shown = None
        if item is not None and self.op.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD":
            shown = item.to_json()["Attributes"]
        return (*FAILED, shown)

    def apply(self, backend: Any) -> None:
        op = self.op
        if self.kind == "Put":
            backend.put_item(op["TableName"], op["Item"], overwrite=True)
        elif self.kind == "Delete":
            self.table.delete_item(self.hash, self.range)
        elif self.kind == "Update":
            backend.update_item(
                op["TableName"],
                op["Key"],
                update_expression=op["UpdateExpression"],
                expression_attribute_names=op.get("ExpressionAttributeNames"),
                expression_attribute_values=op.get("ExpressionAttributeValues"),
            )

    def restore(self, item: Any) -> None:
        """The item as it was before; None: there was none."""
        items = self.table.items
        if self.range is not None:
            if item is None:
                items[self.hash].pop(self.range, None)
            else:
                items[self.hash][self.range] = item
        elif item is None:
            items.pop(self.hash, None)
        else:
            items[self.hash] = item


def transact_write_items(backend: Any, items: list[dict[str, Any]]) -> None:
    """In place of moto's: raises TransactionCanceledException with a reason for each item."""
    if len(items) > 100:
        raise TooManyTransactionsException
    writes = [Write(backend, item) for item in items]
    touched = [write.identity for write in writes if not write.wrong]
    if len(set(touched)) < len(touched):
        raise MultipleTransactionsException
    reasons = [write.check() for write in writes]
    if any(reason is not PASSED for reason in reasons):
        raise TransactionCanceledException(reasons)
    captures = [write.table.stream_shard for write in writes]
    held = [capture for capture in captures if capture is not None and capture.hold()]
    undo: list[tuple[Write, Any]] = []
    try:
        for index, write in enumerate(writes):
            before = None if write.wrong else write.current()
            if not write.wrong:
                undo.append((write, copy.deepcopy(before) if write.kind == "Update" else before))
            try:
                write.apply(backend)
            except DynamodbException as error:
                reasons[index] = ("ValidationError", str(error.message), None)
                raise TransactionCanceledException(reasons) from error
    except BaseException:
        for write, before in reversed(undo):
            write.restore(before)
        for capture in held:
            capture.discard()
        raise
    for capture in held:
        capture.release()
