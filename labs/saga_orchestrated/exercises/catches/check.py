"""Deploys the answer, sends 20 orders of which 12 meet trouble, and reads the books."""

from labs.saga_orchestrated.scenario import run
from labs.toolkit import Answer, AtOnce, Wrong
from labs.toolkit.checks import error_message

STEPS = ("Reserve", "Charge", "Ship")
BACK = ("Cancel", "Refund", "Release", "OrderFailed")
TROUBLES = ("sold out", "declined", "address unknown", "slow", "late", "far away")


def check(answer: Answer, cloud):
    catches = answer.get("catches", dict)
    shape(catches)
    try:
        result = run(
            cloud,
            AtOnce(requests=20),
            troubles=TROUBLES,
            stack_name="CatchesExercise",
            retries=0,
            catches=catches,
        )
    except Exception as error:  # the CDK and CloudFormation both refuse definitions
        raise Wrong(f"Step Functions does not accept it: {error_message(error).strip()[-300:]}") from None
    cloud.destroy(result.app)
    for number, name in enumerate(result.orders):
        trouble = TROUBLES[number % 10] if number % 10 < len(TROUBLES) else "no trouble"
        judge(trouble, result.orders[name], result.status[name], result.errors[name])
    if result.missing:
        raise Wrong(
            f"{result.missing} pieces are reserved for nobody: some way back does not pass `Release`, "
            "though the order had been reserved"
        )
    return (
        "12 of 20 orders met trouble, and all 12 were undone: no money kept, no parcel sent, no piece missing"
    )


def judge(trouble, outcome, status, error):
    """Wrong, with the likely mistake, if an order in this trouble did not end as it should."""
    if trouble == "no trouble":
        return
    if error == "States.Timeout":
        step = "Ship" if trouble == "far away" else "Charge"
        raise Wrong(
            f"an execution ended with States.Timeout and nothing was undone: no catcher of `{step}` takes that "
            "error. `States.TaskFailed` takes every error but this one"
        )
    if status == "FAILED" and error not in ("OrderFailed", "NotUndone"):
        raise Wrong(
            f"an order ({trouble}) ended with {error} and nothing was undone: nobody catches that error"
        )
    if outcome == "paid, no parcel":
        step = {"slow": "Charge", "late": "Charge"}.get(trouble, "Ship")
        raise Wrong(
            f"an order ({trouble}) was undone and its customer has paid: the way back of `{step}` does not pass "
            + (
                "`Refund`. A charge that timed out may have happened"
                if step == "Charge"
                else "`Refund`, and the charge had gone through"
            )
        )
    if outcome == "given away":
        raise Wrong(
            f"an order ({trouble}) was undone and its parcel is on the way: `Ship` timed out, the shipment may "
            "exist, and the way back does not pass `Cancel`"
        )
    if outcome != "undone":
        raise Wrong(f"an order ({trouble}) is {outcome}; expected that it is undone")


def shape(catches):
    for step, catchers in catches.items():
        if step not in STEPS:
            raise Wrong(f"`catches` has {step!r}; the steps are {', '.join(STEPS)}")
        if not isinstance(catchers, list) or not all(isinstance(one, dict) for one in catchers):
            raise Wrong(f"`catches[{step!r}]` is {catchers!r}; it should be a list of catchers")
        for catcher in catchers:
            if set(catcher) != {"ErrorEquals", "Next"} or not isinstance(catcher["ErrorEquals"], list):
                raise Wrong(f"{catcher!r} of {step} is no catcher: it needs a list `ErrorEquals`, and `Next`")
            if catcher["Next"] not in BACK:
                raise Wrong(
                    f"{step} leads to {catcher['Next']!r}; the states on the way back are {', '.join(BACK)}"
                )
