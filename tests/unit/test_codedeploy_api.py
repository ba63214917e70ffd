"""CodeDeploy through its API: deployments by AppSpec, stops, targets, revisions, notices, refusals."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.cloud.local.deployments.traffic import PREDEFINED, steps
from infra.cloud.local.service import NotSimulated

from .codedeploy_world import GROUP, CodeDeployWorld
from .events_tools import queue, received

Make = Callable[..., CodeDeployWorld]


@pytest.fixture
def make() -> Iterator[Make]:
    made: list[CodeDeployWorld] = []

    def create(*args: Any, **kwargs: Any) -> CodeDeployWorld:
        made.append(CodeDeployWorld(*args, **kwargs))
        return made[-1]

    yield create
    for each in made:
        each.world.close()


def refused(call: Callable[[], Any]) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call()
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_how_the_predefined_configurations_shift() -> None:
    """https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-configurations.html"""
    minutes = {
        name.removeprefix("CodeDeployDefault.Lambda"): (
            len(steps(routing)),
            steps(routing)[0],
            sum(wait for wait, _ in steps(routing)) / 60_000_000,
        )
        for name, routing in PREDEFINED.items()
    }
    assert minutes == {
        "AllAtOnce": (1, (0, 1.0), 0),
        "Canary10Percent5Minutes": (2, (0, 0.1), 5),
        "Canary10Percent10Minutes": (2, (0, 0.1), 10),
        "Canary10Percent15Minutes": (2, (0, 0.1), 15),
        "Canary10Percent30Minutes": (2, (0, 0.1), 30),
        "Linear10PercentEvery1Minute": (10, (0, 0.1), 9),
        "Linear10PercentEvery2Minutes": (10, (0, 0.1), 18),
        "Linear10PercentEvery3Minutes": (10, (0, 0.1), 27),
        "Linear10PercentEvery10Minutes": (10, (0, 0.1), 90),
    }
    thirds = {"type": "TimeBasedLinear", "timeBasedLinear": {"linearPercentage": 33, "linearInterval": 1}}
    assert [share for _, share in steps(thirds)] == [0.33, 0.66, 0.99, 1.0]


def test_a_canary_from_creation_to_the_end(make: Make) -> None:
    shop = make()
    identifier = shop.deploy(description="second")
    assert shop.info(identifier)["status"] == "Created"
    assert [each["status"] for each in shop.target(identifier)["lifecycleEvents"]] == ["Pending"] * 3
    shop.advance(60)
    assert (shop.info(identifier)["status"], shop.alias()) == ("InProgress", ("1", {"2": 0.1}))
    target = shop.target(identifier)
    assert [each["status"] for each in target["lifecycleEvents"]] == ["Succeeded", "InProgress", "Pending"]
    assert target["lambdaFunctionInfo"] == {
        "functionName": "worker",
        "functionAlias": "live",
        "currentVersion": "1",
        "targetVersion": "2",
        "targetVersionWeight": 0.1,
    }
    shop.settle()
    info = shop.info(identifier)
    assert (info["status"], shop.alias()) == ("Succeeded", ("2", {}))
    assert 300 < (info["completeTime"] - info["startTime"]).total_seconds() < 302
    assert (info["creator"], info["description"], info["computePlatform"]) == ("user", "second", "Lambda")
    group = shop.api.get_deployment_group(**GROUP)["deploymentGroupInfo"]
    assert group["lastSuccessfulDeployment"]["deploymentId"] == identifier
    assert shop.api.list_deployments(**GROUP)["deployments"] == [identifier]
    assert shop.api.list_deployments(**GROUP, includeOnlyStatuses=["Failed"])["deployments"] == []


def test_the_content_of_a_revision_is_asked_for_by_its_hash(make: Make) -> None:
    """A hook finds the new version so: GetDeployment shows a hash, GetApplicationRevision the content."""
    shop = make()
    revision = shop.info(shop.deploy())["revision"]
    assert set(revision["appSpecContent"]) == {"sha256"}
    found = shop.api.get_application_revision(applicationName="shop", revision=revision)["revision"]
    (resource,) = json.loads(found["appSpecContent"]["content"])["Resources"]
    assert resource["worker"]["Properties"]["TargetVersion"] == "2"


YAML = """
version: 0.0
Resources:
  - worker:
      Type: AWS::Lambda::Function
      Properties:
        Name: "worker"
        Alias: "live"
        CurrentVersion: "1"
        TargetVersion: "2"
"""


def test_an_appspec_in_yaml_in_s3_is_read_by_the_role(make: Make) -> None:
    shop = make("", deploymentConfigName="CodeDeployDefault.LambdaAllAtOnce")
    s3 = shop.world.client("s3")
    s3.create_bucket(Bucket="specs")
    s3.put_object(Bucket="specs", Key="spec.yaml", Body=YAML.encode())
    location = {"bucket": "specs", "key": "spec.yaml", "bundleType": "YAML"}
    revision = {"revisionType": "S3", "s3Location": location}
    assert refused(lambda: shop.deploy(revision=revision))[0] == "RevisionDoesNotExistException"
    iam = shop.world.client("iam")
    statement = {"Effect": "Allow", "Action": ["s3:GetObject", "lambda:*"], "Resource": "*"}
    iam.put_role_policy(
        RoleName="deploy",
        PolicyName="read",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )
    shop.deploy(revision=revision)
    shop.settle()
    assert shop.alias() == ("2", {})


@pytest.mark.parametrize("back", [True, False])
def test_a_stop_puts_the_alias_back_if_asked(make: Make, back: bool) -> None:
    shop = make()
    identifier = shop.deploy()
    shop.advance(60)
    answer = shop.api.stop_deployment(deploymentId=identifier, autoRollbackEnabled=back)
    assert answer["status"] == "Pending"
    shop.settle()
    info = shop.info(identifier)
    assert (info["status"], info["errorInformation"]["code"]) == ("Stopped", "MANUAL_STOP")
    assert shop.alias() == (("1", {}) if back else ("1", {"2": 0.1}))
    assert ("rollbackInfo" in info) == back
    code, _ = refused(lambda: shop.api.stop_deployment(deploymentId=identifier))
    assert code == "DeploymentAlreadyCompletedException"


def test_one_deployment_at_a_time(make: Make) -> None:
    shop = make()
    identifier = shop.deploy()
    assert refused(shop.deploy) == (
        "DeploymentLimitExceededException",
        f"The Deployment Group 'live' already has an active Deployment '{identifier}'",
    )


def test_the_alias_must_be_at_the_current_version(make: Make) -> None:
    shop = make(autoRollbackConfiguration={"enabled": False})
    identifier = shop.deploy(current="2", target="1")
    shop.settle()
    assert shop.info(identifier)["errorInformation"] == {
        "code": "INVALID_LAMBDA_CONFIGURATION",
        "message": "The deployment failed because the AppSpec file that specifies the AWS Lambda deployment "
        "configuration is missing or has an invalid configuration. The Lambda function alias version does "
        "not match the current version in AppSpec file.",
    }
    statuses = [each["status"] for each in shop.target(identifier)["lifecycleEvents"]]
    assert statuses == ["Skipped"] * 3


def test_an_alarm_that_is_active_already_stops_a_deployment_at_once(make: Make) -> None:
    alarms = {"enabled": True, "alarms": [{"name": "one"}, {"name": "two"}]}
    shop = make(alarmConfiguration=alarms)
    cloudwatch = shop.world.client("cloudwatch")
    for name in ("one", "two"):
        cloudwatch.put_metric_alarm(
            AlarmName=name,
            Namespace="N",
            MetricName="M",
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
        )
        cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="forced")
    identifier = shop.deploy()
    shop.advance(5)
    info = shop.info(identifier)
    assert (info["status"], shop.alias()) == ("Stopped", ("1", {}))
    assert info["errorInformation"]["message"].endswith("Activated alarms: <one> <two>")
    ignoring = shop.deploy(overrideAlarmConfiguration={"enabled": False, "alarms": []})
    shop.settle()
    assert shop.info(ignoring)["status"] == "Succeeded"


def test_what_triggers_and_the_bus_are_told(make: Make) -> None:
    shop = make()
    world = shop.world
    topic = world.client("sns").create_topic(Name="deployments")["TopicArn"]
    arn = queue(world, "told")
    allow = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn}
    url = world.client("sqs").get_queue_url(QueueName="told")["QueueUrl"]
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    world.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    world.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    events = world.client("events")
    events.put_rule(Name="all", EventPattern=json.dumps({"source": ["aws.codedeploy"]}))
    events.put_targets(Rule="all", Targets=[{"Id": "q", "Arn": arn}])
    every = ["DeploymentStart", "DeploymentSuccess", "DeploymentFailure", "DeploymentStop"]
    trigger = {"triggerName": "tell", "triggerTargetArn": topic}
    shop.api.update_deployment_group(
        applicationName="shop",
        currentDeploymentGroupName="live",
        triggerConfigurations=[{**trigger, "triggerEvents": [*every, "DeploymentRollback"]}],
    )
    identifier = shop.deploy()
    shop.advance(60)
    shop.api.stop_deployment(deploymentId=identifier, autoRollbackEnabled=True)
    shop.settle()
    undoing = shop.info(identifier)["rollbackInfo"]["rollbackDeploymentId"]
    found = received(world, "told")
    bodies = [json.loads(each["Message"]) for each in found if "Message" in each]
    assert sorted((each["deploymentId"] == undoing, each["status"]) for each in bodies) == [
        (False, "CREATED"),
        (False, "STOPPED"),
        (True, "CREATED"),
        (True, "IN_PROGRESS"),
        (True, "SUCCEEDED"),
    ]
    subjects = {each["Subject"] for each in found if "Subject" in each}
    assert f"STOPPED: AWS CodeDeploy {identifier} in us-east-1 to shop" in subjects
    (stopped,) = [each for each in bodies if each["status"] == "STOPPED"]
    assert json.loads(stopped["errorInformation"])["ErrorCode"] == "MANUAL_STOP"
    told = [each for each in found if "detail" in each]
    states = sorted((each["detail"]["deploymentId"] == undoing, each["detail"]["state"]) for each in told)
    assert states == [(False, "START"), (False, "STOP"), (True, "START"), (True, "SUCCESS")]
    assert told[0]["detail-type"] == "CodeDeploy Deployment State-change Notification"
    assert told[0]["resources"] == [
        "arn:aws:codedeploy:us-east-1:123456789012:application:shop",
        "arn:aws:codedeploy:us-east-1:123456789012:deploymentgroup:shop/live",
    ]
    assert set(told[0]["detail"]) == {
        "region",
        "deploymentId",
        "instanceGroupId",
        "deploymentGroup",
        "state",
        "application",
    }


def test_only_the_hook_that_runs_may_report(make: Make) -> None:
    shop = make()
    shop.function(
        "CodeDeployHook_wait", "import json\ndef handler(event, context):\n    print(json.dumps(event))\n"
    )
    identifier = shop.deploy(hooks={"BeforeAllowTraffic": "CodeDeployHook_wait"})
    shop.advance(30)
    logged = shop.world.client("logs").filter_log_events(logGroupName="/aws/lambda/CodeDeployHook_wait")
    lines = [each["message"] for each in logged["events"]]
    event = next(json.loads(line) for line in lines if line.startswith("{"))
    execution = event["LifecycleEventHookExecutionId"]

    def report(status: str, hook: str = execution) -> Any:
        return shop.api.put_lifecycle_event_hook_execution_status(
            deploymentId=identifier, lifecycleEventHookExecutionId=hook, status=status
        )

    assert refused(lambda: report("Skipped"))[0] == "InvalidLifecycleEventHookExecutionStatusException"
    assert refused(lambda: report("Succeeded", "x"))[0] == "InvalidLifecycleEventHookExecutionIdException"
    assert report("Succeeded")["lifecycleEventHookExecutionId"] == execution
    assert refused(lambda: report("Failed"))[0] == "LifecycleEventAlreadyCompletedException"
    shop.settle()
    assert shop.info(identifier)["status"] == "Succeeded"


def test_what_does_not_exist(make: Make) -> None:
    shop = make()
    api = shop.api
    assert refused(lambda: api.get_application(applicationName="x")) == (
        "ApplicationDoesNotExistException",
        "No application found for name: x",
    )
    assert refused(lambda: api.get_deployment_group(applicationName="shop", deploymentGroupName="x")) == (
        "DeploymentGroupDoesNotExistException",
        "No Deployment Group found for name: x",
    )
    for call, code in (
        (lambda: api.get_deployment(deploymentId="d-X"), "DeploymentDoesNotExistException"),
        (lambda: shop.deploy(deploymentConfigName="x"), "DeploymentConfigDoesNotExistException"),
        (lambda: api.create_deployment(**GROUP), "RevisionRequiredException"),
        (lambda: api.create_application(applicationName="shop", computePlatform="Lambda"),
         "ApplicationAlreadyExistsException"),
        (lambda: api.create_deployment_group(**{**GROUP, **shop.given}),
         "DeploymentGroupAlreadyExistsException"),
        (lambda: api.create_deployment_group(applicationName="shop", deploymentGroupName="b",
                                             serviceRoleArn="arn:aws:iam::123456789012:role/worker-role"),
         "InvalidRoleException"),
        (lambda: api.create_deployment_group(applicationName="shop", deploymentGroupName="b",
                                             serviceRoleArn="x"), "InvalidRoleException"),
    ):  # fmt: skip
        assert refused(call)[0] == code


def test_other_platforms_are_refused_by_name(make: Make) -> None:
    shop = make()
    api = shop.api
    for call, name in (
        (lambda: api.create_application(applicationName="web"), "Server"),
        (lambda: api.create_application(applicationName="web", computePlatform="ECS"), "ECS"),
        (lambda: api.continue_deployment(deploymentId="d-X"), "ContinueDeployment"),
        (
            lambda: api.get_deployment_config(deploymentConfigName="CodeDeployDefault.OneAtATime"),
            "OneAtATime",
        ),
        (lambda: api.register_on_premises_instance(instanceName="i"), "RegisterOnPremisesInstance"),
    ):
        with pytest.raises(NotSimulated, match=name):
            call()
