"""Dashboards drawn: what is read, where it stands, and its numbers as text."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.cloud import connect
from infra.cloud.local.cloud import LocalCloud
from labs.toolkit import draw_dashboard
from labs.toolkit.dashboard_bodies import Board, read
from labs.toolkit.dashboard_metrics import expanded

NOON = datetime.datetime(2026, 1, 5, 12, 0, tzinfo=datetime.UTC)
ALARM = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:"


def board(*widgets: dict[str, Any], **members: Any) -> Board:
    return read("b", json.dumps({"widgets": widgets, **members}), NOON)


def text(**place: int) -> dict[str, Any]:
    return {"type": "text", "properties": {"markdown": "x"}, **place}


def test_a_widget_without_a_place_gets_the_first_that_is_free() -> None:
    made = board(text(x=0, y=0, width=12, height=6), text(width=12, height=3), text(width=12), text(width=6))
    assert [(one.x, one.y, one.width, one.height) for one in made.widgets] == [
        (0, 0, 12, 6),
        (12, 0, 12, 3),
        (12, 3, 12, 6),
        (0, 6, 6, 6),
    ]


@pytest.mark.parametrize(
    ("members", "hours"),
    [
        ({}, (-3, 0)),
        ({"start": "-PT6H"}, (-6, 0)),
        ({"start": "-P1DT12H"}, (-36, 0)),
        ({"start": "2026-01-05T06:00:00Z", "end": "2026-01-05T08:00:00Z"}, (-6, -4)),
    ],
)
def test_the_time_that_is_shown(members: dict[str, str], hours: tuple[int, int]) -> None:
    made = board(**members)
    assert [(time - NOON) / datetime.timedelta(hours=1) for time in (made.start, made.end)] == list(hours)


def test_periods_follow_the_time_that_is_shown_unless_they_are_inherited() -> None:
    assert [board(start="-PT3H").period(60), board(start="-P7D").period(60)] == [60, 1680]
    assert board(start="-P7D", periodOverride="inherit").period(60) == 60


def test_rows_repeat_the_row_before() -> None:
    rows = [
        ["AWS/Lambda", "Errors", "FunctionName", "a", {"stat": "Sum"}],
        [".", "Invocations", ".", "."],
        ["...", "b", {"stat": "p99"}],
        [{"expression": "m1"}],
        ["...", "c"],
    ]
    assert [(" ".join(fields), options.get("stat", "")) for fields, options in expanded(rows)] == [
        ("AWS/Lambda Errors FunctionName a", "Sum"),
        ("AWS/Lambda Invocations FunctionName a", ""),
        ("AWS/Lambda Invocations FunctionName b", "p99"),
        ("", ""),
        ("AWS/Lambda Invocations FunctionName c", ""),
    ]


def test_variables_have_their_default() -> None:
    widget = {
        "type": "metric",
        "properties": {"metrics": [["AWS/Lambda", "Errors", "FunctionName", "f"]], "region": "us-east-1"},
    }
    function = {"type": "property", "property": "FunctionName", "defaultValue": "g"}
    region = {"type": "pattern", "pattern": "us-east-1", "values": [{"value": "eu-west-1"}]}
    (made,) = board(widget, variables=[function, region]).widgets
    assert made.properties == {
        "metrics": [["AWS/Lambda", "Errors", "FunctionName", "g"]],
        "region": "eu-west-1",
    }


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with connect("local") as opened:
        assert isinstance(opened, LocalCloud)
        yield opened


def metric(*rows: list[Any], **properties: Any) -> dict[str, Any]:
    place = {"width": 8, "height": 4}
    given = {"region": "us-east-1", "period": 60, "metrics": list(rows), **properties}
    return {"type": "metric", **place, "properties": given}


def test_a_dashboard_is_drawn_and_told(cloud: LocalCloud) -> None:
    cloudwatch, logs = cloud.client("cloudwatch"), cloud.client("logs")
    cloudwatch.put_metric_alarm(
        AlarmName="errors",
        Namespace="Shop",
        MetricName="Errors",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=2,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
    )
    cloudwatch.put_composite_alarm(AlarmName="ill", AlarmRule="NOT OK(errors)")
    logs.create_log_group(logGroupName="shop")
    logs.create_log_stream(logGroupName="shop", logStreamName="s")
    for minute in range(6):
        cloud.advance("1 min")
        data = [{"MetricName": "Orders", "Value": 10.0 + minute}]
        data += [{"MetricName": "Errors", "Value": 3.0}] if minute > 3 else []
        cloudwatch.put_metric_data(Namespace="Shop", MetricData=data)
        event = {"timestamp": int(cloud.now.timestamp() * 1000), "message": f"order {minute} for $5"}
        logs.put_log_events(logGroupName="shop", logStreamName="s", logEvents=[event])
    alarms = [f"{ALARM}errors", f"{ALARM}ill"]
    widgets = [
        {"type": "text", "width": 24, "height": 2, "properties": {"markdown": "# Shop\n**All** [of it](u)"}},
        metric(
            ["Shop", "Orders", {"stat": "Sum", "id": "m1"}],
            [".", "Errors", {"stat": "Sum", "id": "m2", "visible": False}],
            [{"expression": "100*m2/m1", "label": "% wrong", "id": "e1", "yAxis": "right"}],
            title="Orders",
            annotations={
                "horizontal": [{"value": 12, "label": "limit", "fill": "above"}],
                "vertical": [{"value": "2026-01-05T09:03:00Z", "label": "deploy"}],
            },
        ),
        metric(["Shop", "Orders"], title="All", view="singleValue", setPeriodToTimeRange=True, stat="Sum"),
        metric(["Shop", "Orders"], ["Shop", "Errors"], title="Areas", stacked=True),
        metric(["Shop", "Orders"], title="Bars", view="bar"),
        metric(["Shop", "Orders"], title="Elsewhere", region="eu-west-1"),
        metric([{"expression": "SEARCH('{Shop} MetricName=Orders', 'Sum')", "id": "e1"}], title="Found"),
        metric(
            ["Shop", "Orders", {"id": "m1"}], [{"expression": "ANOMALY_DETECTION_BAND(m1)"}], title="Band"
        ),
        {"type": "metric", "properties": {"region": "us-east-1", "annotations": {"alarms": alarms[:1]}}},
        {"type": "alarm", "width": 6, "height": 2, "properties": {"title": "States", "alarms": alarms}},
        {
            "type": "log",
            "properties": {
                "region": "us-east-1",
                "query": "SOURCE 'shop' | fields @message | sort @timestamp asc | limit 2",
            },
        },
        {"type": "explorer", "properties": {"title": "Explorer"}},
    ]
    body = json.dumps({"start": "-PT10M", "widgets": widgets})
    assert (
        cloudwatch.put_dashboard(DashboardName="shop", DashboardBody=body)["DashboardValidationMessages"]
        == []
    )
    plot = draw_dashboard(cloud, "shop", finding="Two errors a minute")
    assert plot.table == (
        "2026-01-05 08:56 to 09:06 UTC\n\n"
        "Shop\nAll of it\n\n"
        "Orders\n"
        "metric   points  last  least  most\n"
        "Orders        6    15     10    15\n"
        "% wrong       6    20      0  21.4\n\n"
        "All\n"
        "metric  points  last  least  most\n"
        "Orders       1    75     75    75\n\n"
        "Areas\n"
        "metric  points  last  least  most\n"
        "Orders       6    15     10    15\n"
        "Errors       2     3      3     3\n\n"
        "Bars\n"
        "metric  points  last  least  most\n"
        "Orders       6    15     10    15\n\n"
        "Elsewhere\n"
        "not drawn: metrics of Region eu-west-1\n\n"
        "Found\n"
        "metric  points  last  least  most\n"
        "Orders       6    15     10    15\n\n"
        "Band\n"
        "not drawn: NotSimulated: ANOMALY_DETECTION_BAND() in a CloudWatch metric math expression\n\n"
        "errors\n"
        "alarm errors: ALARM\n"
        "metric  points  last  least  most\n"
        "Errors       2     3      3     3\n\n"
        "States\n"
        "alarm   state\n"
        "errors  ALARM\n"
        "ill     ALARM\n\n"
        "@message\n"
        "order 0 for $5\n"
        "order 1 for $5\n\n"
        "Explorer\n"
        "not drawn: explorer widgets"
    )
    assert plot.finding == "Two errors a minute"
    assert plot.png()[:4] == b"\x89PNG"
    assert len(plot.png()) < 120_000


def test_a_dashboard_that_does_not_exist(cloud: LocalCloud) -> None:
    with pytest.raises(ClientError, match="Dashboard none does not exist"):
        draw_dashboard(cloud, "none")
