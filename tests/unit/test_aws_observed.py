"""Views of a real account, from log lines and answers as AWS gives them. Nothing here waits or calls out."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from infra.cloud.aws import observed as module
from infra.cloud.aws.depth_sampler import Sample
from infra.cloud.aws.observed import Observed
from infra.cloud.aws.patience import metric_points
from infra.cloud.aws.requests import Sent
from infra.cloud.interface import Cloud

STARTED = 1_000.0


class _Logs:
    """CloudWatch Logs with what has been logged, some of it shown only after ``late`` reads."""

    class exceptions:  # noqa: N801 - as boto3 spells it
        class ResourceNotFoundException(Exception): ...

    def __init__(self) -> None:
        self.events: list[tuple[float, str]] = []
        self.late: list[tuple[float, str]] = []
        self.reads = 0

    def get_paginator(self, _: str) -> Any:
        return self

    def paginate(self, logGroupName: str, startTime: int) -> Any:  # noqa: N803 - as boto3 spells it
        self.reads += 1
        if self.reads > 3:
            self.events += self.late
            self.late = []
        return [
            {
                "events": [
                    {"eventId": str(number), "timestamp": time * 1000, "message": text + "\n"}
                    for number, (time, text) in enumerate(self.events)
                    if time * 1000 >= startTime
                ]
            }
        ]


class _Cloud:
    """As much of an AwsCloud as the views need, on a clock that moves only by sleeping."""

    patience = 30.0
    started = STARTED

    def __init__(self) -> None:
        self.logs = _Logs()
        self.clock = 0.0
        self.session: Any = type(
            "Session", (), {"events": type("E", (), {"register": lambda *_, **__: None})()}
        )
        self.cloudwatch: Any = None

    def client(self, service: str) -> Any:
        return self.logs if service == "logs" else self.cloudwatch

    @property
    def elapsed(self) -> float:
        return self.clock

    @property
    def now(self) -> Any:
        import datetime

        return datetime.datetime.fromtimestamp(STARTED + self.clock, datetime.UTC)

    def sleep(self, seconds: float) -> None:
        self.clock += seconds

    wait_for: Callable[..., Any] = Cloud.wait_for


def _lines(
    messages: list[tuple[str, float]], start: float, end: float, **more: Any
) -> list[tuple[float, str]]:
    """What the probe logs of an invocation."""
    data = {
        "request": f"r{start:g}",
        "environment": "e1",
        "first": False,
        "init": 0.25,
        "start": STARTED + start,
        "end": STARTED + end,
        "messages": [
            {"id": name, "sent": STARTED + sent, "receives": 1, "queue": "Orders"} for name, sent in messages
        ],
        "failed": [],
        **more,
    }
    begun = {key: data.pop(key) for key in ("first", "init", "messages", "end")}
    end_line = data | {"end": begun.pop("end")}
    which = {key: data[key] for key in ("request", "environment", "start")}
    lines = (f"workshop-probe {json.dumps(each)}" for each in (which | begun, end_line))
    return [(STARTED + end, line) for line in lines]


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> _Cloud:
    monkeypatch.setattr(module, "is_empty", lambda *_: True)
    return _Cloud()


def _observed(cloud: _Cloud) -> Observed:
    given: Any = cloud
    found = Observed(given)
    found.log_reader.know("Worker", "/aws/lambda/Worker")
    return found


def test_the_story_of_a_message_that_failed_once(cloud: _Cloud) -> None:
    found = _observed(cloud)
    found.requests.sent += [Sent("a", "Orders", STARTED + 1.1), Sent("b", "Orders", STARTED + 1.1)]
    cloud.logs.events += [
        *_lines([("a", 1.0), ("b", 1.0)], 2, 3, failed=["b"]),
        *_lines([("b", 1.0)], 9, 10, first=True),
    ]
    a, b = found.messages("Orders")
    assert (a.fate, a.sent, a.ended, a.successes) == ("processed", 1.0, 3.0, 1)
    assert (b.fate, b.ended, b.failures, b.successes) == ("processed", 10.0, 1, 1)
    assert found.latency("Orders").values == [2.0, 9.0]
    assert found.messages("Orders", since=5.0) == []


def test_late_lines_are_waited_for(cloud: _Cloud) -> None:
    found = _observed(cloud)
    found.requests.sent.append(Sent("a", "Orders", STARTED + 1))
    cloud.logs.late.extend(_lines([("a", 1.0)], 2, 3))
    assert [story.fate for story in found.messages("Orders")] == ["processed"]
    assert 0 < cloud.clock < cloud.patience


def test_what_no_line_mentions_is_given_up_once(cloud: _Cloud) -> None:
    """Received while its function was throttled, it went to the dead-letter queue without any invocation."""
    found = _observed(cloud)
    found.requests.sent.append(Sent("a", "Orders", STARTED + 1))
    (story,) = found.messages("Orders")
    assert (story.fate, story.ended, story.attempts) == ("dead-lettered", None, [])
    assert cloud.clock == cloud.patience
    found.messages("Orders")
    assert cloud.clock == cloud.patience


def test_environments_have_an_init_phase_and_spans(cloud: _Cloud) -> None:
    found = _observed(cloud)
    cloud.logs.events += [
        *_lines([], 2, 3, first=True),
        (
            STARTED + 3,
            "REPORT RequestId: r2\tDuration: 1000 ms\tBilled Duration: 1500 ms\tMemory Size: 256 MB\t"
            "Max Memory Used: 50 MB\tInit Duration: 500.00 ms\t",
        ),
        *_lines([], 4, 5, raised="KeyError"),
    ]
    (environment,) = found.environments("Worker")
    spans = [(span.kind, span.start, span.end) for span in environment.spans]
    assert spans == [("init", 1.5, 2.0), ("busy", 2.0, 3.0), ("error", 4.0, 5.0)]
    with pytest.raises(ValueError, match="there is no function 'Wroker'; there is: Worker"):
        found.environments("Wroker")


def test_queue_depth_and_the_age_of_the_oldest(cloud: _Cloud) -> None:
    found = _observed(cloud)
    cloud.logs.events.extend(_lines([("a", 1.0)], 5, 6))
    found.sampler.samples["Orders"] = [
        Sample(STARTED + 2, 1, 0, 0),
        Sample(STARTED + 5.5, 0, 1, 0),
        Sample(STARTED + 7, 0, 0, 0),
    ]
    depth = found.queue_depth("arn:aws:sqs:us-east-1:1:Orders")
    assert depth.times == [0.0, 2.0, 5.5, 7.0]
    assert (depth.visible, depth.in_flight) == ([0, 1, 0, 0], [0, 0, 1, 0])
    assert depth.oldest == [None, 1.0, 1.0, None]


def test_the_probe_is_not_in_a_log_that_is_shown(cloud: _Cloud) -> None:
    found = _observed(cloud)
    cloud.logs.events += [
        (STARTED + 1, "START RequestId: r"),
        *_lines([], 1, 2),
        (STARTED + 2, "END RequestId: r"),
    ]
    assert found.log_reader.lines("/aws/lambda/Worker") == ["START RequestId: r", "END RequestId: r"]


class _CloudWatch:
    """Answers that change from read to read; the last one stays."""

    def __init__(self, *answers: list[tuple[float, float]], others: int = 0) -> None:
        self.answers = [*answers]
        self.others = others

    def get_paginator(self, _: str) -> Any:
        return self

    def paginate(self, **_: Any) -> Any:
        import datetime

        points = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        times = [datetime.datetime.fromtimestamp(STARTED + time, datetime.UTC) for time, _ in points]
        return [{"MetricDataResults": [{"Timestamps": times, "Values": [value for _, value in points]}]}]

    def list_metrics(self, **_: Any) -> Any:
        return {"Metrics": [{}] * self.others}


def _points(cloud: _Cloud, cloudwatch: _CloudWatch) -> list[tuple[float, float]]:
    cloud.cloudwatch = cloudwatch
    given: Any = cloud
    return metric_points(given, "AWS/Lambda", "Throttles", {"FunctionName": "Worker"})


def test_a_metric_is_read_until_two_reads_agree(cloud: _Cloud) -> None:
    assert _points(cloud, _CloudWatch([], [(0.0, 1.0)], [(0.0, 3.0)])) == [(0.0, 3.0)]
    assert 0 < cloud.clock < cloud.patience


def test_a_metric_that_never_comes_is_named(cloud: _Cloud) -> None:
    with pytest.raises(
        TimeoutError, match="after 30 s still not: CloudWatch shows AWS/Lambda Throttles of Worker"
    ):
        _points(cloud, _CloudWatch([]))


def test_a_metric_that_was_never_counted_has_no_values(cloud: _Cloud) -> None:
    assert _points(cloud, _CloudWatch([], others=2)) == []
