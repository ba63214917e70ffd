# expect: 0 of 2 gold customers
import json
import os

import boto3

events = boto3.client("events")


def handler(event, context):
    tier = "gold" if event["detail"]["total"] > 500 else "blue"
    entry = {
        "EventBusName": os.environ["BUS_NAME"],
        "Source": "parcel.enricher",
        "DetailType": "OrderEnriched",
        "Detail": json.dumps(event["detail"] | {"customer": {"tier": tier}}),
    }
    print(entry)
