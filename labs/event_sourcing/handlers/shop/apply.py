"""How the view takes in one event."""

from boto3.dynamodb.conditions import Attr
from stock import change
from view import OutOfOrder, Refused, table


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
    except Refused:
        raise OutOfOrder(f"{event['lot']} {version}") from None
