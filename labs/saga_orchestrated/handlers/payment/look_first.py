"""Charges once for each order, and looks whether there was a charge before it gives money back."""

from provider import ask


def handler(event, context):
    order = event["order"]
    if event["operation"] == "charge":
        ask("charge", order, cents=order["cents"], key=order["orderId"])
    elif ask("find", order)["charged"]:
        ask("credit", order, cents=order["cents"], key=order["orderId"])
