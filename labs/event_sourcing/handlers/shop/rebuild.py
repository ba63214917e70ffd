"""Makes the view anew from the store: every event is read once."""

import os

import boto3
from boto3.dynamodb.conditions import Attr
from stock import fold
from store import table as store

view = boto3.resource("dynamodb").Table(os.environ["VIEW_NAME"])


def handler(event, context):
    histories = {}
    pages = store.meta.client.get_paginator("scan").paginate(TableName=store.name, ConsistentRead=True)
    for fact in (fact for page in pages for fact in page["Items"]):
        histories.setdefault(fact["lot"], []).append(fact)  # in the order of their versions
    for lot, history in histories.items():
        try:
            put(lot, fold(history)["available"], len(history))
        except ValueError as error:
            print(f"{lot} cannot be read: {error}")
    return {"lots": len(histories), "events_read": sum(map(len, histories.values()))}


def put(lot, available, version):
    """Replace the view of a lot, unless the projector has gone further meanwhile."""
    try:
        view.put_item(
            Item={"lot": lot, "available": available, "version": version},
            ConditionExpression=Attr("version").not_exists() | Attr("version").lte(version),
        )
    except view.meta.client.exceptions.ConditionalCheckFailedException:
        pass
