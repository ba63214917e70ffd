"""Stands in for the card provider's own service. It charges whoever it is asked to charge, as often as it is
asked, unless the request carries an idempotency key: one key, one charge."""

import os
import time
import uuid

import boto3
from boto3.dynamodb.conditions import Attr

charges = boto3.resource("dynamodb").Table(os.environ["CHARGES_NAME"])
SECONDS = float(os.environ["SECONDS_PER_CHARGE"])


def handler(event, context):
    first = is_first_call(event["paymentId"])
    if event["card"] == "fails once" and first:
        raise RuntimeError("503: the card network does not answer, nothing was charged")
    time.sleep(SECONDS)
    charge_id = event.get("key") or str(uuid.uuid4())
    try:
        charges.put_item(
            Item={"paymentId": event["paymentId"], "entry": f"charge {charge_id}", "amount": event["amount"]},
            ConditionExpression=Attr("entry").not_exists(),
        )
    except charges.meta.client.exceptions.ConditionalCheckFailedException:
        pass  # this key has been charged: the same answer as then
    if event["card"] == "slow once" and first:
        time.sleep(60)
    return {"chargeId": charge_id}


def is_first_call(payment_id):
    """The test cards ("fails once", "slow once") behave only at the first call for a payment."""
    answer = charges.update_item(
        Key={"paymentId": payment_id, "entry": "calls"},
        UpdateExpression="ADD calls :one",
        ExpressionAttributeValues={":one": 1},
        ReturnValues="UPDATED_NEW",
    )
    return answer["Attributes"]["calls"] == 1
