"""X-Ray's API: documents that somebody sends, traces, filters, graphs, rules and groups."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.cloud.local.cloud import LocalCloud
from infra.cloud.local.telemetry.xray_sampling import Asked, Reservoirs, matches

from .deploy_tools import Deployer

T0 = 1767603600.0
"""The world's beginning, 2026-01-05 09:00 UTC, in seconds."""
START = datetime.datetime(2026, 1, 5, 8, 59, tzinfo=datetime.UTC)
END = START + datetime.timedelta(hours=1)


@pytest.fixture(scope="module")
def cloud() -> Iterator[LocalCloud]:
    made = LocalCloud()
    yield made
    made.close()


def trace_id(number: int) -> str:
    return f"1-{int(T0):08x}-{number:024x}"


def document(number: int, id: str, name: str, start: float, end: float, **members: Any) -> dict[str, Any]:
    times = {"start_time": T0 + start, "end_time": T0 + end}
    return {"trace_id": trace_id(number), "id": id * 16, "name": name, **times, **members}


SHOP = document(
    1,
    "a",
    "shop.example.com",
    0,
    2,
    origin="AWS::EC2::Instance",
    user="ola",
    http={
        "request": {"url": "http://shop.example.com/v2/buy", "method": "POST"},
        "response": {"status": 200},
    },
    annotations={"customer": "ola", "amount": 30, "gift": False},
    subsegments=[
        {
            "id": "b" * 16,
            "name": "dynamodb",
            "namespace": "aws",
            "start_time": T0 + 0.5,
            "end_time": T0 + 0.75,
            "aws": {"operation": "PutItem", "table_name": "orders"},
            "http": {"response": {"status": 400}},
            "error": True,
        }
    ],
)
PAY = document(1, "c", "pay.example.com", 1, 1.5, type="subsegment", parent_id="a" * 16, namespace="remote")
FAILED = document(2, "d", "shop.example.com", 60, 67, fault=True, origin="AWS::EC2::Instance")
FAILED["aws"] = {"ec2": {"availability_zone": "us-east-1c", "instance_id": "i-1"}}
FAILED["cause"] = {"exceptions": [{"id": "e" * 16, "type": "Timeout", "message": "too slow"}]}


@pytest.fixture(scope="module")
def xray(cloud: LocalCloud) -> Any:
    """A client, after two traces were sent."""
    client = cloud.client("xray")
    sent = client.put_trace_segments(TraceSegmentDocuments=[json.dumps(each) for each in (SHOP, PAY, FAILED)])
    assert sent["UnprocessedTraceSegments"] == []
    return client


def found(xray: Any, expression: str) -> list[int]:
    answer = xray.get_trace_summaries(StartTime=START, EndTime=END, FilterExpression=expression)
    return sorted(int(each["Id"][-2:]) for each in answer["TraceSummaries"])


def test_a_whole_trace(xray: Any) -> None:
    (trace,) = xray.batch_get_traces(TraceIds=[trace_id(1)])["Traces"]
    documents = [json.loads(each["Document"]) for each in trace["Segments"]]
    assert trace["Duration"] == 2
    assert [(each["name"], each.get("inferred")) for each in documents] == [
        ("shop.example.com", None),
        ("DynamoDB", True),
        ("pay.example.com", True),
    ]
    shop, table, pay = documents
    assert [each["name"] for each in shop["subsegments"]] == ["DynamoDB", "pay.example.com"]
    assert shop["subsegments"][1] == {
        "id": "c" * 16,
        "name": "pay.example.com",
        "start_time": T0 + 1,
        "end_time": T0 + 1.5,
        "namespace": "remote",
    }
    assert table["parent_id"] == "b" * 16
    assert (table["origin"], table["error"]) == ("AWS::DynamoDB::Table", True)
    assert table["aws"] == {"operation": "PutItem", "table_name": "orders", "resource_names": ["orders"]}
    assert "origin" not in pay


def test_a_summary(xray: Any) -> None:
    answer = xray.get_trace_summaries(StartTime=START, EndTime=END, FilterExpression='user = "ola"')
    assert answer["TracesProcessedCount"] == 2
    (summary,) = answer["TraceSummaries"]
    shop = {"Name": "shop.example.com", "Names": ["shop.example.com"], "AccountId": "123456789012"}
    shop["Type"] = "AWS::EC2::Instance"
    shown = {
        name: summary[name] for name in ("Duration", "ResponseTime", "HasError", "HasFault", "HasThrottle")
    }
    assert shown == {
        "Duration": 2,
        "ResponseTime": 2,
        "HasError": False,
        "HasFault": False,
        "HasThrottle": False,
    }
    assert summary["Annotations"]["amount"] == [
        {"AnnotationValue": {"NumberValue": 30.0}, "ServiceIds": [shop]}
    ]
    assert summary["Annotations"]["gift"][0]["AnnotationValue"] == {"BooleanValue": False}
    assert summary["Users"] == [{"UserName": "ola", "ServiceIds": [shop]}]
    assert summary["EntryPoint"] == shop
    assert (summary["InstanceIds"], summary["AvailabilityZones"]) == ([], [])
    assert summary["Http"] == {
        "HttpURL": "http://shop.example.com/v2/buy",
        "HttpStatus": 200,
        "HttpMethod": "POST",
    }


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("", [1, 2]),
        ("ok", [1]),
        ("!ok", [2]),
        ("fault = true", [2]),
        ("fault != true", [1]),
        ("error", []),  # the call that failed was handled
        ("responsetime > 5", [2]),
        ("duration >= 2 AND duration <= 8", [1, 2]),
        ("ok !partial duration <3", [1]),
        ("http.status = 200", [1]),
        ("http.status != 200", []),
        ('http.url CONTAINS "/v2/"', [1]),
        ('http.url BEGINSWITH "http://shop" AND !service("api.example.com")', [1]),
        ('user CONTAINS ""', [1]),
        ('service("shop.example.com")', [1, 2]),
        ('service("shop.example.com") { fault }', [2]),
        ("service() { error }", [1]),
        ('service(id(name: "orders", type: "AWS::DynamoDB::Table")) { error }', [1]),
        ('service(id(type: "AWS::EC2::Instance")) { responsetime > 6 OR error }', [2]),
        ('edge("shop.example.com", "orders")', [1]),
        ('edge("shop.example.com", "orders") { error }', [1]),
        ('edge("shop.example.com", "pay.example.com") { fault }', []),
        ("annotation.customer", [1]),
        ('annotation.customer = "ola"', [1]),
        ('annotation[customer] BEGINSWITH "ol"', [1]),
        ('annotation["amount"] > 29', [1]),
        ("annotation.amount = \"30\"", []),
        ("annotation.gift = false", [1]),
        ("NOT (annotation.amount > 29 OR fault)", []),
        ("http.url AND responseTime > .5", [1]),
        ("inferred", [1]),
        ('service("shop.example.com") {root = true and fault = true}', [2]),
        ('service("pay.example.com") { root }', []),
        ('availabilityzone = "us-east-1c" AND instance.id BEGINSWITH "i-"', [2]),
        ('rootcause.fault.service { name = "shop.example.com" }', [2]),
        ('rootcause.fault.service { last and type = "AWS::EC2::Instance" }', [2]),
        ("rootcause.fault.service { inferred or index > 5 }", []),
        ("rootcause.fault.entity { first and !remote }", [2]),
        ('rootcause.fault.exception { last and message = "too slow" and name = "Timeout" }', [2]),
        ("rootcause.error.service { first }", []),
    ],
)  # fmt: skip
def test_filters(xray: Any, expression: str, expected: list[int]) -> None:
    assert found(xray, expression) == expected


@pytest.mark.parametrize(
    "expression", ["responsetime >", "colour = 3", 'service("a"', "fault AND", "user = 3"]
)
def test_what_is_no_filter(xray: Any, expression: str) -> None:
    with pytest.raises(ClientError, match="Invalid filter expression"):
        found(xray, expression)


def test_the_service_graph(xray: Any) -> None:
    services = xray.get_service_graph(StartTime=START, EndTime=END)["Services"]
    by_type = {each["Type"]: each for each in services}
    shop = by_type["AWS::EC2::Instance"]
    assert (shop["Root"], shop["State"], by_type["client"]["State"]) == (True, "active", "unknown")
    assert shop["SummaryStatistics"] == {
        "OkCount": 1,
        "ErrorStatistics": {"ThrottleCount": 0, "OtherCount": 0, "TotalCount": 0},
        "FaultStatistics": {"OtherCount": 1, "TotalCount": 1},
        "TotalCount": 2,
        "TotalResponseTime": 9.0,
    }
    assert shop["ResponseTimeHistogram"] == [{"Value": 2.0, "Count": 1}, {"Value": 7.0, "Count": 1}]
    names = {each["ReferenceId"]: each["Name"] for each in services}
    edges = [(names[edge["ReferenceId"]], edge["SummaryStatistics"]["TotalCount"]) for edge in shop["Edges"]]
    assert edges == [("orders", 1), ("pay.example.com", 1)]
    (client,) = by_type["client"]["Edges"]
    assert (client["ReferenceId"], client["SummaryStatistics"]["TotalCount"]) == (shop["ReferenceId"], 2)


def test_statistics_over_time(xray: Any) -> None:
    def series(**params: Any) -> list[tuple[float, int, int]]:
        answer = xray.get_time_series_service_statistics(StartTime=START, EndTime=END, **params)
        kind = "ServiceSummaryStatistics" if "EntitySelectorExpression" in params else "EdgeSummaryStatistics"
        return [
            (
                each["Timestamp"].timestamp() - T0,
                each[kind]["TotalCount"],
                each[kind]["FaultStatistics"]["TotalCount"],
            )
            for each in answer["TimeSeriesServiceStatistics"]
        ]

    shop = 'service(id(name: "shop.example.com", type: "AWS::EC2::Instance"))'
    assert series(EntitySelectorExpression=shop) == [(0, 1, 0), (60, 1, 1)]
    assert series(Period=300) == [(0, 2, 1)]
    with pytest.raises(ClientError, match="Period must be 60 or 300"):
        series(Period=61)


def test_documents_that_are_not_taken(xray: Any) -> None:
    good = document(3, "f", "late", 0, 1)
    bad = [
        "no JSON",
        json.dumps({**good, "id": "short"}),
        json.dumps({**good, "trace_id": "1-2-3"}),
        json.dumps({key: value for key, value in good.items() if key != "name"}),
        json.dumps({key: value for key, value in good.items() if key != "end_time"}),
        json.dumps({**good, "end_time": T0 - 1}),
        "[]",
        json.dumps({**good, "type": "subsegment", "parent_id": "1" * 16, "name": "mysql at RouteBinding:?"}),
    ]
    answer = xray.put_trace_segments(TraceSegmentDocuments=[*bad, json.dumps(good)])
    problems = [(each.get("Id"), each["ErrorCode"]) for each in answer["UnprocessedTraceSegments"]]
    assert problems == [
        (None, "ParseError"),
        ("short", "InvalidId"),
        ("f" * 16, "InvalidTraceId"),
        ("f" * 16, "MissingName"),
        ("f" * 16, "MissingEndTime"),
        ("f" * 16, "InvalidEndTime"),
        (None, "MissingId"),
        ("f" * 16, "InvalidName"),
    ]
    said = [each["Message"] for each in answer["UnprocessedTraceSegments"]]
    assert said[0] == "Invalid segment. ErrorCode: ParseError"
    assert said[-1] == "Invalid subsegment. ErrorCode: InvalidName, Cause: null"
    answer = xray.batch_get_traces(TraceIds=[trace_id(3), trace_id(99)])
    assert [each["Id"] for each in answer["Traces"]] == [trace_id(3)]
    assert answer["UnprocessedTraceIds"] == [trace_id(99)]


def test_a_segment_in_progress_is_replaced(xray: Any) -> None:
    begun = {key: value for key, value in document(4, "9", "slow", 0, 0).items() if key != "end_time"}
    xray.put_trace_segments(TraceSegmentDocuments=[json.dumps({**begun, "in_progress": True})])
    assert found(xray, 'partial AND service("slow")') == [4]
    xray.put_trace_segments(TraceSegmentDocuments=[json.dumps({**begun, "end_time": T0 + 4})])
    assert found(xray, 'partial AND service("slow")') == []


def test_ranges_of_time(xray: Any) -> None:
    with pytest.raises(ClientError, match="Time range cannot be longer than 6 hours"):
        xray.get_service_graph(StartTime=START, EndTime=START + datetime.timedelta(hours=7))
    with pytest.raises(ClientError, match="Time range cannot be longer than 24 hours"):
        xray.get_trace_summaries(StartTime=START, EndTime=START + datetime.timedelta(hours=25))
    late = START + datetime.timedelta(seconds=90)
    answer = xray.get_trace_summaries(StartTime=late, EndTime=late + datetime.timedelta(minutes=5))
    assert [each["Id"] for each in answer["TraceSummaries"]] == [trace_id(2)]


RULE: dict[str, Any] = {
    "RuleName": "buy",
    "ResourceARN": "*",
    "Priority": 100,
    "FixedRate": 0.5,
    "ReservoirSize": 5,
    "ServiceName": "shop",
    "ServiceType": "*",
    "Host": "*",
    "HTTPMethod": "POST",
    "URLPath": "/v?/*",
    "Version": 1,
}


def test_sampling_rules(xray: Any) -> None:
    (default,) = xray.get_sampling_rules()["SamplingRuleRecords"]
    assert default["CreatedAt"].timestamp() == 0
    assert default["SamplingRule"] == {
        "RuleName": "Default",
        "RuleARN": "arn:aws:xray:us-east-1:123456789012:sampling-rule/Default",
        "ResourceARN": "*",
        "Priority": 10000,
        "FixedRate": 0.05,
        "ReservoirSize": 1,
        "ServiceName": "*",
        "ServiceType": "*",
        "Host": "*",
        "HTTPMethod": "*",
        "URLPath": "*",
        "Version": 1,
        "Attributes": {},
    }
    made = xray.create_sampling_rule(SamplingRule=RULE)["SamplingRuleRecord"]["SamplingRule"]
    assert made == {
        **RULE,
        "RuleARN": "arn:aws:xray:us-east-1:123456789012:sampling-rule/buy",
        "Attributes": {},
    }
    with pytest.raises(ClientError, match="InvalidRequestException"):
        xray.create_sampling_rule(SamplingRule=RULE)
    with pytest.raises(ClientError, match="both"):
        xray.delete_sampling_rule()
    with pytest.raises(ClientError, match="default"):
        xray.delete_sampling_rule(RuleName="Default")
    update = {"RuleName": "buy", "FixedRate": 0.25}
    changed = xray.update_sampling_rule(SamplingRuleUpdate=update)["SamplingRuleRecord"]
    assert changed["SamplingRule"]["FixedRate"] == 0.25
    report = {
        "ClientID": "A" * 24,
        "Timestamp": START,
        "RequestCount": 9,
        "SampledCount": 2,
        "BorrowCount": 1,
    }
    answer = xray.get_sampling_targets(
        SamplingStatisticsDocuments=[{**report, "RuleName": "buy"}, {**report, "RuleName": "gone"}]
    )
    (target,) = answer["SamplingTargetDocuments"]
    assert (target["FixedRate"], target["ReservoirQuota"], target["Interval"]) == (0.25, 5, 10)
    assert [each["RuleName"] for each in answer["UnprocessedStatistics"]] == ["gone"]
    xray.delete_sampling_rule(RuleName="buy")
    assert len(xray.get_sampling_rules()["SamplingRuleRecords"]) == 1


def test_which_requests_a_rule_is_for() -> None:
    asked = Asked("shop", "AWS::ApiGateway::Stage", "shop.example.com", "POST", "/v2/buy", "*")
    assert matches(RULE, asked)
    assert not matches({**RULE, "HTTPMethod": "GET"}, asked)
    assert not matches({**RULE, "Attributes": {"tier": "gold"}}, asked)


def test_a_reservoir_fills_each_second() -> None:
    reservoirs = Reservoirs(seed=0)
    let = [reservoirs.decide("r", 2, 0, now, f"t{now}") for now in (0, 1, 2, 1_000_000, 1_000_001, 1_000_002)]
    assert let == [True, True, False, True, True, False]
    rate = [reservoirs.decide("r", 0, 0.05, 0, f"t{number}") for number in range(2000)]
    assert 70 < sum(rate) < 130


def test_groups(xray: Any) -> None:
    group = xray.create_group(GroupName="slow", FilterExpression="responsetime > 5")["Group"]
    assert group["GroupARN"].startswith("arn:aws:xray:us-east-1:123456789012:group/slow/")
    assert xray.get_group(GroupName="slow")["Group"] == group
    services = xray.get_service_graph(StartTime=START, EndTime=END, GroupName="slow")["Services"]
    assert sorted(each["Name"] for each in services) == ["shop.example.com", "shop.example.com"]
    assert found(xray, 'group.name = "slow"') == [2]
    xray.update_group(GroupARN=group["GroupARN"], FilterExpression="fault OR error")
    assert [each["FilterExpression"] for each in xray.get_groups()["Groups"]] == ["fault OR error"]
    with pytest.raises(ClientError, match="Invalid filter expression"):
        xray.create_group(GroupName="odd", FilterExpression="slow please")
    xray.delete_group(GroupName="slow")
    with pytest.raises(ClientError, match="InvalidRequestException"):
        xray.get_group(GroupName="slow")


def test_templates(cloud: LocalCloud, xray: Any) -> None:
    stack = Deployer(cloud, "telemetry")
    group = {"GroupName": "all", "FilterExpression": "responsetime > 1"}
    resources = {
        "Group": {"Type": "AWS::XRay::Group", "Properties": group},
        "Rule": {"Type": "AWS::XRay::SamplingRule", "Properties": {"SamplingRule": RULE}},
    }
    assert stack.create(resources) == "CREATE_COMPLETE"
    assert xray.get_group(GroupARN=stack.physical("Group"))["Group"]["GroupName"] == "all"
    assert stack.physical("Rule") == "arn:aws:xray:us-east-1:123456789012:sampling-rule/buy"
    resources["Rule"]["Properties"] = {"SamplingRule": {**RULE, "FixedRate": 1}}
    assert stack.update(resources) == "UPDATE_COMPLETE"
    rules = {
        each["SamplingRule"]["RuleName"]: each for each in xray.get_sampling_rules()["SamplingRuleRecords"]
    }
    assert rules["buy"]["SamplingRule"]["FixedRate"] == 1
    assert stack.delete() == "DELETE_COMPLETE"
    assert (xray.get_groups()["Groups"], len(xray.get_sampling_rules()["SamplingRuleRecords"])) == ([], 1)
