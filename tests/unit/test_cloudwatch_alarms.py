"""Alarms in virtual time: evaluated when it matters, silent otherwise."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.cloud.local.service import NotSimulated, ServiceError
from infra.cloud.local.telemetry.queries import moment

from .cloudwatch_world import NINE, Scene


def dead_letters(scene: Scene, **changes: Any) -> None:
    params: dict[str, Any] = {
        "AlarmName": "dead-letters",
        "Namespace": "AWS/SQS",
        "MetricName": "ApproximateNumberOfMessagesVisible",
        "Dimensions": [{"Name": "QueueName", "Value": "orders-dlq"}],
        "Statistic": "Maximum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 1,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
    }
    scene.call(
        "PutMetricAlarm", **{key: value for key, value in {**params, **changes}.items() if value is not None}
    )


def described(scene: Scene, name: str = "dead-letters") -> dict[str, Any]:
    alarm: dict[str, Any] = scene.call("DescribeAlarms", AlarmNames=[name])["MetricAlarms"][0]
    return alarm


def changes(scene: Scene) -> list[tuple[float, str, str]]:
    """(seconds since 09:00, from, to) of every state change in the journal."""
    return [
        ((entry.time - NINE) / 1e6, entry.data["from"], entry.data["to"])
        for entry in scene.journal.select("cloudwatch.alarm")
    ]


def timers(scene: Scene) -> int:
    return sum(
        alarm.timer is not None and alarm.timer.pending for alarm in scene.cloudwatch.watch.alarms.values()
    )


def test_three_messages_in_the_dead_letter_queue_raise_the_alarm() -> None:
    scene = Scene()
    dead_letters(scene)
    assert described(scene)["StateReason"] == "Unchecked: Initial alarm creation"
    scene.at(10).send("a", "b", "c")
    scene.at(200).move("a", "b", "c")
    assert scene.kernel.settle()
    scene.at(500)
    alarm = described(scene)
    assert (alarm["StateValue"], alarm["StateReason"]) == (
        "ALARM",
        "Threshold Crossed: 1 datapoint [3.0 (05/01/26 09:04:00)] was greater than or equal to the "
        "threshold (1.0).",
    )
    assert alarm["StateUpdatedTimestamp"] == moment(scene.us(300))
    assert changes(scene) == [(240, "INSUFFICIENT_DATA", "OK"), (300, "OK", "ALARM")]
    assert timers(scene) == 0


def test_five_minute_periods_slide_by_the_minute() -> None:
    scene = Scene()
    dead_letters(scene, Period=300, TreatMissingData="notBreaching")
    scene.at(200).send("a", queue="arn:aws:sqs:us-east-1:123456789012:orders-dlq")
    scene.at(3600).delete("a", queue="arn:aws:sqs:us-east-1:123456789012:orders-dlq")
    scene.at(7200)
    assert changes(scene) == [
        (60, "INSUFFICIENT_DATA", "OK"),
        (300, "OK", "ALARM"),
        (3960, "ALARM", "OK"),
    ]


def test_an_average_over_five_minutes_is_looked_at_every_minute_while_it_changes() -> None:
    """Ten messages arrive at once: the average of the minutes that have data is 0, 5, 6.7, 7.5, …."""
    scene = Scene()
    dead_letters(scene, Period=300, Statistic="Average", Threshold=6)
    scene.at(1000).send(*"abcdefghij", queue="arn:aws:sqs:us-east-1:123456789012:orders-dlq")
    scene.at(86_400)
    assert changes(scene) == [(1020, "INSUFFICIENT_DATA", "OK"), (1140, "OK", "ALARM")]
    reason = (
        "Threshold Crossed: 1 datapoint [6.666666666666667 (05/01/26 09:14:00)] was greater than or equal to"
    )
    assert described(scene)["StateReason"].startswith(reason)
    assert scene.kernel.events < 30


def test_an_alarm_in_steady_state_holds_no_timer() -> None:
    """A message rests in the queue for ten days: the alarm is evaluated a handful of times."""
    scene = Scene()
    dead_letters(scene)
    scene.at(200).send("a", queue="arn:aws:sqs:us-east-1:123456789012:orders-dlq")
    scene.at(10 * 86_400)
    assert scene.kernel.events < 10
    assert timers(scene) == 0
    assert described(scene)["StateValue"] == "ALARM"


def test_a_queue_that_falls_asleep_turns_the_alarm_to_insufficient_data() -> None:
    """Six hours after its last use an empty queue has no metrics any more."""
    scene = Scene()
    dead_letters(scene)
    queue = "arn:aws:sqs:us-east-1:123456789012:orders-dlq"
    scene.at(30).send("a", queue=queue)
    scene.at(90).delete("a", queue=queue)
    scene.at(86_400)
    assert changes(scene) == [
        (60, "INSUFFICIENT_DATA", "OK"),
        (120, "OK", "ALARM"),
        (180, "ALARM", "OK"),
        (21_900, "OK", "INSUFFICIENT_DATA"),
    ]
    assert timers(scene) == 0


def test_a_visibility_timeout_that_ends_raises_the_alarm_without_an_entry() -> None:
    scene = Scene()
    dead_letters(scene)
    queue = "arn:aws:sqs:us-east-1:123456789012:orders-dlq"
    scene.at(10).send("a", queue=queue)
    scene.at(20).receive("a", queue=queue, hide=3600)
    scene.at(8000)
    assert changes(scene) == [(60, "INSUFFICIENT_DATA", "OK"), (3720, "OK", "ALARM")]


def test_the_age_of_the_oldest_message_crosses_its_threshold_on_its_own() -> None:
    scene = Scene()
    dead_letters(
        scene,
        MetricName="ApproximateAgeOfOldestMessage",
        Threshold=3600,
        Dimensions=[{"Name": "QueueName", "Value": "orders"}],
    )
    scene.at(30).send("a")
    scene.at(86_400)
    assert changes(scene) == [(120, "INSUFFICIENT_DATA", "OK"), (3720, "OK", "ALARM")]
    assert scene.kernel.events < 20
    assert timers(scene) == 0


def test_two_out_of_three_function_errors() -> None:
    scene = Scene()
    dead_letters(
        scene,
        Namespace="AWS/Lambda",
        MetricName="Errors",
        Dimensions=[{"Name": "FunctionName", "Value": "worker"}],
        Statistic="Sum",
        EvaluationPeriods=3,
        DatapointsToAlarm=2,
        TreatMissingData="notBreaching",
        AlarmActions=["arn:aws:swf:us-east-1:123456789012:action/actions/AWS_EC2.InstanceId.Stop/1.0"],
    )
    for second, outcome in (
        (61, "ValueError"),
        (130, "ok"),
        (185, "ValueError"),
        (186, "ok"),
        (250, "ok"),
        (310, "ok"),
    ):
        scene.at(second).invoked(1, outcome=outcome)
    scene.at(1000)
    assert changes(scene) == [
        (60, "INSUFFICIENT_DATA", "OK"),
        (240, "OK", "ALARM"),
        (300, "ALARM", "OK"),
    ]
    alarm_entry = list(scene.journal.select("cloudwatch.alarm"))[1]
    assert json.loads(alarm_entry.data["reason_data"])["recentDatapoints"] == [1.0, 0.0, 1.0]
    assert {key: value for key, value in alarm_entry.data.items() if key != "reason_data"} == {
        "alarm": "dead-letters",
        "from": "OK",
        "to": "ALARM",
        "reason": "Threshold Crossed: 2 out of the last 3 datapoints [1.0 (05/01/26 09:03:00), "
        "1.0 (05/01/26 09:01:00)] were greater than or equal to the threshold (1.0) (minimum 2 "
        "datapoints for OK -> ALARM transition).",
        "actions": "not simulated: "
        "arn:aws:swf:us-east-1:123456789012:action/actions/AWS_EC2.InstanceId.Stop/1.0",
    }


def test_an_alarm_on_an_error_rate() -> None:
    scene = Scene()

    def metric(name: str, metric_name: str) -> dict[str, Any]:
        stat = {
            "Metric": {
                "Namespace": "AWS/Lambda",
                "MetricName": metric_name,
                "Dimensions": [{"Name": "FunctionName", "Value": "worker"}],
            },
            "Period": 60,
            "Stat": "Sum",
        }
        return {"Id": name, "MetricStat": stat, "ReturnData": False}

    scene.call(
        "PutMetricAlarm",
        AlarmName="dead-letters",
        Metrics=[
            metric("errors", "Errors"),
            metric("calls", "Invocations"),
            {"Id": "rate", "Expression": "100 * errors / calls"},
        ],
        EvaluationPeriods=1,
        Threshold=20,
        ComparisonOperator="GreaterThanThreshold",
    )
    for second, outcome in ((70, "ok"), (71, "ok"), (130, "ok"), (131, "ValueError"), (190, "ok")):
        scene.at(second).invoked(1, outcome=outcome)
    scene.at(1000)
    assert changes(scene) == [
        (120, "INSUFFICIENT_DATA", "OK"),
        (180, "OK", "ALARM"),
        (240, "ALARM", "OK"),
        (420, "OK", "INSUFFICIENT_DATA"),
    ]


def test_setting_the_state_lasts_until_the_next_evaluation() -> None:
    scene = Scene()
    dead_letters(scene, TreatMissingData="notBreaching")
    scene.at(100).call("SetAlarmState", AlarmName="dead-letters", StateValue="ALARM", StateReason="a drill")
    assert described(scene)["StateReason"] == "a drill"
    scene.at(200)
    assert changes(scene) == [(60, "INSUFFICIENT_DATA", "OK"), (100, "OK", "ALARM"), (120, "ALARM", "OK")]


def test_history_comes_from_the_journal() -> None:
    scene = Scene()
    dead_letters(scene, TreatMissingData="notBreaching")
    dead_letters(scene, TreatMissingData="breaching")
    scene.at(100).call("DeleteAlarms", AlarmNames=["dead-letters"])
    items = scene.call("DescribeAlarmHistory", AlarmName="dead-letters", ScanBy="TimestampAscending")
    assert [(item["HistoryItemType"], item["HistorySummary"]) for item in items["AlarmHistoryItems"]] == [
        ("ConfigurationUpdate", 'Alarm "dead-letters" created'),
        ("ConfigurationUpdate", 'Alarm "dead-letters" updated'),
        ("StateUpdate", "Alarm updated from INSUFFICIENT_DATA to ALARM"),
        ("ConfigurationUpdate", 'Alarm "dead-letters" deleted'),
    ]
    assert timers(scene) == 0


def test_history_says_why_the_state_was_and_is() -> None:
    """test_cloudwatch.snapshot.json of localstack/localstack: test_put_metric_alarm"""
    scene = Scene()
    dead_letters(scene, TreatMissingData="breaching", EvaluationPeriods=2, Unit="Count")
    scene.at(100)
    [_, item] = scene.call("DescribeAlarmHistory", AlarmName="dead-letters", ScanBy="TimestampAscending")[
        "AlarmHistoryItems"
    ]
    data = json.loads(item["HistoryData"])
    assert data["oldState"] == {
        "stateValue": "INSUFFICIENT_DATA",
        "stateReason": "Unchecked: Initial alarm creation",
    }
    assert data["newState"] == {
        "stateValue": "ALARM",
        "stateReason": "Threshold Crossed: no datapoints were received for 2 periods and 2 missing "
        "datapoints were treated as [Breaching].",
        "stateReasonData": {
            "version": "1.0",
            "queryDate": "2026-01-05T09:01:00.000+0000",
            "unit": "Count",
            "statistic": "Maximum",
            "period": 60,
            "recentDatapoints": [],
            "threshold": 1.0,
            "evaluatedDatapoints": [
                {"timestamp": "2026-01-05T09:00:00.000+0000"},
                {"timestamp": "2026-01-05T08:59:00.000+0000"},
            ],
        },
    }


def test_alarms_are_found_by_metric_prefix_and_state() -> None:
    scene = Scene()
    dead_letters(scene)
    dead_letters(scene, AlarmName="other", MetricName="NumberOfMessagesSent")
    found = scene.call(
        "DescribeAlarmsForMetric",
        Namespace="AWS/SQS",
        MetricName="NumberOfMessagesSent",
        Dimensions=[{"Name": "QueueName", "Value": "orders-dlq"}],
    )
    assert [alarm["AlarmName"] for alarm in found["MetricAlarms"]] == ["other"]
    page = scene.call("DescribeAlarms", MaxRecords=1)
    rest = scene.call("DescribeAlarms", MaxRecords=1, NextToken=page["NextToken"])
    assert [page["MetricAlarms"][0]["AlarmName"], rest["MetricAlarms"][0]["AlarmName"]] == [
        "dead-letters",
        "other",
    ]
    assert "NextToken" not in rest
    assert scene.call("DescribeAlarms", StateValue="OK")["MetricAlarms"] == []


def test_disabled_actions_are_not_mentioned() -> None:
    scene = Scene()
    dead_letters(
        scene, TreatMissingData="breaching", AlarmActions=["arn:aws:sns:us-east-1:123456789012:pager"]
    )
    scene.call("DisableAlarmActions", AlarmNames=["dead-letters"])
    scene.at(100)
    assert not described(scene)["ActionsEnabled"]
    assert "actions" not in next(iter(scene.journal.select("cloudwatch.alarm"))).data


@pytest.mark.parametrize(
    ("change", "code", "text"),
    [
        ({"Period": 45}, "ValidationError", "Period must be 10, 20, 30 or a multiple of 60"),
        ({"Period": 300, "EvaluationPeriods": 289}, "ValidationError", "more than a day"),
        ({"DatapointsToAlarm": 2}, "ValidationError", "DatapointsToAlarm"),
        ({"ExtendedStatistic": "p99"}, "ValidationError", "Statistic"),
        ({"Statistic": None, "ExtendedStatistic": "p101"}, "InvalidParameterValue", "p101"),
        ({"TreatMissingData": "maybe"}, "ValidationError", "maybe"),
        ({"ComparisonOperator": "Equals"}, "ValidationError", "Equals"),
        ({"Threshold": None}, "ValidationError", "threshold"),
        ({"MetricName": None}, "ValidationError", "MetricName must not be null"),
        ({"Metrics": []}, "ValidationError", "Namespace should not be set if list of Metrics is set."),
        ({"OKActions": ["a"] * 6}, "ValidationError", "'oKActions' failed .* less than or equal to 5"),
    ],
)
def test_wrong_alarms_are_refused(change: dict[str, Any], code: str, text: str) -> None:
    scene = Scene()
    with pytest.raises(ServiceError, match=text) as caught:
        dead_letters(scene, **change)
    assert caught.value.code == code
    assert scene.call("DescribeAlarms")["MetricAlarms"] == []


def test_unknown_alarms_and_what_is_not_simulated() -> None:
    scene = Scene()
    with pytest.raises(ServiceError, match="Unknown alarm: nope") as caught:
        scene.call("DeleteAlarms", AlarmNames=["nope"])
    assert (caught.value.code, caught.value.status) == ("ResourceNotFound", 404)
    with pytest.raises(NotSimulated, match="anomaly"):
        dead_letters(scene, ComparisonOperator="GreaterThanUpperThreshold")
    with pytest.raises(NotSimulated, match="PutAnomalyDetector"):
        scene.call("PutAnomalyDetector")
    query = 'SELECT SUM(Errors) FROM SCHEMA("AWS/Lambda", FunctionName)'
    with pytest.raises(NotSimulated, match="Metrics Insights"):
        scene.call(
            "PutMetricAlarm",
            AlarmName="any",
            Metrics=[{"Id": "q", "Expression": query, "Period": 60}],
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
        )


def test_an_alarm_of_dynamodb_ignores_missing_data_unless_it_says_otherwise() -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html"""
    scene = Scene()
    for name, treatment in (("silent", None), ("explicit", "missing")):
        dead_letters(
            scene, AlarmName=name, Namespace="AWS/DynamoDB", Dimensions=[], TreatMissingData=treatment
        )
        scene.call("SetAlarmState", AlarmName=name, StateValue="OK", StateReason="by hand")
    scene.at(600)
    found = {name: described(scene, name)["StateValue"] for name in ("silent", "explicit")}
    assert found == {"silent": "OK", "explicit": "INSUFFICIENT_DATA"}
