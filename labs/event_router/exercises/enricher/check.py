"""Deploys the answer as the enricher, places 5 orders, and counts the events that come of them."""

from infra.stacks.event_router import EventRouter
from labs.event_router.scenario import call, order
from labs.toolkit import Answer, Wrong
from labs.toolkit.queues import drain

PATIENCE = "30s"
"""Longer than 5 orders take, if each is enriched once."""


def check(answer: Answer, cloud):
    code = answer.package("app.py", base="labs/event_router/handlers/enricher")
    app = cloud.deploy(EventRouter, stack_name="EnricherExercise", enricher="app", enricher_code=str(code))
    orders = [order(number, "exercise") for number in (2, 3, 4, 6, 9)]
    endless = False
    try:
        call(cloud, app["PublisherName"], orders)
        cloud.settle(PATIENCE)
    except TimeoutError:
        endless = True
        cloud.client("events").disable_rule(Name=app["EnricherRuleName"], EventBusName=app["BusName"])
        cloud.settle()
    finally:
        seen = len(drain(cloud, app["EverythingUrl"]))
        gold = {event["detail"]["orderId"] for event in drain(cloud, app["LoyaltyUrl"])}
        cloud.destroy(app)
    if endless:
        raise Wrong(
            f"5 orders became {seen} events in {PATIENCE}, and no end: what you publish has the source and the "
            "detail-type of a placed order, so it matches the rule that invokes you"
        )
    expected = {each["orderId"] for each in orders if each["total"] > 500}
    if gold != expected:
        raise Wrong(f"the loyalty team heard of {len(gold & expected)} of {len(expected)} gold customers")
    return f"5 orders, 5 enriched ones, and the loyalty team heard of {len(gold)} gold customers"
