import json
import os

import boto3

table = boto3.resource("dynamodb").Table(os.environ["TABLE"])


def handler(event, context):
    failures = []
    for record in event["Records"]:
        order = json.loads(record["body"])
        if order["id"] == "bad":
            failures.append({"itemIdentifier": record["messageId"]})
            continue
        table.put_item(Item={"orderId": order["id"], "stage": os.environ["STAGE"]})
    return {"batchItemFailures": failures}
