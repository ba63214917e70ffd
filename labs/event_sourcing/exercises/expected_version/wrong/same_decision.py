# expect: a new decision

from fraud import check_customer
from stock import decide, fold
from store import Conflict, append, load


def handler(command, context):
    check_customer(command)
    lot = command["lot"]
    history = load(lot)
    answer, event = decide(fold(history), command)
    version = len(history)
    attempt = 1
    while event:
        try:
            append(lot, version, event)
            break
        except Conflict:
            version += 1
            attempt += 1
    return {"answer": answer, "attempts": attempt, "read": len(history)}
