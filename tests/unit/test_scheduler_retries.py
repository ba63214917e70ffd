"""When a failed delivery is tried again: the decision alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.cloud.local.kernel import SECOND
from infra.cloud.local.routes.retries import LONGEST_US, backoff, next_attempt, retriable
from infra.cloud.local.service import ServiceError

DAY = 86_400 * SECOND


@given(st.integers(1, 400), st.floats(0, 1))
def test_the_interval_grows_and_has_a_limit(attempts: int, draw: float) -> None:
    delay = backoff(attempts, draw)
    assert SECOND // 2 <= delay <= LONGEST_US
    assert backoff(attempts + 1, draw) >= delay


@pytest.mark.parametrize(
    ("attempts", "age", "retries", "max_age", "expected"),
    [
        (1, 0, 185, DAY, ("", SECOND)),
        (3, 0, 185, DAY, ("", 4 * SECOND)),
        (186, 0, 185, DAY, ("MaximumRetryAttempts", 0)),
        (1, 0, 0, DAY, ("MaximumRetryAttempts", 0)),
        (7, 60 * SECOND, 185, 120 * SECOND, ("MaximumEventAgeInSeconds", 0)),
    ],
)
def test_what_ends_the_retries(
    attempts: int, age: int, retries: int, max_age: int, expected: tuple[str, int]
) -> None:
    assert next_attempt(attempts, age, retries, max_age, 0.0) == expected


def test_what_may_succeed_later() -> None:
    assert retriable(ServiceError("ServiceUnavailable", "", 503))
    assert retriable(ServiceError("TooManyRequestsException", "", 429))
    assert retriable(ServiceError("ThrottlingException", "", 400))
    assert not retriable(ServiceError("AccessDeniedException", "", 403))
    assert not retriable(ServiceError("ResourceNotFoundException", "", 404))
