"""Stands in for the card provider's own service, with its books and its test cards.

``charge``  takes the money; with a key, once for that key
``credit``  pays money out; with a key, once for that key
``find``    says whether there is a charge
``void``    gives back the charge of a key, or refuses it if it comes later
"""

import os
import time
import uuid

import boto3

table = boto3.resource("dynamodb").Table(os.environ["CHARGES_NAME"])
client = table.meta.client
SECONDS = float(os.environ["SECONDS_PER_CHARGE"])
SLOW = 8
"""Seconds that a test card keeps its first caller waiting."""
OUTAGE = 20
"""Seconds for which the refund desk is down, after it was first asked."""


def handler(event, context):
    return {"charge": charge, "credit": credit, "find": find, "void": void}[event["action"]](event)


def charge(event):
    if event["card"] == "declined":
        return {"declined": True}
    first = is_first("charge", event)
    time.sleep(SLOW if event["card"] == "late" and first else SECONDS)
    entry = {"paymentId": event["paymentId"], "entry": f"charge {event.get('key') or uuid.uuid4()}"}
    not_void = {
        "TableName": table.name,
        "Key": {"paymentId": event["paymentId"], "entry": "void"},
        "ConditionExpression": "attribute_not_exists(entry)",
    }
    new = {"TableName": table.name, "Item": entry, "ConditionExpression": "attribute_not_exists(entry)"}
    try:
        client.transact_write_items(TransactItems=[{"ConditionCheck": not_void}, {"Put": new}])
    except client.exceptions.TransactionCanceledException as error:
        void, known = (
            reason["Code"] == "ConditionalCheckFailed" for reason in error.response["CancellationReasons"]
        )
        if not void and not known:
            raise
        return {"declined": void}  # or charged before: the same answer as then
    if event["card"] == "slow" and first:
        time.sleep(SLOW)
    return {"declined": False}


def credit(event):
    table.put_item(
        Item={"paymentId": event["paymentId"], "entry": f"credit {event.get('key') or uuid.uuid4()}"}
    )
    return {}


def find(event):
    key = {"paymentId": event["paymentId"], "entry": f"charge {event['paymentId']}"}
    return {"charged": "Item" in table.get_item(Key=key, ConsistentRead=True)}


def void(event):
    if event["card"] == "refunds are down" and time.time() - asked_first(event) < OUTAGE:
        raise RuntimeError("503: the refund desk does not answer")
    table.put_item(Item={"paymentId": event["paymentId"], "entry": "void"})
    return {}


def is_first(action, event):
    """The test cards behave as they are called at the first call for a payment only."""
    answer = table.update_item(
        Key={"paymentId": event["paymentId"], "entry": f"calls of {action}"},
        UpdateExpression="ADD calls :one",
        ExpressionAttributeValues={":one": 1},
        ReturnValues="UPDATED_NEW",
    )
    return answer["Attributes"]["calls"] == 1


def asked_first(event):
    """When the refund desk was first asked about a payment; each question is counted."""
    answer = table.update_item(
        Key={"paymentId": event["paymentId"], "entry": "calls of void"},
        UpdateExpression="ADD calls :one SET asked = if_not_exists(asked, :now)",
        ExpressionAttributeValues={":one": 1, ":now": int(time.time())},
        ReturnValues="ALL_NEW",
    )
    return int(answer["Attributes"]["asked"])
