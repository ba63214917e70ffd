# expect: applied more than once
from boto3.dynamodb.conditions import Attr
from stock import change
from view import OutOfOrder, Refused, table


def apply(event):
    version = int(event["version"])
    table.update_item(
        Key={"lot": event["lot"]},
        UpdateExpression="SET version = :version ADD available :change",
        ExpressionAttributeValues={":version": version, ":change": change(event)},
    )
