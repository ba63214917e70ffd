import boto3
from entries import entry

events = boto3.client("events")


def handler(orders, context):
    answer = events.put_events(Entries=[entry(order) for order in orders])
    results = zip(orders, answer["Entries"], strict=True)  # in the order of the entries
    refused = [order["orderId"] for order, result in results if "ErrorCode" in result]
    return {"accepted": len(orders) - len(refused), "refused": refused}
