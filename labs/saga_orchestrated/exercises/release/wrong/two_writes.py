# expect: one transaction
import os

import boto3

table = boto3.resource("dynamodb").Table(os.environ["STOCK_NAME"])
client = table.meta.client


def release(order):
    try:
        table.update_item(
            Key={"id": order["orderId"]},
            UpdateExpression="SET #status = :released",
            ConditionExpression="attribute_not_exists(id) OR #status = :held",
            ExpressionAttributeNames={"#status": "status"},
            ExpressionAttributeValues={":released": "released", ":held": "held"},
            ReturnValues="ALL_OLD",
        )["Attributes"]
    except (KeyError, client.exceptions.ConditionalCheckFailedException):
        return
    table.update_item(
        Key={"id": f"stock {order['sku']}"},
        UpdateExpression="ADD quantity :change",
        ExpressionAttributeValues={":change": order["quantity"]},
    )
