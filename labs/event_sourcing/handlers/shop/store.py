"""The event store: a table with one item for each event, its key the lot and the version (1, 2, 3, …)."""

import os

import boto3
from boto3.dynamodb.conditions import Attr, Key

table = boto3.resource("dynamodb").Table(os.environ["EVENTS_NAME"])


class Conflict(Exception):
    """Another decision has taken this version."""


def load(lot, after=0):
    """Every event of a lot after a version, oldest first: strongly consistent, and all pages."""
    question = {
        "KeyConditionExpression": Key("lot").eq(lot) & Key("version").gt(after),
        "ConsistentRead": True,
    }
    events = []
    while True:
        page = table.query(**question)
        events += page["Items"]
        if "LastEvaluatedKey" not in page:
            return events
        question["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def append(lot, expected, event):
    """Write the event that follows version ``expected``, or raise Conflict if there is one already."""
    try:
        table.put_item(
            Item={"lot": lot, "version": expected + 1, **event},
            ConditionExpression=Attr("version").not_exists(),
        )
    except table.meta.client.exceptions.ConditionalCheckFailedException:
        raise Conflict(f"{lot} has a version {expected + 1} already") from None


def latest_version(lot):
    """The version of a lot's last event, 0 if there is none."""
    question = {"KeyConditionExpression": Key("lot").eq(lot), "ConsistentRead": True}
    last = table.query(**question, ScanIndexForward=False, Limit=1)["Items"]
    return int(last[0]["version"]) if last else 0
