"""Metric math."""

from __future__ import annotations

import pytest

from infra.cloud.local.service import NotSimulated
from infra.cloud.local.telemetry.expressions import ExpressionError, Scope, TimeSeries, evaluate, names

MINUTE = 60_000_000
TIMES = [0, MINUTE, 2 * MINUTE, 3 * MINUTE]
SCOPE = Scope(
    {
        "errors": TimeSeries("Errors", {0: 1.0, MINUTE: 2.0, 3 * MINUTE: 0.0}),
        "calls": TimeSeries("Invocations", {0: 10.0, MINUTE: 0.0, 2 * MINUTE: 5.0, 3 * MINUTE: 4.0}),
        "e1": TimeSeries("", {0: 7.0}),
    },
    ["errors", "calls"],
    TIMES,
    MINUTE,
)


def points(expression: str) -> dict[int, float]:
    value = evaluate(expression, SCOPE)
    assert isinstance(value, TimeSeries)
    return {time // MINUTE: point for time, point in value.points.items()}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("errors / calls * 100", {0: 10.0, 2: 0.0, 3: 0.0}),
        ("100 * (errors/calls)", {0: 10.0, 2: 0.0, 3: 0.0}),
        ("-errors + 2 ^ 3", {0: 7.0, 1: 6.0, 3: 8.0}),
        ("FILL(errors, 0)", {0: 1.0, 1: 2.0, 2: 0.0, 3: 0.0}),
        ("FILL(errors, REPEAT)", {0: 1.0, 1: 2.0, 2: 2.0, 3: 0.0}),
        ("FILL(errors, LINEAR)", {0: 1.0, 1: 2.0, 2: 1.0, 3: 0.0}),
        ("IF(calls > 4, errors, 9)", {0: 1.0, 1: 9.0, 2: 0.0, 3: 9.0}),
        ("IF(errors >= 1 AND calls == 10, 1, 0)", {0: 1.0, 1: 0.0, 2: 0.0, 3: 0.0}),
        ("SUM([errors, calls])", {0: 11.0, 1: 2.0, 2: 5.0, 3: 4.0}),
        ("AVG([errors, calls])", {0: 5.5, 1: 1.0, 2: 2.5, 3: 2.0}),
        ("MIN([errors, calls])", {0: 1.0, 1: 0.0, 2: 5.0, 3: 0.0}),
        ("DATAPOINT_COUNT([errors, calls])", {0: 2.0, 1: 2.0, 2: 1.0, 3: 2.0}),
        ("errors * DATAPOINT_COUNT(errors)", {0: 3.0, 1: 6.0, 3: 0.0}),
        ("SUM(METRICS())", {0: 11.0, 1: 2.0, 2: 5.0, 3: 4.0}),
        ("MAX(METRICS('cal')) ", {0: 10.0, 1: 0.0, 2: 5.0, 3: 4.0}),
        ("calls - AVG(calls)", {0: 5.25, 1: -4.75, 2: 0.25, 3: -0.75}),
        ("RATE(calls) * PERIOD(calls)", {1: -10.0, 2: 5.0, 3: -1.0}),
        ("DIFF(errors)", {1: 1.0, 3: -2.0}),
        ("RUNNING_SUM(errors)", {0: 1.0, 1: 3.0, 3: 3.0}),
        ("TIME_SERIES(5)", {0: 5.0, 1: 5.0, 2: 5.0, 3: 5.0}),
        ("MINUTE(calls)", {0: 0.0, 1: 1.0, 2: 2.0, 3: 3.0}),
        ("CEIL(errors / 2)", {0: 1.0, 1: 1.0, 3: 0.0}),
    ],
)
def test_expressions_over_time_series(expression: str, expected: dict[int, float]) -> None:
    assert points(expression) == pytest.approx(expected)


def series(*values: float | None) -> TimeSeries:
    return TimeSeries("", {at: value for at, value in enumerate(values) if value is not None})


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("a < b", (0, 0, 1, 0)),
        ("a >= 30", (1, 0, 0, 0)),
        ("a > 15 AND b > 15", (1, 0, 0, 0)),
        ("a + b", (50, 20, 20, 0)),
        ("b - a", (-10, -20, 20, 0)),
        ("a / b", (1.5, None, 0, None)),
        ("IF(m1, m2, m3)", (30, 0, 20, None, None)),
        ("IF(m1, 5, m3)", (5, 5, 20, None, None)),
        ("IF(m1, m2, 5)", (30, 0, 5, 5, None)),
        ("IF(m1, m2)", (30, 0, None, None, None)),
        ("none + a", (30, 20, 0, 0)),
        ("none + none", ()),
    ],
)
def test_missing_values_as_in_the_tables_of_the_user_guide(
    expression: str, expected: tuple[float | None, ...]
) -> None:
    """The tables of "Comparison and logical operators" and "Using IF expressions"."""
    values = {
        "a": series(30, 20, 0, 0),
        "b": series(20, None, 20, None),
        "m1": series(1, 1, 0, 0, None),
        "m2": series(30, None, 0, 0, 30),
        "m3": series(0, 0, 20, None, 20),
        "none": series(),
    }
    scope = Scope(values, list(values), range(5), 1)
    assert evaluate(expression, scope) == series(*expected)
    assert scope.dropped == ("/" in expression)


@pytest.mark.parametrize("descending", ["DESC", "DSC"])
def test_the_largest_of_several(descending: str) -> None:
    value = evaluate(f"SORT(METRICS(), SUM, {descending}, 1)", SCOPE)
    assert isinstance(value, list)
    assert [one.label for one in value] == ["Invocations"]


def test_an_array_gives_one_series_each() -> None:
    value = evaluate("METRICS() * 2", SCOPE)
    assert isinstance(value, list)
    assert [(one.label, one.points[0]) for one in value] == [("Errors", 2.0), ("Invocations", 20.0)]


@pytest.mark.parametrize(
    "expression", ["errors +", "nope * 2", "NOPE(errors)", "errors calls", "(errors", "a$", "1/0"]
)
def test_what_cannot_be_computed_is_refused(expression: str) -> None:
    with pytest.raises(ExpressionError):
        evaluate(expression, SCOPE)


def test_alarms_do_not_search() -> None:
    with pytest.raises(ExpressionError, match="SEARCH is not supported on Metric Alarms"):
        evaluate("SEARCH('{AWS/SQS} x', 'Sum', 60)", SCOPE)


@pytest.mark.parametrize("expression", ["ANOMALY_DETECTION_BAND(errors)", "SELECT AVG(x) FROM y"])
def test_what_is_not_simulated_says_so(expression: str) -> None:
    with pytest.raises(NotSimulated, match="NotSimulated"):
        evaluate(expression, SCOPE)


def test_names_are_the_ids_that_an_expression_uses() -> None:
    assert names("IF(m1 > 5, SUM([m2, e1]), FILL(m3, REPEAT))") == ["m1", "m2", "e1", "m3"]
