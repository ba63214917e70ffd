"""The view that the shop page reads: how many pieces of a lot are available, and as of which version."""

import os

import boto3

table = boto3.resource("dynamodb").Table(os.environ["VIEW_NAME"])
Refused = table.meta.client.exceptions.ConditionalCheckFailedException


class OutOfOrder(Exception):
    """The view does not stand at the version before this one."""


def version_of(lot):
    """The version that the view of a lot stands at, 0 if there is none."""
    return int(table.get_item(Key={"lot": lot}, ConsistentRead=True).get("Item", {}).get("version", 0))
