"""Deploys the answer as the worker, sends 20 orders of which 2 are poison, and counts what became of them."""

from labs.queue_processing.scenario import Batch, run
from labs.toolkit.answers import Answer, Wrong


def check(answer: Answer, cloud):
    code = answer.package("app.py", base="labs/queue_processing/handlers/worker")
    result = run(
        cloud,
        Batch(orders=20, poison_every=10),
        stack_name="PartialBatchExercise",
        worker_code=str(code),
        max_receive_count=3,
    )
    try:
        _judge(result, _last_answer(cloud, result), answer)
    finally:
        cloud.destroy(result.app)
    return "18 orders were shipped exactly once, and the 2 poison orders wait in the dead-letter queue"


def _judge(result, returned, answer):
    twice, lost, failed = result.count("processed twice"), result.count("lost"), result.count("in the DLQ")
    if lost:
        raise Wrong(
            f"{lost} orders are gone: neither shipped nor in the dead-letter queue. Lambda deletes every message "
            "that your handler does not list in `batchItemFailures`"
        )
    if twice or failed > 2:
        seen = f"{twice} orders were shipped more than once and {failed} are in the dead-letter queue (2 are poison)"
        raise Wrong(f"{seen}: {_why(returned)}")


def _why(returned):
    if "error" in returned:
        return f"your handler raises {returned['error']}, and then the whole batch comes back"
    answer = returned["answer"]
    if not isinstance(answer, dict) or "batchItemFailures" not in answer:
        return f"your handler returns {answer!r}, which has no `batchItemFailures`"
    wrong = [
        item
        for item in answer["batchItemFailures"]
        if item.get("itemIdentifier") not in returned["message_ids"]
    ]
    if wrong:
        return (
            f"itemIdentifier {wrong[0].get('itemIdentifier')!r} is not the messageId of a record in the batch"
        )
    return "the whole batch came back"


def _last_answer(cloud, result):
    """What the handler answers to a batch with one good and one poison order, asked directly."""
    import json

    records = [
        {"messageId": "11111111-aaaa", "body": json.dumps({"orderId": "direct-1", "items": ["tea"]})},
        {"messageId": "22222222-bbbb", "body": json.dumps({"orderId": "direct-2", "items": []})},
    ]
    answer = cloud.client("lambda").invoke(
        FunctionName=result.app["WorkerName"], Payload=json.dumps({"Records": records})
    )
    payload = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        return {"error": f"{payload.get('errorType')}: {payload.get('errorMessage')}"}
    return {"answer": payload, "message_ids": [record["messageId"] for record in records]}
