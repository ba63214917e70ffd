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
        if event:
            append(lot, ____, event)  # raises Conflict if the version after this one is taken
        return {"answer": answer, "attempts": attempt, "read": len(history)}
    return {"answer": "try again", "attempts": attempt, "read": len(history)}
