# expect: 18 of them did arrive
import boto3
from entries import entry

events = boto3.client("events")


def handler(orders, context):
    answer = events.put_events(Entries=[entry(order) for order in orders])
    refused = [order["orderId"] for order in orders] if answer["FailedEntryCount"] else []
    return {"accepted": len(orders) - len(refused), "refused": refused}
