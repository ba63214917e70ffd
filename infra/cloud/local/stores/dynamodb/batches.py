"""BatchGetItem, BatchWriteItem and transactions with their cost.

Of a batch, what finds no capacity comes back as unprocessed; if that is all of it, the request is refused:
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
A transaction is refused as a whole, with the exception of a single request (recorded from AWS).
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html
"""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.dynamodb.exceptions import TransactionCanceledException
from moto.dynamodb.models.dynamo_type import Item

from .images import size
from .metering import Action, Before, Owner, find, look
from .request import Request
from .throughput import Throttle, of
from .units import item_bytes, plain_key, read_halves, write_halves


def batch_written(action: Action, owner: Owner) -> Action:
    def acted(handler: Any) -> ActionResult:
        request = Request(owner(), handler.body, several=True)
        asked: dict[str, list[dict[str, Any]]] = handler.body["RequestItems"]
        refused: dict[str, list[dict[str, Any]]] = {}
        last: Throttle | None = None
        for name, writes in asked.items():
            table = find(handler, name)
            if table is None:
                continue
            for write in writes:
                refusal = _write(request, table, write)
                if refusal is not None:
                    last = refusal
                    refused.setdefault(name, []).append(write)
        if last is None:
            result = action(handler)
        else:
            kept = {
                name: [w for w in writes if w not in refused.get(name, ())] for name, writes in asked.items()
            }
            handler.body["RequestItems"] = {name: writes for name, writes in kept.items() if writes}
            if not handler.body["RequestItems"]:
                raise last.error(single=False)
            result = action(handler)
        answer: Any = result.result
        answer["UnprocessedItems"] = refused
        request.settle(answer)
        return result

    return acted


def _write(request: Request, table: Any, write: dict[str, Any]) -> Throttle | None:
    """Charge one write of a batch, or say why not."""
    use, now = of(table, request.now), request.now
    ((kind, op),) = write.items()
    put = kind == "PutRequest"
    given = op["Item"] if put else op["Key"]
    if use.plain and request.asked == "NONE":
        key = plain_key(given.get(table.hash_key_attr))
        refusal = use.write.refusal(now, key)
        if refusal is None:
            request.charge(table, use, "Write", write_halves(size(given), 0), key)
    else:
        before = Before(table, use, given)
        refusal = before.refusal(now, "Put" if put else "Delete", op)
        if refusal is None:
            before.charge(request, Item(None, None, given) if put else None)  # type: ignore[arg-type]
    if refusal is not None:
        request.note(refusal)
    return refusal


def batch_got(action: Action, owner: Owner) -> Action:
    def acted(handler: Any) -> ActionResult:
        request = Request(owner(), handler.body, several=True)
        asked: dict[str, dict[str, Any]] = handler.body["RequestItems"]
        refused: dict[str, list[dict[str, Any]]] = {}
        last: Throttle | None = None
        for name, reads in asked.items():
            table = find(handler, name)
            if table is None:
                continue
            use, consistent = of(table, request.now), bool(reads.get("ConsistentRead"))
            exact = not use.plain or request.asked != "NONE"
            for given in reads["Keys"]:
                key = plain_key(given.get(table.hash_key_attr))
                refusal = use.read.refusal(request.now, key)
                if refusal is None:
                    found = item_bytes(look(table, given)) if exact else 0
                    request.charge(table, use, "Read", read_halves(found, consistent=consistent), key)
                else:
                    last = refusal
                    request.note(refusal)
                    refused.setdefault(name, []).append(given)
        if last is not None:
            kept = {
                name: {**reads, "Keys": [key for key in reads["Keys"] if key not in refused.get(name, ())]}
                for name, reads in asked.items()
            }
            handler.body["RequestItems"] = {name: reads for name, reads in kept.items() if reads["Keys"]}
            if not handler.body["RequestItems"]:
                raise last.error(single=False)
        result = action(handler)
        answer: Any = result.result
        for name, keys in refused.items():
            unprocessed = answer["UnprocessedKeys"].setdefault(name, {"Keys": []})
            rest = {key: value for key, value in asked[name].items() if key != "Keys"}
            answer["UnprocessedKeys"][name] = {**rest, "Keys": [*unprocessed["Keys"], *keys]}
        request.settle(answer)
        return result

    return acted


def transacted(action: Action, owner: Owner) -> Action:
    """TransactWriteItems. Every item counts double, one whose condition is only checked as well."""

    def acted(handler: Any) -> ActionResult:
        request = Request(owner(), handler.body, several=True, transactional=True)
        found: list[tuple[Before, dict[str, Any]]] = []
        for item in handler.body["TransactItems"]:
            kind, op = next(iter(item.items()))
            table = find(handler, op["TableName"])
            if table is None:
                continue
            given = op["Item"] if kind == "Put" else op["Key"]
            use = of(table, request.now)
            if use.plain and request.asked == "NONE":
                key = plain_key(given.get(table.hash_key_attr))
                refusal = use.write.refusal(request.now, key)
                if refusal is None:
                    use.write.take(request.now, write_halves(size(given), 0, transactional=True), key)
            else:
                before = Before(table, use, given)
                refusal = before.refusal(request.now, kind, op)
                found.append((before, given))
            if refusal is not None:
                raise request.refuse(refusal, single=False)
        try:
            result = action(handler)
        except TransactionCanceledException:
            for before, _ in found:
                halves = write_halves(before.size, 0, transactional=True)
                request.charge(before.table, before.use, "Write", halves, before.key)
            request.write_down()
            raise
        for before, given in found:
            before.charge(request, look(before.table, given), transactional=True)
        answer: Any = result.result
        request.settle(answer)
        return result

    return acted


def replayed(handler: Any, owner: Owner) -> ActionResult:
    """A transaction that was done before, by its token: it reads what it wrote."""
    request = Request(owner(), handler.body, several=True, transactional=True)
    for item in handler.body["TransactItems"]:
        kind, op = next(iter(item.items()))
        _read(request, handler, op["TableName"], op["Item"] if kind == "Put" else op["Key"])
    answer: dict[str, Any] = {}
    request.settle(answer)
    return ActionResult(answer)


def transactionally_got(action: Action, owner: Owner) -> Action:
    def acted(handler: Any) -> ActionResult:
        result = action(handler)
        request = Request(owner(), handler.body, several=True, transactional=True)
        for item in handler.body["TransactItems"]:
            _read(request, handler, item["Get"]["TableName"], item["Get"]["Key"])
        answer: Any = result.result
        request.settle(answer)
        return result

    return acted


def _read(request: Request, handler: Any, name: str, given: dict[str, Any]) -> None:
    table = find(handler, name)
    if table is None:
        return
    use, key = of(table, request.now), plain_key(given.get(table.hash_key_attr))
    refusal = use.read.refusal(request.now, key)
    if refusal is not None:
        raise request.refuse(refusal, single=False)
    halves = read_halves(item_bytes(look(table, given)), transactional=True)
    request.charge(table, use, "Read", halves, key)
