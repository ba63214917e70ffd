"""Application Auto Scaling of tables: alarms, activities, schedules; what it refuses."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.cloud.local.scaling.decisions import problem, stepped, tracked
from infra.cloud.local.world import World

MINUTE = 60_000_000
TARGET: dict[str, Any] = {
    "ServiceNamespace": "dynamodb",
    "ResourceId": "table/t",
    "ScalableDimension": "dynamodb:table:WriteCapacityUnits",
}


@pytest.fixture
def world() -> Iterator[World]:
    world = World(latency={"*": 0, "dynamodb.throughput_update": 30_000})
    world.client("dynamodb").create_table(
        TableName="t",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        ProvisionedThroughput={"ReadCapacityUnits": 5, "WriteCapacityUnits": 5},
    )
    yield world
    world.close()


def scaling(world: World) -> Any:
    return world.client("application-autoscaling")


def track(world: World, target: float = 70, **more: Any) -> Any:
    scaling(world).register_scalable_target(**TARGET, MinCapacity=5, MaxCapacity=100)
    return scaling(world).put_scaling_policy(
        **TARGET,
        PolicyName="follow",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": target,
            "PredefinedMetricSpecification": {"PredefinedMetricType": "DynamoDBWriteCapacityUtilization"},
            **more,
        },
    )


def load(world: World, per_second: int, seconds: int) -> int:
    """Writes at a rate, through a client that does not retry; returns how many were refused."""
    table = world.client("dynamodb", internal=True)
    refused = 0
    for _ in range(seconds):
        for n in range(per_second):
            try:
                table.put_item(TableName="t", Item={"id": {"S": str(n)}})
            except ClientError:
                refused += 1
        world.kernel.advance(1_000_000)
    return refused


def capacity(world: World) -> int:
    table = world.client("dynamodb").describe_table(TableName="t")["Table"]
    return int(table["ProvisionedThroughput"]["WriteCapacityUnits"])


def activities(world: World, **more: Any) -> list[tuple[str, str, str]]:
    answer = scaling(world).describe_scaling_activities(ServiceNamespace="dynamodb", **more)
    return [
        (one["Description"], one["Cause"].split("-Alarm")[0], one["StatusCode"])
        for one in answer["ScalingActivities"]
    ]


def test_the_alarms_of_a_policy(world: World) -> None:
    made = track(world)
    alarms = world.client("cloudwatch").describe_alarms(AlarmNamePrefix="TargetTracking-table/t-")
    keys = ("MetricName", "Statistic", "Period", "EvaluationPeriods", "ComparisonOperator", "Threshold")
    assert [tuple(alarm[key] for key in keys) for alarm in alarms["MetricAlarms"]] == [
        ("ConsumedWriteCapacityUnits", "Sum", 60, 2, "GreaterThanThreshold", 210.0),
        ("ConsumedWriteCapacityUnits", "Sum", 60, 15, "LessThanThreshold", 150.0),
        ("ProvisionedWriteCapacityUnits", "Average", 300, 3, "GreaterThanThreshold", 5.0),
        ("ProvisionedWriteCapacityUnits", "Average", 300, 3, "LessThanThreshold", 5.0),
    ]
    assert [alarm["AlarmName"] for alarm in made["Alarms"]] == [
        alarm["AlarmName"] for alarm in alarms["MetricAlarms"]
    ]
    first = alarms["MetricAlarms"][0]
    assert first["AlarmActions"][0].startswith(made["PolicyARN"] + ":createdBy/")
    assert made["PolicyARN"].endswith(":resource/dynamodb/table/t:policyName/follow")
    assert first["AlarmDescription"] == (
        f"DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {first['AlarmActions'][0]}."
    )
    scaling(world).deregister_scalable_target(**TARGET)
    assert world.client("cloudwatch").describe_alarms()["MetricAlarms"] == []
    target = world.client("iam").get_role(RoleName="AWSServiceRoleForApplicationAutoScaling_DynamoDBTable")
    assert target["Role"]["Path"] == "/aws-service-role/dynamodb.application-autoscaling.amazonaws.com/"


def test_capacity_follows_the_load(world: World) -> None:
    track(world)
    assert load(world, 20, 95) == 0  # the burst: 5 a second, and 1,500
    refused = load(world, 20, 60)
    assert refused > 0
    assert capacity(world) > 20  # two minutes above the target, then 30 s for the change
    assert load(world, 20, 60) == 0
    text = "monitor alarm TargetTracking-table/t"
    assert activities(world)[-1] == ("Setting write capacity units to 22.", text, "Successful")
    load(world, 1, 16 * 60)
    assert capacity(world) == 5
    assert activities(world)[0] == ("Setting write capacity units to 5.", text, "Successful")
    assert len(world.client("cloudwatch").describe_alarms()["MetricAlarms"]) == 4
    before = world.kernel.events
    world.kernel.advance(30 * 24 * 60 * MINUTE)
    assert world.kernel.events - before < 300  # a month without load costs what leads up to it
    assert capacity(world) == 5


def test_a_range_is_enforced_and_scheduled(world: World) -> None:
    scaling(world).register_scalable_target(**TARGET, MinCapacity=8, MaxCapacity=20)
    world.kernel.advance(MINUTE)
    assert capacity(world) == 8
    scaling(world).put_scheduled_action(
        **TARGET,
        ScheduledActionName="morning",
        Schedule="cron(30 10 * * ? *)",
        Timezone="Europe/Berlin",  # 09:30 UTC
        ScalableTargetAction={"MinCapacity": 15},
    )
    scaling(world).put_scheduled_action(
        **TARGET,
        ScheduledActionName="once",
        Schedule="at(2026-01-05T09:45:00)",
        ScalableTargetAction={"MinCapacity": 5, "MaxCapacity": 10},
    )
    world.kernel.advance(30 * MINUTE)
    assert capacity(world) == 15
    world.kernel.advance(20 * MINUTE)
    assert capacity(world) == 10
    assert activities(world) == [
        ("Setting write capacity units to 10.", "maximum capacity was set to 10", "Successful"),
        (
            "Setting min capacity to 5 and max capacity to 10",
            "scheduled action name once was triggered",
            "Successful",
        ),
        ("Setting write capacity units to 15.", "minimum capacity was set to 15", "Successful"),
        ("Setting min capacity to 15", "scheduled action name morning was triggered", "Successful"),
        ("Setting write capacity units to 8.", "minimum capacity was set to 8", "Successful"),
    ]
    left = scaling(world).describe_scheduled_actions(ServiceNamespace="dynamodb")["ScheduledActions"]
    assert [action["ScheduledActionName"] for action in left] == ["morning"]
    target = scaling(world).describe_scalable_targets(ServiceNamespace="dynamodb")["ScalableTargets"][0]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (5, 10)


def test_steps_cooldowns_and_suspension(world: World) -> None:
    api, cloudwatch = scaling(world), world.client("cloudwatch")
    api.register_scalable_target(**TARGET, MinCapacity=5, MaxCapacity=30)
    policy = api.put_scaling_policy(
        **TARGET,
        PolicyName="steps",
        PolicyType="StepScaling",
        StepScalingPolicyConfiguration={
            "AdjustmentType": "ChangeInCapacity",
            "Cooldown": 300,
            "StepAdjustments": [
                {"MetricIntervalLowerBound": 0, "MetricIntervalUpperBound": 10, "ScalingAdjustment": 2},
                {"MetricIntervalLowerBound": 10, "ScalingAdjustment": 10},
            ],
        },
    )["PolicyARN"]

    def value(number: float) -> None:
        cloudwatch.put_metric_data(Namespace="own", MetricData=[{"MetricName": "m", "Value": number}])
        world.kernel.advance(MINUTE)

    cloudwatch.put_metric_alarm(
        AlarmName="a", Namespace="own", MetricName="m", Statistic="Maximum", Period=60, EvaluationPeriods=1,
        ComparisonOperator="GreaterThanThreshold", Threshold=50, AlarmActions=[policy],
    )  # fmt: skip
    value(55)
    value(55)
    assert capacity(world) == 7
    value(70)  # a larger step within the cooldown counts what was added already
    value(70)
    assert capacity(world) == 15
    api.register_scalable_target(**TARGET, SuspendedState={"DynamicScalingOutSuspended": True})
    for _ in range(8):
        value(70)
    assert capacity(world) == 15
    api.register_scalable_target(**TARGET, SuspendedState={"DynamicScalingOutSuspended": False})
    value(70)
    value(70)
    assert capacity(world) == 25
    shown = api.describe_scaling_policies(ServiceNamespace="dynamodb")["ScalingPolicies"][0]
    assert [alarm["AlarmName"] for alarm in shown["Alarms"]] == ["a"]


def test_a_failed_activity_says_why(world: World) -> None:
    track(world)
    world.client("dynamodb").delete_table(TableName="t")
    scaling(world).register_scalable_target(**TARGET, MinCapacity=50)
    assert activities(world) == []
    role = "AWSServiceRoleForApplicationAutoScaling_DynamoDBTable"
    world.client("dynamodb").create_table(
        TableName="t",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        ProvisionedThroughput={"ReadCapacityUnits": 5, "WriteCapacityUnits": 5},
    )
    for name in world.client("iam").list_role_policies(RoleName=role)["PolicyNames"]:
        world.client("iam").delete_role_policy(RoleName=role, PolicyName=name)
    scaling(world).register_scalable_target(**TARGET, MinCapacity=51)
    world.kernel.advance(MINUTE)
    (activity,) = scaling(world).describe_scaling_activities(ServiceNamespace="dynamodb")["ScalingActivities"]
    assert activity["StatusCode"] == "Failed"
    assert activity["StatusMessage"].startswith(
        "Failed to set write capacity units to 51. Reason: Failed updating table: User: arn:aws:"
    )


def test_what_is_refused(world: World) -> None:
    api = scaling(world)

    def refused(operation: str, **params: Any) -> tuple[str, str]:
        with pytest.raises(ClientError) as raised:
            getattr(api, operation)(**params)
        error = raised.value.response["Error"]
        return error["Code"], error["Message"]

    missing = {**TARGET, "ResourceId": "table/none"}
    assert refused("register_scalable_target", **missing, MinCapacity=1, MaxCapacity=2) == (
        "ValidationException",
        "DynamoDB table does not exist: table/none",
    )
    named = "service namespace: dynamodb, resource ID: table/t, scalable dimension: "
    named += "dynamodb:table:WriteCapacityUnits"
    assert refused("deregister_scalable_target", **TARGET) == (
        "ObjectNotFoundException",
        f"No scalable target found for {named}",
    )
    step = {"AdjustmentType": "ChangeInCapacity", "StepAdjustments": [{"ScalingAdjustment": 1}]}
    assert refused("put_scaling_policy", **TARGET, PolicyName="p", StepScalingPolicyConfiguration=step) == (
        "ObjectNotFoundException",
        f"No scalable target registered for {named}",
    )
    track(world)
    with pytest.raises(ClientError, match="Only one TargetTrackingScaling policy for a given metric"):
        api.put_scaling_policy(
            **TARGET,
            PolicyName="second",
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration={
                "TargetValue": 50,
                "PredefinedMetricSpecification": {"PredefinedMetricType": "DynamoDBWriteCapacityUtilization"},
            },
        )
    assert refused("delete_scaling_policy", **TARGET, PolicyName="other") == (
        "ObjectNotFoundException",
        f"No scaling policy found for {named}, policy name: other",
    )
    with pytest.raises(NotImplementedError, match="NotSimulated: Application Auto Scaling of ecs"):
        api.register_scalable_target(
            ServiceNamespace="ecs",
            ResourceId="service/a/b",
            ScalableDimension="ecs:service:DesiredCount",
            MinCapacity=1,
            MaxCapacity=2,
        )


def test_decisions() -> None:
    assert tracked(10, 90, 70, out=True) == 13
    assert tracked(10, 71, 70, out=True) == 11
    assert tracked(10, 35, 70, out=False) == 5
    percent = {
        "AdjustmentType": "PercentChangeInCapacity",
        "MinAdjustmentMagnitude": 2,
        "StepAdjustments": [
            {"MetricIntervalLowerBound": 0, "ScalingAdjustment": 10},
            {"MetricIntervalUpperBound": 0, "ScalingAdjustment": -25},
        ],
    }
    assert [stepped(10, 0, percent), stepped(30, 5, percent), stepped(10, -1, percent)] == [12, 33, 8]
    gap = [
        {"MetricIntervalLowerBound": 0, "MetricIntervalUpperBound": 5, "ScalingAdjustment": 1},
        {"MetricIntervalLowerBound": 6, "ScalingAdjustment": 1},
    ]
    assert problem(gap, "ChangeInCapacity") == "StepAdjustment intervals can't overlap or have a gap"


def test_one_seed_gives_one_outcome() -> None:
    def run() -> str:
        world = World(seed=3)
        world.client("dynamodb").create_table(
            TableName="t",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            ProvisionedThroughput={"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
        )
        track(world)
        load(world, 3, 200)
        world.kernel.advance(20 * MINUTE)
        found = world.journal.fingerprint()
        world.close()
        return found

    assert run() == run()


def test_a_change_by_hand_renews_the_alarms(world: World) -> None:
    track(world)
    units = {"ReadCapacityUnits": 5, "WriteCapacityUnits": 10}
    world.client("dynamodb").update_table(TableName="t", ProvisionedThroughput=units)
    world.kernel.advance(40 * MINUTE)
    alarms = world.client("cloudwatch").describe_alarms(AlarmNamePrefix="TargetTracking-table/t-")
    assert [alarm["Threshold"] for alarm in alarms["MetricAlarms"]] == [420.0, 300.0, 10.0, 10.0]
    assert {alarm["StateValue"] for alarm in alarms["MetricAlarms"][2:]} == {"OK"}
    assert activities(world) == []
    assert world.datetime() > datetime.datetime(2026, 1, 5, tzinfo=datetime.UTC)
