"""Reads, decides, and asks for the version when it writes. The write is conditional; what does it protect?"""

from fraud import check_customer
from stock import decide, fold
from store import Conflict, append, latest_version, load


def handler(command, context):
    lot = command["lot"]
    answer, event = decide(fold(load(lot)), command)
    check_customer(command)
    attempts = 1
    while event:
        try:
            append(lot, latest_version(lot), event)
            break
        except Conflict:
            attempts += 1  # somebody was faster: take the next version
    return {"answer": answer, "attempts": attempts}
