"""The payment service as most tutorials write it: whoever asks gets a charge, or a refund."""

from provider import ask


def handler(event, context):
    if event["operation"] == "charge":
        ask("charge", event["order"], cents=event["order"]["cents"])
    else:
        ask("credit", event["order"], cents=event["order"]["cents"])
