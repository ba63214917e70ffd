"""A state machine's alias that CloudFormation shifts to a new version step by step."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from infra.cloud import connect
from infra.cloud.local.cloud import LocalCloud

from .deploy_tools import Deployer


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with connect("local") as opened:
        assert isinstance(opened, LocalCloud)
        yield opened


def resources(result: str, **preference: Any) -> dict[str, Any]:
    trust = {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}
    definition = {"StartAt": "P", "States": {"P": {"Type": "Pass", "Result": result, "End": True}}}
    return {
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]}},
        },
        "Machine": {
            "Type": "AWS::StepFunctions::StateMachine",
            "Properties": {"Definition": definition, "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]}},
        },
        "Version": {
            "Type": "AWS::StepFunctions::StateMachineVersion",
            "Properties": {
                "StateMachineArn": {"Ref": "Machine"},
                "StateMachineRevisionId": {"Fn::GetAtt": ["Machine", "StateMachineRevisionId"]},
            },
        },
        "Alias": {
            "Type": "AWS::StepFunctions::StateMachineAlias",
            "Properties": {
                "Name": "live",
                "DeploymentPreference": {
                    "StateMachineVersionArn": {"Ref": "Version"},
                    "Type": "LINEAR",
                    "Percentage": 40,
                    "Interval": 3,
                    **preference,
                },
            },
        },
    }


def weights(cloud: LocalCloud, alias: str) -> list[tuple[str, int]]:
    """(version, percent) in the alias's order."""
    found = cloud.client("stepfunctions").describe_state_machine_alias(stateMachineAliasArn=alias)
    return [
        (each["stateMachineVersionArn"].rpartition(":")[2], each["weight"])
        for each in found["routingConfiguration"]
    ]


def start_update(cloud: LocalCloud, template: dict[str, Any]) -> None:
    cloud.client("cloudformation").update_stack(
        StackName="app",
        TemplateBody=json.dumps({"Resources": template}),
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )


def test_equal_increments_until_all(cloud: LocalCloud) -> None:
    app = Deployer(cloud)
    assert app.create(resources("one")) == "CREATE_COMPLETE"
    alias = app.physical("Alias")
    start_update(cloud, resources("two"))
    seen = []
    for _ in range(4):
        cloud.advance("2m")
        seen.append(weights(cloud, alias))
    assert seen == [[("1", 60), ("2", 40)], [("1", 20), ("2", 80)], [("1", 20), ("2", 80)], [("2", 100)]]
    cloud.settle()
    assert app.status == "UPDATE_COMPLETE"


def test_an_alarm_puts_the_alias_back(cloud: LocalCloud) -> None:
    cloudwatch = cloud.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName="failed",
        Namespace="AWS/States",
        MetricName="ExecutionsFailed",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        TreatMissingData="ignore",
    )
    app = Deployer(cloud)
    preference = {"Type": "CANARY", "Percentage": 10, "Interval": 60, "Alarms": ["failed", "not there"]}
    app.create(resources("one", **preference))
    alias = app.physical("Alias")
    start_update(cloud, resources("two", **preference))
    cloud.advance("10m")
    assert weights(cloud, alias) == [("1", 90), ("2", 10)]
    cloudwatch.set_alarm_state(AlarmName="failed", StateValue="ALARM", StateReason="forced")
    cloud.advance("1m")
    assert (app.status, weights(cloud, alias)) == ("UPDATE_ROLLBACK_COMPLETE", [("1", 100)])
    assert "in ALARM state: failed" in app.failures()[-1][1]


def test_a_preference_that_cannot_be(cloud: LocalCloud) -> None:
    app = Deployer(cloud)
    assert app.create(resources("one", Percentage=100)) == "ROLLBACK_COMPLETE"
    assert "DeploymentPreference.Percentage must be between 1 and 99 for LINEAR, not 100" in str(
        app.failures()
    )
