"""AWS::S3 and AWS::DynamoDB::GlobalTable from plain templates: created, updated, refused, deleted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.cloud.local.world import World


@pytest.fixture
def world() -> Iterator[World]:
    world = World(latency={"*": 0})
    yield world
    world.close()


def resource(kind: str, *, depends_on: str = "", **properties: Any) -> dict[str, Any]:
    return {"Type": kind, "Properties": properties, **({"DependsOn": depends_on} if depends_on else {})}


def apply(world: World, operation: str, resources: dict[str, Any], **outputs: Any) -> dict[str, Any]:
    """Create or update the stack; returns its description."""
    template = {
        "Resources": resources,
        "Outputs": {name: {"Value": value} for name, value in outputs.items()},
    }
    api = world.client("cloudformation")
    getattr(api, operation)(StackName="s", TemplateBody=json.dumps(template))
    world.kernel.settle()
    stack: dict[str, Any] = api.describe_stacks(StackName="s")["Stacks"][0]
    return stack


def outputs(stack: dict[str, Any]) -> dict[str, str]:
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def shown(world: World, operation: str, name: str) -> dict[str, Any]:
    answer = getattr(world.client("s3"), operation)(Bucket=name)
    answer.pop("ResponseMetadata")
    return dict(answer)


QUEUE_POLICY = resource(
    "AWS::SQS::QueuePolicy",
    Queues=[{"Ref": "Queue"}],
    PolicyDocument={
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "s3.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": {"Fn::GetAtt": ["Queue", "Arn"]},
            }
        ],
    },
)
RULE = {
    "Event": "s3:ObjectCreated:*",
    "Queue": {"Fn::GetAtt": ["Queue", "Arn"]},
    "Filter": {"S3Key": {"Rules": [{"Name": "prefix", "Value": "in/"}]}},
}
BUCKET = resource(
    "AWS::S3::Bucket",
    depends_on="QueuePolicy",
    NotificationConfiguration={"QueueConfigurations": [RULE], "EventBridgeConfiguration": {}},
    VersioningConfiguration={"Status": "Enabled"},
    LifecycleConfiguration={
        "Rules": [{"Id": "old", "Status": "Enabled", "ExpirationInDays": 7, "Prefix": "tmp/"}]
    },
    Tags=[{"Key": "team", "Value": "a"}],
)
QUEUES = {"Queue": resource("AWS::SQS::Queue"), "QueuePolicy": QUEUE_POLICY}


def test_a_bucket_says_what_its_template_says_and_follows_it(world: World) -> None:
    names = ("Arn", "DomainName", "RegionalDomainName", "DualStackDomainName", "WebsiteURL")
    attributes = {name: {"Fn::GetAtt": ["Bucket", name]} for name in names}
    stack = apply(world, "create_stack", {**QUEUES, "Bucket": BUCKET}, Name={"Ref": "Bucket"}, **attributes)
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    answer = outputs(stack)
    name = answer["Name"]
    assert name == name.lower()
    assert name.startswith("s-bucket-")
    assert {key: value.replace(name, "NAME") for key, value in answer.items()} == {
        "Name": "NAME",
        "Arn": "arn:aws:s3:::NAME",
        "DomainName": "NAME.s3.amazonaws.com",
        "RegionalDomainName": "NAME.s3.us-east-1.amazonaws.com",
        "DualStackDomainName": "NAME.s3.dualstack.us-east-1.amazonaws.com",
        "WebsiteURL": "http://NAME.s3-website-us-east-1.amazonaws.com",
    }
    notified = shown(world, "get_bucket_notification_configuration", name)
    assert notified["EventBridgeConfiguration"] == {}
    assert notified["QueueConfigurations"][0]["Filter"] == {
        "Key": {"FilterRules": [{"Name": "Prefix", "Value": "in/"}]}
    }
    (rule,) = shown(world, "get_bucket_lifecycle_configuration", name)["Rules"]
    assert (rule["ID"], rule["Expiration"], rule["Filter"]) == ("old", {"Days": 7}, {"Prefix": "tmp/"})
    assert shown(world, "get_bucket_tagging", name)["TagSet"] == [{"Key": "team", "Value": "a"}]

    bare = resource("AWS::S3::Bucket", depends_on="QueuePolicy")
    stack = apply(world, "update_stack", {**QUEUES, "Bucket": bare}, Name={"Ref": "Bucket"})
    assert (stack["StackStatus"], outputs(stack)["Name"]) == ("UPDATE_COMPLETE", name)
    assert shown(world, "get_bucket_notification_configuration", name) == {}
    assert shown(world, "get_bucket_versioning", name)["Status"] == "Suspended"
    for operation in ("get_bucket_lifecycle_configuration", "get_bucket_tagging"):
        with pytest.raises(ClientError):
            shown(world, operation, name)


def test_a_bucket_that_is_not_empty_stays(world: World) -> None:
    bucket = resource("AWS::S3::Bucket", BucketName="full-bucket")
    apply(world, "create_stack", {"Bucket": bucket})
    world.client("s3").put_object(Bucket="full-bucket", Key="a", Body=b"")
    api = world.client("cloudformation")
    api.delete_stack(StackName="s")
    world.kernel.settle()
    stack = api.describe_stacks(StackName="s")["Stacks"][0]
    assert stack["StackStatus"] == "DELETE_FAILED"
    events = api.describe_stack_events(StackName="s")["StackEvents"]
    reasons = [each.get("ResourceStatusReason", "") for each in events]
    assert any("The bucket you tried to delete is not empty" in reason for reason in reasons)


def test_a_bucket_policy_is_asked_for_roles(world: World) -> None:
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::123456789012:role/reader"},
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::shared-bucket/*",
    }
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    resources = {
        "Bucket": resource("AWS::S3::Bucket", BucketName="shared-bucket"),
        "Policy": resource("AWS::S3::BucketPolicy", Bucket={"Ref": "Bucket"}, PolicyDocument=policy),
    }
    apply(world, "create_stack", resources)
    reader = world.identity.policy_readers["s3"]
    text = reader("arn:aws:s3:::shared-bucket/some/key")
    assert text is not None
    assert json.loads(text) == policy
    del resources["Policy"]
    apply(world, "update_stack", resources)
    assert reader("arn:aws:s3:::shared-bucket") is None


KEY = {
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    "BillingMode": "PAY_PER_REQUEST",
}


def test_a_global_table_is_a_table_of_one_region(world: World) -> None:
    replica = {
        "Region": "us-east-1",
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
    }
    table = resource(
        "AWS::DynamoDB::GlobalTable",
        **KEY,
        Replicas=[replica],
        StreamSpecification={"StreamViewType": "NEW_IMAGE"},
    )
    wanted = {name: {"Fn::GetAtt": ["Table", name]} for name in ("Arn", "StreamArn", "TableId")}
    answer = outputs(apply(world, "create_stack", {"Table": table}, Name={"Ref": "Table"}, **wanted))
    described = world.client("dynamodb").describe_table(TableName=answer["Name"])["Table"]
    assert (answer["Arn"], answer["StreamArn"], answer["TableId"]) == (
        described["TableArn"],
        described["LatestStreamArn"],
        described["TableId"],
    )


def test_replicas_elsewhere_are_refused_by_name(world: World) -> None:
    table = resource(
        "AWS::DynamoDB::GlobalTable", **KEY, Replicas=[{"Region": "us-east-1"}, {"Region": "eu-west-1"}]
    )
    with pytest.raises(Exception, match="eu-west-1"):
        apply(world, "create_stack", {"Table": table})
