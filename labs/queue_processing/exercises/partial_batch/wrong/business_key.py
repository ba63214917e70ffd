# expect: is not the messageId
import json

from orders import ship


def handler(event, context):
    failed = []
    for record in event["Records"]:
        order = json.loads(record["body"])
        try:
            ship(order)
        except Exception:
            failed.append({"itemIdentifier": order["orderId"]})
    return {"batchItemFailures": failed}
