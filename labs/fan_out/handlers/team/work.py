"""What a team does with an order: ask its provider, which takes a while, and note that it is done."""

import os
import time
import uuid

import boto3

done = boto3.resource("dynamodb").Table(os.environ["TABLE_NAME"])


def work(order):
    """Done twice, it is noted twice."""
    time.sleep(float(os.environ["SECONDS"]))
    if os.environ["PROVIDER"] == "down":
        raise ConnectionError(f"{os.environ['TEAM']}: the provider does not answer")
    done.put_item(
        Item={
            "orderId": order["orderId"],
            "work": f"{os.environ['TEAM']}#{uuid.uuid4()}",
        }
    )
