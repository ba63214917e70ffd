"""Deploys the pattern as fraud detection's rule, places orders of both releases, and looks into its inbox."""

from infra.deploy import DeployFailed
from infra.stacks.event_router import EventRouter
from labs.event_router.scenario import call, is_suspicious, order
from labs.toolkit import Answer, Wrong
from labs.toolkit.queues import drain


def check(answer: Answer, cloud):
    detail = answer.get("detail", dict)
    try:
        app = cloud.deploy(EventRouter, stack_name="PatternExercise", fraud_detail=detail)
    except DeployFailed as error:
        raise Wrong(f"EventBridge does not accept the pattern: {error}") from None
    orders = [order(number, f"release{release}", release) for release in (1, 2) for number in range(20)]
    for first in range(0, len(orders), 10):
        call(cloud, app["PublisherName"], orders[first : first + 10])
    cloud.settle()
    arrived = {event["detail"]["orderId"] for event in drain(cloud, app["FraudUrl"])}
    cloud.destroy(app)
    wanted = {each["orderId"] for each in orders if is_suspicious(each)}
    for each in orders:
        name = each["orderId"]
        if (name in arrived) != (name in wanted):
            total = f"`{'total' if 'total' in each else 'totalAmount'}` {each.get('total', each.get('totalAmount'))}"
            verb = "arrived" if name in arrived else "did not arrive"
            raise Wrong(
                f"{len(arrived)} of {len(orders)} orders arrived, {len(wanted)} were expected: one with {total} "
                f"to {each['address']['country']} {verb}"
            )
    return f"fraud detection got the {len(arrived)} orders that it asked for, of both releases"
