import os

import boto3

table = boto3.resource("dynamodb").Table(os.environ["STOCK_NAME"])
client = table.meta.client


def release(order):
    quantity = {
        "Update": {
            "TableName": table.name,
            "Key": {"id": f"stock {order['sku']}"},
            "UpdateExpression": "ADD quantity :change",
            "ExpressionAttributeValues": {":change": order["quantity"]},
        }
    }
    client.transact_write_items(TransactItems=[quantity])
