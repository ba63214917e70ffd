"""Event patterns: what matches, what is refused and with which words, and why not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.cloud.local.patterns import InvalidPattern, explain, matches, validate

# One field "x": the pattern's list of tests, the event's value, whether it matches.
FIELD = [
    # exact
    (["a"], "a", True),
    (["a", "b"], "b", True),
    (["a"], "A", False),
    ([""], "", True),
    ([1], 1, True),
    ([1], True, False),
    ([True], True, True),
    ([True], 1, False),
    ([True], "true", False),
    ([None], None, True),
    ([None], "", False),
    ([None], [], False),
    ([300], 300.0, True),
    ([3.0e2], 300, True),
    ([0.1], 0.1, True),
    (["1"], 1, False),
    ([123456789012], 123456789012, True),
    ([123456789012], 123456789013, False),
    ([123456789012], 123456789012.0, False),
    ([{"exactly": "a"}], "a", True),
    (["10.0.0.1"], "10.0.0.1", True),
    (["::1"], "0:0:0:0:0:0:0:1", True),
    # arrays in the event
    (["a"], ["b", "a"], True),
    (["a"], [["b"], ["a"]], True),
    (["a"], [], False),
    ([{"prefix": "p"}], ["a", "pq"], True),
    ([{"anything-but": "a"}], ["a"], False),
    ([{"anything-but": "a"}], ["a", "b"], True),
    # prefix, suffix
    ([{"prefix": "us-"}], "us-east-1", True),
    ([{"prefix": "us-"}], "eu-us-", False),
    ([{"prefix": ""}], "anything", True),
    ([{"prefix": "1"}], 12, False),
    ([{"prefix": {"equals-ignore-case": "EventB"}}], "eVENTbridge", True),
    ([{"suffix": ".png"}], "a.png", True),
    ([{"suffix": ".png"}], "a.PNG", False),
    ([{"suffix": {"equals-ignore-case": ".png"}}], "a.PNG", True),
    ([{"equals-ignore-case": "Alice"}], "aLICE", True),
    ([{"equals-ignore-case": ""}], "", True),
    ([{"equals-ignore-case": "alice"}], "alice2", False),
    # wildcard
    ([{"wildcard": "dir/*.png"}], "dir/a/b.png", True),
    ([{"wildcard": "dir/*.png"}], "dir/\n.png", True),
    ([{"wildcard": "*x*"}], "aaxbb", True),
    ([{"wildcard": "a*a"}], "a", False),
    ([{"wildcard": "a*a"}], "aa", True),
    ([{"wildcard": "no star"}], "no star", True),
    ([{"wildcard": "a\\*b"}], "a*b", True),
    ([{"wildcard": "a\\*b"}], "axb", False),
    ([{"wildcard": "a\\\\*"}], "a\\b", True),
    # anything-but
    ([{"anything-but": "a"}], "b", True),
    ([{"anything-but": "a"}], "a", False),
    ([{"anything-but": "a"}], None, True),
    ([{"anything-but": "a"}], 5, True),
    ([{"anything-but": [1, 2]}], 2.0, False),
    ([{"anything-but": 0}], 0, False),
    ([{"anything-but": 100}], "100", True),
    ([{"anything-but": ["a", "b"]}], "c", True),
    ([{"anything-but": {"prefix": "init"}}], "initial", False),
    ([{"anything-but": {"prefix": "init"}}], 12, True),
    ([{"anything-but": {"prefix": ["a", "b"]}}], "bc", False),
    ([{"anything-but": {"suffix": ".txt"}}], "a.png", True),
    ([{"anything-but": {"suffix": [".txt", ".png"]}}], "a.png", False),
    ([{"anything-but": {"equals-ignore-case": "A"}}], "a", False),
    ([{"anything-but": {"equals-ignore-case": ["A", "B"]}}], "c", True),
    ([{"anything-but": {"wildcard": "*/lib/*"}}], "/usr/lib/x", False),
    ([{"anything-but": {"wildcard": ["*/lib/*", "*.so"]}}], "/usr/x.so", False),
    ([{"anything-but": {"wildcard": "*/lib/*"}}], None, True),
    # numeric
    ([{"numeric": [">", 100]}], 101, True),
    ([{"numeric": [">", 100]}], 100, False),
    ([{"numeric": [">", 100]}], "101", False),
    ([{"numeric": [">", 100]}], None, False),
    ([{"numeric": [">=", 0, "<", 10]}], 0, True),
    ([{"numeric": [">=", 0, "<", 10]}], 10, False),
    ([{"numeric": ["=", 3.018e2]}], 301.8, True),
    ([{"numeric": ["<=", -0.5]}], -0.5, True),
    ([{"numeric": [">", 0]}], 6_000_000_000, False),
    ([{"numeric": [">", 0]}], 0.1234567, False),
    # exists
    ([{"exists": True}], "", True),
    ([{"exists": True}], None, True),
    ([{"exists": True}], [], False),
    ([{"exists": True}], {"y": 1}, False),
    ([{"exists": False}], {"y": 1}, True),
    ([{"exists": False}], [], True),
    ([{"exists": False}], None, False),
    (["a", {"exists": False}], "b", False),
    (["a", {"exists": False}], [], True),
    # cidr
    ([{"cidr": "10.0.0.0/24"}], "10.0.0.255", True),
    ([{"cidr": "10.0.0.0/24"}], "10.0.1.0", False),
    ([{"cidr": "10.0.0.0/24"}], "not an address", False),
    ([{"cidr": "10.0.0.0/24"}], 10, False),
    ([{"cidr": "2001:db8::/32"}], "2001:db8:1::1", True),
    ([{"cidr": "2001:db8::/32"}], "2001:db9::1", False),
    ([{"cidr": "::/0"}], "10.0.0.1", False),
]


@pytest.mark.parametrize(("tests", "value", "expected"), FIELD)
def test_one_field(tests: list[Any], value: Any, expected: bool) -> None:
    pattern, event = {"x": tests}, {"x": value}
    assert matches(pattern, event) is expected
    assert matches(json.dumps(pattern), json.dumps(event)) is expected
    assert explain(pattern, event).startswith("match: " if expected else "no match: ")


@pytest.mark.parametrize("tests", [["a"], [{"anything-but": "a"}], [{"exists": True}], [None]])
def test_a_missing_field_matches_nothing_but_its_absence(tests: list[Any]) -> None:
    assert not matches({"x": tests}, {"y": 1})
    assert matches({"x": [*tests, {"exists": False}]}, {"y": 1})


EMPLOYEES = {"staff": [{"first": "Anna", "last": "Smith"}, {"first": "Peter", "last": "Jones", "left": True}]}

STRUCTURE = [
    ({"a": {"b": [1]}}, {"a": {"b": 1, "c": 2}, "d": 3}, True),
    ({"a": {"b": [1]}, "d": [4]}, {"a": {"b": 1}, "d": 3}, False),
    ({"a": {"b": [1]}}, {"a": '{"b": 1}'}, False),
    ({"a": ["x"]}, {"A": "x"}, False),
    # dots join keys
    ({"a": {"b.c": [1]}}, {"a": {"b": {"c": 1}}}, True),
    ({"a": {"b": {"c": [1]}}}, {"a.b": {"c": 1}}, True),
    # arrays of objects: one element must satisfy all
    ({"staff": {"first": ["Anna"], "last": ["Smith"]}}, EMPLOYEES, True),
    ({"staff": {"first": ["Anna"], "last": ["Jones"]}}, EMPLOYEES, False),
    ({"staff": {"first": ["Anna", "Peter"], "last": ["Jones"]}}, EMPLOYEES, True),
    ({"staff": {"first": ["Anna"], "left": [{"exists": False}]}}, EMPLOYEES, True),
    ({"staff": {"first": ["Peter"], "left": [{"exists": False}]}}, EMPLOYEES, False),
    ({"a": {"x": [1], "y": [2]}}, {"a": [[{"x": 1}], [{"x": 1, "y": 2}]]}, True),
    ({"a": {"x": [1], "y": [2]}}, {"a": [[{"x": 1}], [{"y": 2}]]}, False),
    ({"a": {"x": [1]}, "b": {"y": [2]}}, {"a": [{"x": 0}, {"x": 1}], "b": [{"y": 2}]}, True),
    # $or
    ({"s": ["x"], "$or": [{"m": [1]}, {"n": [2]}]}, {"s": "x", "n": 2}, True),
    ({"s": ["x"], "$or": [{"m": [1]}, {"n": [2]}]}, {"s": "y", "n": 2}, False),
    ({"$or": [{"m": [1]}, {"n": [2], "o": [3]}]}, {"n": 2, "o": 4}, False),
    ({"d": {"$or": [{"m": [1]}, {"n": {"o": [2]}}]}}, {"d": {"n": {"o": 2}}}, True),
    ({"$or": [{"a": [1], "$or": [{"b": [1]}, {"c": [1]}]}, {"z": [1]}]}, {"a": 1, "c": 1}, True),
    (
        {"$or": [{"a": [1]}, {"b": [1]}], "x": {"$or": [{"c": [1]}, {"d": [1]}]}},
        {"b": 1, "x": {"c": 1}},
        True,
    ),
    ({"n": {"h": {"S": [{"anything-but": ["r"]}, {"exists": False}]}}}, {"n": {"p": {"N": "7"}}}, True),
]


@pytest.mark.parametrize(("pattern", "event", "expected"), STRUCTURE)
def test_structure(pattern: dict[str, Any], event: dict[str, Any], expected: bool) -> None:
    assert matches(pattern, event) is expected


def test_the_last_of_two_equal_keys_counts() -> None:
    assert matches('{"a": ["x"], "a": ["y"]}', {"a": "y"})
    assert not matches('{"a": ["x"], "a": ["y"]}', {"a": "x"})


# Recorded from AWS where the position is given in full.
REFUSED = [
    ('{"int": 42}', '"int" must be an object or an array', 11),
    ('{"string": "my-value"}', '"string" must be an object or an array', 13),
    ('{"resources": []}', "Empty arrays are not allowed", 17),
    ('{"source": ["aws.health"], "detail": {}}', "Empty objects are not allowed", 40),
    ('["not", "a", "dict", "but valid json"]', "Filter is not an object", 2),
    (
        "this is valid json but not a dict",
        "Unrecognized token 'this': was expecting "
        "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')",
        5,
    ),
    (
        "{'bad': 'quotation'}",
        "Unexpected character (''' (code 39)): was expecting double-quote to start field name",
        2,
    ),
    (
        '{"not": closed mark"',
        "Unrecognized token 'closed': was expecting "
        "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')",
        15,
    ),
    ('{"detail": {"equal": [{"NUMERIC": ["=", 5]}]}}', "Unrecognized match type NUMERIC", 36),
    ('{"my_key": [{"EXISTS": true}]}', "Unrecognized match type EXISTS", 28),
    (
        '{"detail": {"c-count": [{"numeric": [">", 0, ">", 0]}]}}',
        "Bad numeric range operator: >",
        49,
    ),
    ('{"detail": {"c-count": [{"numeric": [">", 0, "<"]}]}}', "Value of < must be numeric", 50),
    ('{"EventBusArn": [{"wildcard": 123}]}', "wildcard match pattern must be a string", 34),
    ('{"time": [{"prefix": ["2022-07-13"]}]}', "prefix match pattern must be a string", 23),
    ('{"time": [{"prefix": 123}]}', "prefix match pattern must be a string", 25),
    ('{"FileName": [{"suffix": [".png"]}]}', "suffix match pattern must be a string", 27),
    (
        '{"detail": {"sourceIPAddress": [{"cidr": ["bad-type"]}]}}',
        "prefix match pattern must be a string",
        43,
    ),
    (
        '{"detail-type": [{"equals-ignore-case": ["ec2 instance state-change notification"]}]}',
        "equals-ignore-case match pattern must be a string",
        42,
    ),
    (
        '{"detail": {"state": [{"anything-but": {"equals-ignore-case": 123}}]}}',
        "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported.",
        66,
    ),
    (
        '{"detail": {"state": [{"anything-but": {"prefix": 123}}]}}',
        "prefix/suffix match pattern must be a string",
        54,
    ),
    (
        '{"detail": {"FileName": [{"anything-but": {"prefix": {"equals-ignore-case": "file"}}}]}}',
        "Value of anything-but must be an array or single string/number value.",
        55,
    ),
    ('{"x": [{"exists": "yes"}]}', "exists match pattern must be either true or false.", 20),
    ('{"$or": [{"a": [1]}]}', "There must have at least 2 Objects in $or relationship.", 21),
    ('{"a": [[1]]}', "Match value must be String, number, true, false, or null", 9),
    ('{"a": [{"prefix": "a", "suffix": "b"}]}', "Only one key allowed in match expression", 35),
]


@pytest.mark.parametrize(("pattern", "reason", "column"), REFUSED)
def test_refused_with_the_place(pattern: str, reason: str, column: int) -> None:
    with pytest.raises(InvalidPattern) as error:
        validate(pattern)
    assert str(error.value) == (
        f"Event pattern is not valid. Reason: {reason}\n"
        f' at [Source: (String)"{pattern}"; line: 1, column: {column}]'
    )


REFUSED_WITHOUT_PLACE = [
    ("bad-ip", "Malformed CIDR, one '/' required"),
    ("10.0.0.0/x", "Malformed CIDR, mask bits must be an integer"),
    ("xx.11.xx/8", "Nonstandard IP address: xx.11.xx"),
    ("xxxx:db8:1234:1a00::/64", "Nonstandard IP address: xxxx:db8:1234:1a00::"),
    ("10.0.0.0/32", "IPv4 mask bits must be < 32"),
]


@pytest.mark.parametrize(("cidr", "reason"), REFUSED_WITHOUT_PLACE)
def test_refused_cidr(cidr: str, reason: str) -> None:
    with pytest.raises(InvalidPattern) as error:
        validate({"ip": [{"cidr": cidr}]})
    assert error.value.reason == reason


def test_a_list_inside_anything_but_reports_its_place_twice() -> None:
    pattern = '{"detail": {"state": [{"anything-but": {"wildcard": [123, "*/dir/*"]}}]}}'
    place = f'\n at [Source: (String)"{pattern}"; line: 1, column: 57]'
    with pytest.raises(InvalidPattern) as error:
        validate(pattern)
    assert error.value.reason == "wildcard match pattern must be a string" + place + place


def test_consecutive_wildcards() -> None:
    pattern = '{"EventBusArn": [{"wildcard": "arn:aws:events:us-east-1:**:event-bus/*"}]}'
    with pytest.raises(InvalidPattern, match="Consecutive wildcard characters at pos 26"):
        validate(pattern)


EXPLAINED = [
    (
        {"detail": {"total": [{"numeric": [">", 1000]}]}},
        {"detail": {"total": 250}},
        "no match: detail.total is 250, the pattern wants > 1000",
    ),
    (
        {"source": ["order", "cart"]},
        {"source": "invoice"},
        'no match: source is "invoice", the pattern wants "order" or "cart"',
    ),
    ({"a": {"b": [{"exists": True}]}}, {"a": {}}, "no match: a.b is missing, the pattern wants it to exist"),
    (
        {"a": [{"exists": True}]},
        {"a": {"b": 1}},
        "no match: a is an object, not a value, the pattern wants it to exist",
    ),
    (
        {"staff": {"first": ["Anna"], "last": ["Jones"]}},
        EMPLOYEES,
        "no match: no single array element holds matching values for all of staff.first, staff.last",
    ),
    (
        {"$or": [{"a": [1], "b": [1]}, {"c": [{"prefix": "x"}]}]},
        {"a": 2, "b": 2, "c": "y"},
        'no match: c is "y", the pattern wants a string that begins with "x" '
        "(the closest of 2 $or alternatives)",
    ),
    ({"a": [1], "b": [{"exists": False}]}, {"a": 1}, "match: a is 1, b is absent"),
    (
        {"a": [{"anything-but": {"prefix": "x"}}]},
        {"a": "xy"},
        'no match: a is "xy", the pattern wants anything but with the prefix "x"',
    ),
]


@pytest.mark.parametrize(("pattern", "event", "sentence"), EXPLAINED)
def test_reasons(pattern: dict[str, Any], event: dict[str, Any], sentence: str) -> None:
    assert explain(pattern, event) == sentence


def test_the_event_must_be_an_object() -> None:
    with pytest.raises(ValueError, match="Event must be a JSON object"):
        matches({"a": [1]}, "[1]")
