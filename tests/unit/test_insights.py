"""Logs Insights queries over a handful of events."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.cloud.local.service import NotSimulated
from infra.cloud.local.telemetry.insights import Result, run_query, show
from infra.cloud.local.telemetry.insights_fields import Row, discover
from infra.cloud.local.telemetry.insights_functions import Millis
from infra.cloud.local.telemetry.insights_parser import QueryError, parse_query

NINE = 1_767_603_600_000  # 2026-01-05 09:00:00 UTC, in milliseconds
FIRST = "3f0b1c2e-0000-4000-8000-000000000001"

LINES: list[tuple[int, str, str]] = [
    (0, f"START RequestId: {FIRST} Version: $LATEST", FIRST),
    (
        5,
        json.dumps({"level": "INFO", "order": {"id": 7, "lines": [{"sku": "a"}, {"sku": "b"}]}, "ok": True}),
        FIRST,
    ),
    (20, f"[ERROR]\t2026-01-05T09:00:00.020Z\t{FIRST}\tcharge failed: card=4242, amount=12.50", FIRST),
    (30, f"END RequestId: {FIRST}", FIRST),
    (
        30,
        f"REPORT RequestId: {FIRST}\tDuration: 30.25 ms\tBilled Duration: 231 ms\tMemory Size: 128 MB\t"
        "Max Memory Used: 64 MB\tInit Duration: 200.10 ms\t",
        FIRST,
    ),
    (
        90_000,
        "REPORT RequestId: 3f0b1c2e-0000-4000-8000-000000000002\tDuration: 10.00 ms\tBilled Duration: 10 ms\t"
        "Memory Size: 128 MB\tMax Memory Used: 70 MB\t",
        "",
    ),
    (100_000, json.dumps({"level": "WARN", "order": {"id": 8}, "ok": False, "note": "slow / late"}), ""),
    (130_000, json.dumps({"level": "INFO", "order": {"id": "9"}, "@odd": 1}), ""),
]


def query(text: str, limit: int | None = None, group: str = "/aws/lambda/worker") -> Result:
    rows = [
        Row.of_event("123456789012", group, "s", NINE + after, message, f"p{index}", request)
        for index, (after, message, request) in enumerate(LINES)
    ]
    return run_query(parse_query(text), rows, NINE + 200_000, limit)


def table(text: str, limit: int | None = None) -> list[dict[str, str]]:
    """The rows of a result as dicts, without the pointers."""
    rows = [{cell["field"]: cell["value"] for cell in row} for row in query(text, limit).rows]
    return [{name: value for name, value in row.items() if name != "@ptr"} for row in rows]


# -- commands ----------------------------------------------------------------------------------------------


def test_a_query_shows_time_and_message_latest_first_and_ends_each_row_with_its_pointer() -> None:
    result = query("filter level = 'INFO'")
    assert result.matched == 2
    assert result.rows[0] == [
        {"field": "@timestamp", "value": "2026-01-05 09:02:10.000"},
        {"field": "@message", "value": LINES[7][1]},
        {"field": "@ptr", "value": "p7"},
    ]
    assert [row[-1]["value"] for row in result.rows] == ["p7", "p1"]


def test_the_usual_lambda_report() -> None:
    rows = table(
        """
        filter @type = "REPORT"   # one line per invocation
        | stats count(*) as invocations, avg(@duration), max(@maxMemoryUsed / 1000 / 1000) as usedMB,
                max(@memorySize), sum(ispresent(@initDuration)) as cold, pct(@billedDuration, 99) by bin(1h)
        """
    )
    assert rows == [
        {
            "bin(1h)": "2026-01-05 09:00:00.000",
            "invocations": "2",
            "avg(@duration)": "20.125",
            "usedMB": "70",
            "max(@memorySize)": "1.28E8",
            "cold": "1",
            "pct(@billedDuration, 99)": "231",
        }
    ]


def test_groups_come_in_the_order_of_their_latest_event_with_their_keys_first() -> None:
    assert table("stats count(*) by bin(1m), @type") == [
        {"bin(1m)": "2026-01-05 09:02:00.000", "count(*)": "1"},
        {"bin(1m)": "2026-01-05 09:01:00.000", "count(*)": "1"},
        {"bin(1m)": "2026-01-05 09:01:00.000", "@type": "REPORT", "count(*)": "1"},
        {"bin(1m)": "2026-01-05 09:00:00.000", "@type": "REPORT", "count(*)": "1"},
        {"bin(1m)": "2026-01-05 09:00:00.000", "@type": "END", "count(*)": "1"},
        {"bin(1m)": "2026-01-05 09:00:00.000", "count(*)": "2"},
        {"bin(1m)": "2026-01-05 09:00:00.000", "@type": "START", "count(*)": "1"},
    ]


def test_stats_of_nothing_has_no_rows_and_stats_of_stats_works() -> None:
    assert table("filter level = 'FATAL' | stats count(*)") == []
    assert table("stats count(*) as n by bin(1m) | stats max(n), avg(n)") == [
        {"max(n)": "5", "avg(n)": "2.6667"}
    ]


def test_sort_by_a_column_an_aggregate_or_an_expression_and_limit() -> None:
    rows = table("stats count(*) by level | sort count(*) desc, level asc | limit 2")
    assert rows == [{"count(*)": "5"}, {"level": "INFO", "count(*)": "2"}]
    assert table("stats count(*) as n by bin(1m) as t | sort t asc | limit 1") == [
        {"t": "2026-01-05 09:00:00.000", "n": "5"}
    ]
    assert [
        row["order.id"] for row in table("filter ispresent(order.id) | fields order.id | sort order.id desc")
    ] == [
        "9",
        "8",
        "7",
    ]


def test_the_query_s_own_limit_wins_over_the_call_s() -> None:
    assert len(query("fields @message", limit=3).rows) == 3
    assert len(query("fields @message | limit 5", limit=3).rows) == 5
    assert len(query("fields @message | head 1").rows) == 1


def test_display_replaces_what_fields_chose() -> None:
    rows = table("fields @timestamp, level | filter level = 'WARN' | display level, order.id as id")
    assert rows == [{"level": "WARN", "id": "8"}]


def test_parse_with_a_glob_and_with_a_regular_expression() -> None:
    glob = table(
        "filter @message like 'charge' "
        "| parse @message 'card=*, amount=*' as card, amount | display card, amount"
    )
    assert glob == [{"card": "4242", "amount": "12.50"}]
    regex = table(r"parse @message /card=(?<card>\d+)/ | filter card > 4000 | stats count(*) by card")
    assert regex == [{"card": "4242", "count(*)": "1"}]
    named = table(
        r"filter @message like /card/ "
        r"| parse @message /card=(\d+), amount=([\d.]+)/ as c, a | fields c, a * 2"
    )
    assert named == [{"c": "4242", "a * 2": "25"}]
    shown = query("filter @message like /card/ | parse @message 'card=*,' as card").rows[0]
    assert [cell["field"] for cell in shown] == ["@timestamp", "@message", "card", "@ptr"]


def test_dedup_keeps_the_first_and_those_without_the_field() -> None:
    rows = table("filter ispresent(level) | fields level, order.id | sort order.id asc | dedup level")
    assert rows == [{"level": "INFO", "order.id": "7"}, {"level": "WARN", "order.id": "8"}]
    assert len(table("dedup level")) == 7


def test_an_alias_can_be_filtered_sorted_and_grouped_by() -> None:
    rows = table(
        "fields floor(@duration / 10) as tens | filter ispresent(tens) | stats count(*) by tens | sort tens"
    )
    assert rows == [{"tens": "1", "count(*)": "1"}, {"tens": "3", "count(*)": "1"}]


# -- expressions -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("condition", "pointers"),
    [
        ("level = 'INFO'", "p7 p1"),
        ("level != 'INFO'", "p6"),
        ("level = 'INFO' and order.id = 7", "p1"),
        ("order.id = 9 or order.id = '8'", "p7 p6"),
        ("order.id > 7", "p7 p6"),
        ("not ispresent(level) and not ispresent(@type)", "p2"),
        ("level in ['INFO', 'DEBUG']", "p7 p1"),
        ('ispresent(level) and level not in ["INFO"]', "p6"),
        ("@message like 'failed'", "p2"),
        ("@message like /(?i)FAILED/", "p2"),
        ("@message =~ /fail(ed|ure)/", "p2"),
        ("@message not like /RequestId|level/", "p2"),
        ("note like /slow \\/ late/", "p6"),
        ("order.lines.1.sku = 'b'", "p1"),
        ("ok = 1", "p1"),
        ("ok = false", "p6"),
        ("@@odd = 1", "p7"),
        ("@requestId = '" + FIRST + "'", "p4 p3 p2 p0"),
        ("@initDuration > 100", "p4"),
        ("@duration * 2 + 1 >= 61.5", "p4"),
        ("@duration / 3 < 2 ^ 2", "p5"),
        ("@duration % 20 = 10 and @duration - -10 = 20", "p5"),
        ("(level = 'INFO' or level = 'WARN') and order.id < 8", "p1"),
        ("strcontains(@message, 'amount') = 1", "p2"),
        ("coalesce(note, level) = 'slow / late'", "p6"),
        ("isempty(note) and level = 'WARN'", ""),
        ("strlen(level) = 4 && tolower(level) = 'warn'", "p6"),
        ("@logStream = 's' and @log = '123456789012:/aws/lambda/worker' and level = 'WARN'", "p6"),
    ],
)
def test_conditions(condition: str, pointers: str) -> None:
    assert " ".join(row[-1]["value"] for row in query(f"filter {condition}").rows) == pointers


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("abs(-3)", "3"),
        ("ceil(2.1)", "3"),
        ("floor(-2.1)", "-3"),
        ("greatest(1, 5, 3)", "5"),
        ("least(4, 2)", "2"),
        ("sqrt(16)", "4"),
        ("log(1)", "0"),
        ("2 ^ 3 ^ 2", "512"),
        ("7 / 2", "3.5"),
        ("10 % 3", "1"),
        ("concat('a', 1, '-')", "a1-"),
        ("ltrim('xyZfooxyZ', 'xyZ')", "fooxyZ"),
        ("rtrim('xyZfooxyZ', 'xyZ')", "xyZfoo"),
        ("trim('  a ')", "a"),
        ("toupper('ab')", "AB"),
        ("substr('xyZfooxyZ', 3, 3)", "foo"),
        ("substr('abc', 1)", "bc"),
        ("replace('foo', 'o', '0')", "f00"),
        ("datefloor(@timestamp, 1h)", "2026-01-05 09:00:00.000"),
        ("dateceil(@timestamp, 1d)", "2026-01-06 00:00:00.000"),
        ("bin(30s)", "2026-01-05 09:01:30.000"),
        ("toMillis(@timestamp) - 1767603600000", "100000"),
        ("fromMillis(1767603600000)", "2026-01-05 09:00:00.000"),
        ("now()", "2026-01-05 09:03:20.000"),
        ("isValidIp('192.0.2.1')", "1"),
        ("isIpv4InSubnet('192.0.2.1', '192.0.2.0/24')", "1"),
        ("isblank(' ')", "1"),
        ("`order.id` + 1", "9"),
    ],
)
def test_functions(expression: str, value: str) -> None:
    assert table(f"filter level = 'WARN' | fields {expression} as it | display it") == [{"it": value}]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("count(level)", "3"),
        ("count_distinct(level)", "2"),
        ("sum(order.id)", "24"),
        ("avg(order.id)", "8"),
        ("min(order.id)", "7"),
        ("max(order.id) - min(order.id)", "2"),
        ("median(order.id)", "8"),
        ("pct(order.id, 50)", "8"),
        ("stddev(order.id)", "0.8165"),
        ("earliest(level)", "INFO"),
        ("latest(order.id)", "9"),
        ("sortsFirst(level)", "INFO"),
        ("max(level)", "WARN"),
        ("max(@timestamp)", str(NINE + 130_000)),
        ("ceil(avg(@duration))", "21"),
        ("sum(@duration) / count(*)", "5.0312"),
    ],
)
def test_aggregates(expression: str, value: str) -> None:
    assert table(f"stats {expression} as it") == [{"it": value}]


# -- fields ------------------------------------------------------------------------------------------------


def test_lambda_s_report_line_becomes_fields() -> None:
    assert discover("/aws/lambda/worker", LINES[4][1]) == {
        "@type": "REPORT",
        "@requestId": FIRST,
        "@duration": 30.25,
        "@billedDuration": 231.0,
        "@memorySize": 128_000_000.0,
        "@maxMemoryUsed": 64_000_000.0,
        "@initDuration": 200.1,
    }
    assert discover("/other", LINES[4][1]) == {}


def test_lambda_s_json_report_becomes_the_same_fields() -> None:
    record = {"requestId": FIRST, "metrics": {"durationMs": 2.5, "memorySizeMB": 128, "initDurationMs": 90.0}}
    fields = discover("/aws/lambda/worker", json.dumps({"type": "platform.report", "record": record}))
    assert {name: value for name, value in fields.items() if name.startswith("@")} == {
        "@type": "REPORT",
        "@requestId": FIRST,
        "@duration": 2.5,
        "@memorySize": 128_000_000.0,
        "@initDuration": 90.0,
    }


def test_json_is_found_after_text_in_lambda_s_groups_only() -> None:
    message = 'prefix {not json} {"a": {"b": [1, null, {"c": "x"}]}, "@t": 2}'
    assert discover("/aws/lambda/worker", message) == {"a.b.0": 1, "a.b.2.c": "x", "@@t": 2}
    assert discover("/other", message) == {}
    assert discover("/other", '{"a": 1}') == {"a": 1}


def test_at_most_200_fields_are_found() -> None:
    assert len(discover("/other", json.dumps({f"f{index}": index for index in range(300)}))) == 200


def test_how_values_are_shown() -> None:
    values: list[Any] = [Millis(NINE + 7), True, 12, 12.0, 0.1 + 0.2, 128e6, -12_345_678.5, "x"]
    assert [show(value, computed=True) for value in values] == [
        "2026-01-05 09:00:00.007",
        "1",
        "12",
        "12",
        "0.3",
        "1.28E8",
        "-1.23456785E7",
        "x",
    ]


# -- what is refused ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message", "span"),
    [
        ("bogus command", "unexpected symbol found bogus at line 1 and position 0", (0, 5)),
        ("", "unexpected symbol found <EOF> at line 1 and position 0", (0, 0)),
        (
            "fields @message | where x = 1",
            "unexpected symbol found where at line 1 and position 18",
            (18, 23),
        ),
        ("fields @message\n| sort", "the command sort needs something after it", (18, 22)),
        ("filter x = ", "unexpected symbol found <EOF> at line 1 and position 11", (11, 11)),
        ("filter (x = 1", "unexpected symbol found <EOF> at line 1 and position 13", (13, 13)),
        ("filter x like y", "unexpected symbol found y at line 1 and position 14", (14, 15)),
        ("stats nonsense(x)", "unexpected symbol found nonsense at line 1 and position 6", (6, 14)),
        ("filter count(*) > 3", "unexpected symbol found count at line 1 and position 7", (7, 12)),
        ("stats avg(x, y)", "avg takes 1 argument, not 2", (10, 15)),
        ("stats max(sum(x))", "unexpected symbol found sum at line 1 and position 10", (10, 13)),
        ("limit 0", "limit must be between 1 and 100000", (6, 7)),
        ("limit 200000", "limit must be between 1 and 100000", (6, 12)),
        ("parse @message 'a=*, b=*' as a", "2 wildcards and 1 names", (15, 30)),
        ("parse @message /a(b)/", "every group of the regular expression needs a name", (15, 21)),
        (
            "filter x like /(/",
            "invalid regular expression: missing ), unterminated subpattern at position 0",
            (14, 17),
        ),
        ("dedup a | sort b", "the only command that can follow dedup is limit", (0, 16)),
    ],
)
def test_a_query_that_does_not_compile(text: str, message: str, span: tuple[int, int]) -> None:
    with pytest.raises(QueryError) as refused:
        parse_query(text)
    assert (refused.value.message, (refused.value.start, refused.value.end)) == (message, span)


@pytest.mark.parametrize("text", ["pattern @message", "fields jsonParse(x)", "stats count(*) by bin(1mo)"])
def test_what_only_aws_understands_says_so(text: str) -> None:
    with pytest.raises(NotSimulated):
        parse_query(text)
