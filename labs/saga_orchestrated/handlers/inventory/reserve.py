"""Reserve once for each order, however often it is asked."""

import os

import boto3

table = boto3.resource("dynamodb").Table(os.environ["STOCK_NAME"])
client = table.meta.client


class SoldOut(Exception):
    pass


def reserve(order):
    """The reservation and the new quantity are written together, or neither is."""
    reservation = {
        "Put": {
            "TableName": table.name,
            "Item": {"id": order["orderId"], "status": "held"},
            "ConditionExpression": "attribute_not_exists(id)",
        }
    }
    quantity = {
        "Update": {
            "TableName": table.name,
            "Key": {"id": f"stock {order['sku']}"},
            "UpdateExpression": "ADD quantity :change",
            "ConditionExpression": "quantity >= :needed",
            "ExpressionAttributeValues": {":change": -order["quantity"], ":needed": order["quantity"]},
        }
    }
    try:
        client.transact_write_items(TransactItems=[reservation, quantity])
    except client.exceptions.TransactionCanceledException as error:
        known, sold_out = (reason["Code"] for reason in error.response["CancellationReasons"])
        if known == "ConditionalCheckFailed":
            return  # reserved before, or released before: this call came too late
        if sold_out == "ConditionalCheckFailed":
            raise SoldOut(order["sku"]) from None
        raise  # two transactions met: the state machine tries again
