# expect: leaves a mark
"""Release a reservation once, and see to it that it cannot come later."""

import os

import boto3

table = boto3.resource("dynamodb").Table(os.environ["STOCK_NAME"])
client = table.meta.client


def release(order):
    reservation = {
        "Update": {
            "TableName": table.name,
            "Key": {"id": order["orderId"]},
            "UpdateExpression": "SET #status = :released",
            "ConditionExpression": "#status = :held",
            "ExpressionAttributeNames": {"#status": "status"},
            "ExpressionAttributeValues": {":released": "released", ":held": "held"},
        }
    }
    quantity = {
        "Update": {
            "TableName": table.name,
            "Key": {"id": f"stock {order['sku']}"},
            "UpdateExpression": "ADD quantity :change",
            "ExpressionAttributeValues": {":change": order["quantity"]},
        }
    }
    try:
        client.transact_write_items(TransactItems=[reservation, quantity])
    except client.exceptions.TransactionCanceledException as error:
        if error.response["CancellationReasons"][0]["Code"] != "ConditionalCheckFailed":
            raise
