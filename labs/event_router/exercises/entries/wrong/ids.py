# expect: `refused` holds None
import boto3
from entries import entry

events = boto3.client("events")


def handler(orders, context):
    answer = events.put_events(Entries=[entry(order) for order in orders])
    refused = [result.get("EventId") for result in answer["Entries"] if "ErrorCode" in result]
    return {"accepted": len(orders) - len(refused), "refused": refused}
