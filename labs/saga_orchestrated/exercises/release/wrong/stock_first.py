# expect: released twice, the stock is +1 pieces
import os

import boto3

table = boto3.resource("dynamodb").Table(os.environ["STOCK_NAME"])
client = table.meta.client


def release(order):
    table.update_item(
        Key={"id": f"stock {order['sku']}"},
        UpdateExpression="ADD quantity :change",
        ExpressionAttributeValues={":change": order["quantity"]},
    )
    table.put_item(Item={"id": order["orderId"], "status": "released"})
