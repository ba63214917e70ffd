"""Deploys the settings, and sends what a shop meets in a year: a copy, a late copy, a changed amount, a neighbour."""

from labs.idempotency.scenario import (
    LATE,
    all_is_well,
    charged_once,
    late_copy,
    other_amount,
    trial,
)
from labs.toolkit import Answer, Wrong, explore


def check(answer: Answer, cloud):
    config = answer.get("config")
    key, remembered = config.event_key_jmespath, config.expires_after_seconds
    if not isinstance(remembered, int) or remembered <= 0:
        raise Wrong(f"`expires_after_seconds` is {remembered!r}; give a number of seconds")
    code = str(answer.package("settings.py", base="labs/idempotency/handlers/charger"))

    def wrong_with(scenario, invariant):
        found = explore(scenario, seeds=1, invariant=invariant, charger_code=code)
        return found.broken.get(0, "")

    seen = wrong_with(trial, charged_once)
    if "never" in seen:
        raise Wrong(
            f"`event_key_jmespath` is {key!r}: {seen}, since another payment had the same key. "
            "Expected what differs between two payments"
        )
    if seen:
        raise Wrong(
            f"`event_key_jmespath` is {key!r}, and {seen}: what it asks for is not in the message, so Powertools "
            "protects nothing. Expected what a payment and its copy have in common"
        )
    seen = wrong_with(other_amount, all_is_well)
    if "twice" in seen:
        raise Wrong(
            f"`event_key_jmespath` is {key!r}: a second request for one payment, with another amount, was taken for "
            f"a new payment: {seen}. Expected a key that only the payment decides"
        )
    if seen:
        raise Wrong(
            f"`payload_validation_jmespath` is {config.payload_validation_jmespath!r}: {seen}. "
            "Expected an error that lands it in the dead-letter queue, where somebody looks at it"
        )
    seen = wrong_with(late_copy, charged_once)
    if seen:
        raise Wrong(
            f"`expires_after_seconds` is {remembered}: a copy lay in the dead-letter queue for {LATE} and was sent "
            f"back; {seen}. Expected as long as a message can live: 14 days"
        )
    return f"a copy, a copy {LATE} later and a changed amount: nothing was charged twice, nothing vanished"
