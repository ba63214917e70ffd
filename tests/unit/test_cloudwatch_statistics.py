"""CloudWatch's statistics over one period."""

from __future__ import annotations

import pytest

from infra.cloud.local.telemetry.statistics import Samples, StatisticSet, UnknownStatisticError, statistic

ONE_TO_TEN = Samples.of(range(1, 11))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("SampleCount", 10),
        ("Sum", 55),
        ("Average", 5.5),
        ("Minimum", 1),
        ("Maximum", 10),
        ("p0", 1),
        ("p50", 5),
        ("p90", 9),
        ("p99.9", 10),
        ("p100", 10),
        ("tm90", 5.0),
        ("TM(10%:90%)", 5.5),
        ("TM(2:5)", 4.0),
        ("TM(:4)", 2.5),
        ("IQM", 5.5),
        ("tc90", 9),
        ("TC(2:5)", 3),
        ("ts90", 45),
        ("TS(80%:)", 19),
        ("wm90", 5.4),
        ("WM(10%:90%)", 5.5),
        ("PR(:3)", 30),
        ("PR(3:6)", 30),
    ],
)
def test_each_statistic(name: str, expected: float) -> None:
    assert statistic(name)(ONE_TO_TEN) == pytest.approx(expected)


@pytest.mark.parametrize(
    "name", ["", "average", "p101", "p", "tm", "TM(a:b)", "TM(:)", "PR(10%:20%)", "TM(1:5%)", "q50"]
)
def test_unknown_statistics_are_refused(name: str) -> None:
    with pytest.raises(UnknownStatisticError):
        statistic(name)


def test_weights_count_as_that_many_values() -> None:
    samples = Samples([(1.0, 90.0), (100.0, 10.0)])
    assert [statistic(name)(samples) for name in ("SampleCount", "Sum", "p90", "p91", "tm90")] == [
        100,
        1090,
        1,
        100,
        1,
    ]


def test_a_statistic_set_has_no_percentiles_unless_it_hides_nothing() -> None:
    hidden = Samples(sets=[StatisticSet(3, 12, 1, 8)])
    assert (statistic("Average")(hidden), statistic("Maximum")(hidden), statistic("p50")(hidden)) == (
        4,
        8,
        None,
    )
    plain = Samples(sets=[StatisticSet(3, 12, 4, 4)])
    assert statistic("p50")(plain) == 4


def test_negative_values_have_no_percentiles() -> None:
    assert statistic("p50")(Samples.of([-1, 2])) is None
