# expect: that there are not
import random
import time

from fraud import check_customer
from stock import decide, fold
from store import Conflict, append, latest_version, load


def handler(command, context):
    check_customer(command)
    lot = command["lot"]
    for attempt in range(1, 13):
        history = load(lot)
        answer, event = decide(fold(history), command)
        try:
            if event:
                append(lot, latest_version(lot), event)
            return {"answer": answer, "attempts": attempt, "read": len(history)}
        except Conflict:
            time.sleep(random.uniform(0, 0.02))
    return {"answer": "try again", "attempts": attempt, "read": len(history)}
