"""Filter patterns, mostly the documentation's own examples."""

from __future__ import annotations

import pytest

from infra.cloud.local.telemetry.log_pattern_values import PatternError
from infra.cloud.local.telemetry.log_patterns import compile_pattern

ERRORS = [
    "[ERROR 400] BAD REQUEST",
    "[ERROR 401] UNAUTHORIZED REQUEST",
    "[ERROR 419] MISSING ARGUMENTS",
    "[ERROR 420] INVALID ARGUMENTS",
    "[INFO] REQUEST FAILED",
]


def matching(pattern: str, messages: list[str]) -> list[str]:
    matches = compile_pattern(pattern)
    return [message for message in messages if matches(message)]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("", [0, 1, 2, 3, 4]),
        ('" "', [0, 1, 2, 3, 4]),
        ("ERROR", [0, 1, 2, 3]),
        ("error", []),
        ("ERROR ARGUMENTS", [2, 3]),
        ("?ERROR ?ARGUMENTS", [0, 1, 2, 3]),
        ("?ERROR ?ARGUMENTS REQUEST", [0, 1, 4]),
        ("ERROR -ARGUMENTS", [0, 1]),
        ("-ERROR", [4]),
        ('"BAD REQUEST"', [0]),
        ('ERROR -"BAD REQUEST"', [1, 2, 3]),
        ("AUTHORIZED", [1]),
        ("%AUTHORIZED%", [1]),
        ("%BAD REQUEST|^.INFO%", [0, 4]),
        (r"%4[0-9]{2}\]\s[A-Z]+\sARG%", [2, 3]),
        ('"[INFO]"', [4]),
    ],
)
def test_terms(pattern: str, expected: list[int]) -> None:
    assert matching(pattern, ERRORS) == [ERRORS[index] for index in expected]


def test_an_escaped_quote_is_part_of_the_phrase() -> None:
    assert compile_pattern(r'"say \"hi\""')('they say "hi" again')


TRAIL = (
    '{"eventType": "UpdateTrail", "sourceIPAddress": "111.111.111.111", '
    '"arrayKey": ["value", "another value"], '
    '"objectList": [{"name": "a", "id": 1}, {"name": "b", "id": 2}], "SomeObject": null, "ThisFlag": true, '
    '"cluster.name": "c", "latency": 75, "code": "404", "user-id": 7}'
)


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ('{ $.eventType = "UpdateTrail" }', True),
        ("{ $.eventType = UpdateTrail }", True),
        ('{ $.eventType != "UpdateTrail" }', False),
        ('{ $.eventType = "Update*" }', True),
        ('{ $.eventType = "*Trail" }', True),
        ("{ $.eventType = *dateT* }", True),
        ('{ $.eventType = "Up*il" }', False),
        ("{ $.eventType = * }", True),
        ("{ $.eventType = %Trail% }", True),
        ("{ $.eventType != %Trail% }", False),
        ("{ $.sourceIPAddress != 123.123.* }", True),
        ('{ $.arrayKey[0] = "value" }', True),
        ('{ $.arrayKey[1] = "value" }', False),
        ('{ $.arrayKey[7] = "value" }', False),
        ('{ $.arrayKey[*] = "another value" }', True),
        ("{ $.arrayKey[*] = %val.{2}% }", True),
        ("{ $.objectList[1].id = 2 }", True),
        ("{ $.objectList[*].id = 3 }", False),
        (r"{ $.* = %111\.111\.111\.1[0-9]{1,2}% }", True),
        ("{ $.['cluster.name'] = \"c\" }", True),
        ("{ $.user-id = 7 }", True),
        ("{ $.SomeObject IS NULL }", True),
        ("{ $.ThisFlag IS NULL }", False),
        ("{ $.ThisFlag IS TRUE }", True),
        ("{ $.ThisFlag IS FALSE }", False),
        ("{ $.ThisFlag = true }", True),
        ("{ $.SomeOtherObject NOT EXISTS }", True),
        ("{ $.SomeObject NOT EXISTS }", False),
        ("{ $.SomeOtherObject != 5 }", False),
        ("{ $.objectList != 5 }", False),
        ("{ $.latency > 50 }", True),
        ("{ $.latency >= 75.0 && $.latency <= 7.5e+1 }", True),
        ("{ $.latency < 75 }", False),
        ("{ $.latency = 7* }", True),
        ('{ $.latency = "75" }', False),
        ("{ $.code = 404 }", True),
        ("{ $.code >= 400 }", True),
        ("{ $.eventType > 5 }", False),
    ],
)
def test_json(pattern: str, matches: bool) -> None:
    assert compile_pattern(pattern)(TRAIL) is matches


USERS = (
    '{"user": {"id": 1, "email": "John.Stiles@example.com"}, '
    '"users": [{"id": 2, "email": "John.Doe@example.com"}], '
    '"actions": ["GET", "PUT", "DELETE"], "coordinates": [[0, 1, 2], [4, 5, 6]]}'
)


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ('{ ($.user.id = 1) && ($.users[0].email = "John.Doe@example.com") }', True),
        (
            '{ $.user.email = "John.Stiles@*" || $.coordinates[0][1] = "no" && $.actions[2] = "no" }',
            True,
        ),
        (
            '{ ($.user.email = "John.Stiles@*" || $.coordinates[0][1] = "no") && $.actions[2] = "no" }',
            False,
        ),
        ('{ ($.user.id = 2 && $.users[0].email = "nonmatch") || $.actions[2] = "GET" }', False),
        ("{ $.coordinates[1][2] = 6 }", True),
    ],
)
def test_json_compounds(pattern: str, matches: bool) -> None:
    assert compile_pattern(pattern)(USERS) is matches


@pytest.mark.parametrize("message", ["plain", "{broken", "[1]", 'INFO {"a": 1}', ""])
def test_a_message_that_is_no_json_object_never_matches_a_json_pattern(message: str) -> None:
    assert not compile_pattern("{ $.a NOT EXISTS }")(message)


ACCESS = [
    '127.0.0.1 Prod frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534',
    '127.0.0.2 Prod jane [10/Oct/2000:13:25:16 -0700] "GET /index.html HTTP/1.0" 410 0',
    '127.0.0.3 Prod frank [10/Oct/2000:13:25:17 -0700] "POST /api HTTP/1.0" 500 2048',
    "ERROR 09/25/2014 12:00:02 Failed to process request",
    "WARNING 09/25/2014 12:00:02 Invalid user request",
    "ERROR",
]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("[ip, user, username, timestamp, request, status_code, bytes]", [0, 1, 2, 3]),
        ("[ip, user, username, timestamp, request, status_code = 4*, bytes > 1000]", [0]),
        (
            "[ip, user, username, timestamp, request =*.html*, code = 404 || code = 410, bytes]",
            [0, 1],
        ),
        ("[..., request = *.html*, status_code = 4*, bytes]", [0, 1]),
        ("[..., request=*.html*, status_code=4*,]", [0, 1]),
        (r"[ip = %127\.0\.0\.[1-2]%, ..., bytes]", [0, 1]),
        ("[ip, ..., status_code >= 500, bytes]", [2]),
        ("[..., bytes]", [0, 1, 2, 3, 4, 5]),
        ("[w1=ERROR, w2]", [3]),
        ("[w1=ERROR]", [5]),
        ("[w1=ERROR || w1=WARNING, w2]", [3, 4]),
        ("[w1!=ERROR && w1!=WARNING, w2]", [0, 1, 2]),
        ("[ip, user, username = frank, rest]", [0, 2]),
        ('[ip, user, username, timestamp = "10/Oct/2000:13:25:17 -0700", rest]', [2]),
    ],
)
def test_space_delimited(pattern: str, expected: list[int]) -> None:
    assert matching(pattern, ACCESS) == [ACCESS[index] for index in expected]


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("?Status: timeout", "Invalid character(s) in term ':'"),
        ("ERR*", "Invalid character(s) in term '*'"),
        ('"ERROR', "Invalid character(s) in term '\"'"),
        ("retrieved-references", "Invalid character(s) in term '-'"),
        (
            "%(a|b)%",
            "Invalid regex pattern %(a|b)%: parentheses, multibyte characters and symbols",
        ),
        ('{$.foo = "abc"', "If a filter pattern starts with '{' it must end with '}'"),
        ("[time, level=ERROR, msg", "If a filter pattern starts with '[' it must end with ']'"),
        ("{ $.type = 'Root' }", "Invalid filter pattern: expected a value at ''Root''"),
        ("{ $.user = me@example.com }", "Invalid filter pattern: unexpected '@example.com'"),
        ("%[abc%", "Invalid regex pattern %[abc%: unterminated character set"),
        ("%a% %b% %c%", "A filter pattern can have at most 2 regex patterns, this has 3"),
        ("{ $.a == 1 }", "Invalid filter pattern: expected a value at '= 1'"),
        ("{ $.a EXISTS }", "Invalid filter pattern: expected an operator (=, !=, <, <=, >, >=) at 'EXISTS'"),
        ("{ $.a IS NOT NULL }", "Invalid filter pattern: expected NULL, TRUE or FALSE at 'NOT NULL'"),
        ('{ $.a > "x" }', "Invalid filter pattern: > needs a number; text is compared with = or !="),
        ("{ $.a = 1 AND $.b = 2 }", "Invalid filter pattern: unexpected 'AND $.b = 2'"),
        ("{ a = 1 }", "Invalid filter pattern: expected a property selector such as $.name at 'a = 1'"),
        ("{ ($.a = 1 }", "Invalid filter pattern: expected ')' at 'the end'"),
        ("{ $.a[*].* = 1 }", "A property selector can have one wildcard, $.a[*].* has 2"),
        (
            "{ $.a.* = 1 || $.b.* = 1 || $.c.* = 1 || $.d.* = 1 }",
            "A filter pattern can have at most 3 wildcard selectors, this has 4",
        ),
        ("[..., a, ...]", "Invalid filter pattern: a pattern can have one ellipsis"),
        ("[status = 4* && bytes > 9]", "Invalid filter pattern: one field speaks of status and of bytes"),
        ("[a, a]", "Invalid filter pattern: the field a is named twice"),
        ("[a = 1 b]", "Invalid filter pattern: unexpected 'b'"),
    ],
)
def test_a_wrong_pattern_is_refused(pattern: str, message: str) -> None:
    with pytest.raises(PatternError) as refused:
        compile_pattern(pattern)
    assert str(refused.value).startswith(message)
