"""JSONata as Step Functions evaluates it: numbers, nothing, errors, bounds, plain paths."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.cloud.local.routes.stepfunctions.language.jsonata_check import problem
from infra.cloud.local.routes.stepfunctions.language.jsonata_engine import (
    EvaluationError,
    Expression,
    Undefined,
    compile_expression,
)
from infra.cloud.local.routes.stepfunctions.language.jsonata_numbers import number_text

VALUE = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, max_size=3)
    ),
    max_leaves=12,
)


def _value(text: str, value: Any = None, **variables: Any) -> Any:
    return compile_expression(text).evaluate({"input": value}, variables, random.Random(0))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 1", 2),
        ("10 / 4", 2.5),
        ("1 / 0", "Infinity"),
        ("[0 / 0]", ["NaN"]),
        ("5.5 % 2", 1.5),
        ("$string(1e20) & $string(1e21)", "1000000000000000000001e+21"),
        ("$string({'é': [1.0, null]})", '{"é":[1,null]}'),
        ("$range(0, 10, 4)", [0, 4, 8]),
        ("$range(7, 7, 1)", 7),
        ("$partition([1, 2, 3], 2.9)", [[1, 2], [3]]),
        ("$random(42)", 0.7275636800328681),
        ("$parse('{\"a\": [null]}')", {"a": [None]}),
        ("$map([1, 2], $string)", ["1", "2"]),
        ("$x.a + 1", 3),
    ],
)
def test_values(text: str, value: Any) -> None:
    assert _value(text, x={"a": 2}) == value


@pytest.mark.parametrize("text", ["$states.input.zz", "$range(3, 1, 1)", "$partition([], 1)", "$nothing"])
def test_nothing_is_not_null(text: str) -> None:
    with pytest.raises(Undefined):
        _value(text, {"a": None})
    assert _value("$states.input.a", {"a": None}) is None


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("$eval('1')", "T1006: Attempted to invoke a non-function"),
        ("$sum(['a'])", 'T0412: Argument 1 of function "sum" must be an array of "numbers"'),
        ("$hash('a', 1)", 'T0410: Argument 2 of function "hash" does not match function signature'),
        ("$uuid(1)", 'T0410: Argument 1 of function "uuid" does not match function signature'),
        ("$parse('{')", "D3137: Invalid JSON"),
        ("'a' + 1", 'T2001: The left side of the "+" operator must evaluate to a number'),
        ("+".join(["1"] * 101).replace("+", " + "), "Stack overflow error"),
        ("function($x){$x}", "returned an unsupported result type"),
    ],
)
def test_errors(text: str, error: str) -> None:
    with pytest.raises(EvaluationError) as raised:
        _value(text)
    assert str(raised.value).startswith(error)


@settings(max_examples=60)
@given(VALUE, st.lists(st.sampled_from(["a", "b", "c"]), max_size=3))
def test_a_plain_path_is_what_the_engine_says(value: Any, names: list[str]) -> None:
    text = ".".join(["$states.input", *names])
    plain, engine = Expression(text), Expression(text)
    engine._plain = None
    found = []
    for expression in (plain, engine):
        try:
            found.append(expression.evaluate({"input": value}, {}, random.Random(0)))
        except Undefined:
            found.append("undefined")
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("number", "text"),
    [(1.0, "1"), (1e-7, "1e-7"), (0.00001, "0.00001"), (0.1 + 0.2, "0.3"), (-1.5e300, "-1.5e+300")],
)
def test_texts_of_numbers(number: float, text: str) -> None:
    assert number_text(number) == text


def test_what_is_refused_before_it_runs() -> None:
    top = "Reference to 'phone' at the top level is not supported."
    assert problem("phone", False) == ("UNSUPPORTED_JSONATA_EXPRESSION", top)
    assert problem("$map($states.input.a, function($x){ phone })", False) is not None
    assert problem("$states.input.items[value > 3]^(price).{'a': b}", False) is None
    assert problem("$states.errorOutput.Error", False) is not None
    assert problem("$states.errorOutput.Error", True) is None
    assert problem("1 +", False) == ("INVALID_JSONATA_EXPRESSION", "Unexpected end of expression")
