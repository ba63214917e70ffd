"""What public samples do that stopped one of them here: each as a small application of our own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from infra.cloud import connect
from infra.cloud.local.cloud import LocalCloud
from infra.cloud.local.cloudformation.known_properties import exists
from infra.cloud.local.cloudformation.providers import handled_types, provider_for
from infra.cloud.local.cloudformation.providers.without_effect import WITHOUT_EFFECT
from infra.deploy import DeployFailed


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with connect("local") as opened:
        assert isinstance(opened, LocalCloud)
        yield opened


TRACED = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Traced:
    Type: AWS::Serverless::Function
    Properties: {FunctionName: traced, CodeUri: src/, Handler: app.handler, Runtime: python3.13}
"""

HANDLER = """
import asyncio
import os
from aws_xray_sdk.core import patch_all, xray_recorder
from aws_xray_sdk.ext.httplib import add_ignored
from aws_lambda_powertools import Tracer

patch_all()
tracer = Tracer(service="shop")

@xray_recorder.capture("double")
def double(value):
    with xray_recorder.in_subsegment("inner") as inner:
        inner.put_annotation("value", value)
    return 2 * value

@xray_recorder.capture_async("later")
async def later(value):
    async with xray_recorder.in_subsegment_async("inner") as inner:
        inner.put_metadata("value", value)
    return value + 1

@tracer.capture_method
def named(value):
    tracer.put_annotation("value", value)
    return value

@tracer.capture_lambda_handler
def handler(event, context):
    segment = xray_recorder.begin_subsegment("whole")
    xray_recorder.end_subsegment()
    return [named(double(3)), asyncio.run(later(3)), segment.trace_id in os.environ["_X_AMZN_TRACE_ID"]]
"""


def test_handlers_use_the_xray_sdk(
    cloud: LocalCloud, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "app.py").write_text(HANDLER)
    (tmp_path / "src" / "requirements.txt").write_text("aws-xray-sdk==2.14\naws-lambda-powertools[tracer]\n")
    (tmp_path / "template.yaml").write_text(TRACED)
    cloud.deploy(tmp_path)
    answer = json.load(cloud.client("lambda").invoke(FunctionName="traced")["Payload"])
    assert answer == [6, 4, True]
    assert "not installed here" not in capsys.readouterr().out


def test_a_function_brings_its_own_xray_sdk(cloud: LocalCloud, tmp_path: Path) -> None:
    (tmp_path / "src" / "aws_xray_sdk").mkdir(parents=True)
    (tmp_path / "src" / "aws_xray_sdk" / "__init__.py").write_text("OWN = 1\n")
    (tmp_path / "src" / "app.py").write_text("import aws_xray_sdk\nhandler = lambda *_: aws_xray_sdk.OWN\n")
    (tmp_path / "template.yaml").write_text(TRACED)
    cloud.deploy(tmp_path)
    assert json.load(cloud.client("lambda").invoke(FunctionName="traced")["Payload"]) == 1


def test_empty_sections_and_what_only_a_console_shows(cloud: LocalCloud, tmp_path: Path) -> None:
    path = tmp_path / "shown.yaml"
    path.write_text("""
Parameters:
Resources:
  Query: {Type: AWS::Logs::QueryDefinition, Properties: {Name: errors, QueryString: fields @message}}
  Traces: {Type: AWS::XRay::Group, Properties: {GroupName: all, FilterExpression: responsetime > 1}}
  Rule: {Type: AWS::XRay::SamplingRule, Properties: {SamplingRule: {RuleName: all, FixedRate: 1}}}
  Group: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: shown, FieldIndexPolicies: [{Fields: [id]}]}}
Outputs:
""")
    app = cloud.deploy(path)
    found = cloud.client("logs").describe_log_groups(logGroupNamePrefix="shown")["logGroups"]
    assert [group["logGroupName"] for group in found] == ["shown"]
    cloud.destroy(app)


def test_names_in_get_att_made_by_a_loop(cloud: LocalCloud, tmp_path: Path) -> None:
    path = tmp_path / "loop.yaml"
    path.write_text("""
Transform: AWS::LanguageExtensions
Resources:
  Fn::ForEach::Queues:
    - Name
    - [One, Two]
    - Queue${Name}: {Type: AWS::SQS::Queue, Properties: {QueueName: !Sub "${Name}"}}
Outputs:
  Fn::ForEach::Names:
    - Name
    - [One, Two]
    - Name${Name}: {Value: !GetAtt [!Sub "Queue${Name}", QueueName]}
""")
    assert cloud.deploy(path).outputs == {"NameOne": "One", "NameTwo": "Two"}


def test_a_member_that_is_null_is_not_there(cloud: LocalCloud) -> None:
    """``"Marker": null`` asks for the first page (serverless-patterns list functions so)."""
    iam, machines = cloud.client("iam"), cloud.client("stepfunctions")
    trust = {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = iam.create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))["Role"]
    allow = {"Effect": "Allow", "Action": "lambda:ListFunctions", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    iam.put_role_policy(RoleName="r", PolicyName="p", PolicyDocument=policy)
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:lambda:listFunctions",
        "Arguments": {"Marker": "{% $states.input.NextMarker %}"},
        "Output": "{% $states.result.Functions %}",
        "End": True,
    }
    definition = {"QueryLanguage": "JSONata", "StartAt": "List", "States": {"List": task}}
    machine = machines.create_state_machine(name="m", definition=json.dumps(definition), roleArn=role["Arn"])[
        "stateMachineArn"
    ]
    started = machines.start_execution(stateMachineArn=machine, input='{"NextMarker": null}')
    cloud.settle()
    done = machines.describe_execution(executionArn=started["executionArn"])
    assert (done["status"], done.get("output")) == ("SUCCEEDED", "[]")


def test_a_property_that_aws_has_not_is_called_that(cloud: LocalCloud, tmp_path: Path) -> None:
    """A topic's ``Name`` (step-functions-workflows-collection human-task-reminder): it is TopicName."""
    path = tmp_path / "slip.yaml"
    path.write_text("""
Resources:
  Topic: {Type: AWS::SNS::Topic, Properties: {Name: reminders}}
""")
    with pytest.raises(
        DeployFailed, match=r"for resource Topic .*#: extraneous key \[Name\] is not permitted"
    ):
        cloud.deploy(path)
    path.write_text("""
Resources:
  Topic: {Type: AWS::SNS::Topic, Properties: {DataProtectionPolicy: {Name: x}}}
""")
    with pytest.raises(DeployFailed, match=r"NotSimulated: property AWS::SNS::Topic[.]DataProtectionPolicy"):
        cloud.deploy(path)


def test_the_cdk_knows_every_property_that_is_accepted() -> None:
    """Or a property of AWS would be refused as a slip of the pen."""
    kinds = [kind for kind in handled_types() if kind.startswith("AWS::") and "*" not in kind]
    unknown = [
        (kind, name)
        for kind in kinds
        for name in (*provider_for(kind).properties, *WITHOUT_EFFECT.get(kind, ()))  # type: ignore[union-attr]
        if exists(kind, name.partition(".")[0]) is False
    ]
    newer = [(f"AWS::Events::{kind}", "Tags") for kind in ("ApiDestination", "Connection")]
    assert unknown == [("AWS::CloudFormation::Stack", "StackName"), *newer]
    assert sum(exists(kind, "x") is None for kind in kinds) < 10


def test_a_host_outside_is_named(
    cloud: LocalCloud, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An API before a web site (serverless-patterns has many) answers 503 here: the reader is told why."""
    path = tmp_path / "front.yaml"
    path.write_text("""
Transform: AWS::Serverless-2016-10-31
Resources:
  Api:
    Type: AWS::Serverless::HttpApi
    Properties:
      DefinitionBody:
        openapi: 3.0.1
        paths:
          /{site}:
            get:
              x-amazon-apigateway-integration:
                {type: http_proxy, httpMethod: GET, uri: "https://{site}/get", payloadFormatVersion: "1.0"}
Outputs:
  Url: {Value: !Sub "https://${Api}.execute-api.${AWS::Region}.amazonaws.com/"}
""")
    url = cloud.deploy(path)["Url"]
    sites = ("httpbin.org", "httpbin.org", "shop.example")
    assert [requests.get(url + site, timeout=30).status_code for site in sites] == [503, 503, 503]
    told = "NotSimulated: httpbin.org. No request leaves the local cloud, so apigateway gets no answer.\n"
    shown = capsys.readouterr().out
    assert (shown.count(told), shown.count("NotSimulated")) == (1, 1)


def test_parameters_of_a_pass_state_may_be_an_array(cloud: LocalCloud, tmp_path: Path) -> None:
    """As serverless-patterns' eventbridge-pipes-sqs-to-lambda-with-stepfunction-enrichment has them; what
    else the interpreter cannot read is not said to be wrong."""
    path = tmp_path / "array.yaml"
    path.write_text("""
Transform: AWS::Serverless-2016-10-31
Resources:
  Machine:
    Type: AWS::Serverless::StateMachine
    Properties:
      Definition:
        StartAt: Each
        States:
          Each:
            Type: Map
            ItemsPath: $.items
            Next: All
            ItemProcessor:
              StartAt: One
              States:
                One: {Type: Pass, Parameters: [{"n.$": "$.n"}, one], End: true}
          All: {Type: Pass, Parameters: [{"all.$": "$"}], ResultPath: "$[0]", End: true}
Outputs:
  Arn: {Value: !Ref Machine}
""")
    arn = cloud.deploy(path)["Arn"]
    machines = cloud.client("stepfunctions")
    started = machines.start_execution(stateMachineArn=arn, input='{"items": [{"n": 1}]}')
    cloud.settle()
    done = machines.describe_execution(executionArn=started["executionArn"])
    assert json.loads(done["output"]) == [[{"all": [[{"n": 1}, "one"]]}]]
    path.write_text(path.read_text().replace("Next: All", "Next: All\n            ItemSelector: [1]"))
    with pytest.raises(DeployFailed, match="NotSimulated: AWS may take this definition"):
        cloud.deploy(path)


def test_strings_are_attribute_values_to_the_integration_of_dynamodb(
    cloud: LocalCloud, tmp_path: Path
) -> None:
    """As curbside-pickup of aws-samples/step-functions-workflows-collection writes its orders."""
    path = tmp_path / "orders.yaml"
    path.write_text("""
Transform: AWS::Serverless-2016-10-31
Resources:
  Table: {Type: AWS::Serverless::SimpleTable}
  Machine:
    Type: AWS::Serverless::StateMachine
    Properties:
      Policies: [{DynamoDBCrudPolicy: {TableName: !Ref Table}}]
      DefinitionSubstitutions: {Table: !Ref Table}
      Definition:
        StartAt: Create
        States:
          Create:
            Type: Task
            Resource: arn:aws:states:::dynamodb:putItem
            Parameters:
              TableName: ${Table}
              Item: {Item: null, "id.$": $.id, state: new, tags: {"L.$": $.tags}, n: {N: "1"}}
            ResultPath: null
            Next: Update
          Update:
            Type: Task
            Resource: arn:aws:states:::dynamodb:updateItem
            Parameters:
              TableName: ${Table}
              Key: {"id.$": $.id}
              UpdateExpression: SET taskToken = :t
              ExpressionAttributeValues: {":t": ""}
            End: true
Outputs:
  Arn: {Value: !Ref Machine}
  Table: {Value: !Ref Table}
""")
    app = cloud.deploy(path)
    order = json.dumps({"id": "7", "tags": ["a", "b"]})
    cloud.client("stepfunctions").start_execution(stateMachineArn=app["Arn"], input=order)
    cloud.settle()
    kept = cloud.resource("dynamodb").Table(app["Table"]).scan()["Items"]
    assert kept == [{"id": "7", "state": "new", "tags": ["a", "b"], "n": 1, "taskToken": ""}]


def test_what_a_fresh_account_lacks_is_said(cloud: LocalCloud, tmp_path: Path) -> None:
    """Every other API of serverless-patterns writes access logs and takes the account's role for granted."""
    path = tmp_path / "logged.yaml"
    template = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Log: {Type: AWS::Logs::LogGroup}
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: [{Effect: Allow, Action: sts:AssumeRole, Principal: {Service: apigateway.amazonaws.com}}]
      ManagedPolicyArns: [arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs]
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: Prod
      AccessLogSetting: {DestinationArn: !GetAtt Log.Arn, Format: $context.requestId}
      DefinitionBody:
        swagger: "2.0"
        paths: {/: {get: {x-amazon-apigateway-integration: {type: mock}}}}
"""
    path.write_text(template)
    with pytest.raises(DeployFailed, match=r"must be set in account settings.* - a fresh account has none"):
        cloud.deploy(path)
    account = "  Account: {Type: AWS::ApiGateway::Account, Properties: {CloudWatchRoleArn: !GetAtt Role.Arn}}"
    path.write_text(
        template.replace(
            "    Properties:\n      StageName", "    DependsOn: Account\n    Properties:\n      StageName"
        )
        + account
    )
    assert cloud.deploy(path).stack_name == "logged"
