"""An order as an entry of PutEvents, with its detail written by hand, as it is often done."""

import os

DETAIL = '{"orderId": "%s", "total": %d, "address": {"country": "%s"}, "note": "%s"}'


def entry(order):
    return {
        "EventBusName": os.environ["BUS_NAME"],
        "Source": "parcel.checkout",
        "DetailType": "OrderPlaced",
        "Detail": DETAIL % (order["orderId"], order["total"], order["address"]["country"], order["note"]),
    }
