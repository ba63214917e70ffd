# expect: how many events
import os

import boto3
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
    events = load(lot, after=0)
    return fold(events, EMPTY), len(events), len(events)


def save(lot, stock, version):
    """Keep a snapshot at every EVERY-th version."""
    if not EVERY or version % EVERY:
        return
    table.put_item(Item={"lot": lot, "version": version, "stock": stock})
