"""The sales function as it should be: nothing slow between the read and the append, and snapshots."""

from backoff import pause
from fraud import check_customer
from snapshots import load_stock, save
from stock import decide, evolve
from store import Conflict, append

ATTEMPTS = 12


def handler(command, context):
    lot = command["lot"]
    check_customer(command)  # it does not look at the stock, so it need not be done again
    for attempt in range(1, ATTEMPTS + 1):
        stock, version, read = load_stock(lot)
        answer, event = decide(stock, command)
        try:
            if event:
                append(lot, version, event)
                save(lot, evolve(stock, event), version + 1)
            return {"answer": answer, "attempts": attempt, "read": read}
        except Conflict:
            pause(attempt)
    return {"answer": "try again", "attempts": ATTEMPTS}
