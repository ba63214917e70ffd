"""moto's operations with their cost: asked for before, charged after, answered if wanted.

Reads are done first and refused afterwards, when it is known how much they read: nobody can tell. A write
whose condition fails costs what the item there is worth
(https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html); one that is
invalid costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from moto.core.responses import ActionResult
from moto.dynamodb.exceptions import ConditionalCheckFailed
from moto.dynamodb.models.dynamo_type import DynamoType

from .request import Request
from .throughput import Throttle, Throughput, of
from .units import Entry, entry_halves, entry_of, item_bytes, plain_key, read_halves, write_halves

if TYPE_CHECKING:
    from .streams import DynamoDBStreams

Action = Callable[[Any], ActionResult]
Owner = Callable[[], "DynamoDBStreams"]


class Seen:
    """The table whose item was last looked up."""

    table: Any = None


SEEN = Seen()


def find(handler: Any, name: str) -> Any:
    """A table by its name or ARN; None if there is none."""
    tables = handler.dynamodb_backend.tables
    return tables.get(name) or tables.get(name.rpartition("table/")[2])


def look(table: Any, key: dict[str, Any]) -> Any:
    """The item with this key as it is stored; None if there is none, or if that is no key of the table."""
    if any(name not in key for name in table.table_key_attrs):
        return None
    items = table.items
    found = items.get(DynamoType(key[table.hash_key_attr]))
    if found is None or table.range_key_attr is None:
        return found
    return found.get(DynamoType(key[table.range_key_attr]))


def _asked(body: dict[str, Any]) -> bool:
    return bool(body.get("ReturnConsumedCapacity", "NONE") != "NONE")


class Before:
    """An item and its index entries before a write."""

    __slots__ = ("entries", "key", "size", "table", "use")

    def __init__(self, table: Any, use: Throughput, given: dict[str, Any]) -> None:
        self.table = table
        self.use = use
        self.key = plain_key(given.get(table.hash_key_attr))
        item = look(table, given)
        self.size = item_bytes(item)
        indexes = (*use.indexes, *use.local_indexes)
        self.entries: list[tuple[Any, Entry | None]] = [
            (index, entry_of(index, item, keep=True)) for index in indexes
        ]

    def refusal(self, now: int, kind: str, op: dict[str, Any]) -> Throttle | None:
        """By the table, or by an index that the write concerns."""
        refusal = self.use.write.refusal(now, self.key)
        if refusal is not None:
            return refusal
        for index, before in self.entries:
            meter = self.use.of_index(index.name, "Write")
            if meter is not None and (before is not None or _may_enter(index, kind, op)):
                refusal = meter.refusal(now, before.key[0][1] if before is not None else None)
                if refusal is not None:
                    return refusal
        return None

    def charge(self, request: Request, after: Any, *, transactional: bool = False) -> None:
        """The item is now ``after``, one of moto's (None: it is gone)."""
        halves = write_halves(self.size, item_bytes(after), transactional=transactional)
        request.charge(self.table, self.use, "Write", halves, self.key)
        for index, before in self.entries:
            now = entry_of(index, after)
            of_index = entry_halves(before, now)
            if of_index:
                one = now or before
                assert one is not None
                request.charge(self.table, self.use, "Write", of_index, one.key[0][1], index.name)


def _may_enter(index: Any, kind: str, op: dict[str, Any]) -> bool:
    if kind == "Put":
        return all(name in op["Item"] for name in index.schema_key_attrs)
    if kind != "Update":
        return False
    text = f"{op.get('UpdateExpression')} {op.get('ExpressionAttributeNames')} {op.get('AttributeUpdates')}"
    return any(name in text for name in index.schema_key_attrs)


def written(action: Action, kind: str, owner: Owner) -> Action:
    """PutItem, UpdateItem, DeleteItem."""

    def acted(handler: Any) -> ActionResult:
        body = handler.body
        table = find(handler, body["TableName"])
        if table is None:
            return action(handler)
        service = owner()
        now = service.kernel.now
        use = of(table, now)
        given = body["Item"] if kind == "Put" else body["Key"]
        key = plain_key(given.get(table.hash_key_attr))
        before = None
        if use.plain:
            refusal = use.write.refusal(now, key)
        else:
            before = Before(table, use, given)
            refusal = before.refusal(now, kind, body)
        if refusal is not None:
            raise Request(service, body).refuse(refusal)
        table._found = table._written = None
        try:
            result = action(handler)
        except ConditionalCheckFailed:
            request = Request(service, body)
            request.charge(table, use, "Write", write_halves(item_bytes(table._found), 0), key)
            request.write_down()
            raise
        answer: Any = result.result
        if before is None:
            old = table._old_bytes if kind == "Update" else item_bytes(table._found)
            halves = write_halves(old, item_bytes(table._written))
            if not _asked(body):  # the short way of most requests
                use.write.take(now, halves, key)
                answer.pop("ConsumedCapacity", None)
                return result
        request = Request(service, body)
        if before is None:
            request.charge(table, use, "Write", halves, key)
        else:
            before.charge(request, table._written)
        request.settle(answer)
        return result

    return acted


def got(action: Action, owner: Owner) -> Action:
    """GetItem."""

    def acted(handler: Any) -> ActionResult:
        body = handler.body
        SEEN.table = None
        result = action(handler)
        table = SEEN.table
        service = owner()
        now = service.kernel.now
        use = table.__dict__.get("_throughput") or of(table, now)
        key = plain_key(body["Key"].get(table.hash_key_attr))
        refusal = use.read.refusal(now, key)
        if refusal is not None:
            raise Request(service, body).refuse(refusal)
        halves = read_halves(item_bytes(table._found), consistent=bool(body.get("ConsistentRead")))
        if not use.exact and not _asked(body):  # the short way of most requests
            use.read.take(now, halves, key)
            return result
        request = Request(service, body)
        request.charge(table, use, "Read", halves, key)
        answer: Any = result.result
        request.settle(answer)
        return result

    return acted


def paged(action: Action, owner: Owner) -> Action:
    """Query and Scan: what the page looked at, before the filter, rounded once."""

    def acted(handler: Any) -> ActionResult:
        body = handler.body
        table = find(handler, body["TableName"])
        if table is None:
            return action(handler)
        table._read = 0, None
        result = action(handler)
        request = Request(owner(), body)
        use, index = of(table, request.now), body.get("IndexName", "")
        size, key = table._read
        meter = (use.of_index(index, "Read") if index else None) or use.read
        refusal = meter.refusal(request.now, key)
        if refusal is not None:
            raise request.refuse(refusal)
        halves = read_halves(size, consistent=bool(body.get("ConsistentRead")))
        request.charge(table, use, "Read", halves, key, index)
        answer: Any = result.result
        request.settle(answer)
        return result

    return acted
