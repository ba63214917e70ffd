# expect: first event
from boto3.dynamodb.conditions import Attr
from stock import change
from view import OutOfOrder, Refused, table


def apply(event):
    version = int(event["version"])
    try:
        table.update_item(
            Key={"lot": event["lot"]},
            UpdateExpression="SET version = :version ADD available :change",
            ConditionExpression=Attr("version").eq(version - 1),
            ExpressionAttributeValues={":version": version, ":change": change(event)},
        )
    except Refused:
        raise OutOfOrder(f"{event['lot']} {version}") from None
