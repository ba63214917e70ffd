"""When a failed delivery is tried again: pure functions of the attempt.

https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html. AWS spreads retries a little
("jittering", without figures); here they come exactly when the policy says.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...kernel import SECOND
from ...service import ServiceError

MANAGED_ATTEMPTS = 100_015
"""Lambda and SQS: in all, over 23 days."""

_SERVER_SIDE = frozenset(
    [
        "InternalError",
        "InternalFailure",
        "RequestThrottled",
        "ServiceException",
        "ServiceUnavailable",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    ]
)


def is_server_side(error: ServiceError) -> bool:
    """Is the endpoint unavailable (tried again), or gone or forbidden (a client-side error: it is not)?

    https://docs.aws.amazon.com/sns/latest/dg/sns-dead-letter-queues.html, "Why do message deliveries fail?"
    """
    return error.status >= 500 or error.status == 429 or error.code in _SERVER_SIDE


def is_retried_status(status: int) -> bool:
    """HTTP: 5XX and 429 are tried again, other 4XX are not; nor are the codes that say nothing (1XX, 3XX:
    they
    count as unavailable, too)."""
    return not 200 <= status < 300 and (status == 429 or not 400 <= status < 500)


def managed_delay(attempts: int) -> int | None:
    """µs until the next attempt after this many failed ones at Lambda or SQS; None: give up.

    3 without delay, 2 one second apart, 10 from 1 to 20 seconds (growing exponentially), then every 20
    seconds.
    """
    if attempts >= MANAGED_ATTEMPTS:
        return None
    if attempts <= 3:
        return 0
    if attempts <= 5:
        return SECOND
    if attempts <= 15:
        return round(SECOND * 20 ** ((attempts - 6) / 9))
    return 20 * SECOND


DEFAULT_HTTP: Mapping[str, Any] = {
    "minDelayTarget": 20,
    "maxDelayTarget": 20,
    "numRetries": 3,
    "numMaxDelayRetries": 0,
    "numNoDelayRetries": 0,
    "numMinDelayRetries": 0,
    "backoffFunction": "linear",
}


def http_delay(attempts: int, policy: Mapping[str, Any]) -> int | None:
    """µs until the next attempt after this many failed ones at an HTTP endpoint; None: give up.

    The four phases of the page: without delay, at the minimum, backing off between minimum and maximum, at
    the maximum. Of the back-off functions AWS shows only the curves: linear and geometric are as named,
    arithmetic is taken as quadratic, exponential as doubling, all from the minimum to the maximum.
    """
    policy = {**DEFAULT_HTTP, **policy}
    retries = policy["numRetries"]
    if attempts > retries:
        return None
    low, high = policy["minDelayTarget"], policy["maxDelayTarget"]
    retry = attempts - policy["numNoDelayRetries"]
    if retry <= 0:
        return 0
    retry -= policy["numMinDelayRetries"]
    if retry <= 0:
        return int(low * SECOND)
    others = policy["numNoDelayRetries"] + policy["numMinDelayRetries"] + policy["numMaxDelayRetries"]
    steps = retries - others
    if retry > steps:
        return int(high * SECOND)
    return round(SECOND * _backed_off(policy["backoffFunction"], retry, steps, low, high))


def _backed_off(function: str, step: int, steps: int, low: float, high: float) -> float:
    if steps < 2:
        return low
    part = (step - 1) / (steps - 1)
    if function == "geometric":
        return float(low * (high / low) ** part) if low else high * part
    if function == "arithmetic":
        part *= part
    elif function == "exponential":
        part = (2 ** (step - 1) - 1) / (2 ** (steps - 1) - 1)
    return low + (high - low) * part
