"""Stands in for the warehouse's own service: it needs some time per order, and serves so many at once."""

import os
import time

SECONDS_PER_ORDER = float(os.environ["SECONDS_PER_ORDER"])


def handler(event, context):
    time.sleep(SECONDS_PER_ORDER)
    return {"orderId": event["orderId"], "reserved": True}
