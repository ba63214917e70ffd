"""Composite alarms: their states, what they send, and what a suppressor holds back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.cloud import connect
from infra.cloud.local.cloud import LocalCloud
from infra.cloud.local.kernel import SECOND
from infra.cloud.local.world import World

from .deploy_tools import Deployer, function, role

ARN = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:"
TOPIC = "arn:aws:sns:us-east-1:123456789012:pager"
QUEUE = "arn:aws:sqs:us-east-1:123456789012:pager"


@pytest.fixture
def cloudwatch(world: World) -> Any:
    """Alarms a, b and quiet, on metrics without data: their states are what SetAlarmState says."""
    client = world.client("cloudwatch")
    for name in ("a", "b", "quiet"):
        client.put_metric_alarm(
            AlarmName=name,
            Namespace="Shop",
            MetricName=name,
            Statistic="Sum",
            Period=86400,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
            TreatMissingData="ignore",
        )
    return client


def at(world: World, seconds: float) -> None:
    world.kernel.run_until(world.started + round(seconds * SECOND))


def turn(world: World, seconds: float, **states: str) -> None:
    """At that time after the world began the alarms go to these states."""
    at(world, seconds)
    for name, state in states.items():
        alarm = world.cloudwatch.watch.alarms[name]
        world.kernel.call(
            world.cloudwatch.watch.set_state, alarm, state, "a drill", "", name="drill", context=None
        )


def composite(client: Any, name: str) -> dict[str, Any]:
    (alarm,) = client.describe_alarms(AlarmNames=[name], AlarmTypes=["CompositeAlarm"])["CompositeAlarms"]
    return dict(alarm)


def changes(world: World, name: str) -> list[tuple[float, str, str]]:
    return [
        ((entry.time - world.started) / SECOND, entry.data["from"], entry.data["to"])
        for entry in world.journal.select("cloudwatch.alarm")
        if entry.resource == name
    ]


def delivered(world: World) -> list[tuple[float, str]]:
    """(seconds, the state that the message tells of) of every message on the topic."""
    return [
        (
            (entry.time - world.started) // SECOND,
            json.loads(entry.data["published"])["NewStateValue"],
        )
        for entry in world.journal.select("cloudwatch.delivery")
    ]


def test_it_follows_the_alarms_of_its_rule(world: World, cloudwatch: Any) -> None:
    cloudwatch.put_composite_alarm(AlarmName="both", AlarmRule="ALARM(a) AND ALARM(b)")
    cloudwatch.put_composite_alarm(AlarmName="top", AlarmRule='NOT OK("both")', AlarmDescription="Down")
    turn(world, 10, a="ALARM")
    turn(world, 20, b="ALARM")
    turn(world, 30, a="OK")
    assert [change for change in changes(world, "both") if change[0] >= 10] == [
        (20.0, "OK", "ALARM"),
        (30.0, "ALARM", "OK"),
    ]
    assert [change for change in changes(world, "top") if change[0] >= 10] == [
        (20.0, "OK", "ALARM"),
        (30.0, "ALARM", "OK"),
    ]
    top = composite(cloudwatch, "top")
    stamps = [top.pop(key) for key in sorted(top) if key.endswith("Timestamp")]
    assert stamps[1] == stamps[2] == world.datetime(world.started + 30 * SECOND)
    assert top == {
        "AlarmName": "top",
        "AlarmArn": f"{ARN}top",
        "AlarmDescription": "Down",
        "AlarmRule": 'NOT OK("both")',
        "ActionsEnabled": True,
        "OKActions": [],
        "AlarmActions": [],
        "InsufficientDataActions": [],
        "StateValue": "OK",
        "StateReason": f"{ARN}both transitioned to OK at Monday 05 January, 2026 09:00:30 UTC",
        "StateReasonData": json.dumps(
            {
                "triggeringAlarms": [
                    {
                        "arn": f"{ARN}both",
                        "state": {"value": "OK", "timestamp": "2026-01-05T09:00:30.000+0000"},
                    }
                ]
            },
            separators=(",", ":"),
        ),
    }


def test_it_is_created_and_updated_with_an_evaluation(world: World, cloudwatch: Any) -> None:
    cloudwatch.put_composite_alarm(AlarmName="one", AlarmRule="ALARM(a)")
    created = composite(cloudwatch, "one")
    assert (created["StateValue"], created["StateReason"]) == (
        "OK",
        f"{ARN}one was created and its alarm rule evaluates to OK",
    )
    cloudwatch.put_composite_alarm(AlarmName="one", AlarmRule="INSUFFICIENT_DATA(a) OR ALARM(b)")
    updated = composite(cloudwatch, "one")
    assert updated["StateReason"] == f"{ARN}one was updated and its alarm rule evaluates to ALARM"
    triggering = json.loads(updated["StateReasonData"])["triggeringAlarms"]
    # in this order: localstack/localstack, test_composite_alarm_creation, and the documentation's events
    assert [one["arn"] for one in triggering] == [f"{ARN}b", f"{ARN}a"]
    items = cloudwatch.describe_alarm_history(AlarmName="one", AlarmTypes=["CompositeAlarm"])
    assert [(item["AlarmType"], item["HistorySummary"]) for item in items["AlarmHistoryItems"]] == [
        ("CompositeAlarm", "Alarm updated from OK to ALARM"),
        ("CompositeAlarm", 'Alarm "one" updated'),
        ("CompositeAlarm", "Alarm updated from INSUFFICIENT_DATA to OK"),
        ("CompositeAlarm", 'Alarm "one" created'),
    ]
    assert cloudwatch.describe_alarm_history(AlarmName="one")["AlarmHistoryItems"] == []


def test_a_state_that_was_set_stays_until_a_child_changes(world: World, cloudwatch: Any) -> None:
    cloudwatch.put_composite_alarm(AlarmName="one", AlarmRule="ALARM(a)")
    cloudwatch.set_alarm_state(AlarmName="one", StateValue="ALARM", StateReason="a drill")
    at(world, 3600)
    assert composite(cloudwatch, "one")["StateReason"] == "a drill"
    turn(world, 3700, a="OK")
    assert composite(cloudwatch, "one")["StateValue"] == "OK"


def test_children_parents_and_types(cloudwatch: Any) -> None:
    cloudwatch.put_composite_alarm(AlarmName="both", AlarmRule="ALARM(a) OR ALARM(b)")
    cloudwatch.put_composite_alarm(AlarmName="top", AlarmRule="ALARM(both) OR ALARM(a)")

    def names(**params: Any) -> list[str]:
        answer = cloudwatch.describe_alarms(**params)
        return [one["AlarmName"] for kind in ("MetricAlarms", "CompositeAlarms") for one in answer[kind]]

    assert names() == ["a", "b", "quiet"]
    assert names(AlarmTypes=["CompositeAlarm"]) == ["both", "top"]
    assert names(AlarmTypes=["CompositeAlarm", "MetricAlarm"], StateValue="OK") == ["both", "top"]
    assert names(ChildrenOfAlarmName="top") == ["a", "both"]
    assert names(ParentsOfAlarmName="a") == ["both", "top"]
    children = cloudwatch.describe_alarms(ChildrenOfAlarmName="top")["CompositeAlarms"]
    assert [sorted(child) for child in children] == [
        ["AlarmArn", "AlarmName", "StateUpdatedTimestamp", "StateValue"]
    ]
    assert cloudwatch.describe_alarms(ParentsOfAlarmName="both")["CompositeAlarms"] == [
        {"AlarmName": "top", "AlarmArn": f"{ARN}top"}
    ]


def test_what_is_refused(cloudwatch: Any) -> None:
    cloudwatch.put_composite_alarm(AlarmName="both", AlarmRule="ALARM(a) OR ALARM(b)")
    cloudwatch.put_composite_alarm(AlarmName="top", AlarmRule="ALARM(both)")

    def refused(operation: Any, **params: Any) -> str:
        with pytest.raises(ClientError) as caught:
            operation(**params)
        assert caught.value.response["Error"]["Code"] == "ValidationError"
        return str(caught.value.response["Error"]["Message"])

    put, delete = cloudwatch.put_composite_alarm, cloudwatch.delete_alarms
    assert [
        refused(put, AlarmName="x", AlarmRule="ALARM(a) OR ALARM(gone)"),
        refused(put, AlarmName="x", AlarmRule="ALARM(x)"),
        refused(put, AlarmName="x", AlarmRule="ALARM(a", ActionsSuppressor="b"),
        refused(put, AlarmName="x", AlarmRule="TRUE", ActionsSuppressor="b"),
        refused(put, AlarmName="a", AlarmRule="TRUE"),
        refused(delete, AlarmNames=["a", "b"]),
        refused(delete, AlarmNames=["both"]),
        refused(delete, AlarmNames=["both", "top"]),
        refused(cloudwatch.describe_alarms, ParentsOfAlarmName="a", StateValue="OK"),
    ] == [
        "Could not save the composite alarm as alarms [gone] in the alarm rule do not exist",
        "Could not save the composite alarm as alarms [x] in the alarm rule do not exist",
        "Error in AlarmRule [Unsupported token '' at char 7, must be: ')']",
        "The parameter ActionsSuppressorWaitPeriod is required when ActionsSuppressor is specified.",
        "An alarm of another type with the name a exists already.",
        "Cannot delete a,b as there are composite alarm(s) depending on them.",
        "Cannot delete both as there are composite alarm(s) depending on it.",
        "DeleteAlarms can delete at most one composite alarm at a time.",
        "When ParentsOfAlarmName is specified, only MaxRecords and NextToken are accepted besides; "
        "StateValue is not.",
    ]
    delete(AlarmNames=["top", "nobody"])
    delete(AlarmNames=["both", "a", "b"])


def test_a_cycle_is_not_evaluated(world: World, cloudwatch: Any) -> None:
    cloudwatch.put_composite_alarm(AlarmName="x", AlarmRule="ALARM(a)")
    cloudwatch.put_composite_alarm(AlarmName="y", AlarmRule="NOT ALARM(x)")
    cloudwatch.put_composite_alarm(AlarmName="x", AlarmRule="ALARM(a) OR ALARM(y)")
    turn(world, 100, a="ALARM")
    assert [composite(cloudwatch, name)["StateValue"] for name in "xy"] == ["OK", "ALARM"]
    cloudwatch.put_composite_alarm(AlarmName="x", AlarmRule="FALSE")
    cloudwatch.delete_alarms(AlarmNames=["y"])


UNIT = 60


@pytest.fixture
def suppressed(world: World, cloudwatch: Any) -> Any:
    """A composite alarm on ``a`` that ``quiet`` suppresses: wait two units of time, extension three."""
    world.client("sns").create_topic(Name="pager")
    turn(world, 1, a="OK", quiet="OK")
    cloudwatch.put_composite_alarm(
        AlarmName="main",
        AlarmRule="ALARM(a)",
        ActionsSuppressor="quiet",
        ActionsSuppressorWaitPeriod=2 * UNIT,
        ActionsSuppressorExtensionPeriod=3 * UNIT,
        AlarmActions=[TOPIC],
        OKActions=[TOPIC],
        ActionsEnabled=False,
    )
    at(world, 5 * UNIT)
    cloudwatch.enable_alarm_actions(AlarmNames=["main"])
    return cloudwatch


# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-suppression.html, its six examples;
# times count units since the tenth.
@pytest.mark.parametrize(
    ("turns", "expected"),
    [
        pytest.param([(2, "a", "ALARM")], [(4, "ALARM")], id="not suppressed after the wait period"),
        pytest.param([(2, "a", "ALARM"), (3, "quiet", "ALARM")], [], id="suppressed before it ends"),
        pytest.param(
            [(2, "a", "ALARM"), (3, "a", "OK")], [(5, "OK")], id="a change in the wait period begins another"
        ),
        pytest.param([(1, "quiet", "ALARM"), (2, "a", "ALARM")], [], id="suppressed by the alarm at once"),
        pytest.param(
            [(2, "a", "ALARM"), (3, "quiet", "ALARM"), (5, "quiet", "OK")],
            [(8, "ALARM")],
            id="not suppressed after the extension period",
        ),
        pytest.param(
            [(2, "a", "ALARM"), (3, "quiet", "ALARM"), (5, "quiet", "OK"), (6, "a", "OK")],
            [(8, "OK")],
            id="a change in the extension period begins a wait period",
        ),
    ],
)
def test_a_suppressor_holds_actions_back(
    world: World, suppressed: Any, turns: list[tuple[int, str, str]], expected: list[tuple[int, str]]
) -> None:
    zero = 10 * UNIT
    for time, name, state in turns:
        turn(world, zero + time * UNIT, **{name: state})
    at(world, zero + 30 * UNIT)
    assert [((seconds - zero) // UNIT, state) for seconds, state in delivered(world)] == expected
    by = composite(suppressed, "main").get("ActionsSuppressedBy")
    assert by == (None if expected else "Alarm")


def test_the_end_of_suppression_is_an_update_of_the_state(world: World, suppressed: Any) -> None:
    """As in the documented event of a function: the previous state is the same one, suppressed."""
    seen: list[dict[str, Any]] = []
    emit = world.events.emit

    def record(source: str, kind: str, detail: Any, **more: Any) -> str:
        seen.append(detail)
        return emit(source, kind, detail, **more)

    world.events.emit = record  # type: ignore[method-assign]
    turn(world, 600, a="ALARM")
    shown = composite(suppressed, "main")
    assert (shown["ActionsSuppressedBy"], shown["ActionsSuppressedReason"]) == (
        "WaitPeriod",
        "Actions suppressed by WaitPeriod",
    )
    at(world, 800)
    first, last = [one for one in seen if one["alarmName"] == "main"]
    reason = f"{ARN}a transitioned to ALARM at Monday 05 January, 2026 09:10:00 UTC"
    children = [{"arn": f"{ARN}a", "state": {"value": "ALARM", "timestamp": "2026-01-05T09:10:00.000+0000"}}]
    state = {
        "value": "ALARM",
        "reason": reason,
        "reasonData": json.dumps({"triggeringAlarms": children}, separators=(",", ":")),
    }
    waiting = {
        **state,
        "timestamp": "2026-01-05T09:10:00.000+0000",
        "actionsSuppressedBy": "WaitPeriod",
        "actionsSuppressedReason": "Actions suppressed by WaitPeriod",
    }
    assert first["state"] == waiting
    assert last == {
        "alarmName": "main",
        "state": {**state, "timestamp": "2026-01-05T09:12:00.000+0000"},
        "previousState": waiting,
        "configuration": {
            "alarmRule": "ALARM(a)",
            "actionsSuppressor": "quiet",
            "actionsSuppressorWaitPeriod": 120,
            "actionsSuppressorExtensionPeriod": 180,
        },
    }
    (message,) = [entry.data["published"] for entry in world.journal.select("cloudwatch.delivery")]
    said = json.loads(message)
    assert list(said) == [
        "AlarmName",
        "AlarmDescription",
        "AWSAccountId",
        "NewStateValue",
        "NewStateReason",
        "StateChangeTime",
        "Region",
        "AlarmArn",
        "OKActions",
        "AlarmActions",
        "InsufficientDataActions",
        "OldStateValue",
        "AlarmRule",
        "TriggeringChildren",
    ]
    assert said["TriggeringChildren"] == [
        {"Arn": f"{ARN}a", "State": {"Value": "ALARM", "Timestamp": "2026-01-05T09:10:00.000+0000"}}
    ]
    (item,) = suppressed.describe_alarm_history(
        AlarmName="main", AlarmTypes=["CompositeAlarm"], HistoryItemType="Action"
    )["AlarmHistoryItems"]
    assert item["HistorySummary"] == f"Successfully executed action {TOPIC}"
    assert json.loads(item["HistoryData"]) == {
        "actionState": "Succeeded",
        "stateUpdateTimestamp": (world.started + 720 * SECOND) // 1000,
        "notificationResource": TOPIC,
        "publishedMessage": json.dumps({"default": message}, separators=(",", ":")),
        "error": None,
    }


def test_rules_hear_of_changes_of_the_configuration(world: World, cloudwatch: Any) -> None:
    """The events of the documentation: creation of a composite alarm, update of a metric alarm, deletion."""
    events, details = world.client("events"), []
    pattern = json.dumps({"source": ["aws.cloudwatch"]})
    events.put_rule(Name="changes", EventPattern=pattern)
    emit = world.events.emit

    def record(source: str, kind: str, detail: Any, **more: Any) -> str:
        if kind == "CloudWatch Alarm Configuration Change":
            details.append(detail)
        return emit(source, kind, detail, **more)

    world.events.emit = record  # type: ignore[method-assign]
    cloudwatch.put_composite_alarm(AlarmName="one", AlarmRule="ALARM(a)", AlarmDescription="text")
    cloudwatch.disable_alarm_actions(AlarmNames=["quiet"])
    cloudwatch.delete_alarms(AlarmNames=["one"])
    created, updated, deleted = details
    stamp = created["state"]["timestamp"]
    none: dict[str, list[str]] = {"okActions": [], "alarmActions": [], "insufficientDataActions": []}
    assert created == {
        "alarmName": "one",
        "operation": "create",
        "state": {"value": "INSUFFICIENT_DATA", "timestamp": stamp},
        "configuration": {
            "alarmRule": "ALARM(a)",
            "alarmName": "one",
            "description": "text",
            "actionsEnabled": True,
            "timestamp": stamp,
            **none,
        },
    }
    assert (updated["operation"], updated["previousConfiguration"]["actionsEnabled"]) == ("update", True)
    configuration = updated["configuration"]
    assert (configuration.pop("metrics")[0]["metricStat"], configuration.pop("timestamp") < stamp) == (
        {
            "metric": {"namespace": "Shop", "name": "quiet", "dimensions": {}},
            "period": 86400,
            "stat": "Sum",
        },
        True,
    )
    assert configuration == {
        "evaluationPeriods": 1,
        "threshold": 1.0,
        "comparisonOperator": "GreaterThanThreshold",
        "treatMissingData": "ignore",
        "alarmName": "quiet",
        "actionsEnabled": False,
        **none,
    }
    assert (deleted["operation"], deleted["state"]["value"]) == ("delete", "OK")


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with connect("local") as opened:
        assert isinstance(opened, LocalCloud)
        yield opened


def test_a_stack_with_a_composite_alarm_that_invokes_a_function(cloud: LocalCloud) -> None:
    alarm = {
        "Namespace": "Shop",
        "MetricName": "Errors",
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 0,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
    }
    handler = {"Fn::GetAtt": ["Reader", "Arn"]}
    child = {"Fn::Join": ["", ['ALARM("', {"Fn::GetAtt": ["Errors", "Arn"]}, '")']]}
    permission = {
        "Action": "lambda:InvokeFunction",
        "FunctionName": handler,
        "Principal": "lambda.alarms.cloudwatch.amazonaws.com",
        "SourceAccount": {"Ref": "AWS::AccountId"},
        "SourceArn": {"Fn::GetAtt": ["Main", "Arn"]},
    }
    app = Deployer(cloud)
    resources = {
        "Role": role(),
        "Reader": function("import json\ndef handler(event, context):\n    print(json.dumps(event))\n"),
        "Errors": {"Type": "AWS::CloudWatch::Alarm", "Properties": alarm},
        "Main": {
            "Type": "AWS::CloudWatch::CompositeAlarm",
            "Properties": {"AlarmRule": child, "AlarmActions": [handler], "Tags": []},
        },
        "Permission": {"Type": "AWS::Lambda::Permission", "Properties": permission},
    }
    assert app.create(resources) == "CREATE_COMPLETE", app.failures()
    data = [{"MetricName": "Errors", "Value": 1}]
    cloud.client("cloudwatch").put_metric_data(Namespace="Shop", MetricData=data)
    cloud.advance("2min")
    (event,) = app.requests("Reader")
    assert event["alarmArn"] == ARN + app.physical("Main")
    assert (event["alarmData"]["state"]["value"], event["alarmData"]["configuration"]) == (
        "ALARM",
        {"alarmRule": f'ALARM("{ARN}{app.physical("Errors")}")'},
    )
    assert app.delete() == "DELETE_COMPLETE"
