# expect: never charged
from boto3.dynamodb.conditions import Attr


def may_take(now):
    return Attr("id").not_exists()


def refused(mark):
    if mark["status"] != "COMPLETED":
        raise RuntimeError("somebody is at it")
