"""Stands in for a service that takes a look at each customer. It is slow, and says yes."""

import os
import time

SECONDS = float(os.environ["FRAUD_CHECK_SECONDS"])


def check_customer(command):
    if command["type"] == "reserve":
        time.sleep(SECONDS)
