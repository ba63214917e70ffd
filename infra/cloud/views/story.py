"""What happened as a story: the steps that ``cloud.story`` tells."""

from __future__ import annotations

import dataclasses
from typing import Any


@dataclasses.dataclass(frozen=True, slots=True)
class Step:
    """One sentence of the story.

    ``time``      seconds since the story's start
    ``who``       a function's environment (``Charger 2``), a queue, ``notebook`` …
    ``what``      what it did
    ``kind``      ``send``, ``deliver``, ``fault``, ``start``, ``call``, ``print``, ``state`` or ``end``
    ``ok``        False if it failed
    ``seconds``   how long it had taken by then
    ``call``      of a call: ``dynamodb.PutItem``
    ``on``        of a call or a delivery: the name of what it was done to
    ``run``       the invocation it belongs to, or ""
    ``data``      of a call of DynamoDB: ``key``, ``item``, ``values``, ``got``
    """

    time: float
    who: str
    what: str
    kind: str
    ok: bool = True
    seconds: float = 0.0
    call: str = ""
    on: str = ""
    run: str = ""
    data: dict[str, Any] = dataclasses.field(default_factory=dict)
