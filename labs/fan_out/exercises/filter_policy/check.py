"""Sets the policy on a subscription, publishes 48 orders, and compares what arrived with what was wanted."""

from botocore.exceptions import ClientError

from infra.stacks.fan_out import FraudTeam
from labs.fan_out.scenario import deliveries, order
from labs.toolkit import Answer, Request, Wrong
from labs.toolkit.checks import error_message


def check(answer: Answer, cloud):
    policy = answer.get("filter_policy", dict)
    scope = answer.get("filter_policy_scope", str)
    orders = [order(Request(number, 0.0, cloud.now), "exercise") for number in range(48)]
    fraud = cloud.deploy(FraudTeam, stack_name="FilterPolicyExercise")
    try:
        arrived = deliveries(cloud, fraud, orders, policy, scope)
    except ClientError as error:
        raise Wrong(f"SNS does not accept it: {error_message(error)}") from None
    finally:
        cloud.destroy(fraud)
    wanted = {
        each["orderId"]: each for each in orders if each["total"] > 500 and each["address"]["country"] != "DE"
    }
    if not arrived:
        where = (
            "in the message attributes, and these orders have none: all fields are in the body"
            if scope == "MessageAttributes"
            else "in the body, and no order there matches all of your conditions"
        )
        raise Wrong(f"none of 48 orders arrived, {len(wanted)} were expected: SNS looks {where}")
    for each in orders:
        if (each["orderId"] in arrived) != (each["orderId"] in wanted):
            verb = "arrived, though" if each["orderId"] in arrived else "did not arrive, though"
            raise Wrong(
                f"{len(arrived)} of 48 orders arrived, {len(wanted)} were expected: an order of {each['total']} "
                f"euros to {each['address']['country']} {verb} fraud detection wants orders above 500 euros "
                "that do not go to DE"
            )
    return f"{len(arrived)} of 48 orders arrived, exactly those that fraud detection wants"
