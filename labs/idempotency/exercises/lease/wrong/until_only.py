# expect: A COMPLETED mark stays
from boto3.dynamodb.conditions import Attr


def may_take(now):
    return Attr("id").not_exists() | Attr("until").lt(now)


def refused(mark):
    if mark["status"] != "COMPLETED":
        raise RuntimeError("somebody is at it")
