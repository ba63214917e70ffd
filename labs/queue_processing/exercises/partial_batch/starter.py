import json

from orders import ship


def handler(event, context):
    failed = []
    for record in event["Records"]:
        ship(json.loads(record["body"]))
    return ____
