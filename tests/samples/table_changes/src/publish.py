import json
import os

import boto3

sqs = boto3.client("sqs")


def handler(event, context):
    for record in event["Records"]:
        change = {"name": record["eventName"], "key": record["dynamodb"]["Keys"]["pk"]["S"]}
        sqs.send_message(QueueUrl=os.environ["CHANGES"], MessageBody=json.dumps(change))
