"""Deploys the answer as the worker, sends 20 orders of which 2 are poison, and counts what became of them."""

import json

from labs.queue_processing.scenario import run
from labs.toolkit import Answer, AtOnce, Wrong

RECORDS = [
    {"messageId": "11111111-aaaa", "body": json.dumps({"orderId": "direct-1", "items": ["tea"]})},
    {"messageId": "22222222-bbbb", "body": json.dumps({"orderId": "direct-2", "items": []})},
]


def check(answer: Answer, cloud):
    code = answer.package("app.py", base="labs/queue_processing/handlers/worker")
    result = run(
        cloud,
        AtOnce(requests=20),
        poison_every=10,
        stack_name="PartialBatchExercise",
        worker_code=str(code),
        max_receive_count=3,
    )
    returned = invoke(cloud, result.app["WorkerName"])
    cloud.destroy(result.app)
    mistake = why(returned)
    lost, twice, failed = (
        result.count("lost"),
        result.count("processed more than once"),
        result.count("in the DLQ"),
    )
    if lost:
        raise Wrong(
            f"{lost} orders are gone, neither shipped nor in the dead-letter queue: Lambda deletes every message "
            f"that it does not find in your answer; {mistake}"
        )
    if twice or failed > 2:
        raise Wrong(
            f"{twice} orders were shipped more than once, and {failed} are in the dead-letter queue, where only "
            f"the 2 poison orders belong: {mistake}"
        )
    return "18 orders were shipped exactly once, and the 2 poison orders wait in the dead-letter queue"


def invoke(cloud, function):
    """What the handler does with a batch of one good and one poison order: (its answer, its error)."""
    answer = cloud.client("lambda").invoke(FunctionName=function, Payload=json.dumps({"Records": RECORDS}))
    payload = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        return None, f"{payload.get('errorType')}: {payload.get('errorMessage')}"
    return payload, None


def why(returned):
    payload, error = returned
    if error:
        return f"your handler raises {error}, and then the whole batch comes back"
    if not isinstance(payload, dict) or "batchItemFailures" not in payload:
        return f"your handler returns {payload!r}, which has no `batchItemFailures`"
    failures = payload["batchItemFailures"]
    if not failures:
        return "your handler returns no failures for a batch with a poison order"
    known = [record["messageId"] for record in RECORDS]
    for item in failures:
        if item.get("itemIdentifier") not in known:
            return (
                f"itemIdentifier {item.get('itemIdentifier')!r} is not the messageId of a record in the batch"
            )
    return "your handler lists messages with healthy orders; perhaps what stands in your `try` fails for every order"
