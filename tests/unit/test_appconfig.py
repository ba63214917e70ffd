"""AppConfig: growth, bake time, roll-back by an alarm, sessions that poll, feature flags in a handler.

https://docs.aws.amazon.com/appconfig/latest/userguide/appconfig-deploying.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.cloud.local.cloud import LocalCloud
from infra.cloud.local.kernel import SECOND
from infra.cloud.local.stores.appconfig.growth import Strategy, percentages, place_of, steps
from infra.cloud.local.world import ACCOUNT, World

from .deploy_tools import Deployer, function, role

MINUTE = 60 * SECOND


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        # the CLI's documentation of get-deployment
        (("LINEAR", 25.0, 15), [(3, 25), (6, 50), (9, 75), (12, 100)]),
        # the user guide's table
        (("LINEAR", 20.0, 600), [(120, 20), (240, 40), (360, 60), (480, 80), (600, 100)]),
        (("LINEAR", 50.0, 1), [(0.5, 50), (1, 100)]),
        (("LINEAR", 20.0, 30), [(6, 20), (12, 40), (18, 60), (24, 80), (30, 100)]),
        (("EXPONENTIAL", 10.0, 20), [(4, 10), (8, 20), (12, 40), (16, 80), (20, 100)]),
        (("LINEAR", 100.0, 0), [(0, 100)]),
    ],
)
def test_growth(strategy: tuple[str, float, int], expected: list[tuple[float, float]]) -> None:
    growth, factor, minutes = strategy
    made = Strategy("s", "s", minutes, growth, factor, 0)
    assert [(offset / MINUTE, share) for offset, share in steps(made)] == expected


def test_exponential_growth_as_the_guide_counts_it() -> None:
    assert percentages(Strategy("s", "s", 60, "EXPONENTIAL", 2.0, 0))[:4] == [2, 4, 8, 16]


class Lab:
    """One application, environment and hosted profile."""

    def __init__(self, monitors: list[dict[str, str]] | None = None, **profile: Any) -> None:
        self.world = World()
        self.api, self.data = self.world.client("appconfig"), self.world.client("appconfigdata")
        self.app = self.api.create_application(Name="shop")["Id"]
        made = self.api.create_environment(ApplicationId=self.app, Name="prod", Monitors=monitors or [])
        self.env = made["Id"]
        profile = {"Name": "settings", "LocationUri": "hosted", **profile}
        self.profile = self.api.create_configuration_profile(ApplicationId=self.app, **profile)["Id"]

    def version(self, content: str) -> str:
        made = self.api.create_hosted_configuration_version(
            ApplicationId=self.app,
            ConfigurationProfileId=self.profile,
            Content=content.encode(),
            ContentType="application/json",
        )
        return str(made["VersionNumber"])

    def deploy(self, content: str, strategy: str = "AppConfig.AllAtOnce") -> int:
        started = self.api.start_deployment(
            ApplicationId=self.app,
            EnvironmentId=self.env,
            ConfigurationProfileId=self.profile,
            ConfigurationVersion=self.version(content),
            DeploymentStrategyId=strategy,
        )
        assert (started["State"], started["PercentageComplete"]) == ("DEPLOYING", 0.0)
        return int(started["DeploymentNumber"])

    def shown(self, number: int) -> dict[str, Any]:
        found: dict[str, Any] = self.api.get_deployment(
            ApplicationId=self.app, EnvironmentId=self.env, DeploymentNumber=number
        )
        return found

    def session(self, **more: Any) -> str:
        return str(
            self.data.start_configuration_session(
                ApplicationIdentifier="shop",
                EnvironmentIdentifier="prod",
                ConfigurationProfileIdentifier="settings",
                **more,
            )["InitialConfigurationToken"]
        )

    def poll(self, token: str) -> tuple[str, str]:
        answer = self.data.get_latest_configuration(ConfigurationToken=token)
        return answer["NextPollConfigurationToken"], answer["Configuration"].read().decode()


@pytest.fixture
def lab() -> Iterator[Lab]:
    made = Lab()
    yield made
    made.world.close()


def test_a_deployment_grows_bakes_and_completes(lab: Lab) -> None:
    strategy = lab.api.create_deployment_strategy(
        Name="quarter",
        DeploymentDurationInMinutes=15,
        GrowthFactor=25.0,
        GrowthType="LINEAR",
        FinalBakeTimeInMinutes=5,
        ReplicateTo="NONE",
    )["Id"]
    number = lab.deploy("{}", strategy)
    start = lab.shown(number)["StartedAt"]
    lab.world.kernel.advance(16 * MINUTE)
    assert lab.shown(number)["State"] == "BAKING"
    lab.world.kernel.settle()
    done = lab.shown(number)
    assert (done["State"], done["PercentageComplete"]) == ("COMPLETE", 100.0)
    log = [
        (
            each["EventType"],
            each["TriggeredBy"],
            each["Description"],
            (each["OccurredAt"] - start).total_seconds() / 60,
        )
        for each in done["EventLog"]
    ]
    assert log == [
        ("DEPLOYMENT_COMPLETED", "APPCONFIG", "Deployment completed", 20),
        ("BAKE_TIME_STARTED", "APPCONFIG", "Deployment bake time started", 15),
        ("PERCENTAGE_UPDATED", "APPCONFIG", "Configuration available to 100.00% of clients", 12),
        ("PERCENTAGE_UPDATED", "APPCONFIG", "Configuration available to 75.00% of clients", 9),
        ("PERCENTAGE_UPDATED", "APPCONFIG", "Configuration available to 50.00% of clients", 6),
        ("PERCENTAGE_UPDATED", "APPCONFIG", "Configuration available to 25.00% of clients", 3),
        ("DEPLOYMENT_STARTED", "USER", "Deployment started", 0),
    ]


def test_who_is_in_stays_in_as_the_share_grows(lab: Lab) -> None:
    lab.deploy("old")
    lab.world.kernel.settle()
    tokens = [lab.session() for _ in range(40)]
    tokens = [lab.poll(token)[0] for token in tokens]
    lab.deploy("new", "AppConfig.Canary10Percent20Minutes")
    told: list[list[bool]] = []
    for _ in range(6):
        lab.world.kernel.advance(4 * MINUTE)
        polled = [lab.poll(token) for token in tokens]
        tokens = [token for token, _ in polled]
        told.append([content == "new" for _, content in polled])
    assert all(sum(client) == 1 for client in zip(*told, strict=True))  # each is told once, and stays
    shares = [sum(each) for each in told]
    assert shares == [6, 5, 10, 9, 10, 0]
    assert sum(place_of(str(n)) < 10 for n in range(10_000)) == pytest.approx(1000, rel=0.1)


def test_sessions(lab: Lab) -> None:
    lab.deploy('{"a":1}')
    first = lab.session(RequiredMinimumPollIntervalInSeconds=30)
    second, content = lab.poll(first)
    assert content == '{"a":1}'

    def refused(token: str) -> tuple[str, str]:
        with pytest.raises(ClientError) as caught:
            lab.poll(token)
        answer = caught.value.response
        return (
            answer["Error"]["Code"],
            answer["Details"]["InvalidParameters"]["ConfigurationToken"]["Problem"],
        )

    assert refused(first) == ("BadRequestException", "Corrupted")  # good for one call
    assert refused(second) == ("BadRequestException", "PollIntervalNotSatisfied")
    lab.world.kernel.advance(30 * SECOND)
    third, content = lab.poll(second)
    assert content == ""  # it has this one
    lab.world.kernel.advance(25 * 60 * MINUTE)
    assert refused(third) == ("BadRequestException", "Expired")
    with pytest.raises(lab.data.exceptions.ResourceNotFoundException):
        lab.data.start_configuration_session(
            ApplicationIdentifier="none",
            EnvironmentIdentifier="prod",
            ConfigurationProfileIdentifier="settings",
        )


def test_stop_and_revert(lab: Lab) -> None:
    first = lab.deploy("one")
    with pytest.raises(lab.api.exceptions.ConflictException):
        lab.deploy("two")
    stopped = lab.api.stop_deployment(ApplicationId=lab.app, EnvironmentId=lab.env, DeploymentNumber=first)
    assert stopped["State"] == "ROLLED_BACK"
    lab.deploy("three")
    lab.world.kernel.settle()
    fourth = lab.deploy("four")
    lab.world.kernel.settle()
    key = {"ApplicationId": lab.app, "EnvironmentId": lab.env, "DeploymentNumber": fourth}
    with pytest.raises(lab.api.exceptions.BadRequestException):
        lab.api.stop_deployment(**key)
    assert lab.poll(lab.session())[1] == "four"
    assert lab.api.stop_deployment(**key, AllowRevert=True)["State"] == "REVERTED"
    assert lab.poll(lab.session())[1] == "three"
    listed = lab.api.list_deployments(ApplicationId=lab.app, EnvironmentId=lab.env)["Items"]
    states = [(each["DeploymentNumber"], each["ConfigurationVersion"], each["State"]) for each in listed]
    assert states == [(3, "4", "REVERTED"), (2, "3", "COMPLETE"), (1, "1", "ROLLED_BACK")]


def test_an_alarm_rolls_back_while_it_bakes() -> None:
    arn = f"arn:aws:cloudwatch:us-east-1:{ACCOUNT}:alarm:errors"
    lab = Lab([{"AlarmArn": arn}])
    lab.api.create_extension_association(
        ExtensionIdentifier="AWS.AppConfig.DeploymentNotificationsToEventBridge",
        ResourceIdentifier=f"arn:aws:appconfig:us-east-1:{ACCOUNT}:application/{lab.app}",
    )
    cloudwatch, events = lab.world.client("cloudwatch"), lab.world.client("events")
    lab.world.client("sqs").create_queue(QueueName="told", Attributes={"Policy": _open_to("told", "events")})
    events.put_rule(Name="r", EventPattern=json.dumps({"source": ["aws.appconfig"]}))
    events.put_targets(
        Rule="r",
        Targets=[{"Id": "1", "Arn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:told", "InputPath": "$.detail"}],
    )
    cloudwatch.put_metric_alarm(
        AlarmName="errors",
        Namespace="shop",
        MetricName="errors",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        TreatMissingData="notBreaching",
    )
    lab.deploy("good")
    lab.world.kernel.settle()
    number = lab.deploy("bad")
    token, content = lab.poll(lab.session())
    assert content == "bad"
    lab.world.kernel.advance(3 * MINUTE)
    cloudwatch.put_metric_data(Namespace="shop", MetricData=[{"MetricName": "errors", "Value": 5}])
    lab.world.kernel.advance(2 * MINUTE)
    assert lab.shown(number)["State"] == "ROLLED_BACK"
    newest = lab.shown(number)["EventLog"][1]
    assert (newest["EventType"], newest["TriggeredBy"]) == ("ROLLBACK_STARTED", "CLOUDWATCH_ALARM")
    assert lab.poll(token)[1] == "good"
    lab.world.kernel.settle()
    messages = lab.world.client("sqs").receive_message(QueueUrl="told", MaxNumberOfMessages=10)["Messages"]
    told = sorted(
        (each["DeploymentNumber"], each["Type"]) for each in (json.loads(m["Body"]) for m in messages)
    )
    assert told == [
        (1, "OnDeploymentComplete"),
        (1, "OnDeploymentStart"),
        (2, "OnDeploymentRolledBack"),
        (2, "OnDeploymentStart"),
    ]
    lab.world.close()


def _open_to(name: str, principal: str) -> str:
    allow = {
        "Effect": "Allow",
        "Principal": {"Service": f"{principal}.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}",
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [allow]})


def test_validators() -> None:
    schema = {"type": "object", "properties": {"limit": {"type": "integer", "maximum": 10}}}
    lab = Lab(Validators=[{"Type": "JSON_SCHEMA", "Content": json.dumps(schema)}])
    with pytest.raises(ClientError) as caught:
        lab.deploy('{"limit": 11}')
    assert caught.value.response["Details"]["InvalidConfiguration"] == [
        {
            "Constraint": "maximum",
            "Location": "limit",
            "Reason": "11 is greater than the maximum of 10",
            "Type": "JSON_SCHEMA",
            "Value": "11",
        }
    ]
    lab.deploy('{"limit": 9}')
    lab.world.close()


VALIDATOR = """
import base64, json

def handler(event, context):
    print(json.dumps(event))
    if json.loads(base64.b64decode(event["content"]))["limit"] > 10:
        raise ValueError("limit is above 10")
"""


def test_a_function_validates() -> None:
    """https://docs.aws.amazon.com/appconfig/latest/userguide/appconfig-creating-configuration-and-profile-validators.html"""
    cloud = LocalCloud()
    stack = Deployer(cloud)
    check = {"Fn::GetAtt": ["Check", "Arn"]}
    ids = {"ApplicationId": {"Ref": "App"}, "ConfigurationProfileId": {"Ref": "Profile"}}

    def resources(limit: int, allowed: bool = True) -> dict[str, Any]:
        allow = {"Action": "lambda:InvokeFunction", "Principal": "appconfig.amazonaws.com"}
        made: dict[str, Any] = {
            "Role": role(),
            "Check": function(VALIDATOR),
            "App": {"Type": "AWS::AppConfig::Application", "Properties": {"Name": "shop"}},
            "Env": {
                "Type": "AWS::AppConfig::Environment",
                "Properties": {"ApplicationId": {"Ref": "App"}, "Name": "prod"},
            },
            "Profile": {
                "Type": "AWS::AppConfig::ConfigurationProfile",
                "Properties": {
                    "ApplicationId": {"Ref": "App"},
                    "Name": "limits",
                    "LocationUri": "hosted",
                    "Validators": [{"Type": "LAMBDA", "Content": check}],
                },
            },
            "Version": {
                "Type": "AWS::AppConfig::HostedConfigurationVersion",
                "Properties": {
                    **ids,
                    "Content": json.dumps({"limit": limit}),
                    "ContentType": "application/json",
                },
            },
            "Deployment": {
                "Type": "AWS::AppConfig::Deployment",
                "DependsOn": ["Allow"] if allowed else [],
                "Properties": {
                    **ids,
                    "EnvironmentId": {"Ref": "Env"},
                    "ConfigurationVersion": {"Ref": "Version"},
                    "DeploymentStrategyId": "AppConfig.AllAtOnce",
                },
            },
        }
        if allowed:
            made["Allow"] = {
                "Type": "AWS::Lambda::Permission",
                "Properties": {"FunctionName": check, **allow},
            }
        return made

    assert stack.create(resources(5, allowed=False)) == "ROLLBACK_COMPLETE"
    assert any("Error invoking the validator function" in reason for _, reason in stack.failures())
    assert stack.delete() == "DELETE_COMPLETE"
    assert stack.create(resources(5)) == "CREATE_COMPLETE", stack.failures()
    (event,) = stack.requests("Check")
    assert sorted(event) == [
        "applicationId",
        "configurationProfileId",
        "configurationVersion",
        "content",
        "uri",
    ]
    assert (event["uri"], event["configurationVersion"]) == ("hosted", "1")
    assert stack.update(resources(11)) == "UPDATE_ROLLBACK_COMPLETE"
    assert any("limit is above 10" in reason for _, reason in stack.failures())
    cloud.close()


@pytest.mark.parametrize("kind", ["ssm-parameter", "secretsmanager", "s3"])
def test_a_configuration_that_is_kept_elsewhere(kind: str) -> None:
    lab = Lab()
    world, uri, version = lab.world, f"{kind}://settings", "1"
    needs = {"ssm-parameter": "ssm:GetParameter", "secretsmanager": "secretsmanager:GetSecretValue"}
    if kind == "ssm-parameter":
        world.client("ssm").put_parameter(Name="settings", Type="String", Value="on")
    elif kind == "secretsmanager":
        made = world.client("secretsmanager").create_secret(Name="settings", SecretString="on")
        version = made["VersionId"]
    else:
        s3 = world.client("s3")
        s3.create_bucket(Bucket="settings")
        s3.put_bucket_versioning(Bucket="settings", VersioningConfiguration={"Status": "Enabled"})
        version = s3.put_object(Bucket="settings", Key="all.txt", Body=b"on")["VersionId"]
        uri += "/all.txt"
    retrieval = {"LocationUri": uri, "RetrievalRoleArn": make_role(world, "reader")}
    profile = lab.api.create_configuration_profile(ApplicationId=lab.app, Name="outer", **retrieval)["Id"]
    wanted = {
        "ApplicationId": lab.app,
        "EnvironmentId": lab.env,
        "ConfigurationProfileId": profile,
        "ConfigurationVersion": version,
        "DeploymentStrategyId": "AppConfig.AllAtOnce",
    }
    action = needs.get(kind, "s3:GetObjectVersion")
    with pytest.raises(lab.api.exceptions.BadRequestException, match=f"not authorized to perform: {action}"):
        lab.api.start_deployment(**wanted)
    make_role(world, "reader", action)
    lab.api.start_deployment(**wanted)
    token = lab.data.start_configuration_session(
        ApplicationIdentifier="shop", EnvironmentIdentifier="prod", ConfigurationProfileIdentifier="outer"
    )["InitialConfigurationToken"]
    assert lab.poll(token)[1] == "on"
    world.close()


def make_role(world: World, name: str, *actions: str) -> str:
    """Make a role, or say what the one of that name may do."""
    iam = world.client("iam")
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "appconfig.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    if not actions:
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        return str(iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"])
    allow = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=policy)
    return ""


def test_feature_flags() -> None:
    lab = Lab(Type="AWS.AppConfig.FeatureFlags")
    limits = {"constraints": {"type": "number", "minimum": 1}}
    flags: dict[str, Any] = {
        "version": "1",
        "flags": {"checkout": {"name": "Checkout", "attributes": {"limit": limits}}, "old": {"name": "Old"}},
        "values": {"checkout": {"enabled": True, "limit": 0}, "old": {"enabled": False}},
    }
    with pytest.raises(lab.api.exceptions.BadRequestException, match="at least 1"):
        lab.version(json.dumps(flags))
    flags["values"]["checkout"]["limit"] = 5
    lab.deploy(json.dumps(flags))
    shown = json.loads(lab.poll(lab.session())[1])
    assert shown == {"checkout": {"enabled": True, "limit": 5}, "old": {"enabled": False}}
    lab.world.close()


HANDLER = """
from aws_lambda_powertools.utilities.feature_flags import AppConfigStore, FeatureFlags
store = AppConfigStore(environment="prod", application="shop", name="features", max_age=60)
flags = FeatureFlags(store=store)

def handler(event, context):
    return {"premium": flags.evaluate(name="premium", context={"tier": event["tier"]}, default=False)}
"""


def test_powertools_in_a_deployed_function() -> None:
    cloud = LocalCloud()
    stack = Deployer(cloud)
    gold = {"action": "EQUALS", "key": "tier", "value": "gold"}
    rules = {"gold": {"when_match": True, "conditions": [gold]}}

    def resources(content: dict[str, Any], *actions: str) -> dict[str, Any]:
        ids = {"ApplicationId": {"Ref": "App"}, "ConfigurationProfileId": {"Ref": "Profile"}}
        return {
            "App": {"Type": "AWS::AppConfig::Application", "Properties": {"Name": "shop"}},
            "Env": {
                "Type": "AWS::AppConfig::Environment",
                "Properties": {"ApplicationId": {"Ref": "App"}, "Name": "prod"},
            },
            "Profile": {
                "Type": "AWS::AppConfig::ConfigurationProfile",
                "Properties": {
                    "ApplicationId": {"Ref": "App"},
                    "Name": "features",
                    "LocationUri": "hosted",
                    "Type": "AWS.Freeform",
                },
            },
            "Version": {
                "Type": "AWS::AppConfig::HostedConfigurationVersion",
                "Properties": {
                    **ids,
                    "Content": json.dumps(content),
                    "ContentType": "application/json",
                },
            },
            "Deployment": {
                "Type": "AWS::AppConfig::Deployment",
                "Properties": {
                    **ids,
                    "EnvironmentId": {"Ref": "Env"},
                    "ConfigurationVersion": {"Ref": "Version"},
                    "DeploymentStrategyId": "AppConfig.Linear50PercentEvery30Seconds",
                },
            },
            "Role": role(*actions),
            "Shop": function(HANDLER, MemorySize=512),
        }

    both = ("appconfig:StartConfigurationSession", "appconfig:GetLatestConfiguration")
    assert stack.create(resources({"premium": {"default": False, "rules": rules}}, "s3:GetObject")) == (
        "CREATE_COMPLETE"
    )

    def ask(tier: str) -> Any:
        answer = cloud.client("lambda").invoke(
            FunctionName=stack.physical("Shop"), Payload=json.dumps({"tier": tier})
        )
        return json.loads(answer["Payload"].read())

    refused = ask("gold")
    assert "is not authorized to perform: appconfig:StartConfigurationSession" in refused["errorMessage"]
    assert (
        stack.update(resources({"premium": {"default": False, "rules": rules}}, *both)) == "UPDATE_COMPLETE"
    )
    assert [ask("gold"), ask("iron")] == [{"premium": True}, {"premium": False}]
    assert stack.update(resources({"premium": {"default": True}}, *both)) == "UPDATE_COMPLETE"
    cloud.advance("61s")  # the cache is older than max_age now
    assert ask("iron") == {"premium": True}
    assert stack.delete() == "DELETE_COMPLETE", stack.failures()
    cloud.close()
