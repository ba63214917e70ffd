from boto3.dynamodb.conditions import Attr


# A mark: id, status ("IN_PROGRESS" or "COMPLETED"), until (ms: when its lease ends)
def may_take(now):
    """The condition under which I may write my own IN_PROGRESS mark."""
    abandoned = Attr("status").eq("IN_PROGRESS") & Attr("until").lt(now)
    return Attr("id").not_exists() | abandoned


def refused(mark):
    """A mark is in my way. Return: the message is deleted. Raise: it comes back."""
    if mark["status"] != "COMPLETED":
        raise RuntimeError("somebody is charging this payment, and may yet fail")
