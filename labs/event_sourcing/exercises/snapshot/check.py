"""Deploys the answer as the snapshots' code, sells 20 lots to customers who come 80 a second, and looks at what
the snapshots say."""

from labs.event_sourcing.scenario import Failed, available, events_of, sell, snapshots_of
from labs.toolkit import Answer, Poisson, Wrong

EVERY = 3


def check(answer: Answer, cloud):
    code = answer.package("snapshots.py", base="labs/event_sourcing/handlers/shop")
    try:
        sale = sell(
            cloud,
            Poisson(rate=80, seconds=3),
            name="exercise",
            pieces=9,
            customers=12,
            stack_name="SnapshotExercise",
            code=str(code),
            view="",
            snapshot_every=EVERY,
            fraud_check_seconds=0.02,
        )
    except Failed as failed:
        cloud.destroy("SnapshotExercise")
        raise Wrong(f"the sales function fails with your snapshots: {failed}") from None
    truth, snapshots = events_of(cloud, sale.app), snapshots_of(cloud, sale.app)
    cloud.destroy(sale.app)
    problem(sale, truth, snapshots)
    most = max(said["read"] for _, said in sale.load.results)
    return f"{len(snapshots)} snapshots, each as its events say; no order had to read more than {most} events"


def problem(sale, truth, snapshots):
    if sale.load.errors:
        error, count = next(iter(sale.load.errors.items()))
        raise Wrong(
            f"{count} customers got an error instead of an answer ({error}); see the log of the sales function"
        )
    if not snapshots:
        raise Wrong(
            f"there is no snapshot after {sum(map(len, truth.values()))} events; expected one at each {EVERY}rd"
        )
    if sale.answers["try again"] > 5:
        raise Wrong(
            f"{sale.answers['try again']} customers were told to try again: `load_stock` returns a version that is not "
            "the lot's, so every append meets a conflict. It is the snapshot's version, plus one for each event after it"
        )
    for lot, one in snapshots.items():
        version, seen = int(one["version"]), int(one["stock"]["available"])
        true = available(truth[lot][:version])
        if version % EVERY == 0 and seen == true:
            continue
        if version % EVERY or seen in (available(truth[lot][: version + more]) for more in (-2, -1, 1, 2)):
            raise Wrong(
                f"the snapshot of {lot} is of version {version} and says {seen} pieces, after {version} events there were "
                f"{true}; and `save` is only to keep every {EVERY}rd version. What it says and how far it goes were "
                "read at two moments: take `stock` and `version` as `save` gets them"
            )
        raise Wrong(
            f"the snapshot of {lot} says {seen} pieces at version {version}, its events leave {true}: events are "
            "counted twice, in the snapshot and after it"
        )
    if sale.oversold or sale.unsold > sale.pieces:
        raise Wrong(
            f"{sale.oversold} pieces were promised that there are not, and {sale.unsold} were not sold, though every "
            "snapshot is right: what is made of it is not. `fold` begins with the snapshot's stock, not with an empty lot"
        )
    most = max(said["read"] for _, said in sale.load.results)
    if most > 2 * EVERY:
        raise Wrong(
            f"an order had to read {most} events, though there is a snapshot every {EVERY}. `load(lot, after=…)` "
            "decides how many events are read"
        )
