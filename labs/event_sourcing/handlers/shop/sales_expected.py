"""Appends only to the version it has decided on. On a conflict it reads and decides again."""

from backoff import pause
from fraud import check_customer
from stock import decide, fold
from store import Conflict, append, load

ATTEMPTS = 12


def handler(command, context):
    lot = command["lot"]
    for attempt in range(1, ATTEMPTS + 1):
        history = load(lot)
        answer, event = decide(fold(history), command)
        check_customer(command)
        try:
            if event:
                append(lot, len(history), event)
            return {"answer": answer, "attempts": attempt, "read": len(history)}
        except Conflict:
            pause(attempt)
    return {"answer": "try again", "attempts": ATTEMPTS}
