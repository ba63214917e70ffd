"""Metric filters and subscription filters of log groups."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.cloud import connect
from infra.cloud.local.cloud import LocalCloud
from infra.cloud.local.service import NotSimulated

from .deploy_tools import Deployer, function, role


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with connect("local") as opened:
        assert isinstance(opened, LocalCloud)
        yield opened


def write(cloud: LocalCloud, group: str, *messages: str) -> None:
    logs = cloud.client("logs")
    if not logs.describe_log_streams(logGroupName=group)["logStreams"]:
        logs.create_log_stream(logGroupName=group, logStreamName="s")
    time = int(cloud.now.timestamp() * 1000)
    events = [{"timestamp": time, "message": message} for message in messages]
    logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=events)
    cloud.settle()


def metric_filter(pattern: str, **transformation: Any) -> dict[str, Any]:
    base = {"MetricNamespace": "Shop", "MetricName": "Errors", "MetricValue": "1", **transformation}
    properties = {"LogGroupName": {"Ref": "Group"}, "FilterPattern": pattern, "MetricTransformations": [base]}
    return {"Type": "AWS::Logs::MetricFilter", "Properties": properties}


GROUP = {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "shop"}}


def test_a_metric_filter_counts_what_matches(cloud: LocalCloud) -> None:
    app = Deployer(cloud)
    assert app.create({"Group": GROUP, "Errors": metric_filter("ERROR")}) == "CREATE_COMPLETE"
    write(cloud, "shop", "ERROR one", "INFO two", "ERROR three")
    assert [value for _, value in cloud.metrics("Shop", "Errors", {})] == [2.0]
    found = cloud.client("logs").describe_metric_filters(logGroupName="shop")["metricFilters"]
    assert [each["filterPattern"] for each in found] == ["ERROR"]
    assert app.update({"Group": GROUP}) == "UPDATE_COMPLETE"
    write(cloud, "shop", "ERROR four")
    assert [value for _, value in cloud.metrics("Shop", "Errors", {})] == [2.0]


def test_a_metric_filter_takes_values_and_dimensions_from_json(cloud: LocalCloud) -> None:
    dimensions = [{"Key": "Path", "Value": "$.path"}]
    latency = metric_filter("{ $.ms > 0 }", MetricValue="$.ms", Dimensions=dimensions, Unit="Milliseconds")
    Deployer(cloud).create({"Group": GROUP, "Latency": latency})
    write(
        cloud,
        "shop",
        *(json.dumps({"path": path, "ms": ms}) for path, ms in (("/a", 5), ("/b", 7), ("/a", 9))),
    )
    found = cloud.metrics("Shop", "Errors", {"Path": "/a"}, statistic="Maximum")
    assert [value for _, value in found] == [9.0]


def test_a_default_value_counts_for_what_does_not_match(cloud: LocalCloud) -> None:
    Deployer(cloud).create({"Group": GROUP, "Errors": metric_filter("ERROR", DefaultValue=0)})
    write(cloud, "shop", "INFO")
    assert [value for _, value in cloud.metrics("Shop", "Errors", {})] == [0.0]


def test_a_subscription_filter_sends_to_a_function(cloud: LocalCloud) -> None:
    source = "import json\ndef handler(event, context):\n    print(json.dumps(event))\n"
    arn = {"Fn::GetAtt": ["Reader", "Arn"]}
    app = Deployer(cloud)
    created = app.create(
        {
            "Group": GROUP,
            "Role": role(),
            "Reader": function(source),
            "Permission": {
                "Type": "AWS::Lambda::Permission",
                "Properties": {
                    "Action": "lambda:InvokeFunction",
                    "FunctionName": arn,
                    "Principal": "logs.amazonaws.com",
                    "SourceArn": {"Fn::GetAtt": ["Group", "Arn"]},
                },
            },
            "Subscription": {
                "Type": "AWS::Logs::SubscriptionFilter",
                "DependsOn": "Permission",
                "Properties": {
                    "LogGroupName": {"Ref": "Group"},
                    "FilterPattern": "ERROR",
                    "DestinationArn": arn,
                },
            },
        }
    )
    assert created == "CREATE_COMPLETE"
    write(cloud, "shop", "ERROR one", "INFO two")
    (event,) = app.requests("Reader")
    message = json.loads(gzip.decompress(base64.b64decode(event["awslogs"]["data"])))
    (log_event,) = message.pop("logEvents")
    assert log_event["message"] == "ERROR one"
    assert message == {
        "messageType": "DATA_MESSAGE",
        "owner": "123456789012",
        "logGroup": "shop",
        "logStream": "s",
        "subscriptionFilters": [app.physical("Subscription")],
    }
    (delivery,) = cloud.world.journal.select("logs.delivery")
    assert (delivery.outcome, delivery.data["to"]) == (
        "ok",
        f"arn:aws:lambda:us-east-1:123456789012:function:{app.physical('Reader')}",
    )
    assert app.delete() == "DELETE_COMPLETE"


def test_what_is_wrong_with_a_filter(cloud: LocalCloud) -> None:
    logs = cloud.client("logs")
    logs.create_log_group(logGroupName="g")
    good = {"metricName": "m", "metricNamespace": "n", "metricValue": "1"}
    for value in ("many", "$name"):
        with pytest.raises(
            ClientError, match=f"Invalid metric value: \\{value}" if value[0] == "$" else value
        ):
            logs.put_metric_filter(
                logGroupName="g",
                filterName="f",
                filterPattern="",
                metricTransformations=[{**good, "metricValue": value}],
            )
    with pytest.raises(NotSimulated, match="firehose"):
        logs.put_subscription_filter(
            logGroupName="g",
            filterName="f",
            filterPattern="",
            destinationArn="arn:aws:firehose:us-east-1:123456789012:deliverystream/d",
        )
    with pytest.raises(ClientError, match="The specified metric filter does not exist"):
        logs.delete_metric_filter(logGroupName="g", filterName="f")
