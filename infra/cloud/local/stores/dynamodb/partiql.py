"""PartiQL with its cost. A statement is charged for what it wrote, or returned; several in one request are
not simulated where capacity is limited. moto's parser knows a part of the language; the rest is refused.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-reference.html
"""

from __future__ import annotations

import re
from typing import Any

from moto.core.responses import ActionResult
from moto.dynamodb.exceptions import MockValidationException

from ...service import NotSimulated
from .images import size
from .metering import Action, Owner, find
from .request import Request
from .throughput import of
from .units import item_bytes, read_halves, write_halves

_UNREAD = (AssertionError, AttributeError, IndexError, KeyError, TypeError, ValueError)
"""What moto's parser raises for what it does not know."""

_OPERATOR = re.compile(r"""('(?:[^']|'')*'|"[^"]*")|\s*(<=|>=|<>|=|<|>)\s*""")


def spaced(statement: str) -> str:
    """A PartiQL statement whose comparison operators stand alone, as moto's parser needs it."""
    return _OPERATOR.sub(lambda found: found[1] or f" {found[2]} ", statement)


def read(action: Action, handler: Any, statement: str) -> ActionResult:
    """Let moto act. The first words of the refusal: the dynamodb-conformance suite (partiql.test.ts)."""
    if not re.match(r"\s*(SELECT|INSERT|UPDATE|DELETE|EXISTS)\b", statement, re.IGNORECASE):
        raise MockValidationException("Statement wasn't well formed, can't be processed: Unexpected keyword")
    try:
        return action(handler)
    except _UNREAD as error:
        raise NotSimulated(f"NotSimulated: the PartiQL statement {statement}") from error


_TABLE = re.compile(r'\b(?:FROM|INTO|UPDATE)\s+"?([\w.-]+)"?', re.IGNORECASE)


def stated(action: Action, owner: Owner) -> Action:
    """ExecuteStatement."""

    def acted(handler: Any) -> ActionResult:
        body = handler.body
        body["Statement"] = spaced(body["Statement"])
        table = _named(handler, body["Statement"])
        if table is None:
            return read(action, handler, body["Statement"])
        request = Request(owner(), body)
        use = of(table, request.now)
        reads = body["Statement"].lstrip()[:6].upper() == "SELECT"
        refusal = (use.read if reads else use.write).refusal(request.now, None)
        if refusal is not None:
            raise request.refuse(refusal)
        table._written = None
        result = read(action, handler, body["Statement"])
        answer: Any = result.result
        if reads:
            found = sum(map(size, answer.get("Items", ())))
            halves = read_halves(found, consistent=bool(body.get("ConsistentRead")))
            request.charge(table, use, "Read", halves, None)
        else:
            halves = write_halves(item_bytes(table._written), 0)
            request.charge(table, use, "Write", halves, None)
        request.settle(answer)
        return result

    return acted


def stated_together(action: Action, owner: Owner, name: str) -> Action:
    """BatchExecuteStatement, ExecuteTransaction."""

    def acted(handler: Any) -> ActionResult:
        now = owner().kernel.now
        for each in _several(handler.body):
            each["Statement"] = spaced(each["Statement"])
            table = _named(handler, each["Statement"])
            if table is not None and of(table, now).exact:
                raise NotSimulated(
                    f"NotSimulated: dynamodb:{name} on a table with limited capacity ({table.name})"
                )
        statements = "; ".join(each["Statement"] for each in _several(handler.body))
        return read(action, handler, statements)

    return acted


def _several(body: dict[str, Any]) -> list[dict[str, Any]]:
    return [*(body.get("Statements") or ()), *(body.get("TransactStatements") or ())]


def _named(handler: Any, statement: str) -> Any:
    """The table that a PartiQL statement is about; None if it is not to be found."""
    found = _TABLE.search(statement)
    return find(handler, found[1]) if found else None
