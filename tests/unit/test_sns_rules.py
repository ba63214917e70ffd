"""SNS's decisions as pure functions: when to try again, what a policy accepts and why."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.cloud.local import (
    InvalidFilterPolicy,
    explain_filter_policy,
    matches_filter_policy,
    validate_filter_policy,
)
from infra.cloud.local.filter_policies import combinations, wildcard_points
from infra.cloud.local.kernel import SECOND
from infra.cloud.local.routes.sns.retries import (
    http_delay,
    is_retried_status,
    is_server_side,
    managed_delay,
)
from infra.cloud.local.service import ServiceError

DAY = 24 * 3600 * SECOND


def http_delays(**policy: object) -> list[float]:
    """All delays of a policy, in seconds."""
    delays: list[float] = []
    while (delay := http_delay(len(delays) + 1, policy)) is not None:
        delays.append(round(delay / SECOND, 3))
    return delays


def test_lambda_and_sqs_are_tried_100_015_times_over_23_days() -> None:
    delays = []
    while (delay := managed_delay(len(delays) + 1)) is not None:
        delays.append(delay)
    assert len(delays) + 1 == 100_015
    assert delays[:5] == [0, 0, 0, SECOND, SECOND]
    assert [round(delay / SECOND, 1) for delay in delays[5:15]] == [
        1.0, 1.4, 1.9, 2.7, 3.8, 5.3, 7.4, 10.3, 14.3, 20.0,
    ]  # fmt: skip
    assert set(delays[15:]) == {20 * SECOND}
    assert 23 * DAY < sum(delays) < 24 * DAY


def test_http_policies() -> None:
    assert http_delays() == [20, 20, 20]
    assert http_delays(numRetries=0) == []
    full = {
        "numRetries": 8, "numNoDelayRetries": 2, "numMinDelayRetries": 1, "numMaxDelayRetries": 1,
        "minDelayTarget": 1, "maxDelayTarget": 16,
    }  # fmt: skip
    assert http_delays(**full) == [0, 0, 1, 1, 6, 11, 16, 16]
    steps = {"numRetries": 5, "minDelayTarget": 1, "maxDelayTarget": 16}
    assert http_delays(**steps, backoffFunction="geometric") == [1, 2, 4, 8, 16]
    assert http_delays(**steps, backoffFunction="exponential") == [1, 2, 4, 8, 16]
    assert http_delays(**steps, backoffFunction="arithmetic") == [1, 1.938, 4.75, 9.438, 16]


def test_what_is_worth_another_attempt() -> None:
    assert is_server_side(ServiceError("ServiceUnavailable", "", 503))
    assert is_server_side(ServiceError("RequestThrottled", "", 403))
    assert not is_server_side(ServiceError("AccessDenied", "", 403))
    assert not is_server_side(ServiceError("AWS.SimpleQueueService.NonExistentQueue", "", 400))
    assert [status for status in (200, 302, 400, 404, 429, 500, 503) if is_retried_status(status)] == [
        302, 429, 500, 503,
    ]  # fmt: skip


def test_a_refusal_has_a_reason() -> None:
    number = {"total": {"DataType": "Number", "StringValue": "50"}}
    policy = {"total": [{"numeric": [">", 100]}]}
    assert explain_filter_policy(policy, number) == "no match: total is 50, the pattern wants > 100"
    assert explain_filter_policy(policy, {}) == "no match: total is missing, the pattern wants > 100"
    assert explain_filter_policy({}, {}) == "match: the filter policy is empty"
    body = explain_filter_policy(policy, body="no JSON", scope="MessageBody")
    assert body == "no match: the message body is not a JSON object"
    array = {"total": {"DataType": "String.Array", "StringValue": "{}"}}
    assert (
        explain_filter_policy(policy, array) == "no match: the String.Array attribute total is not an array"
    )


def test_wildcards_have_a_budget() -> None:
    assert wildcard_points({"a": [{"wildcard": "x*"}], "b": [{"wildcard": "*x*"}]}) == 1 + 6
    assert (
        wildcard_points({"a": [{"wildcard": "*a*b"}, {"anything-but": {"wildcard": ["x*", r"\*y"]}}]}) == 21
    )
    with pytest.raises(InvalidFilterPolicy, match="too complex"):
        validate_filter_policy({"a": [{"wildcard": "*a*b*c*"}]})
    assert combinations({"a": {"b": {"c": [1, 2, 3, 4]}}, "d": {"e": [1, 2, 3]}, "f": [1, 2, 3]}) == 216


TEXTS = st.lists(st.text(max_size=5), min_size=1, max_size=4)


@settings(max_examples=40)
@given(wanted=TEXTS, value=st.text(max_size=5))
def test_anything_but_is_the_opposite_of_the_same_values(wanted: list[str], value: str) -> None:
    attributes = {"a": {"DataType": "String", "StringValue": value}}
    accepted = matches_filter_policy({"a": wanted}, attributes)
    assert matches_filter_policy({"a": [{"anything-but": wanted}]}, attributes) is not accepted


@settings(max_examples=40)
@given(wanted=TEXTS, values=TEXTS)
def test_attributes_and_bodies_agree_on_strings(wanted: list[str], values: list[str]) -> None:
    attributes = {"a": {"DataType": "String.Array", "StringValue": json.dumps(values)}}
    body = json.dumps({"a": values})
    policy = {"a": wanted}
    assert matches_filter_policy(policy, attributes) is matches_filter_policy(
        policy, body=body, scope="MessageBody"
    )
