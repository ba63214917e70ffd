"""When an alarm is in which state: the tables of the documentation, and the reasons in AWS's words."""

from __future__ import annotations

import pytest

from infra.cloud.local.telemetry.alarm_schedule import next_evaluation, next_for_age
from infra.cloud.local.telemetry.alarms import Missing, Point, Rule, enough_samples, judge

MINUTE = 60_000_000
NINE = 1_767_603_600_000_000  # 2026-01-05 09:00 UTC


def rule(n: int, m: int, missing: Missing = "missing", explicit: bool = False) -> Rule:
    return Rule("GreaterThanOrEqualToThreshold", 1.0, n, m, missing, explicit)


def data(pattern: str) -> list[Point | None]:
    """``0`` is not breaching, ``X`` is breaching, ``-`` is missing; oldest first."""
    values = {"0": 0.0, "X": 3.0}
    return [
        Point(NINE + index * MINUTE, values[sign]) if sign in values else None
        for index, sign in enumerate(pattern)
    ]


# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
@pytest.mark.parametrize(
    ("m", "pattern", "missing", "ignore", "breaching", "not_breaching"),
    [
        (3, "0-X-X", "OK", "OK", "OK", "OK"),
        (3, "0----", "OK", "OK", "OK", "OK"),
        (3, "-----", "INSUFFICIENT_DATA", None, "ALARM", "OK"),
        (3, "0XX-X", "ALARM", "ALARM", "ALARM", "ALARM"),
        (3, "--X--", "ALARM", None, "ALARM", "OK"),
        (3, "----X", "INSUFFICIENT_DATA", None, "ALARM", "OK"),
        (2, "0-X-X", "ALARM", "ALARM", "ALARM", "ALARM"),
        (2, "00X0X", "ALARM", "ALARM", "ALARM", "ALARM"),
        (2, "0-X--", "OK", "OK", "ALARM", "OK"),
        (2, "----0", "OK", "OK", "ALARM", "OK"),
        (2, "---X-", "ALARM", None, "ALARM", "OK"),
    ],
)
def test_missing_data_as_in_the_documentation(
    m: int, pattern: str, missing: str, ignore: str | None, breaching: str, not_breaching: str
) -> None:
    treatments: tuple[Missing, ...] = ("missing", "ignore", "breaching", "notBreaching")
    found = [judge(rule(3, m, treatment), data(pattern)).state for treatment in treatments]
    assert found == [missing, ignore, breaching, not_breaching]


@pytest.mark.parametrize(
    ("known", "pattern", "reason"),
    [
        (
            rule(1, 1),
            "00X",
            "Threshold Crossed: 1 datapoint [3.0 (05/01/26 09:02:00)] was greater than or equal to the "
            "threshold (1.0).",
        ),
        (
            rule(1, 1),
            "XX0",
            "Threshold Crossed: 1 datapoint [0.0 (05/01/26 09:02:00)] was not greater than or equal to the "
            "threshold (1.0).",
        ),
        (
            rule(3, 2, explicit=True),
            "000XX",
            "Threshold Crossed: 2 out of the last 3 datapoints [3.0 (05/01/26 09:04:00), "
            "3.0 (05/01/26 09:03:00)] were greater than or equal to the threshold (1.0) "
            "(minimum 2 datapoints for OK -> ALARM transition).",
        ),
        (
            rule(3, 3, explicit=True),
            "XX0XX",
            "Threshold Crossed: 1 out of the last 3 datapoints [0.0 (05/01/26 09:02:00)] was not greater "
            "than or equal to the threshold (1.0) (minimum 1 datapoint for ALARM -> "
            "OK transition).",
        ),
        (rule(2, 2), "----", "Insufficient Data: 2 datapoints were unknown."),
        (
            rule(1, 1, "notBreaching"),
            "---",
            "Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated "
            "as [NonBreaching].",
        ),
        (
            rule(2, 2, "breaching"),
            "----",
            "Threshold Crossed: no datapoints were received for 2 periods and 2 missing datapoints were "
            "treated as [Breaching].",
        ),
        (
            rule(2, 2, "breaching"),
            "---X",
            "Threshold Crossed: 1 datapoint [3.0 (05/01/26 09:03:00)] was greater than or equal to the "
            "threshold (1.0) and 1 missing datapoint was treated as [Breaching].",
        ),
        (
            rule(3, 3, "breaching"),
            "----0",
            "Threshold Crossed: 1 datapoint [0.0 (05/01/26 09:04:00)] was not greater than or equal to the "
            "threshold (1.0) and 2 missing datapoints were treated as [Breaching].",
        ),
        (
            rule(20, 1, "notBreaching", explicit=True),
            "-" * 21 + "X",
            "Threshold Crossed: 1 out of the last 20 datapoints [3.0 (05/01/26 09:21:00)] was greater than "
            "or equal to the threshold (1.0) and 19 missing datapoints were treated as [NonBreaching] "
            "(minimum 1 datapoint for OK -> ALARM transition).",
        ),
        (
            rule(3, 2, "breaching", explicit=True),
            "--0--",
            "Threshold Crossed: 1 datapoint was received for 3 periods and 2 missing datapoints were treated "
            "as [Breaching].",
        ),
        (
            rule(6, 6),
            "XXXXXXXX",
            "Threshold Crossed: 6 datapoints were greater than or equal to the threshold (1.0). The most "
            "recent datapoints which crossed the threshold: [3.0 (05/01/26 09:07:00), "
            "3.0 (05/01/26 09:06:00), 3.0 (05/01/26 09:05:00), 3.0 (05/01/26 09:04:00), "
            "3.0 (05/01/26 09:03:00)].",
        ),
        (
            rule(5, 5, explicit=True),
            "XXXXXXX",
            "Threshold Crossed: 5 out of the last 5 datapoints were greater than or equal to the threshold "
            "(1.0). The most recent datapoints which crossed the threshold: [3.0 (05/01/26 09:06:00), "
            "3.0 (05/01/26 09:05:00), 3.0 (05/01/26 09:04:00), 3.0 (05/01/26 09:03:00), "
            "3.0 (05/01/26 09:02:00)] (minimum 5 datapoints for OK -> ALARM transition).",
        ),
    ],
)
def test_reasons(known: Rule, pattern: str, reason: str) -> None:
    assert judge(known, data(pattern)).reason == reason


def test_a_percentile_of_few_samples() -> None:
    assert [
        enough_samples(99, 999),
        enough_samples(99, 1000),
        enough_samples(10, 99),
        enough_samples(None, 1),
    ] == [
        False,
        True,
        False,
        True,
    ]


def test_an_evaluation_matters_when_data_enters_or_leaves_a_period() -> None:
    """One data point at 09:00 in periods of 5 minutes; the alarm looks at three of them."""
    now, seen = NINE, []
    while (due := next_evaluation(now, MINUTE, 5 * MINUTE, 3, [NINE])) is not None:
        seen.append((due - NINE) // MINUTE)
        now = due
    assert seen == [1, 6, 11, 16]


def test_an_age_is_looked_at_when_it_crosses_the_threshold() -> None:
    old = Rule("GreaterThanThreshold", 300.0, 1, 1, "missing")
    assert next_for_age(NINE, MINUTE, old, [None, Point(NINE, 10.0)], NINE - 10_000_000) == NINE + 6 * MINUTE
    assert next_for_age(NINE, MINUTE, old, [Point(NINE, 400.0)], NINE - 400_000_000) is None
