"""The inventory that counts. Called twice, it counts twice."""

import os

import boto3

table = boto3.resource("dynamodb").Table(os.environ["STOCK_NAME"])


class SoldOut(Exception):
    pass


def reserve(order):
    try:
        add(order, -order["quantity"])
    except table.meta.client.exceptions.ConditionalCheckFailedException:
        raise SoldOut(order["sku"]) from None


def release(order):
    add(order, order["quantity"])


def add(order, quantity):
    table.update_item(
        Key={"id": f"stock {order['sku']}"},
        UpdateExpression="ADD quantity :change",
        ConditionExpression="quantity >= :needed",
        ExpressionAttributeValues={":change": quantity, ":needed": max(0, -quantity)},
    )


def handler(event, context):
    operations = {"reserve": reserve, "release": release}
    operations[event["operation"]](event["order"])
