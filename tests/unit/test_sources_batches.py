"""The pure parts: the event, the cut, the meaning of an answer, the filters, the number of pollers."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from infra.cloud.local.kernel import MILLISECOND, SECOND
from infra.cloud.local.service import ServiceError
from infra.cloud.local.sources.batches import cut, event, failed_items, record
from infra.cloud.local.sources.filters import Filters
from infra.cloud.local.sources.scaling import RISE, Scaling, retry_delay

ARN = "arn:aws:sqs:us-east-1:123456789012:orders"
MD5_OF_HELLO = "5d41402abc4b2a76b9719d911017c592"


PLAIN = {
    "SenderId": "AIDA",
    "ApproximateFirstReceiveTimestamp": "1700000000500",
    "ApproximateReceiveCount": "2",
    "SentTimestamp": "1700000000000",
}


def message(body: str = "hello", attributes: Any = None, system: dict[str, str] | None = None) -> Any:
    """As the queue's store gives it."""
    return SimpleNamespace(
        message_id="id-1",
        receipt_handle="handle-1",
        body=body,
        md5_of_body=MD5_OF_HELLO,
        attributes={**PLAIN, **(system or {})},
        message_attributes=attributes or {},
        md5_of_message_attributes="d25a6aea97eb8f585bfa92d314504a92" if attributes else "",
    )


def test_the_record_of_a_plain_message() -> None:
    text = record(message(), ARN, "us-east-1")
    assert list(json.loads(text).items()) == [
        ("messageId", "id-1"),
        ("receiptHandle", "handle-1"),
        ("body", "hello"),
        (
            "attributes",
            {
                "ApproximateReceiveCount": "2",
                "SentTimestamp": "1700000000000",
                "SenderId": "AIDA",
                "ApproximateFirstReceiveTimestamp": "1700000000500",
            },
        ),
        ("messageAttributes", {}),
        ("md5OfBody", MD5_OF_HELLO),
        ("eventSource", "aws:sqs"),
        ("eventSourceARN", ARN),
        ("awsRegion", "us-east-1"),
    ]


def test_the_record_of_a_message_with_everything() -> None:
    attributes: dict[str, Any] = {
        "Title": {"DataType": "String", "StringValue": "Zoë"},
        "Weeks": {"DataType": "Number", "StringValue": "6"},
        "Raw": {"DataType": "Binary.x", "BinaryValue": b"\x00\xff"},
    }
    system = {
        "SequenceNumber": "18850",
        "MessageDeduplicationId": "d1",
        "AWSTraceHeader": "Root=1-2",
        "MessageGroupId": "g1",
    }
    shown = json.loads(record(message('{"a": "ü\\n"}', attributes, system), ARN, "eu-west-1"))
    assert shown["body"] == '{"a": "ü\\n"}'
    assert shown["attributes"] == {
        "ApproximateReceiveCount": "2",
        "AWSTraceHeader": "Root=1-2",
        "SentTimestamp": "1700000000000",
        "SequenceNumber": "18850",
        "MessageGroupId": "g1",
        "SenderId": "AIDA",
        "MessageDeduplicationId": "d1",
        "ApproximateFirstReceiveTimestamp": "1700000000500",
    }
    assert shown["messageAttributes"] == {
        "Title": {"stringValue": "Zoë", "stringListValues": [], "binaryListValues": [], "dataType": "String"},
        "Weeks": {"stringValue": "6", "stringListValues": [], "binaryListValues": [], "dataType": "Number"},
        "Raw": {
            "binaryValue": "AP8=",
            "stringListValues": [],
            "binaryListValues": [],
            "dataType": "Binary.x",
        },
    }
    assert shown["md5OfMessageAttributes"] == "d25a6aea97eb8f585bfa92d314504a92"


def test_with_a_batching_window_the_digest_of_no_attributes_is_null() -> None:
    assert json.loads(record(message(), ARN, "us-east-1", windowed=True))["md5OfMessageAttributes"] is None


def test_an_event_is_its_records() -> None:
    assert event(['{"a":1}', '{"b":2}']) == b'{"Records":[{"a":1},{"b":2}]}'


@pytest.mark.parametrize(
    ("sizes", "limit", "counts"),
    [
        ([], 100, []),
        ([10, 10], 100, [2]),
        # {"Records":[…]} takes 14 bytes, each comma one
        ([43, 42], 100, [2]),
        ([43, 43], 100, [1, 1]),
        ([10, 90, 10, 10], 100, [1, 1, 2]),
        ([200, 10], 100, [1, 1]),
    ],
)
def test_where_a_batch_is_cut(sizes: list[int], limit: int, counts: list[int]) -> None:
    assert cut(sizes, limit) == counts
    assert sum(counts) == len(sizes)


@pytest.mark.parametrize(
    ("answer", "failed"),
    [
        # complete success
        (b"", []),
        (b"null", []),
        (b"{}", []),
        (b"[]", []),
        (b'""', []),
        (b'{"statusCode": 200}', []),
        (b'{"batchItemFailures": []}', []),
        (b'{"batchItemFailures": null}', []),
        # partial
        (b'{"batchItemFailures": [{"itemIdentifier": "b"}]}', ["b"]),
        (b'{"batchItemFailures": [{"itemIdentifier": "c"}, {"itemIdentifier": "a"}]}', ["a", "c"]),
        (b'{"batchItemFailures": [{"itemIdentifier": "b"}, {"itemIdentifier": "b"}]}', ["b"]),
        # complete failure
        (b"not json", ["a", "b", "c"]),
        (b'"done"', ["a", "b", "c"]),
        (b"[1]", ["a", "b", "c"]),
        (b'{"batchItemFailures": "a"}', ["a", "b", "c"]),
        (b'{"batchItemFailures": {"itemIdentifier": "a"}}', ["a", "b", "c"]),
        (b'{"batchItemFailures": ["a"]}', ["a", "b", "c"]),
        (b'{"batchItemFailures": [{"itemIdentifier": ""}]}', ["a", "b", "c"]),
        (b'{"batchItemFailures": [{"itemIdentifier": null}]}', ["a", "b", "c"]),
        (b'{"batchItemFailures": [{"itemIdentifier": 123}]}', ["a", "b", "c"]),
        (b'{"batchItemFailures": [{"foo": "a"}]}', ["a", "b", "c"]),
        (b'{"batchItemFailures": [{"itemIdentifier": "a"}, {"itemIdentifier": "unknown"}]}', ["a", "b", "c"]),
    ],
)
def test_what_an_answer_means(answer: bytes, failed: list[str]) -> None:
    assert failed_items(answer, ["a", "b", "c"]) == failed


@pytest.mark.parametrize(
    ("patterns", "body", "accepted"),
    [
        ([], "anything", True),
        ([{"body": {"kind": ["new"]}}], '{"kind": "new"}', True),
        ([{"body": {"kind": ["new"]}}], '{"kind": "old"}', False),
        ([{"body": {"kind": ["new"]}}, {"body": {"kind": ["old"]}}], '{"kind": "old"}', True),
        ([{"body": {"n": [{"numeric": [">", 9999]}]}}], '{"n": 10000}', True),
        # the format of the body and of the pattern must agree
        ([{"body": {"kind": ["new"]}}], "new", False),
        ([{"body": ["new"]}], "new", True),
        ([{"body": [{"prefix": "Result: "}]}], "Result: 5", True),
        ([{"body": [{"anything-but": "x"}]}], '{"kind": "new"}', False),
        ([{"body": {"kind": [{"exists": False}]}}], "new", False),
        ([{"body": ["12"]}], "12", True),
        # without a pattern for the body its format does not matter
        ([{"eventSource": ["aws:sqs"]}], "new", True),
        ([{"eventSource": ["aws:sqs"]}], '{"kind": "new"}', True),
        ([{"attributes": {"SenderId": ["somebody else"]}}], "new", False),
    ],
)
def test_filters(patterns: list[dict[str, Any]], body: str, accepted: bool) -> None:
    filters = Filters({"Filters": [{"Pattern": json.dumps(pattern)} for pattern in patterns]})
    assert filters.accept(record(message(body), ARN, "us-east-1"), body) is accepted
    assert bool(filters) is bool(patterns)


@pytest.mark.parametrize(
    "pattern", ["null", "simple string", '{"eventSource": "aws:sqs"}', '{"a": []}', "", "{}"]
)
def test_invalid_filters(pattern: str) -> None:
    with pytest.raises(ServiceError) as error:
        Filters({"Filters": [{"Pattern": pattern}]})
    assert error.value.code == "InvalidParameterValueException"
    assert error.value.message == "Invalid filter pattern definition."


def test_limits_of_filters() -> None:
    with pytest.raises(ServiceError, match="at most 10"):
        Filters({"Filters": [{"Pattern": '{"a": [1]}'}] * 11})
    with pytest.raises(ServiceError, match=r"'filterCriteria\.filters\.1\.member\.pattern'"):
        Filters({"Filters": [{"Pattern": " " * 4097}]})


def test_the_number_of_pollers_rises_while_messages_wait_and_falls_when_none_do() -> None:
    scaling, now = Scaling(), 0
    assert scaling.allowed == 5
    for _ in range(300):
        due = scaling.saturated(now)
        assert due == now + RISE
        now = due
    scaling.saturated(now)
    assert (now, scaling.allowed) == (60 * SECOND, 305)
    scaling.relaxed(now)
    scaling.relaxed(now + 30 * SECOND)
    assert scaling.allowed == 155
    scaling.relaxed(now + 3600 * SECOND)
    assert scaling.allowed == 5


def test_pressure_with_a_gap_is_new_pressure() -> None:
    scaling = Scaling()
    scaling.saturated(0)
    scaling.saturated(RISE)
    assert scaling.allowed == 6
    assert scaling.saturated(3600 * SECOND) == 3600 * SECOND + RISE
    assert scaling.allowed == 6


def test_it_never_passes_its_ceiling() -> None:
    scaling, now = Scaling(7), 0
    while (due := scaling.saturated(now)) is not None:
        now = due
    assert (now, scaling.allowed) == (2 * RISE, 7)
    assert Scaling(2).allowed == 2


def test_failures_take_pollers_away_and_calm_gives_them_back() -> None:
    scaling = Scaling()
    for _ in range(10):
        scaling.failed(0)
    assert scaling.allowed == 2
    scaling.relaxed(0)
    scaling.relaxed(2 * RISE)
    assert scaling.allowed == 4
    scaling.relaxed(60 * SECOND)
    assert scaling.allowed == 5


def test_back_off() -> None:
    delays = [retry_delay(attempt) // MILLISECOND for attempt in range(1, 10)]
    assert delays == [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]
