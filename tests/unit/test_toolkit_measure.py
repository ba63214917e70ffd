"""Percentiles, throughput, distributions, Little's law, and the text they are written in."""

import doctest
import math

import numpy
import pytest

from labs.toolkit import (
    TooFewSamples,
    describe,
    ecdf,
    littles_law,
    measure,
    percentile,
    percentiles,
    print_percentiles,
    tables,
    throughput,
)


@pytest.mark.parametrize("module", [measure, tables])
def test_the_examples_in_the_docstrings(module):
    assert doctest.testmod(module).failed == 0


def test_nearest_rank_is_a_measured_value():
    values = [15, 20, 35, 40, 50]  # Wikipedia's example of the nearest-rank method
    assert [percentile(values, point) for point in (5, 30, 40, 50)] == [15, 20, 20, 35]
    assert percentile(range(1, 101), 99) == 99
    assert percentile(range(1, 1001), 99.9) == 999
    assert percentile(values, 0) == 15


def test_linear_is_what_numpy_does():
    values = [0.3, 1.7, 2.2, 9.1, 4.4, 0.9, 7.0]
    for point in (10, 25, 50, 75):
        assert percentile(values, point, "linear") == pytest.approx(numpy.percentile(values, point))


def test_a_p99_of_forty_samples_is_refused():
    with pytest.raises(TooFewSamples, match=r"p99 needs at least 100 samples, there are 40"):
        percentile(range(40), 99)
    assert percentiles(range(40)) == {50: 19, 95: 37, 99: None}
    assert describe([0.25] * 40).endswith("p99 unknown (40 of the 100 samples it needs)")
    assert percentiles([]) == {50: None, 95: None, 99: None}


def test_the_maximum_can_be_asked_for_by_name():
    assert measure.samples_needed(100) == 1
    assert percentile([3, 1], 100) == 3


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["9", "10"], "value 0 is '9', a str: measurements are numbers"),
        ([1, None], "value 1 is None, a NoneType"),
        ([1, True], "value 1 is True, a bool"),
        ([math.nan], "value 0 is nan, which is not a finite number"),
        ("123", "expected a list of numbers, got str"),
        ({"a": 1}, "expected a list of numbers, got dict"),
    ],
)
def test_only_numbers_have_percentiles(values, message):
    with pytest.raises(TypeError, match=message):
        percentile(values, 50)


@pytest.mark.parametrize(("point", "error"), [(101, ValueError), (-1, ValueError), ("p99", TypeError)])
def test_a_percentile_is_between_0_and_100(point, error):
    with pytest.raises(error, match="between 0 and 100"):
        percentile([1, 2], point)


def test_an_unknown_method_is_refused():
    with pytest.raises(ValueError, match="it can be 'nearest-rank' or 'linear'"):
        percentile([1, 2], 50, "median")


def test_numbers_of_numpy_are_numbers():
    assert percentile(numpy.array([1, 2, 3]), 50) == 2
    assert percentile(numpy.array([1.5, 2.5, 3.5]), 50) == 2.5


def test_throughput_counts_empty_bins_too():
    assert throughput([0, 0.5, 0.9, 3.0]) == [(0, 3), (1, 0), (2, 0), (3, 1)]
    assert throughput([0, 0.5, 3.0], bin=2, end=4) == [(0, 1), (2, 0.5)]
    assert throughput([5], start=4, end=6) == [(4, 0), (5, 1)]
    assert throughput([]) == []
    with pytest.raises(ValueError, match="bin is 0"):
        throughput([1], bin=0)


def test_ecdf():
    assert ecdf([2, 1, 2, 4]) == ([1, 2, 4], [0.25, 0.75, 1.0])


def test_littles_law_gives_the_third():
    assert littles_law(rate=100, duration=0.2) == pytest.approx(20)
    assert littles_law(rate=100, concurrency=20) == pytest.approx(0.2)
    assert littles_law(duration=0.2, concurrency=20) == pytest.approx(100)
    with pytest.raises(ValueError, match=r"you gave \['rate'\]"):
        littles_law(rate=1)
    with pytest.raises(ValueError, match="duration is -1"):
        littles_law(rate=1, duration=-1)


def test_time_weighted_mean():
    assert measure.time_weighted_mean([(0, 10), (1, 0)], end=4) == 2.5


def test_percentiles_as_a_table(capsys):
    print_percentiles({"naive": [0.1] * 100, "few": [2.0], "none": []})
    assert capsys.readouterr().out == (
        "latency  samples     p50     p95     p99     max\n"
        "naive        100  100 ms  100 ms  100 ms  100 ms\n"
        "few            1       –       –       –     2 s\n"
        "none           0       –       –       –       –\n"
    )


def test_a_table_aligns_numbers_right():
    text = tables.table(
        ["queue", "messages", "age"], [["orders", 12_000, "2 s"], ["failed", None, "14 days"]]
    )
    assert text == "queue   messages      age\norders    12,000      2 s\nfailed         –  14 days"
    assert tables.table(["queue"], []) == "queue"
    with pytest.raises(ValueError, match=r"row 0 has 1 cells, but there are 2 headers"):
        tables.table(["a", "b"], [[1]])


def test_facts(capsys):
    tables.print_facts({"sent": 1000, "lost": None})
    assert capsys.readouterr().out == "sent  1,000\nlost  –\n"
