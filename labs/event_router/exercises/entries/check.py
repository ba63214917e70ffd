"""Deploys the answer as the publisher, places 20 orders of which EventBridge refuses 2, and compares."""

from infra.stacks.event_router import EventRouter
from labs.event_router.scenario import Refused, call, order
from labs.toolkit import Answer, Wrong
from labs.toolkit.queues import drain


def check(answer: Answer, cloud):
    code = answer.package("app.py", base="labs/event_router/handlers/publisher")
    app = cloud.deploy(EventRouter, stack_name="EntriesExercise", publisher_code=str(code))
    orders = [order(number, "exercise") for number in range(20)]
    said = []
    try:
        for first in (0, 10):
            said.append(call(cloud, app["PublisherName"], orders[first : first + 10]))
    except Refused as error:
        raise Wrong(f"your handler raises {error}") from None
    finally:
        cloud.settle()
        arrived = {event["detail"]["orderId"] for event in drain(cloud, app["EverythingUrl"])}
        cloud.destroy(app)
    refused = [name for each in said for name in each.get("refused", [])]
    lost = {each["orderId"] for each in orders} - arrived
    known = {each["orderId"] for each in orders}
    strange = [name for name in refused if name not in known]
    if strange:
        raise Wrong(f"`refused` holds {strange[0]!r}, which is not the id of an order")
    missed = sorted(lost - set(refused))
    if missed:
        accepted = sum(each.get("accepted", 0) for each in said)
        raise Wrong(
            f"your handler says that {'all 20' if accepted == 20 else accepted} were accepted, and {missed[0]} never "
            "arrived: look at each entry of the answer"
        )
    wrongly = sorted(set(refused) - lost)
    if wrongly:
        raise Wrong(
            f"your handler says that {len(refused)} orders were refused, but {len(wrongly)} of them did arrive, such "
            f"as {wrongly[0]}: who sends them again sends them twice"
        )
    return f"18 orders arrived, and your handler names the {len(refused)} that did not: {', '.join(refused)}"
