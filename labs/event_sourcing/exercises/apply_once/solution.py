import os

import boto3
from boto3.dynamodb.conditions import Attr
from stock import change

table = boto3.resource("dynamodb").Table(os.environ["VIEW_NAME"])


class OutOfOrder(Exception):
    """The view has not just applied the version before this one."""


def apply(event):
    """Apply an event if the view stands at the version before it; raise OutOfOrder if it does not."""
    version = int(event["version"])
    stands_there = Attr("version").eq(version - 1) if version > 1 else Attr("version").not_exists()
    try:
        table.update_item(
            Key={"lot": event["lot"]},
            UpdateExpression="SET version = :version ADD available :change",
            ConditionExpression=stands_there,
            ExpressionAttributeValues={":version": version, ":change": change(event)},
        )
    except table.meta.client.exceptions.ConditionalCheckFailedException:
        raise OutOfOrder(f"{event['lot']} {version}") from None


def version_of(lot):
    """The version that the view of a lot stands at, 0 if there is none."""
    return int(table.get_item(Key={"lot": lot}, ConsistentRead=True).get("Item", {}).get("version", 0))
