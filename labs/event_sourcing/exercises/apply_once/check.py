"""Deploys the answer as the view's code, lets the stream leave events out and repeat others, and compares."""

from infra.stacks.event_sourcing import EventSourcing
from labs.event_sourcing.scenario import ask, events_of, poison, view_of, wrong_rows
from labs.toolkit import Answer, Wrong

STACK = {"stack_name": "ApplyOnceExercise", "fraud_check_seconds": 0}
OLD, NEW = ["old-1", "old-2"], ["new-1", "new-2"]


def check(answer: Answer, cloud):
    code = answer.package("apply.py", base="labs/event_sourcing/handlers/shop")
    app = cloud.deploy(EventSourcing, view="", **STACK)
    for lot in OLD:  # before there is a view: a stream that is read from LATEST does not bring these
        ask(cloud, app, {"type": "receive", "lot": lot, "quantity": 10})
    app = cloud.deploy(EventSourcing, starting_position="LATEST", code=str(code), **STACK)
    for lot in NEW:
        ask(cloud, app, {"type": "receive", "lot": lot, "quantity": 10})
    reserve(cloud, app, [*OLD, *NEW], "first")
    poison(cloud, app, "misprint")  # its batch comes back, with what stands behind it
    reserve(cloud, app, [*OLD, *NEW], "second")
    cloud.settle()
    view, wrong, log = view_of(cloud, app), wrong_rows(cloud, app), cloud.logs(app["ProjectorName"])
    truth = events_of(cloud, app)
    cloud.destroy(app)
    for lot in [one for one in [*NEW, *OLD, *wrong] if one in wrong]:
        seen, true = wrong[lot]
        if any("ConditionalCheckFailedException" in line for line in log):
            raise Wrong(
                "`apply` lets DynamoDB's ConditionalCheckFailedException out, so that the event counts as failed; "
                "it must raise `OutOfOrder` instead, which the projector knows what to do with"
            )
        if seen is None and lot in NEW:
            raise Wrong(
                f"the view has no row for {lot}, though the stream brought all its events: nothing is there yet "
                "when its first event comes, so your condition must allow that"
            )
        if lot in OLD and (seen is None or (seen != true - 20 and abs(seen) <= 10)):
            raise Wrong(
                f"the view says {seen} pieces of {lot}, the {len(truth[lot])} events in the store leave {true}: the "
                "stream left out the first event, and `apply` did not notice. Only the version just before this "
                "one will do; for anything else raise `OutOfOrder`"
            )
        raise Wrong(
            f"the view says {seen} pieces of {lot}, the store says {true}: events were applied more than once. "
            "The stream brings a batch again when one of its records failed"
        )
    return f"all {len(view)} rows are right, though the stream left out {len(OLD)} events and repeated others"


def reserve(cloud, app, lots, name):
    for lot in lots:
        ask(cloud, app, {"type": "reserve", "lot": lot, "orderId": f"{name}-{lot}"})
