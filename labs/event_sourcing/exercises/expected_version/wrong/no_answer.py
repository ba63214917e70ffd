# expect: has no `answer`
from fraud import check_customer
from stock import decide, fold
from store import append, load


def handler(command, context):
    check_customer(command)
    history = load(command["lot"])
    answer, event = decide(fold(history), command)
    print(answer)
    if event:
        append(command["lot"], len(history), event)
