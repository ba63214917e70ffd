"""The charger as most tutorials write it. Called twice, it charges twice."""

import json

from provider import charge


def handler(event, context):
    for record in event["Records"]:
        charge(json.loads(record["body"]))
