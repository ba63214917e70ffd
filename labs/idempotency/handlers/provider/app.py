"""Stands in for the card provider's own service. It charges a card as often as it is asked to, unless the
request carries an idempotency key: one key, one charge."""

import os
import time
import uuid

import boto3
from boto3.dynamodb.conditions import Attr

books = boto3.resource("dynamodb").Table(os.environ["CHARGES_NAME"])
Exists = books.meta.client.exceptions.ConditionalCheckFailedException
SECONDS_PER_CHARGE = float(os.environ["SECONDS_PER_CHARGE"])


def handler(event, context):
    first = calls_for(event["paymentId"]) == 1
    if event["card"] == "fails once" and first:
        raise RuntimeError("the card network does not answer: nothing was charged")
    time.sleep(SECONDS_PER_CHARGE)
    charge_id = f"charge {event.get('key') or uuid.uuid4()}"
    try:
        books.put_item(
            Item={"id": charge_id, "paymentId": event["paymentId"], "amount": event["amount"]},
            ConditionExpression=Attr("id").not_exists(),
        )
    except Exists:
        pass  # this key was charged before: the same answer as then, and no second charge
    if event["card"] == "slow once" and first:
        time.sleep(5)
    return {"chargeId": charge_id}


def calls_for(payment_id):
    """How often it was asked for this payment, this call included. The test cards look at it."""
    answer = books.update_item(
        Key={"id": f"calls {payment_id}"},
        UpdateExpression="ADD calls :one",
        ExpressionAttributeValues={":one": 1},
        ReturnValues="UPDATED_NEW",
    )
    return answer["Attributes"]["calls"]
