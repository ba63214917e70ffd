"""The payment service as it should be: one key for each order, and a refund that also stops a late charge."""

from provider import ask


def handler(event, context):
    order = event["order"]
    if event["operation"] == "charge":
        ask("charge", order, cents=order["cents"], key=order["orderId"])
    else:
        ask("void", order, key=order["orderId"])
