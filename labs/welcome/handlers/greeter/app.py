"""Greets everybody who is named in a message."""

import json


def handler(event, context):
    for record in event["Records"]:
        letter = json.loads(record["body"])
        print(f"Hello, {letter['name']}!")
