from backoff import pause
from fraud import check_customer
from stock import decide, fold
from store import Conflict, append, load


def handler(command, context):
    check_customer(command)
    lot = command["lot"]
    for attempt in range(1, 13):
        history = load(lot)
        answer, event = decide(fold(history), command)
        try:
            if event:
                append(lot, len(history), event)
            return {"answer": answer, "attempts": attempt, "read": len(history)}
        except Conflict:
            pause(attempt)
    return {"answer": "try again", "attempts": attempt, "read": len(history)}
