"""What the worker does with one order, whichever way it reads its queue."""

import json
import os
import uuid

import boto3

parcels = boto3.resource("dynamodb").Table(os.environ["TABLE_NAME"])
warehouse = boto3.client("lambda")


class InvalidOrder(ValueError):
    """This order can never be shipped, however often it is tried: a poison message."""


def ship(order):
    """Ask the warehouse for the goods, then send a parcel. Called twice, it sends two."""
    if not order.get("items"):
        raise InvalidOrder(f"order {order['orderId']} has no items")
    answer = warehouse.invoke(FunctionName=os.environ["WAREHOUSE_NAME"], Payload=json.dumps(order))
    if "FunctionError" in answer:
        raise RuntimeError(f"the warehouse failed on order {order['orderId']}")
    parcels.put_item(Item={"orderId": order["orderId"], "parcelId": str(uuid.uuid4())})
