"""Deploys the answer as the sales function, sells 20 lots to customers who come 80 a second, and counts."""

from labs.event_sourcing.scenario import Failed, sell
from labs.toolkit import Answer, Poisson, Wrong


def check(answer: Answer, cloud):
    code = answer.package("sales.py", base="labs/event_sourcing/handlers/shop")
    try:
        sale = sell(
            cloud,
            Poisson(rate=80, seconds=3),
            name="exercise",
            pieces=4,
            customers=12,
            stack_name="ExpectedVersionExercise",
            code=str(code),
            view="",
            fraud_check_seconds=0.02,
        )
    except Failed as failed:
        cloud.destroy("ExpectedVersionExercise")
        raise Wrong(f"with a single command, your handler fails: {failed}") from None
    cloud.destroy(sale.app)
    errors = sale.load.errors
    if errors:
        raise Wrong(
            f"{sum(errors.values())} customers got an error instead of an answer, most often "
            f"{next(iter(errors))!r}. A conflict is nothing unusual: catch it, read and decide again"
        )
    if sale.unrecorded:
        raise Wrong(
            f"{sale.unrecorded} customers were promised a piece and the store has no event of it: after a "
            "`Conflict` your handler goes on as if the event had been appended"
        )
    if sale.oversold:
        raise Wrong(
            f"{sale.oversold} pieces were promised that there are not: your handler appends a decision to a version "
            "that it was not made on. Expected: the version of the last event in `history`, and a new decision "
            "after a `Conflict`"
        )
    sent_away = too_early(sale)
    if sent_away:
        raise Wrong(
            f"{sent_away} customers were told 'sold out' while there were pieces left, which later ones got. After a "
            "`Conflict` nobody knows how much is left: read and decide again"
        )
    full = [lot for lot, count in sale.promised.items() if count < sale.pieces][
        :-1
    ]  # the last may have few customers
    if full or sale.answers["try again"] > 5:
        raise Wrong(
            f"{len(full)} lots were not sold though they had more customers than pieces; the answers were "
            f"{dict(sale.answers)}. After a `Conflict`, read and decide again before you send a customer away"
        )
    return (
        f"{sum(sale.promised.values())} pieces were promised, each of them exists and is in the store; "
        f"{sale.conflicts} decisions were made again after a conflict"
    )


def too_early(sale):
    """How many were told "sold out" before somebody came who still got a piece."""
    outcomes = [one for one in sale.load.outcomes if not one.error]
    latest = {}
    for one in outcomes:
        lot, said = one.result
        if said["answer"] == "reserved":
            latest[lot] = max(latest.get(lot, 0), one.started)
    return sum(
        said["answer"] == "sold out" and one.finished < latest.get(lot, 0)
        for one in outcomes
        for lot, said in [one.result]
    )
