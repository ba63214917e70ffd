"""Deploys the answer in the inventory, calls it twice and for nothing, then kills it in the middle."""

import json

from labs.saga_orchestrated.scenario import all_or_nothing, run, trial
from labs.toolkit import Answer, AtOnce, Wrong, explore

BASE = "labs/saga_orchestrated/handlers/inventory"


def check(answer: Answer, cloud):
    code = answer.package("release.py", base=BASE)
    result = run(
        cloud,
        AtOnce(requests=2),
        troubles=("address unknown",),
        stack_name="ReleaseExercise",
        inventory_code=str(code),
    )
    if "NotUndone" in result.errors.values():
        problem = call(cloud, result.app, "release", "exercise-0")
        raise Wrong(f"your function failed each time it was called: {problem or 'it gave no reason'}")
    try:
        alone(cloud, result.app)
    finally:
        cloud.destroy(result.app)
    if not cloud.simulated:
        return "a release gives back what is held, once, and stops a reservation that comes later"
    found = explore(
        trial,
        seeds=60,
        invariant=all_or_nothing,
        faults={"kill": 0.5, "on": "InventoryName"},
        inventory_code=str(code),
        undo={"IntervalSeconds": 1, "BackoffRate": 1, "MaxAttempts": 20},
    )
    if found.broken:
        raise Wrong(
            f"the function was killed in the middle, and called again: with seed {found.smallest}, "
            f"{found.broken[found.smallest]}. Both changes belong into one transaction"
        )
    return "60 sagas whose inventory was killed again and again: not a piece is missing or invented"


def alone(cloud, app):
    """The function without a state machine: twice, then for what was never reserved."""
    before = stock(cloud, app)
    for operation in ("reserve", "release", "release"):
        problem = call(cloud, app, operation, "exercise-1")
        if problem:
            raise Wrong(f"reserve, release, release: the last call of `{operation}` raised {problem}")
    left = stock(cloud, app) - before
    if left:
        raise Wrong(f"reserved once and released twice, the stock is {left:+} pieces; expected no change")
    problem = call(cloud, app, "release", "exercise-2")
    left = stock(cloud, app) - before
    if problem or left:
        raise Wrong(
            "released without a reservation, "
            + (f"your function raised {problem}" if problem else f"the stock is {left:+} pieces")
            + "; expected that nothing happens"
        )
    call(cloud, app, "reserve", "exercise-2")
    if stock(cloud, app) != before:
        raise Wrong(
            "an order was released, and its reservation came later (its call had timed out): the pieces are "
            "held for ever. Expected that a release leaves a mark which stops it"
        )


def call(cloud, app, operation, name):
    """Call the inventory; what it raised, or ""."""
    order = {"orderId": name, "sku": "cup", "quantity": 1}
    answer = cloud.client("lambda").invoke(
        FunctionName=app["InventoryName"], Payload=json.dumps({"operation": operation, "order": order})
    )
    payload = json.loads(answer["Payload"].read())
    return f"{payload.get('errorType')}: {payload.get('errorMessage')}" if "FunctionError" in answer else ""


def stock(cloud, app):
    key = {"id": {"S": "stock cup"}}
    item = cloud.client("dynamodb").get_item(TableName=app["StockName"], Key=key, ConsistentRead=True)["Item"]
    return int(item["quantity"]["N"])
