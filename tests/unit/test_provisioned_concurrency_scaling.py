"""Provisioned concurrency by schedule and by metric: no cold start, and what exceeds it spills over."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

import pytest

from infra.cloud.local.cloud import LocalCloud

from .deploy_tools import Deployer, function, role

SOURCE = """
import time

def handler(event, context):
    time.sleep(event.get("seconds", 1))
    return "done"
"""
TARGET = {"ServiceNamespace": "lambda", "ScalableDimension": "lambda:function:ProvisionedConcurrency"}


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    cloud = LocalCloud()
    yield cloud
    cloud.close()


def deploy(cloud: LocalCloud, target: dict[str, Any], **more: Any) -> str:
    """A function with an alias ``live`` that scales as the CDK's Alias.addAutoScaling writes it."""
    resource = {"Fn::Join": [":", ["function", {"Ref": "Worker"}, "live"]]}
    resources = {
        "Role": role(),
        "Worker": function(SOURCE, Timeout=30, MemorySize=1024),
        "Version": {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": {"Ref": "Worker"}}},
        "Alias": {
            "Type": "AWS::Lambda::Alias",
            "Properties": {
                "FunctionName": {"Ref": "Worker"},
                "FunctionVersion": {"Fn::GetAtt": ["Version", "Version"]},
                "Name": "live",
            },
        },
        "Target": {
            "Type": "AWS::ApplicationAutoScaling::ScalableTarget",
            "DependsOn": "Alias",
            "Properties": {**TARGET, "ResourceId": resource, "RoleARN": "", **target},
        },
        **more,
    }
    stack = Deployer(cloud)
    assert stack.create(resources) == "CREATE_COMPLETE"
    return stack.physical("Worker")


def invoke(cloud: LocalCloud, name: str, count: int, seconds: float = 1) -> list[bool]:
    """Concurrently; whether each was a cold start."""
    known = len(list(cloud.world.journal.select("lambda.invocation")))
    for _ in range(count):
        cloud.client("lambda").invoke(
            FunctionName=f"{name}:live",
            InvocationType="Event",
            Payload=f'{{"seconds": {seconds}}}',
        )
    cloud.advance("20s")
    entries = list(cloud.world.journal.select("lambda.invocation"))[known:]
    assert len(entries) == count
    return [entry.data["cold"] for entry in entries]


def config(cloud: LocalCloud, name: str) -> tuple[int, int, str]:
    found = cloud.client("lambda").get_provisioned_concurrency_config(FunctionName=name, Qualifier="live")
    return (
        found["RequestedProvisionedConcurrentExecutions"],
        found["AvailableProvisionedConcurrentExecutions"],
        found["Status"],
    )


def metric(cloud: LocalCloud, name: str, function_name: str, stat: str) -> list[float]:
    end = cloud.world.datetime()
    answer = cloud.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName=name,
        Dimensions=[
            {"Name": "FunctionName", "Value": function_name},
            {"Name": "Resource", "Value": f"{function_name}:live"},
        ],
        StartTime=end - datetime.timedelta(hours=3),
        EndTime=end + datetime.timedelta(minutes=1),
        Period=60,
        Statistics=[stat],
    )
    return [point[stat] for point in answer["Datapoints"]]


def test_a_schedule_provisions_before_the_peak(cloud: LocalCloud) -> None:
    actions = [
        {
            "ScheduledActionName": "before-the-peak",
            "Schedule": "cron(50 9 * * ? *)",
            "ScalableTargetAction": {"MinCapacity": 10, "MaxCapacity": 10},
        },
        {
            "ScheduledActionName": "after-the-peak",
            "Schedule": "cron(0 11 * * ? *)",
            "ScalableTargetAction": {"MinCapacity": 0, "MaxCapacity": 0},
        },
    ]
    name = deploy(cloud, {"MinCapacity": 0, "MaxCapacity": 10, "ScheduledActions": actions})
    assert invoke(cloud, name, 5, 3) == [True] * 5
    cloud.advance("58m")  # 09:59
    assert config(cloud, name) == (10, 10, "READY")
    assert not any(invoke(cloud, name, 10, 3))
    assert sum(invoke(cloud, name, 12, 3)) == 2  # two more than are provisioned
    assert sum(metric(cloud, "ProvisionedConcurrencySpilloverInvocations", name, "Sum")) == 2
    assert max(metric(cloud, "ProvisionedConcurrencyUtilization", name, "Maximum")) == 1
    cloud.advance("62m")
    assert (
        cloud.client("lambda").list_provisioned_concurrency_configs(FunctionName=name)[
            "ProvisionedConcurrencyConfigs"
        ]
        == []
    )
    lines = {line.item: line.quantity for line in cloud.cost().lines if line.service == "Lambda"}
    assert 10 * 70 * 60 - 60 < lines["provisioned concurrency, x86_64"] < 10 * 70 * 60 + 60
    assert 60 < lines["duration, provisioned, x86_64"] < 66


def test_utilization_is_tracked(cloud: LocalCloud) -> None:
    policy = {
        "Type": "AWS::ApplicationAutoScaling::ScalingPolicy",
        "Properties": {
            "PolicyName": "follow",
            "PolicyType": "TargetTrackingScaling",
            "ScalingTargetId": {"Ref": "Target"},
            "TargetTrackingScalingPolicyConfiguration": {
                "PredefinedMetricSpecification": {
                    "PredefinedMetricType": "LambdaProvisionedConcurrencyUtilization"
                },
                "TargetValue": 0.7,
            },
        },
    }
    name = deploy(cloud, {"MinCapacity": 2, "MaxCapacity": 20}, Policy=policy)
    alarms = cloud.client("cloudwatch").describe_alarms()["MetricAlarms"]
    keys = ("MetricName", "Statistic", "Period", "EvaluationPeriods", "Threshold")
    assert [tuple(alarm[key] for key in keys) for alarm in alarms] == [
        ("ProvisionedConcurrencyUtilization", "Average", 60, 3, 0.7),
        ("ProvisionedConcurrencyUtilization", "Average", 60, 15, 0.63),
    ]
    assert alarms[0]["AlarmName"].startswith(f"TargetTracking-function:{name}:live-AlarmHigh-")
    cloud.advance("5m")
    assert config(cloud, name) == (2, 2, "READY")
    cold = 0
    for _ in range(5):
        cold += sum(invoke(cloud, name, 4, 3))
        cloud.advance("40s")
    assert cold == 2  # those that spilled over, once
    cloud.advance("3m")
    requested, available, status = config(cloud, name)
    assert (requested, available, status) == (5, 5, "READY")
    kept = [entry.data["reason"] for entry in cloud.world.journal.select("lambda.environment.ended")]
    assert "deprovisioned" not in kept
    for _ in range(17):
        invoke(cloud, name, 1, 1)
        cloud.advance("40s")
    assert config(cloud, name)[0] == 2
