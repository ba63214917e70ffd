# expect: COMPLETED
from boto3.dynamodb.conditions import Attr


def may_take(now):
    return Attr("id").not_exists() | Attr("status").eq("IN_PROGRESS") & Attr("until").lt(now)


def refused(mark):
    raise RuntimeError("there is a mark")
