# expect: was charged 2 times
from boto3.dynamodb.conditions import Attr


def may_take(now):
    return Attr("id").not_exists() | Attr("status").eq("IN_PROGRESS")


def refused(mark):
    if mark["status"] != "COMPLETED":
        raise RuntimeError("somebody is at it")
