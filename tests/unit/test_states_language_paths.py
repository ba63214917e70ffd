"""JSONPath in Jayway's dialect, result paths, comparisons: the pure parts of the Amazon States Language."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.cloud.local.routes.stepfunctions.language.choices import COMPARISONS, instant, matches
from infra.cloud.local.routes.stepfunctions.language.jsonpath import NoResult, compile_path
from infra.cloud.local.routes.stepfunctions.language.jsonpath_filter import InvalidPath
from infra.cloud.local.routes.stepfunctions.language.result_path import NoPlace, place

STORE = {"book": [{"t": "a", "p": 8.9}, {"t": "b", "p": 12, "i": 1}], "x y": {"z": None}}

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("$", STORE),
        ("$.book[0].t", "a"),
        ("$['book'][1]['t']", "b"),
        ("$.book[-1].i", 1),
        ("$['x y'].z", None),
        ("$.book[*].t", ["a", "b"]),
        ("$.book[0,1].p", [8.9, 12]),
        ("$.book[1:].t", ["b"]),
        ("$..t", ["a", "b"]),
        ("$.book[?(@.p < 10)].t", ["a"]),
        ("$.book[?(@.i && @.t in ['b', 'c'])].p", [12]),
        ("$.book[?(@.t =~ /A/i)].t", ["a"]),
        ("$.book[?(!@.i || @.p >= 12)].t", ["a", "b"]),
        ("$.book[?(@.t == 'zz')]", []),
        ("$.nothing[*]", []),
        ("$.book.length()", 2),
        ("$.book[*]['t','p']", [{"t": "a", "p": 8.9}, {"t": "b", "p": 12}]),
    ],
)
def test_a_path_selects(path: str, value: Any) -> None:
    assert compile_path(path).get(STORE) == value


@pytest.mark.parametrize("path", ["$.nope", "$.book[5]", "$.book.t", "$.nope.a", "$['x y'].z.q"])
def test_a_definite_path_finds_nothing(path: str) -> None:
    with pytest.raises(NoResult):
        compile_path(path).get(STORE)


@pytest.mark.parametrize(
    "path", ["", "a", "$.", "$.a[", "$.a['b", "$a b", "$.a[x]", "$.a.foo()", "$.a[?(@.b ==)]"]
)
def test_a_text_is_no_path(path: str) -> None:
    with pytest.raises(InvalidPath):
        compile_path(path)


def test_which_paths_name_one_place() -> None:
    found = {
        path: compile_path(path).reference for path in ("$", "$.a[0]['b']", "$.a[*]", "$..a", "$.a.length()")
    }
    assert found == {"$": True, "$.a[0]['b']": True, "$.a[*]": False, "$..a": False, "$.a.length()": False}


@given(JSON, JSON)
def test_what_is_placed_is_found_there(document: Any, result: Any) -> None:
    document = document if isinstance(document, dict) else {"k": document}
    placed = place(document, "$.new.inner", result) if not isinstance(document.get("new"), list) else None
    if placed is not None:
        assert compile_path("$.new.inner").get(placed) == result
        assert {key: value for key, value in placed.items() if key != "new"} == {
            key: value for key, value in document.items() if key != "new"
        }


def test_a_result_has_no_place() -> None:
    with pytest.raises(NoPlace):
        place({"a": 1}, "$.a.b", 2)
    with pytest.raises(NoPlace):
        place({"a": [1]}, "$.a[1]", 2)


def test_timestamps_are_instants() -> None:
    assert instant("2026-01-01T00:00:00Z") == instant("2026-01-01T02:00:00+02:00")
    assert instant("2026-01-01T00:00:00.25Z") == instant("2025-12-31T22:00:00.250-02:00")
    assert instant("2026-01-01 00:00:00Z") is None
    assert instant("2026-13-01T00:00:00Z") is None


def test_patterns_of_texts() -> None:
    assert [matches("log-2*.txt", pattern) for pattern in ("log-*", "log-2\\*.txt", "*\\\\*", "log")] == [
        True,
        True,
        False,
        False,
    ]


@given(JSON, JSON)
def test_values_of_other_types_never_match(left: Any, right: Any) -> None:
    for name in ("StringEquals", "StringLessThan"):
        if not (isinstance(left, str) and isinstance(right, str)):
            assert not COMPARISONS[name](left, right)
    if isinstance(left, bool) or not isinstance(left, int):
        assert not COMPARISONS["NumericEquals"](left, left)
