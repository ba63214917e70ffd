"""What is left in an account is found, priced and deleted, and nothing else is touched."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra import asset_bucket, deploy
from infra.cloud.aws import account, kinds, leftovers, standing, tags
from infra.cloud.aws.account import Account
from infra.cloud.aws.cloud import AwsCloud
from infra.cloud.aws.depth_sampler import DepthSampler
from infra.cloud.aws.sweep import remove, remove_leftovers
from infra.cloud.local.world import World
from infra.sources import plan
from infra.stacks.welcome import Welcome
from labs.toolkit import cli
from labs.toolkit import sweep as command
from labs.toolkit.cleanup import left_over, nothing_left
from labs.toolkit.sweep import sweep

from .test_aws_cloud import ARN, _Session

KEPT = {
    "Bucket": {
        "Type": "AWS::S3::Bucket",
        "DeletionPolicy": "Retain",
        "Properties": {"VersioningConfiguration": {"Status": "Enabled"}},
    },
    "Queue": {"Type": "AWS::SQS::Queue", "DeletionPolicy": "Retain"},
    "Topic": {"Type": "AWS::SNS::Topic", "DeletionPolicy": "Retain"},
    "Stream": {
        "Type": "AWS::Kinesis::Stream",
        "DeletionPolicy": "Retain",
        "Properties": {"ShardCount": 2},
    },
    "Table": {
        "Type": "AWS::DynamoDB::Table",
        "DeletionPolicy": "Retain",
        "Properties": {
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "k", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "k", "KeyType": "HASH"}],
        },
    },
    "Role": {
        "Type": "AWS::IAM::Role",
        "DeletionPolicy": "Retain",
        "Properties": {
            "AssumeRolePolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": "lambda.amazonaws.com"},
                        "Action": "sts:AssumeRole",
                    }
                ],
            },
            "ManagedPolicyArns": ["arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"],
        },
    },
    "Function": {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "Runtime": "python3.13",
            "Handler": "index.handler",
            "Role": {"Fn::GetAtt": ["Role", "Arn"]},
            "Code": {"ZipFile": "def handler(event, context):\n    print('hello')\n"},
        },
    },
}
QUEUE = {"Queue": {"Type": "AWS::SQS::Queue"}}


class _Tagged:
    """The Resource Groups Tagging API, which also names what is long gone."""

    def __init__(self, *arns: str) -> None:
        self._arns = arns

    def get_paginator(self, operation: str) -> _Tagged:
        return self

    def paginate(self, TagFilters: list[Any]) -> list[dict[str, Any]]:  # noqa: N803
        assert TagFilters == [{"Key": "workshop", "Values": ["event-driven-workshop"]}]
        ours = [{"Key": "workshop", "Value": "event-driven-workshop"}]
        return [{"ResourceTagMappingList": [{"ResourceARN": arn, "Tags": ours} for arn in self._arns]}]


@pytest.fixture
def cloud(world: World, monkeypatch: pytest.MonkeyPatch) -> AwsCloud:
    monkeypatch.setattr(DepthSampler, "start", lambda self: None)  # virtual time has one thread
    for module in (deploy, asset_bucket):
        monkeypatch.setattr(module, "sleep", lambda seconds: world.kernel.advance(seconds * 1_000_000))
    monkeypatch.delenv("WORKSHOP_STACK_PREFIX", raising=False)
    monkeypatch.setattr(command, "PATIENCE", 0)
    return _cloud(world)


def _cloud(world: World, arn: str = ARN, *tagged: str) -> AwsCloud:
    session: Any = _Session(world)
    if tagged:
        usual = session.client
        session.client = lambda service, **_: (
            _Tagged(*tagged) if service == "resourcegroupstaggingapi" else usual(service)
        )
    return AwsCloud(Account(session, world.account, arn, "us-east-1", ""))


def _create(
    world: World, name: str, resources: dict[str, Any], ours: bool = True, **template: Any
) -> dict[str, str]:
    """A stack, with the workshop's tags or without; the physical ids of its resources."""
    cloudformation = world.client("cloudformation")
    known = tags.tags("lesson", "run", ARN) if ours else {}
    cloudformation.create_stack(
        StackName=name,
        TemplateBody=json.dumps({"Resources": resources, **template}),
        Capabilities=["CAPABILITY_NAMED_IAM"],
        Tags=[{"Key": key, "Value": value} for key, value in known.items()],
    )
    cloudformation.get_waiter("stack_create_complete").wait(StackName=name)
    found = cloudformation.list_stack_resources(StackName=name)["StackResourceSummaries"]
    return {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in found}


def _status(world: World, name: str) -> str:
    for stack in world.client("cloudformation").list_stacks()["StackSummaries"]:
        if stack["StackName"] == name:
            return str(stack["StackStatus"])
    return ""


def _names(found: list[leftovers.Leftover]) -> list[tuple[str, str]]:
    return [(each.kind, each.name) for each in found]


def _use(world: World, made: dict[str, str]) -> None:
    """Two versions of an object, and a function that has logged."""
    for body in (b"one", b"two"):
        world.client("s3").put_object(Bucket=made["Bucket"], Key="object", Body=body)
    if "Function" in made:
        world.client("lambda").invoke(FunctionName=made["Function"], Payload=b"{}")
        world.kernel.settle()


def test_a_crashed_lesson_is_found_priced_and_deleted(
    cloud: AwsCloud, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud.deploy(Welcome)  # and then the kernel dies
    again = _cloud(world)
    capsys.readouterr()
    assert sweep(again, dry_run=True) == 1
    listed = capsys.readouterr().out
    assert "CloudFormation::Stack  Welcome (CREATE_COMPLETE)" in listed
    assert "workshop-assets-123456789012-us-east-1" in listed
    assert "together 0.00036 USD per hour" in listed
    assert _status(world, "Welcome") == "CREATE_COMPLETE"
    assert sweep(again, yes=True) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == (
        "✔ nothing of the workshop is left in account 123456789012, Region us-east-1: 0 stacks, 0 resources, "
        "0 USD per hour"
    )
    assert _status(world, "Welcome") == "DELETE_COMPLETE"
    assert world.client("s3").list_buckets()["Buckets"] == []


def test_what_a_deleted_stack_retained_is_found_and_deleted(cloud: AwsCloud, world: World) -> None:
    made = _create(world, "Kept", KEPT)
    _use(world, made)
    deploy.destroy(world.client, "Kept")
    found = leftovers.find(cloud)
    assert sorted(_names(found)) == sorted(
        [
            ("AWS::DynamoDB::Table", made["Table"]),
            ("AWS::IAM::Role", made["Role"]),
            ("AWS::Kinesis::Stream", made["Stream"]),
            ("AWS::Logs::LogGroup", f"/aws/lambda/{made['Function']}"),
            ("AWS::S3::Bucket", made["Bucket"]),
            ("AWS::SNS::Topic", made["Topic"]),
            ("AWS::SQS::Queue", made["Queue"].rpartition("/")[2]),
        ]
    )
    assert {each.lesson for each in found} == {"lesson"}
    assert sum(each.hourly for each in found) == pytest.approx(2 * standing.SHARD, rel=1e-3)
    assert sweep(cloud, yes=True) == 0
    assert leftovers.find(cloud) == []
    assert world.client("s3").list_buckets()["Buckets"] == []
    assert world.client("logs").describe_log_groups()["logGroups"] == []


def test_close_deletes_what_cloudformation_leaves_behind(
    cloud: AwsCloud, world: World, tmp_path: Any
) -> None:
    template = tmp_path / "template.json"
    template.write_text(json.dumps({"Resources": KEPT}))
    app = cloud.deploy(str(template), stack_name="Kept")
    _use(world, app.resources)
    cloud.deploy(Welcome)
    cloud.close()
    assert leftovers.find(_cloud(world)) == []
    assert world.client("s3").list_buckets()["Buckets"] == []
    assert world.client("sqs").list_queues().get("QueueUrls", []) == []


def test_a_log_group_that_a_last_line_made_anew_goes_too(
    cloud: AwsCloud, world: World, tmp_path: Any
) -> None:
    template = tmp_path / "template.json"
    group = {"Type": "AWS::Logs::LogGroup"}
    template.write_text(json.dumps({"Resources": {"Old": group, "New": group}}))
    app = cloud.deploy(str(template), stack_name="Late")
    old = app.resources["Old"]
    template.write_text(json.dumps({"Resources": {"New": group}}))
    cloud.deploy(str(template), stack_name="Late")
    world.client("logs").create_log_group(logGroupName=old)  # as Lambda does for a function's last lines
    cloud.close()
    assert world.client("logs").describe_log_groups()["logGroups"] == []


def test_close_keeps_the_code_that_a_colleague_may_still_need(cloud: AwsCloud, world: World) -> None:
    cloud.deploy(Welcome)
    _create(world, "Colleague", QUEUE)
    cloud.close()
    assert _status(world, "Welcome") == "DELETE_COMPLETE"
    assert len(world.client("s3").list_buckets()["Buckets"]) == 1


def test_a_log_group_that_somebody_else_tagged_or_uses_is_left_alone(cloud: AwsCloud, world: World) -> None:
    logs = world.client("logs")
    named = {**KEPT["Function"], "Properties": {**KEPT["Function"]["Properties"], "FunctionName": "worker"}}
    made = _create(world, "Gone", {"Role": KEPT["Role"], "Function": named})
    deploy.destroy(world.client, "Gone")
    logs.create_log_group(logGroupName="/aws/lambda/worker", tags={"team": "billing"})
    assert _names(leftovers.find(cloud)) == [("AWS::IAM::Role", made["Role"])]
    logs.delete_log_group(logGroupName="/aws/lambda/worker")
    logs.create_log_group(logGroupName="/aws/lambda/worker")
    assert ("AWS::Logs::LogGroup", "/aws/lambda/worker") in _names(leftovers.find(cloud))
    _create(world, "Other", {"Role": KEPT["Role"], "Function": named}, ours=False)
    assert _names(leftovers.find(cloud)) == [("AWS::IAM::Role", made["Role"])]


def test_nothing_else_is_ever_touched(cloud: AwsCloud, world: World) -> None:
    foreign = _create(world, "Foreign", KEPT, ours=False)
    _use(world, foreign)
    gone = _create(world, "Gone", KEPT, ours=False)
    deploy.destroy(world.client, "Gone")
    world.client("logs").create_log_group(logGroupName="/aws/lambda/Welcome-Other")
    world.client("sqs").create_queue(QueueName="Welcome-Queue")
    world.client("s3").create_bucket(Bucket="workshop-assets-of-somebody-else")
    cloud.deploy(Welcome)
    assert sweep(cloud, yes=True) == 0
    assert _status(world, "Foreign") == "CREATE_COMPLETE"
    buckets = {bucket["Name"] for bucket in world.client("s3").list_buckets()["Buckets"]}
    assert buckets == {foreign["Bucket"], gone["Bucket"], "workshop-assets-of-somebody-else"}
    groups = {group["logGroupName"] for group in world.client("logs").describe_log_groups()["logGroups"]}
    assert groups == {"/aws/lambda/Welcome-Other", f"/aws/lambda/{foreign['Function']}"}
    assert len(world.client("sqs").list_queues()["QueueUrls"]) == 3


def test_a_name_that_somebody_else_uses_by_now_is_left_alone(cloud: AwsCloud, world: World) -> None:
    given = {"Queue": {**KEPT["Queue"], "Properties": {"QueueName": "orders"}}}
    made = _create(world, "Kept", given)
    deploy.destroy(world.client, "Kept")
    sqs = world.client("sqs")
    sqs.untag_queue(QueueUrl=made["Queue"], TagKeys=["workshop"])
    assert leftovers.find(cloud) == []
    sqs.tag_queue(QueueUrl=made["Queue"], Tags={"workshop": "event-driven-workshop"})
    assert _names(leftovers.find(cloud)) == [("AWS::SQS::Queue", "orders")]


def test_a_stack_whose_bucket_is_full_is_deleted(cloud: AwsCloud, world: World) -> None:
    made = _create(world, "Full", {"Bucket": {"Type": "AWS::S3::Bucket"}})
    _use(world, made)
    with pytest.raises(deploy.DeployFailed):
        deploy.destroy(world.client, "Full")
    assert _status(world, "Full") == "DELETE_FAILED"
    assert sweep(cloud, yes=True) == 0
    assert _status(world, "Full") == "DELETE_COMPLETE"


def test_what_cloudformation_cannot_delete_is_left_out_and_deleted_directly(
    cloud: AwsCloud, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = _create(world, "Full", {"Bucket": {"Type": "AWS::S3::Bucket"}, **QUEUE})
    _use(world, made)
    usual, calls = kinds.empty_bucket, []

    def only_the_second_time(client: Any, bucket: str) -> int:
        calls.append(bucket)
        return usual(client, bucket) if len(calls) > 1 else 0

    monkeypatch.setattr(kinds, "empty_bucket", only_the_second_time)
    assert sweep(cloud, yes=True) == 0
    assert calls == [made["Bucket"], made["Bucket"]]
    assert world.client("s3").list_buckets()["Buckets"] == []


def test_a_stack_that_was_only_announced_is_found(cloud: AwsCloud, world: World) -> None:
    known = tags.tags("lesson", "run", ARN)
    world.client("cloudformation").create_change_set(
        StackName="Announced",
        ChangeSetName="first",
        ChangeSetType="CREATE",
        TemplateBody=json.dumps({"Resources": QUEUE}),
        Tags=[{"Key": key, "Value": value} for key, value in known.items()],
    )
    assert [(each.name, each.status) for each in leftovers.find(cloud)] == [
        ("Announced", "REVIEW_IN_PROGRESS")
    ]
    assert sweep(cloud, yes=True) == 0
    assert _status(world, "Announced") in ("", "DELETE_COMPLETE")


@pytest.mark.parametrize("wait", [False, True])
def test_a_stack_that_is_busy_is_deleted_too(cloud: AwsCloud, world: World, wait: bool) -> None:
    cloudformation = world.client("cloudformation")
    known = [{"Key": key, "Value": value} for key, value in tags.tags("lesson", "run", ARN).items()]
    more = {**QUEUE, "Table": {**KEPT["Table"], "DeletionPolicy": "Delete"}}
    body = json.dumps({"Resources": QUEUE if wait else more})
    cloudformation.create_stack(StackName="Busy", TemplateBody=body, Tags=known)
    if wait:
        cloudformation.get_waiter("stack_create_complete").wait(StackName="Busy")
        body = json.dumps({"Resources": more})
        cloudformation.update_stack(StackName="Busy", TemplateBody=body, Tags=known)
    assert _status(world, "Busy") == ("UPDATE_IN_PROGRESS" if wait else "CREATE_IN_PROGRESS")
    assert sweep(cloud, yes=True) == 0
    assert _status(world, "Busy") == "DELETE_COMPLETE"
    assert world.client("dynamodb").list_tables()["TableNames"] == []
    assert world.client("sqs").list_queues().get("QueueUrls", []) == []


def test_a_bucket_that_was_not_tagged_yet_is_found(cloud: AwsCloud, world: World) -> None:
    name = f"workshop-assets-{cloud.account}-us-east-1"
    world.client("s3").create_bucket(Bucket=name)
    assert _names(leftovers.find(cloud)) == [("AWS::S3::Bucket", name)]


def test_stacks_that_need_each_other_go_in_the_right_order(cloud: AwsCloud, world: World) -> None:
    value = {"Url": {"Value": {"Ref": "Queue"}, "Export": {"Name": "the-queue"}}}
    _create(world, "Exports", QUEUE, Outputs=value)
    user = {
        "Queue": {
            "Type": "AWS::SQS::Queue",
            "Properties": {"Tags": [{"Key": "of", "Value": {"Fn::ImportValue": "the-queue"}}]},
        }
    }
    _create(world, "Imports", user)
    found = [each for each in leftovers.find(cloud) if each.kind == leftovers.STACK]
    assert remove(cloud, sorted(found, key=lambda each: each.name)) == {}
    assert (_status(world, "Exports"), _status(world, "Imports")) == ("DELETE_COMPLETE", "DELETE_COMPLETE")


def test_what_stays_is_said_with_the_reason(
    cloud: AwsCloud, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    _create(world, "Guarded", QUEUE)
    world.client("cloudformation").update_termination_protection(
        StackName="Guarded", EnableTerminationProtection=True
    )
    assert sweep(cloud, yes=True) == 1
    out = capsys.readouterr().out
    assert "✘ still left" in out
    assert "TerminationProtection" in out


def test_it_asks_first(cloud: AwsCloud, world: World, capsys: pytest.CaptureFixture[str]) -> None:
    _create(world, "Left", QUEUE)
    questions: list[str] = []

    def answer(text: str) -> Any:
        return lambda question: questions.append(question) or text

    assert sweep(cloud) == 2
    assert "there is no terminal to ask in; say --yes" in capsys.readouterr().err
    assert sweep(cloud, ask=answer("")) == 1
    assert _status(world, "Left") == "CREATE_COMPLETE"
    assert sweep(cloud, ask=answer("y")) == 0
    assert questions == ["Delete this? [y/N] "] * 2
    assert _status(world, "Left") == "DELETE_COMPLETE"


def test_a_colleague_s_lesson_stays_unless_everyone_is_meant(
    cloud: AwsCloud, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud.deploy(Welcome)
    ben = _cloud(world, "arn:aws:iam::123456789012:user/ben")
    capsys.readouterr()
    assert sweep(ben, yes=True) == 0
    assert (
        "2 more of arn:aws:sts::123456789012:assumed-role/Admin/anna_b: they stay" in capsys.readouterr().out
    )
    assert _status(world, "Welcome") == "CREATE_COMPLETE"
    assert len(world.client("s3").list_buckets()["Buckets"]) == 1
    assert sweep(ben, yes=True, everyone=True) == 0
    assert _status(world, "Welcome") == "DELETE_COMPLETE"


def test_tagged_resources_of_no_stack_are_found_if_they_exist(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "PATIENCE", 0)
    ours = {"workshop": "event-driven-workshop"}
    world.client("sqs").create_queue(QueueName="lonely", tags=ours)
    other = "arn:aws:elasticache:us-east-1:123456789012:cluster:odd"
    standing_stack = _create(world, "Standing", QUEUE)
    world.client("sqs").tag_queue(QueueUrl=standing_stack["Queue"], Tags=ours)
    cloud = _cloud(
        world,
        ARN,
        "arn:aws:sqs:us-east-1:123456789012:lonely",
        "arn:aws:sqs:us-east-1:123456789012:long-gone",
        "arn:aws:sqs:us-east-1:123456789012:" + standing_stack["Queue"].rpartition("/")[2],
        other,
    )
    assert _names(leftovers.find(cloud)) == [
        ("AWS::CloudFormation::Stack", "Standing"),
        ("AWS::SQS::Queue", "lonely"),
        ("elasticache", other),
    ]
    assert sweep(cloud, yes=True) == 1
    assert f"{other}: elasticache has to be deleted by hand" in capsys.readouterr().out
    assert world.client("sqs").list_queues().get("QueueUrls", []) == []


def test_without_the_permission_to_ask_by_tags_it_says_what_is_not_listed(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(self: _Tagged, **_: Any) -> list[Any]:
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "GetResources")

    monkeypatch.setattr(_Tagged, "paginate", denied)
    _create(world, "Left", QUEUE)
    assert sweep(_cloud(world, ARN, "arn"), dry_run=True) == 1
    out = capsys.readouterr().out
    assert "tag:GetResources" in out
    assert "Left (CREATE_COMPLETE)" in out


def test_nothing_left_waits_until_lists_have_forgotten_what_was_deleted(
    cloud: AwsCloud, world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    app = cloud.deploy(Welcome)
    waits: list[float] = []

    def later(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 2:
            cloud.destroy(app)

    monkeypatch.setattr(cloud, "sleep", later)
    assert nothing_left(cloud, app)
    assert waits == [3.0, 3.0]
    assert "✔ nothing of Welcome is left" in capsys.readouterr().out


def test_nothing_left_asks_for_this_stack_only(
    cloud: AwsCloud, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = cloud.deploy(Welcome)
    cloud.destroy(app)
    for colleague in ("ben-Welcome", "Welcome-2"):
        _create(world, colleague, QUEUE)
    assert not any(left_over(cloud, app).values())
    world.client("logs").create_log_group(logGroupName=f"/aws/lambda/{app['GreeterName']}")
    assert left_over(cloud, app)["log groups"] == [f"/aws/lambda/{app['GreeterName']}"]
    with pytest.raises(ValueError, match="name the app whose resources should be gone"):
        left_over(cloud)


@pytest.mark.parametrize(
    ("arn", "expected"),
    [
        ("arn:aws:sqs:eu-west-1:1:orders", ("AWS::SQS::Queue", "orders")),
        ("arn:aws:lambda:eu-west-1:1:function:f", ("AWS::Lambda::Function", "f")),
        ("arn:aws:lambda:eu-west-1:1:function:f:7", None),
        ("arn:aws:dynamodb:eu-west-1:1:table/t", ("AWS::DynamoDB::Table", "t")),
        ("arn:aws:dynamodb:eu-west-1:1:table/t/stream/x", None),
        ("arn:aws-cn:s3:::b", ("AWS::S3::Bucket", "b")),
        ("arn:aws:iam::1:role/service-role/r", ("AWS::IAM::Role", "r")),
        ("arn:aws:logs:eu-west-1:1:log-group:/aws/lambda/f:*", ("AWS::Logs::LogGroup", "/aws/lambda/f")),
        (
            "arn:aws:states:eu-west-1:1:stateMachine:m",
            ("AWS::StepFunctions::StateMachine", "arn:aws:states:eu-west-1:1:stateMachine:m"),
        ),
    ],
)
def test_an_arn_says_which_resource_it_means(arn: str, expected: tuple[str, str] | None) -> None:
    found = kinds.of_arn(arn)
    assert (found and (found[0].type, found[1])) == expected


def test_what_a_stack_costs_while_nobody_uses_it(world: World) -> None:
    template = json.loads(
        plan(Welcome, None, None, {}, account="1", region="us-east-1").assemblies[0].template
    )
    assert standing.hourly(template) == pytest.approx(900 * 0.40 / 1e6)
    assert standing.hourly({"Resources": KEPT}) == pytest.approx(0.03)
    provisioned = {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5}
    table = {"Type": "AWS::DynamoDB::Table", "Properties": {"ProvisionedThroughput": provisioned}}
    assert standing.hourly({"Resources": {"T": table}}) == pytest.approx(0.0039)


@pytest.mark.parametrize(
    ("kind", "properties", "monthly"),
    [
        ("AWS::ApiGateway::Stage", {}, 0),
        ("AWS::ApiGateway::Stage", {"CacheClusterEnabled": True}, 14.60),
        ("AWS::ApiGateway::Stage", {"CacheClusterEnabled": "true", "CacheClusterSize": "237"}, 2774.00),
        ("AWS::ApiGateway::Stage", {"CacheClusterEnabled": True, "CacheClusterSize": {"Ref": "Size"}}, 14.60),
        ("AWS::CloudWatch::Alarm", {"Period": 60}, 0.10),
        ("AWS::CloudWatch::Alarm", {"Period": 10}, 0.30),
        (
            "AWS::CloudWatch::Alarm",
            {
                "Metrics": [
                    {"MetricStat": {"Period": 60}},
                    {"MetricStat": {"Period": 60}},
                    {"Expression": "a/b"},
                ]
            },
            0.20,
        ),
        ("AWS::CloudWatch::CompositeAlarm", {}, 0.50),
        ("AWS::CloudWatch::Dashboard", {}, 3.00),
        ("AWS::KMS::Key", {}, 1.00),
        ("AWS::SecretsManager::Secret", {}, 0.40),
        ("AWS::Kinesis::Stream", {"ShardCount": 4}, 43.80),
        ("AWS::Kinesis::Stream", {"StreamModeDetails": {"StreamMode": "ON_DEMAND"}}, 29.20),
        ("AWS::Kinesis::StreamConsumer", {"StreamARN": {"Fn::GetAtt": ["Stream", "Arn"]}}, 2 * 10.95),
        (
            "AWS::DynamoDB::Table",
            {
                "ProvisionedThroughput": {"ReadCapacityUnits": 30, "WriteCapacityUnits": 20},
                "GlobalSecondaryIndexes": [{"ProvisionedThroughput": {"WriteCapacityUnits": "20"}}],
            },
            2.847 + 2 * 9.49,
        ),
        (
            "AWS::Lambda::Alias",
            {
                "FunctionName": {"Ref": "Function"},
                "ProvisionedConcurrencyConfig": {"ProvisionedConcurrentExecutions": 2},
            },
            2 * 0.125 * 0.0000041667 * 3600 * 730,
        ),
    ],
)
def test_what_a_resource_costs_in_a_month(kind: str, properties: dict[str, Any], monthly: float) -> None:
    """The sums are those of infracost's golden files, which have AWS's price list for us-east-1."""
    resources = {"It": {"Type": kind, "Properties": properties}}
    others = standing.hourly({"Resources": KEPT})
    cost = standing.hourly({"Resources": KEPT | resources}) - others
    assert cost * 730 == pytest.approx(monthly, rel=1e-3)


def test_a_stack_in_a_stack_is_not_forgotten(cloud: AwsCloud, world: World) -> None:
    s3 = world.client("s3")
    s3.create_bucket(Bucket="templates")
    s3.put_object(Bucket="templates", Key="child", Body=json.dumps({"Resources": {"Queue": KEPT["Queue"]}}))
    url = "https://templates.s3.us-east-1.amazonaws.com/child"
    child = {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": url}}
    made = _create(world, "Parent", {"Child": child})
    assert [each.name for each in leftovers.find(cloud)] == ["Parent"]
    stack = world.client("cloudformation").describe_stacks(StackName="Parent")["Stacks"][0]["StackId"]
    deploy.destroy(world.client, "Parent")
    assert len(world.client("sqs").list_queues()["QueueUrls"]) == 1
    assert remove_leftovers(cloud, [stack]) == {}
    assert world.client("sqs").list_queues().get("QueueUrls", []) == []
    assert made["Child"].startswith("arn:aws:cloudformation:")


def test_a_bucket_that_s3_is_still_deleting_is_waited_for(cloud: AwsCloud, world: World) -> None:
    s3 = world.client("s3")
    busy = ClientError({"Error": {"Code": "OperationAborted", "Message": "conflict"}}, "CreateBucket")
    answers: list[Any] = [busy, busy, None]
    usual = s3.create_bucket

    def create_bucket(**arguments: Any) -> Any:
        answer = answers.pop(0) if answers else busy
        if answer:
            raise answer
        return usual(**arguments)

    s3.create_bucket = create_bucket
    store: Any = asset_bucket.AssetBucket(s3, "123456789012", "us-east-1", {})
    before = world.kernel.now
    store._make("workshop-assets-1")
    assert world.kernel.now - before >= 10_000_000
    with pytest.raises(
        asset_bucket.BucketUnusable, match=r"assets-2 .* could not be made for 180 s: conflict"
    ):
        store._make("workshop-assets-2")


@pytest.mark.parametrize(
    ("arn", "value"),
    [
        ("arn:aws:sts::1:assumed-role/Dev/botocore-session-1764072000", "arn:aws:sts::1:assumed-role/Dev"),
        (
            "arn:aws:sts::1:assumed-role/Dev/anna@example.org",
            "arn:aws:sts::1:assumed-role/Dev/anna@example.org",
        ),
        ("arn:aws:iam::1:user/anna", "arn:aws:iam::1:user/anna"),
    ],
)
def test_an_owner_is_the_same_in_every_process(arn: str, value: str) -> None:
    assert tags.owner_value(arn) == value


def test_credentials_that_expire_on_the_way_are_one_sentence(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _create(world, "Left", QUEUE)
    session: Any = _Session(world)

    def client(service: str, **_: Any) -> Any:
        if service == "s3":
            raise ClientError({"Error": {"Code": "ExpiredToken", "Message": "no"}}, "ListBuckets")
        return world.client(service)

    session.client = client
    monkeypatch.setattr(
        account, "open_account", lambda region: Account(session, world.account, ARN, "us-east-1", "")
    )
    assert cli.main(["sweep", "--yes"]) == 2
    error = capsys.readouterr().err
    assert "the credentials expired while sweeping" in error
    assert "Then run `workshop sweep` again" in error
    assert _status(world, "Left") == "CREATE_COMPLETE"


def test_without_an_account_it_refuses(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("WORKSHOP_ACCOUNT", raising=False)
    assert cli.main(["sweep"]) == 2
    assert "WORKSHOP_ACCOUNT is not set" in capsys.readouterr().err
