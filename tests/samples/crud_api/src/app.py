import json
import os
from decimal import Decimal

import boto3

table = boto3.resource("dynamodb").Table(os.environ["TABLE"])


def plain(item):
    return {name: float(value) if isinstance(value, Decimal) else value for name, value in item.items()}


def lambda_handler(event, context):
    status = 200
    try:
        match event["routeKey"]:
            case "DELETE /items/{id}":
                table.delete_item(Key={"id": event["pathParameters"]["id"]})
                body = "Deleted item " + event["pathParameters"]["id"]
            case "GET /items/{id}":
                body = plain(table.get_item(Key={"id": event["pathParameters"]["id"]})["Item"])
            case "GET /items":
                body = [plain(item) for item in table.scan()["Items"]]
            case "PUT /items":
                item = json.loads(event["body"], parse_float=Decimal)
                table.put_item(Item={"id": item["id"], "price": item["price"], "name": item["name"]})
                body = "Put item " + item["id"]
    except KeyError:
        status, body = 400, "Unsupported route: " + event["routeKey"]
    return {
        "statusCode": status,
        "headers": {"Content-Type": "application/json"},
        "body": json.dumps(body),
    }
