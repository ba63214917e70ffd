import base64
import collections
import json
import os

import boto3

sqs = boto3.client("sqs")


def handler(event, context):
    totals = collections.Counter()
    for record in event["Records"]:
        click = json.loads(base64.b64decode(record["kinesis"]["data"]))
        totals[click["kind"]] += click["count"]
    for kind, total in sorted(totals.items()):
        sqs.send_message(QueueUrl=os.environ[kind.upper()], MessageBody=str(total))
