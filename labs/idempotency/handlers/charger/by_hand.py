"""The lease by hand: take it, charge, complete. What may be taken, and what else to do, is in ``rules``."""

import json
import os
import time

import boto3
from provider import charge
from rules import may_take, refused

marks = boto3.resource("dynamodb").Table(os.environ["MARKS_NAME"])
Refused = marks.meta.client.exceptions.ConditionalCheckFailedException


def handler(event, context):
    for record in event["Records"]:
        payment = json.loads(record["body"])
        mark = {"id": payment["paymentId"]}
        now = round(time.time() * 1000)
        until = now + context.get_remaining_time_in_millis()
        try:
            marks.put_item(
                Item={**mark, "status": "IN_PROGRESS", "until": until},
                ConditionExpression=may_take(now),
            )
        except Refused:
            refused(marks.get_item(Key=mark, ConsistentRead=True)["Item"])
            continue
        charge(payment)
        marks.put_item(Item={**mark, "status": "COMPLETED", "until": until})
