"""CodeDeploy as CloudFormation drives it: a new version behind an alias, shifted, watched, put back."""

from __future__ import annotations

import datetime
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.cloud import connect
from infra.cloud.local.cloud import LocalCloud

from .deploy_tools import Deployer, function, role

GOOD = "def handler(event, context):\n    return 'good'\n"
BAD = "def handler(event, context):\n    raise RuntimeError('broken')\n"
REPORT = """
import boto3, json, os
def handler(event, context):
    print(json.dumps(event))
    if os.environ["SAYS"]:
        boto3.client("codedeploy").put_lifecycle_event_hook_execution_status(
            deploymentId=event["DeploymentId"],
            lifecycleEventHookExecutionId=event["LifecycleEventHookExecutionId"],
            status=os.environ["SAYS"],
        )
"""
LIMITED = "arn:aws:iam::aws:policy/service-role/AWSCodeDeployRoleForLambda"


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with connect("local") as opened:
        assert isinstance(opened, LocalCloud)
        yield opened


def resources(
    source: str,
    number: int,
    config: str = "LambdaCanary10Percent5Minutes",
    hooks: dict[str, str] | None = None,
    policy: str = LIMITED,
    says: str = "Succeeded",
) -> dict[str, Any]:
    """A function with its alias, its versions up to ``number``, and what shifts and watches them."""
    trust = {
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "codedeploy.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ]
    }
    update = {"ApplicationName": {"Ref": "App"}, "DeploymentGroupName": {"Ref": "Group"}}
    for name, hook in (hooks or {}).items():
        update[name] = {"Ref": hook}
    made = {
        "Role": role("codedeploy:PutLifecycleEventHookExecutionStatus"),
        "Worker": function(source, FunctionName="worker", Timeout=2 + number),
        "Alias": {
            "Type": "AWS::Lambda::Alias",
            "Properties": {
                "FunctionName": {"Ref": "Worker"},
                "FunctionVersion": {"Fn::GetAtt": [f"Version{number}", "Version"]},
                "Name": "live",
            },
            "UpdatePolicy": {"CodeDeployLambdaAliasUpdate": update},
        },
        "App": {"Type": "AWS::CodeDeploy::Application", "Properties": {"ComputePlatform": "Lambda"}},
        "Alarm": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {
                "AlarmName": "new version fails",
                "Namespace": "AWS/Lambda",
                "MetricName": "Errors",
                "Dimensions": [
                    {"Name": "FunctionName", "Value": {"Ref": "Worker"}},
                    {"Name": "Resource", "Value": {"Fn::Sub": "${Worker}:live"}},
                    {"Name": "ExecutedVersion", "Value": {"Fn::GetAtt": [f"Version{number}", "Version"]}},
                ],
                "Statistic": "Sum",
                "Period": 60,
                "EvaluationPeriods": 1,
                "Threshold": 1,
                "ComparisonOperator": "GreaterThanOrEqualToThreshold",
                "TreatMissingData": "notBreaching",
            },
        },
        "Group": {
            "Type": "AWS::CodeDeploy::DeploymentGroup",
            "Properties": {
                "ApplicationName": {"Ref": "App"},
                "AlarmConfiguration": {"Enabled": True, "Alarms": [{"Name": {"Ref": "Alarm"}}]},
                "AutoRollbackConfiguration": {
                    "Enabled": True,
                    "Events": ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM"],
                },
                "DeploymentConfigName": f"CodeDeployDefault.{config}",
                "DeploymentStyle": {
                    "DeploymentType": "BLUE_GREEN",
                    "DeploymentOption": "WITH_TRAFFIC_CONTROL",
                },
                "ServiceRoleArn": {"Fn::GetAtt": ["DeployRole", "Arn"]},
            },
        },
        "DeployRole": {
            "Type": "AWS::IAM::Role",
            "Properties": {"AssumeRolePolicyDocument": trust, "ManagedPolicyArns": [policy]},
        },
    }
    for each in range(1, number + 1):
        made[f"Version{each}"] = {
            "Type": "AWS::Lambda::Version",
            "DeletionPolicy": "Retain",
            "Properties": {"FunctionName": {"Ref": "Worker"}},
        }
    for hook in set((hooks or {}).values()):
        made[hook] = function(
            REPORT, FunctionName=f"CodeDeployHook_{hook}", Environment={"Variables": {"SAYS": says}}
        )
    return made


def aliases(cloud: LocalCloud) -> tuple[str, dict[str, float]]:
    alias = cloud.client("lambda").get_alias(FunctionName="worker", Name="live")
    return alias["FunctionVersion"], alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})


def start_update(cloud: LocalCloud, template: dict[str, Any]) -> None:
    body = json.dumps({"Resources": template})
    cloud.client("cloudformation").update_stack(
        StackName="app", TemplateBody=body, Capabilities=["CAPABILITY_NAMED_IAM"]
    )


def reasons(app: Deployer, logical_id: str) -> list[tuple[str, str]]:
    events = app.api.describe_stack_events(StackName="app")["StackEvents"][::-1]
    return [
        (each["ResourceStatus"], each.get("ResourceStatusReason", ""))
        for each in events
        if each["LogicalResourceId"] == logical_id
    ]


def deployments(cloud: LocalCloud) -> list[dict[str, Any]]:
    """Oldest first."""
    api = cloud.client("codedeploy")
    ids = api.list_deployments()["deployments"][::-1]
    return [api.get_deployment(deploymentId=each)["deploymentInfo"] for each in ids]


def lifecycle(cloud: LocalCloud, deployment: str) -> list[str]:
    api = cloud.client("codedeploy")
    (target,) = api.list_deployment_targets(deploymentId=deployment)["targetIds"]
    found = api.get_deployment_target(deploymentId=deployment, targetId=target)["deploymentTarget"]
    return [each["status"] for each in found["lambdaTarget"]["lifecycleEvents"]]


def load(cloud: LocalCloud, every: float, seconds: int) -> None:
    """One request to the alias every so often, in the background."""

    def send() -> None:
        client = cloud.client("lambda")
        for _ in range(round(seconds / every)):
            client.invoke(FunctionName="worker:live")
            cloud.world.kernel.sleep(round(every * 1_000_000))

    cloud.world.kernel.spawn(send, name="load")


def test_a_bad_version_at_ten_percent_goes_back_and_the_update_fails_with_the_reason(
    cloud: LocalCloud,
) -> None:
    app = Deployer(cloud)
    assert app.create(resources(GOOD, 1)) == "CREATE_COMPLETE"
    assert deployments(cloud) == []
    load(cloud, 2, 900)
    start_update(cloud, resources(BAD, 2))
    cloud.advance(30)
    assert aliases(cloud) == ("1", {"2": 0.1})
    cloud.settle()
    assert app.status == "UPDATE_ROLLBACK_COMPLETE"
    assert aliases(cloud) == ("1", {})
    stopped, undoing = deployments(cloud)
    message = (
        "One or more alarms have been activated according to the Amazon CloudWatch metrics you selected, and "
        "the affected deployments have been stopped. Activated alarms: <new version fails>"
    )
    assert (stopped["status"], stopped["creator"]) == ("Stopped", "user")
    assert stopped["errorInformation"] == {"code": "ALARM_ACTIVE", "message": message}
    first, second = stopped["deploymentId"], undoing["deploymentId"]
    assert stopped["rollbackInfo"] == {
        "rollbackDeploymentId": second,
        "rollbackMessage": f"Deployment {first} terminated. Automatic rollback is triggered with a "
        f"DeploymentId {second}.",
    }
    assert (undoing["status"], undoing["creator"]) == ("Succeeded", "codeDeployRollback")
    assert undoing["deploymentConfigName"] == "CodeDeployDefault.LambdaAllAtOnce"
    assert lifecycle(cloud, first) == ["Succeeded", "Failed", "Skipped"]
    assert lifecycle(cloud, second) == ["Succeeded", "Succeeded", "Succeeded"]
    assert reasons(app, "Alias")[3:7] == [
        ("UPDATE_IN_PROGRESS", ""),
        ("UPDATE_IN_PROGRESS", f"CodeDeploy deployment started: {first}"),
        ("UPDATE_IN_PROGRESS", f"CodeDeploy rollback deployment started: {second}"),
        (
            "UPDATE_FAILED",
            f'Resource handler returned message: "{first} failed. {message}" '
            "(HandlerErrorCode: InternalFailure)",
        ),
    ]
    failed = [entry for entry in cloud.world.journal.select("lambda.invocation") if entry.outcome != "ok"]
    assert {entry.data["version"] for entry in failed} == {"2"}
    alarm = next(cloud.world.journal.select("cloudwatch.alarm", resource="new version fails"))
    assert failed[-1].time < alarm.time + 60_000_000
    assert 0 < len(failed) < 20


def test_a_good_version_is_shifted_linearly(cloud: LocalCloud) -> None:
    app = Deployer(cloud)
    config = "LambdaLinear10PercentEvery1Minute"
    app.create(resources(GOOD, 1, config))
    load(cloud, 1, 700)
    assert app.update(resources(GOOD, 2, config)) == "UPDATE_COMPLETE"
    (done,) = deployments(cloud)
    assert (done["status"], lifecycle(cloud, done["deploymentId"])) == ("Succeeded", ["Succeeded"] * 3)
    steps = list(cloud.world.journal.select("codedeploy.traffic"))
    assert [entry.data["weight"] for entry in steps] == [n / 10 for n in range(1, 11)]
    gaps = [round((b.time - a.time) / 1e6) for a, b in itertools.pairwise(steps)]
    assert gaps == [60] * 9
    assert aliases(cloud) == ("2", {})
    start = steps[0].time
    for version, low, high in (("1", 200, 320), ("2", 200, 320)):
        ran = [
            entry
            for entry in cloud.world.journal.select("lambda.invocation", since=start)
            if entry.data["version"] == version and entry.time < start + 540_000_000
        ]
        assert low < len(ran) < high
    metrics = cloud.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName="Invocations",
        Dimensions=[
            {"Name": "FunctionName", "Value": "worker"},
            {"Name": "Resource", "Value": "worker:live"},
            {"Name": "ExecutedVersion", "Value": "2"},
        ],
        StartTime=datetime.datetime(2026, 1, 5, 9, tzinfo=datetime.UTC),
        EndTime=datetime.datetime(2026, 1, 5, 10, tzinfo=datetime.UTC),
        Period=60,
        Statistics=["Sum"],
    )["Datapoints"]
    sums = [each["Sum"] for each in sorted(metrics, key=lambda each: str(each["Timestamp"]))]
    assert sums[1] < sums[5] < sums[9]


BEFORE = {"BeforeAllowTrafficHook": "Check"}


@pytest.mark.parametrize("moment", ["BeforeAllowTraffic", "AfterAllowTraffic"])
def test_a_hook_that_says_failed(cloud: LocalCloud, moment: str) -> None:
    app = Deployer(cloud)
    hooks = {f"{moment}Hook": "Check"}
    app.create(resources(GOOD, 1, hooks=hooks, says="Failed"))
    assert app.update(resources(GOOD, 2, hooks=hooks, says="Failed")) == "UPDATE_ROLLBACK_COMPLETE"
    failed, undoing = deployments(cloud)
    assert failed["status"] == "Failed"
    assert failed["errorInformation"]["code"] == "HOOK_EXECUTION_FAILURE"
    weights = [entry.data["weight"] for entry in cloud.world.journal.select("codedeploy.traffic")]
    if moment == "BeforeAllowTraffic":
        assert lifecycle(cloud, failed["deploymentId"]) == ["Failed", "Skipped", "Skipped"]
        assert weights == [1.0]
    else:
        assert lifecycle(cloud, failed["deploymentId"]) == ["Succeeded", "Succeeded", "Failed"]
        assert weights == [0.1, 1.0, 1.0]
    assert aliases(cloud) == ("1", {})
    reason = app.failures()[-1][1]
    assert reason == (
        f'Resource handler returned message: "{failed["deploymentId"]} failed. The deployment failed because '
        'one or more of the lifecycle event validation functions failed." (HandlerErrorCode: InternalFailure)'
    )
    (event,) = app.requests("Check")
    assert list(event) == ["DeploymentId", "LifecycleEventHookExecutionId"]
    assert event["DeploymentId"] == failed["deploymentId"] != undoing["deploymentId"]


def test_a_hook_that_says_nothing_fails_after_an_hour(cloud: LocalCloud) -> None:
    app = Deployer(cloud)
    app.create(resources(GOOD, 1, hooks=BEFORE, says=""))
    assert app.update(resources(GOOD, 2, hooks=BEFORE, says="")) == "UPDATE_ROLLBACK_COMPLETE"
    failed = deployments(cloud)[0]
    assert failed["errorInformation"]["message"].startswith("The deployment timed out while waiting for a")
    assert 3600 < (failed["completeTime"] - failed["startTime"]).total_seconds() < 3605


def test_hooks_that_succeed_and_all_at_once(cloud: LocalCloud) -> None:
    app = Deployer(cloud)
    hooks = {**BEFORE, "AfterAllowTrafficHook": "Check"}
    app.create(resources(GOOD, 1, "LambdaAllAtOnce", hooks))
    assert app.update(resources(GOOD, 2, "LambdaAllAtOnce", hooks)) == "UPDATE_COMPLETE"
    assert len(app.requests("Check")) == 2
    hops = [(hop.source, hop.target, hop.what, hop.delivered) for hop in cloud.flow().hops]
    assert hops == [("Group", "Check", "invocations", 2)]
    assert (aliases(cloud), len(deployments(cloud))) == (("2", {}), 1)


def test_a_role_without_the_permission_fails_as_on_aws(cloud: LocalCloud) -> None:
    """The managed policy for Lambda lets CodeDeploy invoke only functions named CodeDeployHook_*."""
    app = Deployer(cloud)
    template = resources(GOOD, 1, hooks=BEFORE)
    template["Check"]["Properties"]["FunctionName"] = "another-name"
    app.create(template)
    template = resources(GOOD, 2, hooks=BEFORE)
    template["Check"]["Properties"]["FunctionName"] = "another-name"
    assert app.update(template) == "UPDATE_ROLLBACK_COMPLETE"
    error = deployments(cloud)[0]["errorInformation"]
    assert error["code"] == "IAM_ROLE_PERMISSIONS"
    arn = cloud.client("iam").get_role(RoleName=app.physical("DeployRole"))["Role"]["Arn"]
    assert error["message"].startswith(
        f"The IAM role {arn} does not give you permission to perform operations in the following AWS "
        "service: AWSLambda."
    )


def test_an_update_that_fails_elsewhere_after_the_shift_puts_the_alias_back(cloud: LocalCloud) -> None:
    app = Deployer(cloud)
    app.create(resources(GOOD, 1, "LambdaAllAtOnce"))
    template = resources(GOOD, 2, "LambdaAllAtOnce")
    template["Broken"] = {
        "Type": "AWS::Lambda::Alias",
        "DependsOn": "Alias",
        "Properties": {"FunctionName": "worker", "FunctionVersion": "99", "Name": "none"},
    }
    assert app.update(template) == "UPDATE_ROLLBACK_COMPLETE"
    assert aliases(cloud) == ("1", {})
    assert [each["status"] for each in deployments(cloud)] == ["Succeeded"]


def test_other_update_policies_and_platforms_are_refused_by_name(cloud: LocalCloud) -> None:
    template = resources(GOOD, 1)
    template["Alias"]["UpdatePolicy"] = {"UseOnlineResharding": True}
    template["App"]["Properties"] = {}
    with pytest.raises(Exception, match="NotSimulated") as caught:
        Deployer(cloud).create(template)
    for part in ("UpdatePolicy UseOnlineResharding (Alias)", "ComputePlatform Server (App)"):
        assert part in str(caught.value)
    template = resources(GOOD, 1)
    del template["Alias"]["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]["ApplicationName"]
    with pytest.raises(Exception, match=r"required key \[ApplicationName\] not found"):
        Deployer(cloud).create(template)


def test_a_lesson_deploys_while_load_runs_and_counts_errors_by_version(
    cloud: LocalCloud, tmp_path: Path
) -> None:
    path = tmp_path / "app.json"
    path.write_text(json.dumps({"Resources": resources(GOOD, 1)}))
    cloud.deploy(path)
    client, done = cloud.client("lambda"), []

    def send() -> None:
        while not done:
            client.invoke(FunctionName="worker:live")
            cloud.sleep(1)

    running = cloud.spawn(send)
    path.write_text(json.dumps({"Resources": resources(BAD, 2)}))
    with pytest.raises(Exception, match=r"d-[A-Z0-9]{9} failed. One or more alarms have been activated"):
        cloud.deploy(path)
    cloud.advance("3m")
    done.append(True)
    running.join()
    counts = {}
    for version in ("1", "2"):
        dimensions = {"FunctionName": "worker", "Resource": "worker:live", "ExecutedVersion": version}
        series = cloud.metrics("AWS/Lambda", "Errors", dimensions)
        counts[version] = [value for _, value in series]
    assert sum(counts["1"]) == 0
    assert counts["2"][0] > 0
    (hop,) = [hop for hop in cloud.flow().hops if hop.what == "invocations"]
    assert (hop.source, hop.target) == ("notebook", "Worker")


def test_a_configuration_of_ones_own_and_the_end_of_the_stack(cloud: LocalCloud) -> None:
    app = Deployer(cloud)
    routing = {"Type": "TimeBasedCanary", "TimeBasedCanary": {"CanaryPercentage": 25, "CanaryInterval": 2}}

    def template(number: int) -> dict[str, Any]:
        made = resources(GOOD, number)
        made["Config"] = {
            "Type": "AWS::CodeDeploy::DeploymentConfig",
            "Properties": {"ComputePlatform": "Lambda", "TrafficRoutingConfig": routing},
        }
        made["Topic"] = {"Type": "AWS::SNS::Topic"}
        made["Group"]["Properties"] |= {
            "DeploymentConfigName": {"Ref": "Config"},
            "TriggerConfigurations": [
                {
                    "TriggerName": "tell",
                    "TriggerTargetArn": {"Ref": "Topic"},
                    "TriggerEvents": ["DeploymentSuccess"],
                }
            ],
        }
        return made

    assert app.create(template(1)) == "CREATE_COMPLETE"
    assert app.update(template(2)) == "UPDATE_COMPLETE"
    steps = list(cloud.world.journal.select("codedeploy.traffic"))
    assert [entry.data["weight"] for entry in steps] == [0.25, 1.0]
    assert round((steps[1].time - steps[0].time) / 1e6) == 120
    (told,) = cloud.world.journal.select("codedeploy.delivery")
    assert (told.outcome, told.data["to"]) == ("ok", app.physical("Topic"))
    group = cloud.client("codedeploy").get_deployment_group(
        applicationName=app.physical("App"), deploymentGroupName=app.physical("Group")
    )["deploymentGroupInfo"]
    assert group["deploymentConfigName"] == app.physical("Config")
    changed = template(2)
    del changed["Group"]["Properties"]["TriggerConfigurations"]
    assert app.update(changed) == "UPDATE_COMPLETE"
    assert app.delete() == "DELETE_COMPLETE"
    assert cloud.client("codedeploy").list_applications()["applications"] == []
