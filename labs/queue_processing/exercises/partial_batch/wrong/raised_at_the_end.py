# expect: raises
import json

from orders import ship


def handler(event, context):
    failed = []
    for record in event["Records"]:
        try:
            ship(json.loads(record["body"]))
        except Exception:
            failed.append({"itemIdentifier": record["messageId"]})
    if failed:
        raise RuntimeError(f"{len(failed)} orders failed")
    return {"batchItemFailures": failed}
