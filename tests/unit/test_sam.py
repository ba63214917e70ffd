"""AWS SAM: the public translator does the transform, wherever a template comes in."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, WaiterError

from infra.cloud import connect
from infra.cloud.local.access.managed_policies import arns
from infra.cloud.local.cloud import LocalCloud
from infra.cloud.local.cloudformation.loops import expand
from infra.cloud.local.service import ServiceError

from .deploy_tools import Deployer

SERVERLESS = "AWS::Serverless-2016-10-31"
SOURCE = "def handler(event, context):\n    return event\n"


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with connect("local") as opened:
        assert isinstance(opened, LocalCloud)
        yield opened


def function(**properties: Any) -> dict[str, Any]:
    own = {"Runtime": "python3.12", "Handler": "index.handler", "InlineCode": SOURCE, **properties}
    return {"Type": "AWS::Serverless::Function", "Properties": own}


def test_create_stack_with_a_sam_template_works_as_on_aws(cloud: LocalCloud) -> None:
    app = Deployer(cloud)
    resources = {
        "Queue": {"Type": "AWS::SQS::Queue"},
        "Worker": function(
            Policies=["AmazonSQSReadOnlyAccess", {"SQSSendMessagePolicy": {"QueueName": "q"}}],
            Environment={"Variables": {"STAGE": {"Ref": "Stage"}}},
            Events={"In": {"Type": "SQS", "Properties": {"Queue": {"Fn::GetAtt": ["Queue", "Arn"]}}}},
        ),
    }
    parameters = {"Stage": {"Type": "String", "Default": "dev"}}
    globals_ = {"Function": {"Timeout": 7}}
    created = app.create(resources, Transform=SERVERLESS, Parameters=parameters, Globals=globals_)
    assert created == "CREATE_COMPLETE"
    found = cloud.client("lambda").get_function_configuration(FunctionName=app.physical("Worker"))
    assert (found["Timeout"], found["Environment"]) == (7, {"Variables": {"STAGE": "dev"}})
    roles = cloud.client("iam").list_attached_role_policies(RoleName=app.physical("WorkerRole"))
    assert sorted(each["PolicyName"] for each in roles["AttachedPolicies"]) == [
        "AWSLambdaBasicExecutionRole",
        "AWSLambdaSQSQueueExecutionRole",
        "AmazonSQSReadOnlyAccess",
    ]
    mappings = cloud.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    assert [each["FunctionArn"] for each in mappings] == [found["FunctionArn"]]
    processed = app.api.get_template(StackName="app")["TemplateBody"]
    assert processed["Resources"]["Worker"]["Type"] == "AWS::Lambda::Function"
    original = app.api.get_template(StackName="app", TemplateStage="Original")["TemplateBody"]
    assert original["Resources"]["Worker"]["Type"] == "AWS::Serverless::Function"
    summary = app.api.get_template_summary(StackName="app")
    assert summary["DeclaredTransforms"] == [SERVERLESS]
    assert app.delete() == "DELETE_COMPLETE"


def test_a_transform_needs_its_capability(cloud: LocalCloud) -> None:
    table = {"Type": "AWS::Serverless::SimpleTable"}
    body = json.dumps({"Transform": SERVERLESS, "Resources": {"Table": table}})
    with pytest.raises(ClientError, match=r"Requires capabilities : \[CAPABILITY_AUTO_EXPAND\]"):
        cloud.client("cloudformation").create_stack(StackName="app", TemplateBody=body)


def test_what_the_translator_refuses_is_told_in_its_words(cloud: LocalCloud) -> None:
    with pytest.raises(ClientError) as caught:
        Deployer(cloud).create({"Worker": function(Timeouts=3)}, Transform=SERVERLESS)
    assert caught.value.response["Error"]["Message"].startswith(
        "Transform AWS::Serverless-2016-10-31 failed with: Invalid Serverless Application Specification "
        "document. Number of errors found: 1. Resource with id [Worker] is invalid."
    )


def test_a_change_set_fails_with_what_the_translator_refuses(cloud: LocalCloud) -> None:
    """As ``sam deploy`` shows it: "Waiter ChangeSetCreateComplete failed … Status: FAILED. Reason: …"."""
    api = cloud.client("cloudformation")
    body = {
        "Transform": SERVERLESS,
        "Parameters": {"Stage": {"Type": "String"}},
        "Resources": {"Worker": function(Timeouts=3)},
    }
    api.create_change_set(
        StackName="app",
        ChangeSetName="first",
        ChangeSetType="CREATE",
        TemplateBody=json.dumps(body),
        Parameters=[{"ParameterKey": "Stage", "ParameterValue": "dev"}],
        Capabilities=["CAPABILITY_IAM"],
    )
    with pytest.raises(WaiterError, match="terminal failure state"):
        api.get_waiter("change_set_create_complete").wait(StackName="app", ChangeSetName="first")
    made = api.describe_change_set(StackName="app", ChangeSetName="first")
    assert (made["Status"], made["ExecutionStatus"], made["Changes"]) == ("FAILED", "UNAVAILABLE", [])
    assert made["StatusReason"].startswith(
        "Transform AWS::Serverless-2016-10-31 failed with: Invalid Serverless Application Specification "
        "document. Number of errors found: 1. Resource with id [Worker] is invalid."
    )
    assert made["Parameters"] == [{"ParameterKey": "Stage", "ParameterValue": "dev"}]
    assert api.describe_stacks(StackName="app")["Stacks"][0]["StackStatus"] == "REVIEW_IN_PROGRESS"


def test_what_sam_makes_and_is_not_simulated_is_refused_by_name(cloud: LocalCloud) -> None:
    rule = {"Type": "IoTRule", "Properties": {"Sql": "SELECT * FROM 'topic'"}}
    with pytest.raises(ClientError, match=r"NotSimulated: AWS::IoT::TopicRule \(FrontRule\)"):
        Deployer(cloud).create({"Front": function(Events={"Rule": rule})}, Transform=SERVERLESS)


def test_an_alias_follows_the_code(cloud: LocalCloud) -> None:
    app = Deployer(cloud)
    alias = {"Alias": {"Value": {"Ref": "Worker.Alias"}}}
    app.create({"Worker": function(AutoPublishAlias="live")}, Transform=SERVERLESS, Outputs=alias)
    changed = function(AutoPublishAlias="live", InlineCode=SOURCE + "# new\n")
    assert app.update({"Worker": changed}, Transform=SERVERLESS, Outputs=alias) == "UPDATE_COMPLETE"
    name = app.outputs["Alias"]
    assert cloud.client("lambda").get_function_configuration(FunctionName=name)["Version"] == "2"


def test_the_managed_policies_are_known_by_name() -> None:
    known = arns()
    assert known["AWSLambdaBasicExecutionRole"] == (
        "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    )
    assert known["AmazonDynamoDBFullAccess"] == "arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess"


# -- Fn::ForEach ---------------------------------------------------------------------------------------------


def test_loops_are_spelled_out() -> None:
    body = {
        "Mappings": {"M": {"K": {"V": ["x.1", "y"]}}},
        "Resources": {
            "Fn::ForEach::Outer": [
                "A",
                {"Ref": "Names"},
                {
                    "Fn::ForEach::Inner": [
                        "B",
                        {"Fn::FindInMap": ["M", "K", "V"]},
                        {"Q${A}&{B}": {"Type": "T", "Properties": {"N": {"Ref": "A"}, "S": "${B}-${Other}"}}},
                    ]
                },
            ]
        },
    }
    made = expand(body, {"Names": ["one", "two"]})["Resources"]
    assert list(made) == ["Qonex1", "Qoney", "Qtwox1", "Qtwoy"]
    assert made["Qtwox1"] == {"Type": "T", "Properties": {"N": "two", "S": "x.1-${Other}"}}


def test_a_loop_over_something_else_is_refused() -> None:
    with pytest.raises(ServiceError, match="collection of Fn::ForEach must be a list"):
        expand({"Resources": {"Fn::ForEach::L": ["A", {"Ref": "Nothing"}, {"Q${A}": {}}]}}, {})


CHECK = """
import boto3, os
def handler(event, context):
    tested = boto3.client("lambda").invoke(FunctionName=os.environ["NEW_VERSION"])
    boto3.client("codedeploy").put_lifecycle_event_hook_execution_status(
        deploymentId=event["DeploymentId"],
        lifecycleEventHookExecutionId=event["LifecycleEventHookExecutionId"],
        status="Failed" if "FunctionError" in tested else "Succeeded",
    )
"""


def gradual(source: str) -> dict[str, Any]:
    """The example of https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/automating-updates-to-serverless-apps.html"""
    alarm = {
        "Namespace": "AWS/Lambda",
        "MetricName": "Errors",
        "Dimensions": [
            {"Name": "FunctionName", "Value": {"Ref": "Worker"}},
            {"Name": "Resource", "Value": {"Fn::Sub": "${Worker}:live"}},
            {"Name": "ExecutedVersion", "Value": {"Fn::GetAtt": ["Worker.Version", "Version"]}},
        ],
        "ComparisonOperator": "GreaterThanThreshold",
        "EvaluationPeriods": 2,
        "Period": 60,
        "Statistic": "Sum",
        "Threshold": 0,
    }
    preference = {
        "Type": "Linear10PercentEvery1Minute",
        "Alarms": [{"Ref": "Errors"}],
        "Hooks": {"PreTraffic": {"Ref": "Check"}},
    }
    allow = [
        {"Effect": "Allow", "Action": "codedeploy:PutLifecycleEventHookExecutionStatus",
         "Resource": {"Fn::Sub": "arn:${AWS::Partition}:codedeploy:${AWS::Region}:${AWS::AccountId}:"
                                 "deploymentgroup:${ServerlessDeploymentApplication}/*"}},
        {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": {"Ref": "Worker.Version"}},
    ]  # fmt: skip
    return {
        "Worker": function(
            InlineCode=source,
            AutoPublishAlias="live",
            AutoPublishCodeSha256=hashlib.sha256(source.encode()).hexdigest(),
            DeploymentPreference=preference,
        ),
        "Errors": {"Type": "AWS::CloudWatch::Alarm", "Properties": alarm},
        "Check": function(
            InlineCode=CHECK,
            FunctionName="CodeDeployHook_check",
            DeploymentPreference={"Enabled": False},
            Policies=[{"Version": "2012-10-17", "Statement": allow}],
            Environment={"Variables": {"NEW_VERSION": {"Ref": "Worker.Version"}}},
        ),
    }


def test_a_deployment_preference_shifts_an_alias(cloud: LocalCloud) -> None:
    app = Deployer(cloud)
    assert app.create(gradual(SOURCE), Transform=SERVERLESS) == "CREATE_COMPLETE"
    assert app.update(gradual(f"{SOURCE}\n"), Transform=SERVERLESS) == "UPDATE_COMPLETE"
    bad = "def handler(event, context):\n    raise ValueError(event)\n"
    assert app.update(gradual(bad), Transform=SERVERLESS) == "UPDATE_ROLLBACK_COMPLETE"
    reason = app.failures()[-1][1]
    assert "one or more of the lifecycle event validation functions failed" in reason
    alias = cloud.client("lambda").get_alias(FunctionName=app.physical("Worker"), Name="live")
    assert (alias["FunctionVersion"], alias.get("RoutingConfig")) == ("2", None)
    api = cloud.client("codedeploy")
    ids = api.list_deployments()["deployments"]
    statuses = [each["status"] for each in api.batch_get_deployments(deploymentIds=ids)["deploymentsInfo"]]
    assert statuses == ["Succeeded", "Failed", "Succeeded"]


def test_a_parameter_from_the_store_is_its_value_in_what_the_translator_writes(cloud: LocalCloud) -> None:
    """As in aws-samples' shopping cart: a user pool's ARN from SSM, in an API's authorizer."""
    pool = cloud.client("cognito-idp").create_user_pool(PoolName="users")["UserPool"]["Arn"]
    cloud.client("ssm").put_parameter(Name="/auth/pool", Type="String", Value=pool)
    api = {
        "Type": "AWS::Serverless::Api",
        "Properties": {
            "StageName": "Prod",
            "Auth": {"Authorizers": {"Pool": {"UserPoolArn": {"Ref": "PoolArn"}}}},
        },
    }
    event = {"Path": "/", "Method": "get", "RestApiId": {"Ref": "Front"}, "Auth": {"Authorizer": "Pool"}}
    parameter = {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/auth/pool"}
    app = Deployer(cloud)
    made = app.create(
        {"Front": api, "Worker": function(Events={"Get": {"Type": "Api", "Properties": event}})},
        Transform=SERVERLESS,
        Parameters={"PoolArn": parameter},
    )
    assert made == "CREATE_COMPLETE", app.failures()
    found = cloud.client("apigateway").get_authorizers(restApiId=app.physical("Front"))["items"]
    assert [each["providerARNs"] for each in found] == [[pool]]
