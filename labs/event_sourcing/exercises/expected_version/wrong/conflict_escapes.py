# expect: read and decide again

from fraud import check_customer
from stock import decide, fold
from store import append, load


def handler(command, context):
    check_customer(command)
    lot = command["lot"]
    history = load(lot)
    answer, event = decide(fold(history), command)
    if event:
        append(lot, len(history), event)
    return {"answer": answer, "attempts": 1, "read": len(history)}
