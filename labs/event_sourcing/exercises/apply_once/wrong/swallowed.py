# expect: left out
from boto3.dynamodb.conditions import Attr
from stock import change
from view import OutOfOrder, Refused, table


def apply(event):
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
        return  # it has been applied
