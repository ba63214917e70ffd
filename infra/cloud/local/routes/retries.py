"""When is a failed delivery tried again? The limits of a retry policy, and how Scheduler keeps to them.

EventBridge's rules have the same limits, their own jitter and their own classes of failure
(``eventbridge/retries.py``). Exponential back-off with jitter, up to a number of retries and an age; what a
retry cannot repair is not retried (a missing permission, a target that is gone):
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html and
https://docs.aws.amazon.com/scheduler/latest/APIReference/API_RetryPolicy.html. AWS publishes no intervals:
that they double from 1 second to 8 minutes (so that 185 fill 24 hours), and spread over their upper half, is
assumed.
"""

from __future__ import annotations

from ..backoff import doubling, upper_half
from ..kernel import SECOND
from ..service import ServiceError

DEFAULT_RETRIES = 185
DEFAULT_AGE_S = 86_400
LONGEST_US = 480 * SECOND

ATTEMPTS_EXHAUSTED = "MaximumRetryAttempts"
AGE_EXCEEDED = "MaximumEventAgeInSeconds"

THROTTLES = (
    "KMSThrottlingException",
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
)


def retriable(error: ServiceError) -> bool:
    """Whether the same call may succeed later: the target is busy or broken, not missing or forbidden."""
    return error.status >= 500 or error.status == 429 or error.code in THROTTLES


def backoff(attempts: int, draw: float) -> int:
    """Microseconds until the next attempt after ``attempts`` failed ones; ``draw`` is from 0 to 1."""
    return upper_half(doubling(attempts, SECOND, LONGEST_US), draw)


def next_attempt(attempts: int, age: int, retries: int, max_age: int, draw: float) -> tuple[str, int]:
    """After ``attempts`` failures, ``age`` µs after the first: ("", delay), or (what is exhausted, 0)."""
    if attempts > retries:
        return ATTEMPTS_EXHAUSTED, 0
    delay = backoff(attempts, draw)
    return (AGE_EXCEEDED, 0) if age + delay > max_age else ("", delay)
