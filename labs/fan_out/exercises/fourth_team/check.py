"""Deploys the answer next to the checkout, places 20 orders, and looks into the new queue."""

from labs.fan_out.scenario import order, run
from labs.toolkit import Answer, AtOnce, Wrong
from labs.toolkit.queues import peek


def check(answer: Answer, cloud):
    fraud = answer.get("Fraud", type)
    probe = run(cloud, AtOnce(requests=1), name="before", stack_name="FourthTeamExercise")
    app = cloud.deploy(fraud, stack_name="FraudExercise", topic_arn=probe.app["TopicArn"])
    result = run(cloud, AtOnce(requests=20), name="exercise", stack_name="FourthTeamExercise")
    bodies = peek(cloud, app["QueueUrl"]) if "QueueUrl" in app else None
    cloud.destroy(app)
    cloud.destroy(result.app)
    if bodies is None:
        raise Wrong("your stack has no output `QueueUrl`: the queue that the check should look into")
    if not bodies:
        raise Wrong(
            "20 orders were placed and nothing arrived in your queue. Subscribe the queue to the topic with "
            "`SqsSubscription`, which also lets the topic send to it"
        )
    if all("Message" in body and "TopicArn" in body for body in bodies):
        raise Wrong(
            "your queue holds envelopes: the order is text inside of `Message`, next to "
            f"{len(bodies[0]) - 1} fields of SNS. The team wants the order itself"
        )
    expected = [order(outcome.request, "exercise") for outcome in result.load.outcomes]
    missing = [each["orderId"] for each in expected if each not in bodies]
    if missing:
        raise Wrong(
            f"{len(missing)} of 20 orders did not arrive as they were published, such as {missing[0]}"
        )
    return "all 20 orders arrived as they were published, and nobody else's stack was touched"
