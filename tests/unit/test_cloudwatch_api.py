"""CloudWatch's operations: what they answer, and what they refuse."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from infra.cloud.local.service import NotSimulated, ServiceError
from infra.cloud.local.telemetry.queries import moment

from .cloudwatch_world import Scene


def put(scene: Scene, name: str = "Latency", **datum: Any) -> None:
    scene.call("PutMetricData", Namespace="Parcel", MetricData=[{"MetricName": name, **datum}])


def query(name: str, stat: str = "Sum", metric: str = "Latency", **more: Any) -> dict[str, Any]:
    stat_part = {"Metric": {"Namespace": "Parcel", "MetricName": metric}, "Period": 60, "Stat": stat}
    return {"Id": name, "MetricStat": stat_part, **more}


def window(scene: Scene, start: float = 0, end: float = 600) -> dict[str, Any]:
    return {"StartTime": moment(scene.us(start)), "EndTime": moment(scene.us(end))}


def test_custom_metrics_are_journaled_and_retrieved() -> None:
    scene = Scene()
    scene.at(5)
    put(
        scene,
        Value=3,
        Unit="Milliseconds",
        Dimensions=[{"Name": "b", "Value": "2"}, {"Name": "a", "Value": "1"}],
    )
    put(scene, Values=[1, 2], Counts=[10, 1])
    put(scene, StatisticValues={"SampleCount": 2, "Sum": 9, "Minimum": 4, "Maximum": 5})
    first = next(iter(scene.journal.select("cloudwatch.put_metric")))
    assert (first.actor, first.resource, first.data) == (
        "notebook",
        "Parcel",
        {
            "namespace": "Parcel",
            "metric": "Latency",
            "dimensions": [["a", "1"], ["b", "2"]],
            "time": scene.us(5),
            "unit": "Milliseconds",
            "values": [3.0],
            "counts": [1.0],
        },
    )
    scene.at(60)
    statistics = scene.call(
        "GetMetricStatistics",
        Namespace="Parcel",
        MetricName="Latency",
        Period=60,
        Statistics=["Sum", "SampleCount", "Minimum", "Maximum", "Average"],
        **window(scene, 0, 60),
    )
    assert statistics == {
        "Label": "Latency",
        "Datapoints": [
            {
                "Timestamp": datetime.datetime(2026, 1, 5, 9, 0, tzinfo=datetime.UTC),
                "Unit": "None",
                "Sum": 21.0,
                "SampleCount": 13.0,
                "Minimum": 1.0,
                "Maximum": 5.0,
                "Average": 21 / 13,
            }
        ],
    }


def results(scene: Scene, *asked: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = scene.call("GetMetricData", MetricDataQueries=list(asked), **window(scene))[
        "MetricDataResults"
    ]
    return found


@pytest.mark.parametrize(
    ("units", "value", "message"),
    [
        (["Milliseconds", "Seconds"], 60_000, "[Milliseconds, Seconds]"),
        (["Milliseconds", "Seconds"] * 2, 120_000, "[Milliseconds, Seconds]"),
        (["Milliseconds", "Seconds", "Count"], 5, "[Count, Milliseconds, Seconds]"),
    ],
)
def test_several_units_of_a_metric(units: list[str], value: float, message: str) -> None:
    """localstack: test_get_metric_data_different_units_no_unit_in_query, test_handle_different_units"""
    scene = Scene()
    scene.at(10)
    values = {"Milliseconds": 60_000, "Seconds": 60, "Count": 5}
    for unit in units:
        put(scene, Value=values[unit], Unit=unit)
    (found,) = results(scene, query("m1", "Sum"))
    assert (found["Values"], found["Messages"]) == (
        [value],
        [{"Code": "MultipleUnits", "Value": f"Multiple units returned: '{message}'"}],
    )
    statistics = scene.call(
        "GetMetricStatistics",
        Namespace="Parcel",
        MetricName="Latency",
        Period=60,
        Statistics=["Average"],
        **window(scene, 0, 60),
    )
    assert sorted((point["Unit"], point["Average"]) for point in statistics["Datapoints"]) == sorted(
        (unit, values[unit]) for unit in set(units)
    )


@pytest.mark.parametrize(
    ("pairs", "labels"),
    [
        ([("Sum", 60), ("Minimum", 300)], ["Latency Sum 60", "Latency Minimum 300"]),
        ([("Sum", 60), ("Minimum", 60)], ["Latency Sum", "Latency Minimum"]),
        ([("Sum", 60), ("Sum", 300)], ["Latency 60", "Latency 300"]),
        ([("Sum", 60), ("Sum", 60)], ["Latency", "Latency"]),
    ],
)
def test_labels_tell_in_what_queries_differ(pairs: list[tuple[str, int]], labels: list[str]) -> None:
    """localstack/localstack: test_label_generation"""
    scene = Scene()
    put(scene, Value=1)
    asked = [query(f"m{number}", stat) for number, (stat, _) in enumerate(pairs)]
    for one, (_, period) in zip(asked, pairs, strict=True):
        one["MetricStat"]["Period"] = period
    assert [one["Label"] for one in results(scene, *asked)] == labels


def test_periods_begin_at_the_start_time_rounded_down_to_the_minute() -> None:
    scene = Scene()
    scene.at(400)
    put(scene, Value=1, Timestamp=moment(scene.us(200)))
    found = scene.data("Parcel Latency", "Sum", 95, 400, period=300)
    assert found == {60: 1}


def test_old_data_needs_longer_periods() -> None:
    scene = Scene()
    scene.at(10)
    put(scene, Value=1)
    scene.at(20 * 86_400)
    assert scene.data("Parcel Latency", "Sum", 0, 600, period=60) == {}
    assert scene.data("Parcel Latency", "Sum", 0, 600, period=300) == {0: 1}


def test_results_come_in_pages_and_orders() -> None:
    scene = Scene()
    for second in (10, 70, 130):
        scene.at(second)
        put(scene, Value=second)
    asked = [query("m1"), query("m2", "Maximum"), {"Id": "e1", "Expression": "m1 * 2", "Label": "twice"}]
    seen: list[tuple[str, str, list[float], str]] = []
    token: dict[str, Any] = {}
    while True:
        page = scene.call("GetMetricData", MetricDataQueries=asked, MaxDatapoints=4, **window(scene), **token)
        for one in page["MetricDataResults"]:
            if one["Values"]:
                seen.append((one["Id"], one["Label"], one["Values"], one["StatusCode"]))
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    assert seen == [
        ("m1", "Latency Sum", [130, 70, 10], "Complete"),
        ("m2", "Latency Maximum", [130], "PartialData"),
        ("m2", "Latency Maximum", [70, 10], "Complete"),
        ("e1", "twice", [260, 140], "PartialData"),
        ("e1", "twice", [20], "Complete"),
    ]


def test_only_what_is_asked_for_is_returned_and_an_array_gives_several_results() -> None:
    scene = Scene()
    scene.at(10)
    put(scene, Value=1)
    put(scene, "Size", Value=2)
    asked = [
        query("m1", ReturnData=False),
        query("m2", metric="Size", ReturnData=False, Label="size"),
        {"Id": "all", "Expression": "METRICS() * 10"},
    ]
    answer = scene.call("GetMetricData", MetricDataQueries=asked, **window(scene))
    found = [(one["Id"], one["Label"], one["Values"]) for one in answer["MetricDataResults"]]
    assert found == [("all", "all Latency", [10.0]), ("all", "all size", [20.0])]


def test_metrics_are_listed_by_namespace_name_and_dimension() -> None:
    scene = Scene()
    scene.at(10).send("a")
    scene.invoked(1)
    put(scene, Value=1, Dimensions=[{"Name": "service", "Value": "orders"}])
    everything = scene.call("ListMetrics")["Metrics"]
    namespaces = sorted({one["Namespace"] for one in everything})
    assert namespaces == ["AWS/Lambda", "AWS/SQS", "Parcel"]
    found = scene.call("ListMetrics", Dimensions=[{"Name": "service"}])["Metrics"]
    assert found == [
        {
            "Namespace": "Parcel",
            "MetricName": "Latency",
            "Dimensions": [{"Name": "service", "Value": "orders"}],
        }
    ]
    queue = scene.call(
        "ListMetrics", Namespace="AWS/SQS", Dimensions=[{"Name": "QueueName", "Value": "orders"}]
    )
    assert len(queue["Metrics"]) == 9
    scene.at(4 * 3600)
    recent = scene.call("ListMetrics", RecentlyActive="PT3H")["Metrics"]
    assert {one["Namespace"] for one in recent} == {"AWS/SQS"}
    scene.at(15 * 86_400)
    assert scene.call("ListMetrics", Namespace="Parcel")["Metrics"] == []


@pytest.mark.parametrize(
    ("datum", "code"),
    [
        ({}, "MissingParameter"),
        ({"Value": 1, "Values": [1]}, "InvalidParameterCombination"),
        ({"Value": float("nan")}, "InvalidParameterValue"),
        ({"Value": 2.0**361}, "InvalidParameterValue"),
        ({"Values": [1, 2], "Counts": [1]}, "InvalidParameterValue"),
        ({"Values": list(range(151))}, "InvalidParameterValue"),
        ({"Value": 1, "StorageResolution": 5}, "InvalidParameterValue"),
        ({"Value": 1, "Timestamp": moment(0)}, "InvalidParameterValue"),
        (
            {"Value": 1, "Dimensions": [{"Name": str(n), "Value": "x"} for n in range(31)]},
            "InvalidParameterValue",
        ),
    ],
)
def test_wrong_data_is_refused_as_a_whole(datum: dict[str, Any], code: str) -> None:
    scene = Scene()
    data = [{"MetricName": "fine", "Value": 1}, {"MetricName": "wrong", **datum}]
    with pytest.raises(ServiceError) as caught:
        scene.call("PutMetricData", Namespace="Parcel", MetricData=data)
    assert caught.value.code == code
    assert scene.journal.entries == []


def test_sizes_in_the_words_of_aws() -> None:
    scene = Scene()
    with pytest.raises(
        ServiceError, match=r"The collection MetricData must not have a size greater than 1000\."
    ):
        scene.call("PutMetricData", Namespace="N", MetricData=[{"MetricName": "m", "Value": 1}] * 1001)
    with pytest.raises(ServiceError, match=r"The parameter MetricData is required\."):
        scene.call("PutMetricData", Namespace="N", MetricData=[])
    with pytest.raises(
        ServiceError, match=r"The collection Dimensions must not have a size greater than 10\."
    ):
        scene.call("ListMetrics", Dimensions=[{"Name": str(n)} for n in range(11)])


@pytest.mark.parametrize(
    ("queries", "text"),
    [
        ([query("M1")], "Id"),
        ([query("m1"), query("m1")], "not unique"),
        ([{"Id": "m1"}], r"member.1.MetricStat is required.\n"),
        ([query("m1", "average")], "average"),
        ([query("m1"), {"Id": "e1", "Expression": "m1 +"}], "e1"),
        ([query("m1"), {"Id": "e1", "Expression": "SUM(m1)"}], "time series"),
        ([{"Id": "e1", "Expression": "e2"}, {"Id": "e2", "Expression": "e1"}], "itself"),
    ],
)
def test_wrong_queries_are_refused(queries: list[dict[str, Any]], text: str) -> None:
    scene = Scene()
    scene.at(10)
    put(scene, Value=1)
    with pytest.raises(ServiceError, match=text):
        scene.call("GetMetricData", MetricDataQueries=queries, **window(scene))


def test_wrong_ranges_and_too_many_points_are_refused() -> None:
    scene = Scene()
    known = {"Namespace": "Parcel", "MetricName": "Latency", "Statistics": ["Sum"]}
    with pytest.raises(ServiceError, match=r"up to 2880 datapoints, which exceeds the limit of 1440"):
        scene.call("GetMetricStatistics", Period=60, **known, **window(scene, 0, 2 * 86_400))
    with pytest.raises(ServiceError, match="must be less than"):
        scene.call("GetMetricStatistics", Period=60, **known, **window(scene, 60, 0))
    with pytest.raises(ServiceError, match="it is 45"):
        scene.call("GetMetricStatistics", Period=45, **known, **window(scene))
    with pytest.raises(ServiceError, match="mutually exclusive"):
        scene.call("GetMetricStatistics", Period=60, **known, ExtendedStatistics=["p99"], **window(scene))
    with pytest.raises(NotSimulated, match="MAX_TIME"):
        results(scene, query("m1", Label="${MAX_TIME}"))


def test_labels_show_values_and_properties() -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/graph-dynamic-labels.html"""
    scene = Scene()
    for second, value in ((10, 4), (70, 8), (130, 6)):
        scene.at(second)
        put(scene, Value=value)
    one = query("m1", "Sum", Label="${PROP('Namespace')} ${LABEL}: ${MIN}-${MAX}, ${AVG}, last ${LAST}")
    two = query("m2", "Sum", Label="${PROP('Stat')}/${PROP('Period')} ${PROP('Dim.Size')}${DATAPOINT_COUNT}")
    assert [found["Label"] for found in results(scene, one, two)] == [
        "Parcel Latency: 4-8, 6, last 6",
        "Sum/60 3",
    ]


def test_searches_find_metrics_and_can_be_summed() -> None:
    scene = Scene()
    scene.at(10)
    for name, value in (("a", 1), ("b", 2), ("c", 0)):
        dimensions = [{"Name": "FunctionName", "Value": name}]
        put(scene, MetricName="Errors", Value=value, Dimensions=dimensions)
        put(scene, MetricName="Calls", Value=10, Dimensions=dimensions)
    errors = "SEARCH('{Parcel,FunctionName} MetricName=\"Errors\" NOT c', 'Sum', 60)"
    found = results(
        scene,
        {"Id": "e1", "Expression": errors},
        {"Id": "e2", "Expression": "SUM(e1)", "Label": "all"},
        {"Id": "e3", "Expression": errors, "Label": "${PROP('Dim.FunctionName')}: ${SUM}"},
    )
    assert [(one["Id"], one["Label"], one["Values"]) for one in found] == [
        ("e1", "a", [1]),
        ("e1", "b", [2]),
        ("e2", "all", [3]),
        ("e3", "a: 1", [1]),
        ("e3", "b: 2", [2]),
    ]


def test_dashboards_are_stored_and_their_body_is_json() -> None:
    scene = Scene()
    body = '{"widgets": []}'
    assert scene.call("PutDashboard", DashboardName="orders", DashboardBody=body) == {
        "DashboardValidationMessages": []
    }
    found = scene.call("GetDashboard", DashboardName="orders")
    assert found == {
        "DashboardArn": "arn:aws:cloudwatch::123456789012:dashboard/orders",
        "DashboardBody": body,
        "DashboardName": "orders",
    }
    entries = scene.call("ListDashboards", DashboardNamePrefix="ord")["DashboardEntries"]
    assert [(one["DashboardName"], one["Size"]) for one in entries] == [("orders", 15)]
    with pytest.raises(ServiceError, match="must be a valid JSON object") as caught:
        scene.call("PutDashboard", DashboardName="orders", DashboardBody="{")
    assert caught.value.code == "InvalidParameterInput"
    scene.call("DeleteDashboards", DashboardNames=["orders"])
    with pytest.raises(ServiceError, match="does not exist"):
        scene.call("GetDashboard", DashboardName="orders")


def test_tags_of_an_alarm() -> None:
    scene = Scene()
    scene.call(
        "PutMetricAlarm",
        AlarmName="a",
        Namespace="Parcel",
        MetricName="Latency",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
        Tags=[{"Key": "team", "Value": "parcel"}],
    )
    arn = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:a"
    scene.call("TagResource", ResourceARN=arn, Tags=[{"Key": "stage", "Value": "test"}])
    scene.call("UntagResource", ResourceARN=arn, TagKeys=["team"])
    assert scene.call("ListTagsForResource", ResourceARN=arn) == {"Tags": [{"Key": "stage", "Value": "test"}]}
    with pytest.raises(ServiceError, match="Unknown resource"):
        scene.call("ListTagsForResource", ResourceARN=arn + "x")
