"""Stacks with scaling, as the CDK writes them: autoScaleWriteCapacity, TableV2's Capacity.autoscaled."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from infra.cloud.local.cloud import LocalCloud

from .deploy_tools import Deployer

KEYS = {
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
}


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    cloud = LocalCloud()
    yield cloud
    cloud.close()


def thresholds(cloud: LocalCloud) -> list[tuple[str, float]]:
    alarms = cloud.client("cloudwatch").describe_alarms()["MetricAlarms"]
    return sorted((alarm["MetricName"], alarm["Threshold"]) for alarm in alarms)


def test_a_table_scales_by_a_target_and_a_policy(cloud: LocalCloud) -> None:
    role = "role/aws-service-role/dynamodb.application-autoscaling.amazonaws.com/"
    role += "AWSServiceRoleForApplicationAutoScaling_DynamoDBTable"
    resources: dict[str, Any] = {
        "Table": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                **KEYS,
                "ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5},
            },
        },
        "Target": {
            "Type": "AWS::ApplicationAutoScaling::ScalableTarget",
            "Properties": {
                "MaxCapacity": 10,
                "MinCapacity": 1,
                "ResourceId": {"Fn::Join": ["", ["table/", {"Ref": "Table"}]]},
                "RoleARN": {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:" + role},
                "ScalableDimension": "dynamodb:table:WriteCapacityUnits",
                "ServiceNamespace": "dynamodb",
                "ScheduledActions": [
                    {
                        "ScheduledActionName": "evening",
                        "Schedule": "cron(0 18 * * ? *)",
                        "ScalableTargetAction": {"MinCapacity": 1, "MaxCapacity": 3},
                    }
                ],
            },
        },
        "Tracking": {
            "Type": "AWS::ApplicationAutoScaling::ScalingPolicy",
            "Properties": {
                "PolicyName": "Tracking",
                "PolicyType": "TargetTrackingScaling",
                "ScalingTargetId": {"Ref": "Target"},
                "TargetTrackingScalingPolicyConfiguration": {
                    "PredefinedMetricSpecification": {
                        "PredefinedMetricType": "DynamoDBWriteCapacityUtilization"
                    },
                    "TargetValue": 75,
                },
            },
        },
    }
    stack = Deployer(cloud)
    assert stack.create(resources) == "CREATE_COMPLETE"
    table = stack.physical("Table")
    assert stack.physical("Target") == f"table/{table}|dynamodb:table:WriteCapacityUnits|dynamodb"
    assert thresholds(cloud) == [
        ("ConsumedWriteCapacityUnits", 165.0),
        ("ConsumedWriteCapacityUnits", 225.0),
        ("ProvisionedWriteCapacityUnits", 5.0),
        ("ProvisionedWriteCapacityUnits", 5.0),
    ]
    resources["Tracking"]["Properties"]["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] = 50
    assert stack.update(resources) == "UPDATE_COMPLETE"
    assert thresholds(cloud)[:2] == [
        ("ConsumedWriteCapacityUnits", 90.0),
        ("ConsumedWriteCapacityUnits", 150.0),
    ]
    cloud.advance("10h")
    shown = cloud.client("dynamodb").describe_table(TableName=table)["Table"]["ProvisionedThroughput"]
    assert shown["WriteCapacityUnits"] == 3
    assert stack.delete() == "DELETE_COMPLETE"
    assert thresholds(cloud) == []


def test_a_global_table_scales_by_its_own_properties(cloud: LocalCloud) -> None:
    def properties(most: int) -> dict[str, Any]:
        scaling = {
            "MinCapacity": 1,
            "MaxCapacity": most,
            "TargetTrackingScalingPolicyConfiguration": {"TargetValue": 70},
        }
        return {
            **KEYS,
            "BillingMode": "PROVISIONED",
            "Replicas": [
                {"Region": "us-east-1", "ReadProvisionedThroughputSettings": {"ReadCapacityUnits": 4}}
            ],
            "WriteProvisionedThroughputSettings": {"WriteCapacityAutoScalingSettings": scaling},
        }

    stack = Deployer(cloud)
    resources = {"Table": {"Type": "AWS::DynamoDB::GlobalTable", "Properties": properties(10)}}
    assert stack.create(resources) == "CREATE_COMPLETE"
    assert len(thresholds(cloud)) == 4
    table = stack.physical("Table")
    units = {"ReadCapacityUnits": 4, "WriteCapacityUnits": 7}
    cloud.client("dynamodb").update_table(TableName=table, ProvisionedThroughput=units)
    cloud.advance("5m")
    resources["Table"]["Properties"] = properties(20)
    assert stack.update(resources) == "UPDATE_COMPLETE"
    shown = cloud.client("dynamodb").describe_table(TableName=table)["Table"]["ProvisionedThroughput"]
    assert (shown["ReadCapacityUnits"], shown["WriteCapacityUnits"]) == (4, 7)
    (target,) = cloud.client("application-autoscaling").describe_scalable_targets(
        ServiceNamespace="dynamodb"
    )["ScalableTargets"]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 20)
    assert stack.delete() == "DELETE_COMPLETE"
    assert thresholds(cloud) == []
