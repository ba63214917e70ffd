"""The worker as most tutorials write it. One failing order fails the whole batch."""

import json

from orders import ship


def handler(event, context):
    for record in event["Records"]:
        ship(json.loads(record["body"]))
