"""Looks for a mark, charges, then marks. Between the look and the mark there is time."""

import json
import os

import boto3
from provider import charge

marks = boto3.resource("dynamodb").Table(os.environ["MARKS_NAME"])


def handler(event, context):
    for record in event["Records"]:
        payment = json.loads(record["body"])
        key = {"id": payment["paymentId"]}
        if "Item" in marks.get_item(Key=key, ConsistentRead=True):
            continue  # charged already
        charge(payment)
        marks.put_item(Item={**key, "status": "COMPLETED"})
