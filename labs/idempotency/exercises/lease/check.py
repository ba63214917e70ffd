"""Deploys the rules with the rest of the handler, and runs them under many seeds: copies first, then crashes."""

from boto3.dynamodb.conditions import ConditionBase

from labs.idempotency.scenario import CRASHES, DUPLICATES, charged_once, never_lost, trial
from labs.toolkit import Answer, Wrong, explore

SEEDS = 12


def check(answer: Answer, cloud):
    condition = answer.call("may_take", 1_767_600_000_000)
    if not isinstance(condition, ConditionBase):
        raise Wrong(f"`may_take(now)` returned {condition!r}; it should be a condition, made of `Attr`")
    done = {"id": "payment-001", "status": "COMPLETED", "until": 1_767_600_000_000}
    try:
        answer.get("refused")(done)
    except Exception as error:
        raise Wrong(
            f"`refused(mark)` raised {type(error).__name__} for a mark that is COMPLETED: the copy of a payment that "
            "is done would come back again and again, and end in the dead-letter queue. Expected it to return"
        ) from None
    if _returns(answer, {**done, "status": "IN_PROGRESS"}):
        raise Wrong(
            "`refused(mark)` returned for a mark that is IN_PROGRESS, which deletes its message. If the one with the "
            "lease then crashes, nothing may be left to try again. Expected it to raise, so that the message comes back"
        )
    code = str(answer.package("rules.py", base="labs/idempotency/handlers/charger"))
    settings = {"charger_code": code, "charger_handler": "by_hand.handler"}
    copies = explore(trial, seeds=SEEDS, invariant=charged_once, faults=DUPLICATES, spread=10.0, **settings)
    if copies.broken:
        raise Wrong(
            f"under seed {copies.smallest}, {copies.broken[copies.smallest]} (without any crash, "
            f"{len(copies.broken)} of {SEEDS} seeds). A COMPLETED mark stays, and so does a lease that has not ended"
        )
    crashes = explore(trial, seeds=SEEDS, invariant=never_lost, faults=CRASHES, **settings)
    if crashes.broken:
        raise Wrong(
            f"under seed {crashes.smallest}, {crashes.broken[crashes.smallest]} ({len(crashes.broken)} of {SEEDS} "
            "seeds with crashes). A lease whose owner crashed must be free to take once its `until` has passed"
        )
    return f"no payment was charged twice by copies, and none was lost by crashes, under {2 * SEEDS} seeds"


def _returns(answer, mark):
    try:
        answer.get("refused")(mark)
    except Exception:
        return False
    return True
