"""Deploys the key with the rest of the handler, and lets both sides crash under many seeds."""

from labs.idempotency.scenario import CRASHES, DUPLICATES, charged_once, payment, trial
from labs.toolkit import Answer, Wrong, explore

SEEDS = 40
RECORD = {"messageId": "5f0d1f7e", "attributes": {"ApproximateReceiveCount": "1"}, "body": "…"}


def check(answer: Answer, cloud):
    key = answer.call("key_for", payment(0), RECORD)
    if not isinstance(key, str) or not key:
        raise Wrong(f"`key_for(…)` returned {key!r}; it should be a text")
    code = str(answer.package("keys.py", base="labs/idempotency/handlers/charger"))
    found = explore(
        trial,
        seeds=SEEDS,
        invariant=charged_once,
        faults=[DUPLICATES, *CRASHES],
        charger_code=code,
        charger_handler="lease_and_key.handler",
    )
    if found.broken:
        sentence = found.broken[found.smallest]
        why = (
            "the provider took it for another payment, which has the same key. Expected a key of this payment alone"
            if "never" in sentence
            else "the provider was asked twice, with two keys. Expected the same key at every attempt, and for a copy"
        )
        raise Wrong(
            f"`key_for` gave {key!r} for payment-001. Under seed {found.smallest}, {sentence} ({len(found.broken)} of "
            f"{SEEDS} seeds): {why}"
        )
    return f"under {SEEDS} seeds of crashes and copies, every payment was charged exactly once"
