"""Adds what is known of the customer, and publishes that as a fact of its own."""

import json
import os

import boto3

events = boto3.client("events")


def handler(event, context):
    order = event["detail"] | {"customer": {"tier": "gold" if event["detail"]["total"] > 500 else "blue"}}
    events.put_events(
        Entries=[
            {
                "EventBusName": os.environ["BUS_NAME"],
                "Source": "parcel.enricher",
                "DetailType": "OrderEnriched",
                "Detail": json.dumps(order),
            }
        ]
    )
