import json


def handler(event, context):
    return [{**json.loads(record["body"]), "country": "DE"} for record in event]
