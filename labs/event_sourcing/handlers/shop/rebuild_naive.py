"""Makes the view anew event by event, with the function that is at hand: the one that loads a lot."""

import os

import boto3
from stock import fold
from store import load
from store import table as store

view = boto3.resource("dynamodb").Table(os.environ["VIEW_NAME"])


def handler(event, context):
    lots, read = set(), 0
    pages = store.meta.client.get_paginator("scan").paginate(TableName=store.name, ConsistentRead=True)
    for fact in (fact for page in pages for fact in page["Items"]):
        history = load(fact["lot"])
        available = fold(history)["available"]
        view.put_item(Item={"lot": fact["lot"], "available": available, "version": len(history)})
        lots.add(fact["lot"])
        read += 1 + len(history)
    return {"lots": len(lots), "events_read": read}
