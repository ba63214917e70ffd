# expect: applied more than once
import os

import boto3
from stock import change

table = boto3.resource("dynamodb").Table(os.environ["VIEW_NAME"])


class OutOfOrder(Exception):
    """The view has not just applied the version before this one."""


def apply(event):
    """Apply an event if the view stands at the version before it; raise OutOfOrder if it does not."""
    version = int(event["version"])
    table.update_item(
        Key={"lot": event["lot"]},
        UpdateExpression="SET version = :version ADD available :change",
        ExpressionAttributeValues={":version": version, ":change": change(event)},
    )


def version_of(lot):
    """The version that the view of a lot stands at, 0 if there is none."""
    return int(table.get_item(Key={"lot": lot}, ConsistentRead=True).get("Item", {}).get("version", 0))
