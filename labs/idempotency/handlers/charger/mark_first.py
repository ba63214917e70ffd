"""Marks, then charges. The conditional write lets exactly one through; what if that one then fails?"""

import json
import os

import boto3
from boto3.dynamodb.conditions import Attr
from provider import charge

marks = boto3.resource("dynamodb").Table(os.environ["MARKS_NAME"])


def handler(event, context):
    for record in event["Records"]:
        payment = json.loads(record["body"])
        try:
            marks.put_item(
                Item={"id": payment["paymentId"], "status": "COMPLETED"},
                ConditionExpression=Attr("id").not_exists(),
            )
        except marks.meta.client.exceptions.ConditionalCheckFailedException:
            continue  # somebody has it already
        charge(payment)
