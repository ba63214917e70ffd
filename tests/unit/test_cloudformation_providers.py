"""The resource types against the local cloud's services: what the template says is what boto3 reads."""

from __future__ import annotations

import copy
import io
import json
import zipfile
from typing import Any

import botocore.exceptions
import pytest

from infra.cloud.local.cloudformation.providers import handled_types, provider_for
from infra.cloud.local.cloudformation.providers.base import generated_name
from infra.cloud.local.cloudformation.providers.without_effect import WITHOUT_EFFECT
from infra.cloud.local.world import World

CAPABILITIES = ["CAPABILITY_NAMED_IAM"]


def trust(service: str) -> dict[str, Any]:
    principal = {"Service": f"{service}.amazonaws.com"}
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}],
    }


def resource(kind: str, *, depends_on: str = "", **properties: Any) -> dict[str, Any]:
    return {"Type": kind, "Properties": properties, **({"DependsOn": depends_on} if depends_on else {})}


def get(name: str, attribute: str = "Arn") -> dict[str, Any]:
    return {"Fn::GetAtt": [name, attribute]}


BASIC_EXECUTION = {
    "Fn::Sub": "arn:${AWS::Partition}:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
}
ALLOW = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}]}

WORKER: dict[str, Any] = {
    "Dlq": resource("AWS::SQS::Queue"),
    "Queue": resource(
        "AWS::SQS::Queue",
        VisibilityTimeout=60,
        RedrivePolicy={"deadLetterTargetArn": get("Dlq"), "maxReceiveCount": 3},
    ),
    "Table": resource(
        "AWS::DynamoDB::Table",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    ),
    "Role": resource(
        "AWS::IAM::Role", AssumeRolePolicyDocument=trust("lambda"), ManagedPolicyArns=[BASIC_EXECUTION]
    ),
    "Policy": resource(
        "AWS::IAM::Policy", PolicyName="Access", Roles=[{"Ref": "Role"}], PolicyDocument=ALLOW
    ),
    "Worker": resource(
        "AWS::Lambda::Function",
        depends_on="Policy",
        Code={"ZipFile": "def handler(event, context):\n    return 'one'\n"},
        Handler="index.handler",
        Runtime="python3.12",
        Role=get("Role"),
        MemorySize="256",
        Environment={"Variables": {"TABLE": {"Ref": "Table"}, "LIMIT": 5}},
    ),
    "Mapping": resource(
        "AWS::Lambda::EventSourceMapping",
        EventSourceArn=get("Queue"),
        FunctionName={"Ref": "Worker"},
        BatchSize=10,
        FunctionResponseTypes=["ReportBatchItemFailures"],
    ),
}


class Deployer:
    """boto3 as a learner uses it: call, wait, describe."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.client = world.client("cloudformation")

    def create(self, resources: dict[str, Any], name: str = "app", **params: Any) -> dict[str, str]:
        body = json.dumps({"Resources": resources})
        self.client.create_stack(StackName=name, TemplateBody=body, Capabilities=CAPABILITIES, **params)
        self.client.get_waiter("stack_create_complete").wait(StackName=name)
        return self.ids(name)

    def update(self, resources: dict[str, Any], name: str = "app") -> dict[str, str]:
        body = json.dumps({"Resources": resources})
        self.client.update_stack(StackName=name, TemplateBody=body, Capabilities=CAPABILITIES)
        self.client.get_waiter("stack_update_complete").wait(StackName=name)
        return self.ids(name)

    def delete(self, name: str = "app") -> None:
        self.client.delete_stack(StackName=name)
        self.client.get_waiter("stack_delete_complete").wait(StackName=name)

    def ids(self, name: str = "app") -> dict[str, str]:
        found = self.client.describe_stack_resources(StackName=name)["StackResources"]
        return {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in found}

    def reasons(self, status: str, name: str = "app") -> list[str]:
        events = self.client.describe_stack_events(StackName=name)["StackEvents"]
        return [each["ResourceStatusReason"] for each in events if each["ResourceStatus"] == status]


def queue_attributes(world: World, url: str) -> dict[str, str]:
    answer = world.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
    attributes: dict[str, str] = answer["Attributes"]
    return attributes


@pytest.fixture
def deployer(world: World) -> Deployer:
    return Deployer(world)


def test_a_worker_stack_is_what_the_template_says(world: World, deployer: Deployer) -> None:
    ids = deployer.create(WORKER)
    attributes = queue_attributes(world, ids["Queue"])
    assert attributes["VisibilityTimeout"] == "60"
    assert json.loads(attributes["RedrivePolicy"])["deadLetterTargetArn"].endswith(
        ids["Dlq"].rsplit("/", 1)[1]
    )
    function = world.client("lambda").get_function_configuration(FunctionName=ids["Worker"])
    assert (function["MemorySize"], function["Timeout"]) == (256, 3)
    assert function["Environment"]["Variables"] == {"TABLE": ids["Table"], "LIMIT": "5"}
    mapping = world.client("lambda").get_event_source_mapping(UUID=ids["Mapping"])
    assert (mapping["State"], mapping["BatchSize"]) == ("Enabled", 10)
    attached = world.client("iam").list_attached_role_policies(RoleName=ids["Role"])["AttachedPolicies"]
    assert [each["PolicyName"] for each in attached] == ["AWSLambdaBasicExecutionRole"]
    assert world.client("iam").list_role_policies(RoleName=ids["Role"])["PolicyNames"] == ["Access"]

    deployer.delete()
    assert world.client("sqs").list_queues().get("QueueUrls", []) == []
    assert world.client("lambda").list_functions()["Functions"] == []
    assert world.client("dynamodb").list_tables()["TableNames"] == []
    assert world.client("iam").list_roles()["Roles"] == []


def test_a_worker_stack_is_changed_in_place(world: World, deployer: Deployer) -> None:
    before = deployer.create(WORKER)
    changed = copy.deepcopy(WORKER)
    changed["Queue"]["Properties"] = {"MessageRetentionPeriod": 3600}
    changed["Worker"]["Properties"]["Code"]["ZipFile"] = "def handler(event, context):\n    return 'two'\n"
    changed["Worker"]["Properties"]["ReservedConcurrentExecutions"] = 2
    del changed["Worker"]["Properties"]["Environment"], changed["Worker"]["Properties"]["MemorySize"]
    changed["Mapping"]["Properties"]["BatchSize"] = 5
    changed["Policy"]["Properties"]["PolicyName"] = "Renamed"
    changed["Role"]["Properties"]["ManagedPolicyArns"] = []
    table = changed["Table"]["Properties"]
    table["AttributeDefinitions"].append({"AttributeName": "day", "AttributeType": "S"})
    table["GlobalSecondaryIndexes"] = [
        {
            "IndexName": "by-day",
            "KeySchema": [{"AttributeName": "day", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "ALL"},
        }
    ]
    table["StreamSpecification"] = {"StreamViewType": "NEW_IMAGE"}
    table["TimeToLiveSpecification"] = {"AttributeName": "until", "Enabled": True}
    table["PointInTimeRecoverySpecification"] = {"PointInTimeRecoveryEnabled": True}
    assert deployer.update(changed) == before

    attributes = queue_attributes(world, before["Queue"])
    assert (attributes["VisibilityTimeout"], attributes["MessageRetentionPeriod"]) == ("30", "3600")
    assert "RedrivePolicy" not in attributes
    answer = world.client("lambda").invoke(FunctionName=before["Worker"])["Payload"].read()
    assert json.loads(answer) == "two"
    function = world.client("lambda").get_function(FunctionName=before["Worker"])
    assert function["Configuration"]["MemorySize"] == 128
    assert function["Configuration"].get("Environment", {}).get("Variables", {}) == {}
    assert function["Concurrency"] == {"ReservedConcurrentExecutions": 2}
    assert world.client("lambda").get_event_source_mapping(UUID=before["Mapping"])["BatchSize"] == 5
    assert world.client("iam").list_role_policies(RoleName=before["Role"])["PolicyNames"] == ["Renamed"]
    assert world.client("iam").list_attached_role_policies(RoleName=before["Role"])["AttachedPolicies"] == []
    dynamodb = world.client("dynamodb")
    described = dynamodb.describe_table(TableName=before["Table"])["Table"]
    assert [index["IndexName"] for index in described["GlobalSecondaryIndexes"]] == ["by-day"]
    assert described["StreamSpecification"]["StreamViewType"] == "NEW_IMAGE"
    ttl = dynamodb.describe_time_to_live(TableName=before["Table"])["TimeToLiveDescription"]
    assert (ttl["TimeToLiveStatus"], ttl["AttributeName"]) == ("ENABLED", "until")
    recovery = dynamodb.describe_continuous_backups(TableName=before["Table"])["ContinuousBackupsDescription"]
    assert recovery["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"

    assert deployer.update(WORKER) == before
    described = dynamodb.describe_table(TableName=before["Table"])["Table"]
    assert not described.get("GlobalSecondaryIndexes")
    assert not described.get("StreamSpecification", {}).get("StreamEnabled")


def test_a_failed_update_leaves_the_services_as_they_were(world: World, deployer: Deployer) -> None:
    """The table's index and the queue's setting were made; the function's role does not exist."""
    ids = deployer.create(WORKER)
    changed = copy.deepcopy(WORKER)
    changed["Queue"]["Properties"]["VisibilityTimeout"] = 90
    changed["Worker"]["Properties"]["Role"] = "arn:aws:iam::123456789012:role/nobody"
    changed["Table"]["Properties"]["StreamSpecification"] = {"StreamViewType": "KEYS_ONLY"}
    changed["New"] = resource("AWS::SQS::Queue")
    with pytest.raises(botocore.exceptions.WaiterError):
        deployer.update(changed)
    stack = deployer.client.describe_stacks(StackName="app")["Stacks"][0]
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert deployer.ids() == ids
    sqs = world.client("sqs")
    attributes = sqs.get_queue_attributes(QueueUrl=ids["Queue"], AttributeNames=["VisibilityTimeout"])[
        "Attributes"
    ]
    assert attributes == {"VisibilityTimeout": "60"}
    assert len(sqs.list_queues()["QueueUrls"]) == 2
    table = world.client("dynamodb").describe_table(TableName=ids["Table"])["Table"]
    assert not table.get("StreamSpecification", {}).get("StreamEnabled")
    assert deployer.update({**WORKER, "New": resource("AWS::SQS::Queue")})["Queue"] == ids["Queue"]


def test_replacement_makes_the_new_before_the_old_goes(world: World, deployer: Deployer) -> None:
    """A table's key schema is fixed: the function gets the new table's name before the old one goes."""
    before = deployer.create(WORKER)
    changed = copy.deepcopy(WORKER)
    changed["Table"]["Properties"].update(
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
    )
    after = deployer.update(changed)
    assert after["Table"] != before["Table"]
    assert {name: after[name] for name in before if name != "Table"} == {
        name: before[name] for name in before if name != "Table"
    }
    assert world.client("dynamodb").list_tables()["TableNames"] == [after["Table"]]
    environment = world.client("lambda").get_function_configuration(FunctionName=after["Worker"])[
        "Environment"
    ]
    assert environment["Variables"]["TABLE"] == after["Table"]


def test_fifo_queues_get_their_suffix_and_policies_are_set(world: World, deployer: Deployer) -> None:
    statement = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": get("Queue")}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    resources = {
        "Queue": resource("AWS::SQS::Queue", FifoQueue=True, ContentBasedDeduplication="true"),
        "Policy": resource("AWS::SQS::QueuePolicy", Queues=[{"Ref": "Queue"}], PolicyDocument=policy),
    }
    ids = deployer.create(resources)
    assert ids["Queue"].endswith(".fifo")
    attributes = queue_attributes(world, ids["Queue"])
    assert attributes["ContentBasedDeduplication"] == "true"
    assert json.loads(attributes["Policy"])["Statement"][0]["Resource"] == attributes["QueueArn"]
    deployer.update({"Queue": resources["Queue"]})
    attributes = queue_attributes(world, ids["Queue"])
    assert "Policy" not in attributes


def test_a_queue_that_somebody_else_made_is_not_adopted(world: World, deployer: Deployer) -> None:
    url = world.client("sqs").create_queue(QueueName="theirs")["QueueUrl"]
    with pytest.raises(botocore.exceptions.WaiterError):
        deployer.create({"Queue": resource("AWS::SQS::Queue", QueueName="theirs")})
    assert deployer.reasons("CREATE_FAILED") == [
        "Resource handler returned message: \"Resource of type 'AWS::SQS::Queue' with identifier 'theirs' "
        'already exists. (Status Code: 400, Error Code: AlreadyExists)" (HandlerErrorCode: AlreadyExists)'
    ]
    assert world.client("sqs").list_queues()["QueueUrls"] == [url]


def test_versions_aliases_permissions_and_asynchronous_settings(world: World, deployer: Deployer) -> None:
    extra = {
        "Version": resource("AWS::Lambda::Version", FunctionName={"Ref": "Worker"}),
        "Alias": resource(
            "AWS::Lambda::Alias",
            FunctionName={"Ref": "Worker"},
            FunctionVersion=get("Version", "Version"),
            Name="live",
            ProvisionedConcurrencyConfig={"ProvisionedConcurrentExecutions": 2},
        ),
        "Invoke": resource(
            "AWS::Lambda::EventInvokeConfig",
            FunctionName={"Ref": "Worker"},
            Qualifier="$LATEST",
            MaximumRetryAttempts=1,
            DestinationConfig={"OnFailure": {"Destination": get("Dlq")}},
        ),
        "Permission": resource(
            "AWS::Lambda::Permission",
            FunctionName={"Ref": "Worker"},
            Action="lambda:InvokeFunction",
            Principal="events.amazonaws.com",
        ),
    }
    ids = deployer.create({**WORKER, **extra})
    function = world.client("lambda")
    assert ids["Version"].endswith(":1")
    assert ids["Alias"].endswith(":live")
    config = function.get_provisioned_concurrency_config(FunctionName=ids["Worker"], Qualifier="live")
    assert config["Status"] == "READY"
    settings = function.get_function_event_invoke_config(FunctionName=ids["Worker"])
    assert settings["MaximumRetryAttempts"] == 1
    policy = json.loads(function.get_policy(FunctionName=ids["Worker"])["Policy"])
    assert policy["Statement"][0]["Sid"] == ids["Permission"]

    changed = copy.deepcopy({**WORKER, **extra})
    changed["Version2"] = resource("AWS::Lambda::Version", FunctionName={"Ref": "Worker"}, Description="next")
    changed["Worker"]["Properties"]["Code"]["ZipFile"] = "def handler(event, context):\n    return 'two'\n"
    changed["Alias"]["Properties"]["FunctionVersion"] = get("Version2", "Version")
    del changed["Alias"]["Properties"]["ProvisionedConcurrencyConfig"], changed["Version"]
    after = deployer.update(changed)
    assert function.get_alias(FunctionName=ids["Worker"], Name="live")["FunctionVersion"] == "2"
    versions = function.list_versions_by_function(FunctionName=after["Worker"])["Versions"]
    assert [each["Version"] for each in versions] == ["$LATEST", "2"]
    deployer.delete()


def test_code_and_layers_from_s3(world: World, deployer: Deployer) -> None:
    def archive(name: str, text: str) -> bytes:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as file:
            file.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), text)
        return buffer.getvalue()

    s3 = world.client("s3")
    s3.create_bucket(Bucket="assets")
    code = "import shared\n\ndef handler(event, context):\n    return shared.NAME\n"
    s3.put_object(Bucket="assets", Key="code.zip", Body=archive("app.py", code))
    s3.put_object(
        Bucket="assets", Key="layer.zip", Body=archive("python/shared.py", "NAME = 'from the layer'\n")
    )
    resources = {
        "Role": WORKER["Role"],
        "Layer": resource(
            "AWS::Lambda::LayerVersion",
            Content={"S3Bucket": "assets", "S3Key": "layer.zip"},
            CompatibleRuntimes=["python3.12"],
        ),
        "Worker": resource(
            "AWS::Lambda::Function",
            Code={"S3Bucket": "assets", "S3Key": "code.zip"},
            Handler="app.handler",
            Runtime="python3.12",
            Role=get("Role"),
            Layers=[{"Ref": "Layer"}],
        ),
    }
    ids = deployer.create(resources)
    answer = world.client("lambda").invoke(FunctionName=ids["Worker"])["Payload"].read()
    assert json.loads(answer) == "from the layer"


def test_managed_policies_are_attached_changed_and_detached(world: World, deployer: Deployer) -> None:
    resources = {
        "Role": resource("AWS::IAM::Role", AssumeRolePolicyDocument=trust("lambda"), RoleName="named"),
        "Managed": resource("AWS::IAM::ManagedPolicy", PolicyDocument=ALLOW, Roles=[{"Ref": "Role"}]),
    }
    ids = deployer.create(resources)
    iam = world.client("iam")
    assert ids["Role"] == "named"
    assert [
        p["PolicyArn"] for p in iam.list_attached_role_policies(RoleName="named")["AttachedPolicies"]
    ] == [ids["Managed"]]
    for number in range(6):  # a policy has at most five versions
        statement = {"Effect": "Allow", "Action": "s3:*", "Resource": f"arn:aws:s3:::bucket{number}"}
        document = {"Version": "2012-10-17", "Statement": [statement]}
        resources["Managed"] = resource(
            "AWS::IAM::ManagedPolicy", PolicyDocument=document, Roles=[{"Ref": "Role"}] if number < 5 else []
        )
        deployer.update(resources)
    default = iam.get_policy(PolicyArn=ids["Managed"])["Policy"]["DefaultVersionId"]
    version = iam.get_policy_version(PolicyArn=ids["Managed"], VersionId=default)["PolicyVersion"]
    assert "bucket5" in json.dumps(version["Document"])
    assert iam.list_attached_role_policies(RoleName="named")["AttachedPolicies"] == []
    deployer.delete()
    assert iam.list_policies(Scope="Local")["Policies"] == []


def test_alarm_dashboard_parameter_and_what_the_cdk_adds(world: World, deployer: Deployer) -> None:
    resources = {
        "Queue": resource("AWS::SQS::Queue"),
        "Alarm": resource(
            "AWS::CloudWatch::Alarm",
            ComparisonOperator="GreaterThanThreshold",
            EvaluationPeriods=1,
            Threshold="0",
            Metrics=[
                {
                    "Id": "m1",
                    "MetricStat": {
                        "Metric": {
                            "Namespace": "AWS/SQS",
                            "MetricName": "ApproximateNumberOfMessagesVisible",
                            "Dimensions": [{"Name": "QueueName", "Value": get("Queue", "QueueName")}],
                        },
                        "Period": 60,
                        "Stat": "Maximum",
                    },
                }
            ],
        ),
        "Dashboard": resource("AWS::CloudWatch::Dashboard", DashboardBody='{"widgets": []}'),
        "Parameter": resource("AWS::SSM::Parameter", Type="String", Value={"Ref": "Queue"}),
        "CDKMetadata": resource("AWS::CDK::Metadata", Analytics="v2:deflate64:H4s"),
        "Handle": resource("AWS::CloudFormation::WaitConditionHandle"),
    }
    ids = deployer.create(resources)
    cloudwatch = world.client("cloudwatch")
    [alarm] = cloudwatch.describe_alarms()["MetricAlarms"]
    assert (alarm["AlarmName"], alarm["Threshold"]) == (ids["Alarm"], 0.0)
    assert cloudwatch.get_dashboard(DashboardName=ids["Dashboard"])["DashboardBody"] == '{"widgets": []}'
    parameter = world.client("ssm").get_parameter(Name=ids["Parameter"])["Parameter"]
    assert parameter["Value"] == ids["Queue"]
    deployer.update({**resources, "Parameter": resource("AWS::SSM::Parameter", Type="String", Value="new")})
    assert world.client("ssm").get_parameter(Name=ids["Parameter"])["Parameter"]["Value"] == "new"
    deployer.delete()
    assert cloudwatch.describe_alarms()["MetricAlarms"] == []


def test_log_group(world: World, deployer: Deployer) -> None:
    ids = deployer.create({"Logs": resource("AWS::Logs::LogGroup", RetentionInDays=7)})
    logs = world.client("logs")
    [group] = logs.describe_log_groups(logGroupNamePrefix=ids["Logs"])["logGroups"]
    assert group["retentionInDays"] == 7
    deployer.update({"Logs": resource("AWS::Logs::LogGroup", RetentionInDays=30)})
    [group] = logs.describe_log_groups(logGroupNamePrefix=ids["Logs"])["logGroups"]
    assert group["retentionInDays"] == 30
    deployer.delete()
    assert logs.describe_log_groups(logGroupNamePrefix=ids["Logs"])["logGroups"] == []


def test_dynamic_references_are_resolved(world: World, deployer: Deployer) -> None:
    world.client("ssm").put_parameter(Name="/limit", Value="45", Type="String")
    secret = json.dumps({"user": "u", "password": "p"})
    world.client("secretsmanager").create_secret(Name="db", SecretString=secret)
    ids = deployer.create(
        {
            "Queue": resource("AWS::SQS::Queue", VisibilityTimeout="{{resolve:ssm:/limit}}"),
            "Copy": resource(
                "AWS::SSM::Parameter",
                Type="String",
                Value="{{resolve:secretsmanager:db:SecretString:user}}@{{resolve:ssm:/limit}}",
            ),
        }
    )
    attributes = queue_attributes(world, ids["Queue"])
    assert attributes["VisibilityTimeout"] == "45"
    assert world.client("ssm").get_parameter(Name=ids["Copy"])["Parameter"]["Value"] == "u@45"


def test_a_deployment_role_may_only_do_what_it_may(world: World, deployer: Deployer) -> None:
    role = world.client("iam").create_role(
        RoleName="deployer", AssumeRolePolicyDocument=json.dumps(trust("cloudformation"))
    )["Role"]["Arn"]
    with pytest.raises(botocore.exceptions.WaiterError):
        deployer.create({"Queue": resource("AWS::SQS::Queue")}, RoleARN=role)
    [reason] = deployer.reasons("CREATE_FAILED")
    assert "sqs:createqueue" in reason.lower()
    assert reason.endswith("(HandlerErrorCode: AccessDenied)")


@pytest.mark.parametrize("service", ["", "lambda"])
def test_a_deployment_role_must_be_there_and_trust_cloudformation(
    service: str, world: World, deployer: Deployer
) -> None:
    """tests/aws/services/cloudformation/api/test_update_stack.snapshot.json of localstack/localstack"""
    if service:
        world.client("iam").create_role(
            RoleName="deployer", AssumeRolePolicyDocument=json.dumps(trust(service))
        )
    role = "arn:aws:iam::123456789012:role/deployer"
    with pytest.raises(botocore.exceptions.ClientError, match=f"{role} is invalid or cannot be assumed"):
        deployer.create({"Queue": resource("AWS::SQS::Queue")}, RoleARN=role)


def test_a_version_needs_a_function_that_has_changed(world: World, deployer: Deployer) -> None:
    twice = {
        "One": resource("AWS::Lambda::Version", FunctionName={"Ref": "Worker"}),
        "Two": resource("AWS::Lambda::Version", FunctionName={"Ref": "Worker"}, depends_on="One"),
    }
    with pytest.raises(botocore.exceptions.WaiterError):
        deployer.create({**WORKER, **twice})
    [reason] = [each for each in deployer.reasons("CREATE_FAILED") if "cancelled" not in each]
    assert "A version for this Lambda function exists ( 1 ). Modify the function to create a new" in reason
    assert reason.endswith("(HandlerErrorCode: AlreadyExists)")


def test_a_change_set_follows_the_value_of_a_changed_parameter(world: World, deployer: Deployer) -> None:
    """test_changesets.snapshot.json of localstack/localstack: TestTwoResources"""

    def both(value: str) -> dict[str, Any]:
        first = resource("AWS::SSM::Parameter", Type="String", Value=value)
        return {
            "One": first,
            "Two": resource("AWS::SSM::Parameter", Type="String", Value=get("One", "Value")),
        }

    deployer.create(both("a"))
    client = world.client("cloudformation")
    client.create_change_set(
        StackName="app", ChangeSetName="x", TemplateBody=json.dumps({"Resources": both("b")})
    )
    client.get_waiter("change_set_create_complete").wait(StackName="app", ChangeSetName="x")
    changes = client.describe_change_set(StackName="app", ChangeSetName="x")["Changes"]
    [detail] = changes[1]["ResourceChange"]["Details"]
    assert (detail["Evaluation"], detail["ChangeSource"], detail["CausingEntity"]) == (
        "Dynamic",
        "ResourceAttribute",
        "One.Value",
    )


def test_a_change_set_with_values_leaves_out_what_hangs_on_an_attribute_that_may_stay(
    world: World, deployer: Deployer
) -> None:
    """LocalStack, v2/test_change_set_fn_get_attr (direct_attribute_value_change_in_get_attr_chain)"""

    def chain(first: str) -> dict[str, Any]:
        names = {"One": first, "Two": get("One", "DisplayName"), "Three": get("Two", "DisplayName")}
        return {
            logical: resource("AWS::SNS::Topic", TopicName=logical, DisplayName=name)
            for logical, name in names.items()
        }

    deployer.create(chain("before"))
    client = world.client("cloudformation")
    client.create_change_set(
        StackName="app", ChangeSetName="x", TemplateBody=json.dumps({"Resources": chain("after")})
    )
    client.get_waiter("change_set_create_complete").wait(StackName="app", ChangeSetName="x")

    def listed(with_values: bool) -> list[str]:
        described = client.describe_change_set(
            StackName="app", ChangeSetName="x", IncludePropertyValues=with_values
        )
        return [each["ResourceChange"]["LogicalResourceId"] for each in described["Changes"]]

    assert listed(with_values=False) == ["One", "Two", "Three"]
    assert listed(with_values=True) == ["One"]


def test_a_template_in_json_comes_back_as_a_dictionary(world: World, deployer: Deployer) -> None:
    deployer.create({"Queue": resource("AWS::SQS::Queue")})
    found = world.client("cloudformation").get_template(StackName="app")["TemplateBody"]
    assert found["Resources"] == {"Queue": resource("AWS::SQS::Queue")}


def test_names_share_the_room_they_have() -> None:
    assert generated_name("app", "Queue", "RANDOM", 80) == "app-Queue-RANDOM"
    assert generated_name("a" * 50, "B" * 50, "R" * 12, 64) == f"{'a' * 25}-{'B' * 25}-{'R' * 12}"
    assert generated_name("app", "B" * 100, "R" * 12, 64) == f"app-{'B' * 47}-{'R' * 12}"
    assert generated_name("a" * 100, "Fn", "R" * 12, 64) == f"{'a' * 48}-Fn-{'R' * 12}"


def test_what_has_no_effect_is_listed_for_types_that_exist_and_for_nothing_that_is_handled() -> None:
    for kind, reasons in WITHOUT_EFFECT.items():
        provider = provider_for(kind)
        assert provider is not None, kind
        assert not [name for name in reasons if name in provider.properties], kind
        assert all(len(reason) > 20 for reason in reasons.values())
    assert "AWS::SQS::Queue" in handled_types()
