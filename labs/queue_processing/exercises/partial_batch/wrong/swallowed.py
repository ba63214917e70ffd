# expect: returns no failures
import json

from orders import ship


def handler(event, context):
    failed = []
    for record in event["Records"]:
        try:
            ship(json.loads(record["body"]))
        except Exception as error:
            print(error)
    return {"batchItemFailures": failed}
