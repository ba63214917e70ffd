"""As sales.py, but for its snapshots: what they say and how far they go is read at two moments."""

from backoff import pause
from fraud import check_customer
from snapshots import EVERY, load_stock, table
from stock import decide
from store import Conflict, append, latest_version

ATTEMPTS = 12


def handler(command, context):
    lot = command["lot"]
    check_customer(command)
    for attempt in range(1, ATTEMPTS + 1):
        stock, version, read = load_stock(lot)
        answer, event = decide(stock, command)
        try:
            if event:
                append(lot, version, event)
                if EVERY and (version + 1) % EVERY == 0:
                    save(lot)
            return {"answer": answer, "attempts": attempt, "read": read}
        except Conflict:
            pause(attempt)
    return {"answer": "try again", "attempts": ATTEMPTS}


def save(lot):
    stock, _, _ = load_stock(lot)
    version = latest_version(lot)
    table.put_item(Item={"lot": lot, "version": version, "stock": stock})
