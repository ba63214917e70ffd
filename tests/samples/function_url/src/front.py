import json
import os

import boto3

sqs = boto3.client("sqs")


def handler(event, context):
    if event["requestContext"]["http"]["method"] != "POST":
        return {"statusCode": 405, "body": "POST an order"}
    sent = sqs.send_message(QueueUrl=os.environ["ORDERS"], MessageBody=event["body"])
    return {"statusCode": 202, "body": json.dumps({"id": sent["MessageId"]})}
