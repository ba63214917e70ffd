"""Metric filters and subscription filters of log groups."""

from __future__ import annotations

import base64
import gzip
import json
import re
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
        with pytest.raises(ClientError, match=f"metric value {re.escape(value)} must be a valid number"):
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


def put(cloud: LocalCloud, pattern: str, **transformation: Any) -> None:
    base = {"metricNamespace": "Shop", "metricName": "Size", "metricValue": "1", **transformation}
    cloud.client("logs").put_metric_filter(
        logGroupName="shop", filterName="f", filterPattern=pattern, metricTransformations=[base]
    )


LINE = (  # https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_TestMetricFilter.html
    '127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /apache_pb.gif HTTP/1.0" 200 1534'
)


@pytest.mark.parametrize(
    ("pattern", "extracted"),
    [
        (
            "[ip, identity, user_id, timestamp, request, status_code, size]",
            {
                "$status_code": "200",
                "$identity": "-",
                "$request": "GET /apache_pb.gif HTTP/1.0",
                "$size": "1534",
                "$user_id": "frank",
                "$ip": "127.0.0.1",
                "$timestamp": "10/Oct/2000:13:25:15 -0700",
            },
        ),
        (
            "[..., size=1534]",
            {
                "$size": "1534",
                "$6": "200",
                "$4": "10/Oct/2000:13:25:15 -0700",
                "$5": "GET /apache_pb.gif HTTP/1.0",
                "$2": "-",
                "$3": "frank",
                "$1": "127.0.0.1",
            },
        ),
        ('"127.0.0.1"', {}),
    ],
)
def test_a_pattern_is_tried_out(cloud: LocalCloud, pattern: str, extracted: dict[str, str]) -> None:
    answer = cloud.client("logs").test_metric_filter(filterPattern=pattern, logEventMessages=["no", LINE])
    assert answer["matches"] == [{"eventNumber": 2, "eventMessage": LINE, "extractedValues": extracted}]


def test_a_json_pattern_is_tried_out(cloud: LocalCloud) -> None:
    message = json.dumps({"eventType": "UpdateTrail", "ids": [1, 2], "sourceIPAddress": "111.111.111.111"})
    answer = cloud.client("logs").test_metric_filter(
        filterPattern='{ ($.eventType = "UpdateTrail") && ($.ids[1] = 2) }', logEventMessages=[message, "{}"]
    )
    (match,) = answer["matches"]
    assert match["extractedValues"] == {"$.eventType": "UpdateTrail", "$.ids[1]": "2"}


def test_values_and_dimensions_of_space_delimited_events(cloud: LocalCloud) -> None:
    cloud.client("logs").create_log_group(logGroupName="shop")
    put(
        cloud,
        "[ip, id, user, time, request, status=2*, size]",
        metricValue="$size",
        dimensions={"User": "$user"},
        unit="Bytes",
    )
    (group,) = cloud.client("logs").describe_log_groups()["logGroups"]
    assert group["metricFilterCount"] == 1
    write(cloud, "shop", LINE, LINE.replace("200", "404"), LINE.replace("1534", "many"))
    assert [value for _, value in cloud.metrics("Shop", "Size", {"User": "frank"})] == [1534.0]
    cloud.client("logs").delete_log_group(logGroupName="shop")
    assert cloud.client("logs").describe_metric_filters()["metricFilters"] == []


@pytest.mark.parametrize(
    ("pattern", "transformation", "message"),
    [
        (
            "{ $.a = 1 }",
            {"dimensions": {"A": "$.a"}, "defaultValue": 0.0},
            "Invalid metric transformation: dimensions and default value are mutually exclusive properties",
        ),
        (
            "ERROR",
            {"dimensions": {"A": "$.a"}},
            "The specified filter pattern does not support dimensions",
        ),
        (
            "{ $.a = 1 }",
            {"dimensions": {"A": "vpc"}},
            "Invalid metric transformation: dimension value must be valid selector",
        ),
        (
            "[a, b]",
            {"metricValue": "$size"},
            "Invalid metric transformation: metric value $size must be a valid number",
        ),
        (
            "{ $.a = 1 }",
            {"dimensions": dict.fromkeys("ABCD", "$.a")},
            "1 validation error detected: Value '[4 items]' at 'metricTransformations.1.member.dimensions' "
            "failed to satisfy constraint: Member must have length less than or equal to 3",
        ),
    ],
)
def test_transformations_that_are_refused(
    cloud: LocalCloud, pattern: str, transformation: dict[str, Any], message: str
) -> None:
    cloud.client("logs").create_log_group(logGroupName="shop")
    with pytest.raises(ClientError) as caught:
        put(cloud, pattern, **transformation)
    assert caught.value.response["Error"] == {"Code": "InvalidParameterException", "Message": message}


def unpacked(data: bytes) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(gzip.decompress(data))
    return message


def test_a_subscription_filter_sends_to_a_stream(cloud: LocalCloud) -> None:
    """The stream gets a test message first; what matches is keyed by its log stream."""
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "logs.us-east-1.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    writer = role("kinesis:PutRecord")
    writer["Properties"]["AssumeRolePolicyDocument"] = trust
    subscription = {
        "LogGroupName": {"Ref": "Group"},
        "FilterPattern": "{ $.level = ERROR }",
        "DestinationArn": {"Fn::GetAtt": ["Stream", "Arn"]},
        "RoleArn": {"Fn::GetAtt": ["Writer", "Arn"]},
    }
    app = Deployer(cloud)
    resources = {
        "Group": GROUP,
        "Writer": writer,
        "Stream": {"Type": "AWS::Kinesis::Stream", "Properties": {"ShardCount": 1, "Name": "errors"}},
        "Subscription": {"Type": "AWS::Logs::SubscriptionFilter", "Properties": subscription},
    }
    assert app.create(resources) == "CREATE_COMPLETE", app.failures()
    write(cloud, "shop", *(json.dumps({"level": level}) for level in ("ERROR", "INFO", "ERROR")))
    kinesis = cloud.client("kinesis")
    (shard,) = kinesis.list_shards(StreamName="errors")["Shards"]
    iterator = kinesis.get_shard_iterator(
        StreamName="errors", ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    control, data = kinesis.get_records(ShardIterator=iterator)["Records"]
    said = unpacked(control["Data"])
    assert said.pop("logEvents")[0]["message"] == (
        "CWL CONTROL MESSAGE: Checking health of destination Kinesis stream."
    )
    assert said == {
        "messageType": "CONTROL_MESSAGE",
        "owner": "CloudwatchLogs",
        "logGroup": "",
        "logStream": "",
        "subscriptionFilters": [],
    }
    assert data["PartitionKey"] == "s"
    assert [event["message"] for event in unpacked(data["Data"])["logEvents"]] == ['{"level": "ERROR"}'] * 2


def test_destinations_that_are_refused(cloud: LocalCloud) -> None:
    app = Deployer(cloud)
    app.create({"Role": role(), "Reader": function("def handler(event, context): pass\n"), "Group": GROUP})
    arn = f"arn:aws:lambda:us-east-1:123456789012:function:{app.physical('Reader')}"
    logs = cloud.client("logs")
    own = f"/aws/lambda/{app.physical('Reader')}"
    logs.create_log_group(logGroupName=own)

    def refused(group: str, destination: str, **params: str) -> str:
        with pytest.raises(ClientError) as caught:
            logs.put_subscription_filter(
                logGroupName=group, filterName="f", filterPattern="", destinationArn=destination, **params
            )
        assert caught.value.response["Error"]["Code"] == "InvalidParameterException"
        return str(caught.value.response["Error"]["Message"])

    stream = "arn:aws:kinesis:us-east-1:123456789012:stream/none"
    assert [
        refused("shop", arn),
        refused(own, arn),
        refused("shop", stream),
        refused("shop", stream, roleArn="arn:aws:iam::123456789012:role/none"),
    ] == [
        "Could not execute the lambda function. Make sure you have given CloudWatch Logs permission to "
        "execute your function.",
        "The log group provided is reserved for the function logs of the destination function.",
        "destinationArn for vendor kinesis cannot be used without roleArn",
        "Could not deliver test message to specified Kinesis stream. Check if the given kinesis stream "
        "is in ACTIVE state.",
    ]
    assert logs.describe_subscription_filters(logGroupName="shop")["subscriptionFilters"] == []


def test_a_saved_query(cloud: LocalCloud) -> None:
    query = {"Name": "shop/errors", "QueryString": "filter @message like /ERROR/", "LogGroupNames": ["shop"]}
    app = Deployer(cloud)
    definition = {"Type": "AWS::Logs::QueryDefinition", "Properties": query}
    assert app.create({"Group": GROUP, "Query": definition}) == "CREATE_COMPLETE"
    logs = cloud.client("logs")
    (found,) = logs.describe_query_definitions(queryDefinitionNamePrefix="shop/")["queryDefinitions"]
    assert found.pop("lastModified") > 0
    assert found == {
        "queryLanguage": "CWLI",
        "queryDefinitionId": app.physical("Query"),
        "name": "shop/errors",
        "queryString": "filter @message like /ERROR/",
        "logGroupNames": ["shop"],
    }
    with pytest.raises(ClientError, match="InvalidParameterException"):
        logs.put_query_definition(name="bad", queryString="filter (")
    assert app.update({"Group": GROUP}) == "UPDATE_COMPLETE"
    assert logs.describe_query_definitions()["queryDefinitions"] == []


def test_metrics_of_a_log_group(cloud: LocalCloud) -> None:
    app = Deployer(cloud)
    app.create({"Group": GROUP, "Role": role(), "Reader": function("def handler(event, context): pass\n")})
    name = app.physical("Reader")
    arn = f"arn:aws:lambda:us-east-1:123456789012:function:{name}"
    allow = {"FunctionName": name, "StatementId": "s"}
    cloud.client("lambda").add_permission(
        **allow, Action="lambda:InvokeFunction", Principal="logs.amazonaws.com"
    )
    cloud.client("logs").put_subscription_filter(
        logGroupName="shop", filterName="f", filterPattern="ERROR", destinationArn=arn
    )
    write(cloud, "shop", "ERROR one", "ERROR two", "INFO")
    cloud.client("lambda").remove_permission(**allow)
    write(cloud, "shop", "ERROR three", '{"_aws": {"CloudWatchMetrics": [{}]}}')
    one = {"LogGroupName": "shop", "DestinationType": "Lambda", "FilterName": "f"}

    def total(metric: str, **dimensions: str) -> float:
        return sum(value for _, value in cloud.metrics("AWS/Logs", metric, dimensions))

    assert [
        total("IncomingLogEvents", LogGroupName="shop"),
        total("IncomingBytes", LogGroupName="shop"),
        total("ForwardedLogEvents", **one),
        total("DeliveryErrors", **one),
        total("EMFValidationErrors", LogGroupName="shop"),
    ] == [5, 70, 2, 1, 1]
    alarm = {"Namespace": "AWS/Logs", "Dimensions": [{"Name": "LogGroupName", "Value": "shop"}]}
    cloud.client("cloudwatch").put_metric_alarm(
        **alarm,
        AlarmName="busy",
        MetricName="IncomingLogEvents",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )
    cloud.advance("10 min")
    write(cloud, "shop", "one", "two")
    cloud.advance("1 min")
    (found,) = cloud.client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert found["StateValue"] == "ALARM"


def test_powertools_prints_metrics(cloud: LocalCloud) -> None:
    source = (
        "from aws_lambda_powertools import Metrics\n"
        "from aws_lambda_powertools.metrics import MetricResolution, MetricUnit\n"
        "metrics = Metrics(namespace='Shop', service='orders')\n"
        "@metrics.log_metrics\n"
        "def handler(event, context):\n"
        "    metrics.add_dimension(name='kind', value='gift')\n"
        "    for n in range(3):\n"
        "        metrics.add_metric(name='Items', unit=MetricUnit.Count, value=n)\n"
        "    metrics.add_metric(name='Wait', unit=MetricUnit.Milliseconds, value=12.5,\n"
        "                       resolution=MetricResolution.High)\n"
        "    metrics.add_metadata(key='order', value='o-1')\n"
    )
    app = Deployer(cloud)
    app.create({"Role": role(), "Seller": function(source)})
    began = cloud.now
    cloud.client("lambda").invoke(FunctionName=app.physical("Seller"))
    dimensions = [{"Name": "kind", "Value": "gift"}, {"Name": "service", "Value": "orders"}]

    def points(name: str, period: int) -> list[tuple[bool, float, str]]:
        """(whether the data point stands at a full minute, its sum, its unit)"""
        found = cloud.client("cloudwatch").get_metric_statistics(
            Namespace="Shop", MetricName=name, Dimensions=dimensions, Period=period, Statistics=["Sum"],
            StartTime=began, EndTime=cloud.now,
        )  # fmt: skip
        return [(one["Timestamp"].second == 0, one["Sum"], one["Unit"]) for one in found["Datapoints"]]

    assert points("Items", 60) == [(True, 3.0, "Count")]
    assert points("Wait", 60) == [(True, 12.5, "Milliseconds")]


def test_at_most_five_filters_of_a_group_have_a_regular_expression(cloud: LocalCloud) -> None:
    logs = cloud.client("logs")
    logs.create_log_group(logGroupName="shop")
    value = {"metricNamespace": "Shop", "metricName": "Errors", "metricValue": "1"}

    def put(name: str, pattern: str) -> None:
        logs.put_metric_filter(
            logGroupName="shop", filterName=name, filterPattern=pattern, metricTransformations=[value]
        )

    for number in range(5):
        put(f"f{number}", "%ERROR|WARN%")
    put("f4", "{ $.level = %ERR.*% }")  # in place of one
    put("text", 'ERROR "100%"')
    with pytest.raises(ClientError) as caught:
        put("f5", "%FATAL%")
    assert caught.value.response["Error"]["Code"] == "LimitExceededException"
