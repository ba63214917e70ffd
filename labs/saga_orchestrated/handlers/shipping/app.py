"""Creates one shipment for each order, and cancels it."""

import os
import time

import boto3

table = boto3.resource("dynamodb").Table(os.environ["SHIPMENTS_NAME"])


class AddressUnknown(Exception):
    pass


def create(order):
    if order["address"] == "unknown":
        raise AddressUnknown(order["orderId"])
    try:
        table.put_item(
            Item={"orderId": order["orderId"], "sku": order["sku"], "status": "sent"},
            ConditionExpression="attribute_not_exists(orderId)",
        )
        if order["address"] == "far away":
            time.sleep(5)  # the carrier takes its time to answer
    except table.meta.client.exceptions.ConditionalCheckFailedException:
        pass  # created before, or cancelled before: this call came too late


def cancel(order):
    table.put_item(Item={"orderId": order["orderId"], "sku": order["sku"], "status": "cancelled"})


def handler(event, context):
    {"create": create, "cancel": cancel}[event["operation"]](event["order"])
