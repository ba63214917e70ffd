# expect: it matches the rule that invokes you
import json
import os

import boto3

events = boto3.client("events")


def handler(event, context):
    tier = "gold" if event["detail"]["total"] > 500 else "blue"
    entry = {
        "EventBusName": os.environ["BUS_NAME"],
        "Source": "parcel.checkout",
        "DetailType": "OrderPlaced",
        "Detail": json.dumps(event["detail"] | {"customer": {"tier": tier}}),
    }
    events.put_events(Entries=[entry])
