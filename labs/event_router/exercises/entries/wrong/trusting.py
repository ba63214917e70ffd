# expect: says that all 20 were accepted
import boto3
from entries import entry

events = boto3.client("events")


def handler(orders, context):
    answer = events.put_events(Entries=[entry(order) for order in orders])
    refused = []
    return {"accepted": len(orders) - len(refused), "refused": refused}
