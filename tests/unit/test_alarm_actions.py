"""An alarm's actions: a message on a topic, an event to a function, as AWS sends them."""

from __future__ import annotations

import json
from typing import Any

from infra.cloud.local.kernel import SECOND
from infra.cloud.local.telemetry.alarm_messages import trigger
from infra.cloud.local.world import World

ACCOUNT = "123456789012"
TOPIC = f"arn:aws:sns:us-east-1:{ACCOUNT}:pager"
MISSING = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:missing"
QUEUE = f"arn:aws:sqs:us-east-1:{ACCOUNT}:pager"


def ring(world: World, **given: Any) -> None:
    """An alarm on ten widgets, and eleven of them."""
    client = world.client("cloudwatch")
    client.put_metric_alarm(
        AlarmName="widgets",
        Namespace="Shop",
        MetricName="Widgets",
        Dimensions=[{"Name": "Shop", "Value": "one"}],
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=10,
        ComparisonOperator="GreaterThanThreshold",
        **given,
    )
    value = {"MetricName": "Widgets", "Dimensions": [{"Name": "Shop", "Value": "one"}], "Value": 11}
    client.put_metric_data(Namespace="Shop", MetricData=[value])
    world.kernel.run_until(world.kernel.now + 90 * SECOND)


def test_a_topic_of_the_same_account_gets_the_alarm_by_its_default_policy(world: World) -> None:
    sqs, sns = world.client("sqs"), world.client("sns")
    url = sqs.create_queue(QueueName="pager")["QueueUrl"]
    allow = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:*",
        "Resource": QUEUE,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    sns.create_topic(Name="pager")
    sns.subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=QUEUE)
    ring(world, AlarmActions=[TOPIC, MISSING], AlarmDescription="too many")
    (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
    body = json.loads(message["Body"])
    assert body["Subject"] == 'ALARM: "widgets" in US East (N. Virginia)'
    said = json.loads(body["Message"])
    assert said.pop("NewStateReason").startswith("Threshold Crossed: 1 datapoint [11.0 (05")
    assert said.pop("AlarmConfigurationUpdatedTimestamp").startswith("2026-01-05T09:00:00.")
    assert said == {
        "AlarmName": "widgets",
        "AlarmDescription": "too many",
        "AWSAccountId": ACCOUNT,
        "NewStateValue": "ALARM",
        "StateChangeTime": "2026-01-05T09:01:00.000+0000",
        "Region": "US East (N. Virginia)",
        "AlarmArn": f"arn:aws:cloudwatch:us-east-1:{ACCOUNT}:alarm:widgets",
        "OldStateValue": "INSUFFICIENT_DATA",
        "OKActions": [],
        "AlarmActions": [TOPIC, MISSING],
        "InsufficientDataActions": [],
        "Trigger": {
            "MetricName": "Widgets",
            "Namespace": "Shop",
            "StatisticType": "Statistic",
            "Statistic": "SUM",
            "Unit": None,
            "Dimensions": [{"value": "one", "name": "Shop"}],
            "Period": 60,
            "EvaluationPeriods": 1,
            "ComparisonOperator": "GreaterThanThreshold",
            "Threshold": 10.0,
            "TreatMissingData": "",
            "EvaluateLowSampleCountPercentile": "",
        },
    }
    assert [(entry.outcome, entry.data["to"]) for entry in world.journal.select("cloudwatch.delivery")] == [
        ("AccessDeniedException", MISSING),
        ("ok", TOPIC),
    ]


def test_a_topic_with_a_policy_of_its_own_must_let_alarms_in(world: World) -> None:
    sns = world.client("sns")
    sns.create_topic(Name="pager")
    allow = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sns:*",
        "Resource": TOPIC,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    sns.set_topic_attributes(TopicArn=TOPIC, AttributeName="Policy", AttributeValue=policy)
    ring(world, AlarmActions=[TOPIC])
    assert [entry.outcome for entry in world.journal.select("cloudwatch.delivery")] == ["AuthorizationError"]
    items = world.client("cloudwatch").describe_alarm_history(AlarmName="widgets", HistoryItemType="Action")
    (item,) = items["AlarmHistoryItems"]
    assert item["HistorySummary"] == (
        f'Failed to execute action {TOPIC}. Received error: "CloudWatch Alarms is not authorized to perform: '
        f'SNS:Publish on resource: {TOPIC} because no resource-based policy allows the SNS:Publish action"'
    )
    assert json.loads(item["HistoryData"])["actionState"] == "Failed"


def test_what_a_topic_is_told_of_an_alarm_on_an_expression() -> None:
    """The trigger of a message that a user received, key order included."""
    metric = {
        "Namespace": "AWS/Usage",
        "MetricName": "CallCount",
        "Dimensions": [{"Name": "Type", "Value": "API"}],
    }
    given = {
        "EvaluationPeriods": 1,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "Threshold": 0,
        "TreatMissingData": "missing",
        "Metrics": [
            {"Id": "e1", "Expression": "FILL(m1, 0)", "Label": "Expression1", "ReturnData": True},
            {
                "Id": "m1",
                "ReturnData": False,
                "MetricStat": {"Stat": "Average", "Period": 60, "Metric": metric},
            },
        ],
    }
    assert json.dumps(trigger(given), separators=(",", ":")) == (
        '{"Period":60,"EvaluationPeriods":1,"ComparisonOperator":"GreaterThanOrEqualToThreshold",'
        '"Threshold":0.0,"TreatMissingData":"missing","EvaluateLowSampleCountPercentile":"","Metrics":['
        '{"Expression":"FILL(m1, 0)","Id":"e1","Label":"Expression1","ReturnData":true},{"Id":"m1",'
        '"MetricStat":{"Metric":{"Dimensions":[{"value":"API","name":"Type"}],"MetricName":"CallCount",'
        '"Namespace":"AWS/Usage"},"Period":60,"Stat":"Average"},"ReturnData":false}]}'
    )
