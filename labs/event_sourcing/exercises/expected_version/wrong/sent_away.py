# expect: which later ones got

from fraud import check_customer
from stock import decide, fold
from store import Conflict, append, load


def handler(command, context):
    check_customer(command)
    lot = command["lot"]
    history = load(lot)
    answer, event = decide(fold(history), command)
    try:
        if event:
            append(lot, len(history), event)
    except Conflict:
        answer = "sold out"
    return {"answer": answer, "attempts": 1, "read": len(history)}
