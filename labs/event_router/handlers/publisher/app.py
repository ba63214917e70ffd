"""Publishes orders, looks at the answer for each, and sends again what failed for a moment."""

import json
import os
import time

import boto3

events = boto3.client("events")
PASSING = {"InternalFailure", "ThrottlingException", "InternalException"}


def handler(orders, context):
    entries = [
        {
            "EventBusName": os.environ["BUS_NAME"],
            "Source": "parcel.checkout",
            "DetailType": "OrderPlaced",
            "Detail": json.dumps(order),
        }
        for order in orders
    ]
    for attempt in range(5):
        answers = events.put_events(Entries=entries)["Entries"]
        failed = [
            (entry, answer) for entry, answer in zip(entries, answers, strict=True) if "ErrorCode" in answer
        ]
        if not failed:
            return {"accepted": len(orders)}
        hopeless = [answer["ErrorCode"] for _, answer in failed if answer["ErrorCode"] not in PASSING]
        if hopeless:
            raise ValueError(f"EventBridge will never take {len(hopeless)} of the entries: {hopeless[0]}")
        entries = [entry for entry, _ in failed]
        time.sleep(0.1 * 2**attempt)
    raise RuntimeError(f"{len(entries)} entries were refused {attempt + 1} times")
