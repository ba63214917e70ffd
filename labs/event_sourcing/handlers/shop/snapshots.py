"""Snapshots: the stock as it was at a version, so that only what came afterwards must be read."""

import os

import boto3
from boto3.dynamodb.conditions import Attr
from stock import EMPTY, fold
from store import load

EVERY = int(os.environ["SNAPSHOT_EVERY"])
table = boto3.resource("dynamodb").Table(os.environ["SNAPSHOTS_NAME"])


def load_stock(lot):
    """The stock of a lot, its version, and how many events had to be read for it."""
    snapshot = {"version": 0, "stock": EMPTY}
    if EVERY:
        snapshot = table.get_item(Key={"lot": lot}).get("Item", snapshot)
    stock, version = snapshot["stock"], int(snapshot["version"])
    events = load(lot, after=version)
    return fold(events, stock), version + len(events), len(events)


def save(lot, stock, version):
    """Now and then, keep the stock with the version that it is the stock of, in one item."""
    if not EVERY or version % EVERY:
        return
    try:
        table.put_item(
            Item={"lot": lot, "version": version, "stock": stock},
            ConditionExpression=Attr("version").not_exists() | Attr("version").lt(version),
        )
    except table.meta.client.exceptions.ConditionalCheckFailedException:
        pass  # a newer one is there already
