"""Parameter Store: versions, labels, paths, tiers, SecureString with its key, events, policies, templates.

https://docs.aws.amazon.com/systems-manager/latest/userguide/systems-manager-parameter-store.html; messages
as AWS words them (LocalStack's test_ssm, the user guide's examples, reports of users).
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from typing import Any

import pytest

from infra.cloud.local.cloud import LocalCloud
from infra.cloud.local.kernel import SECOND
from infra.cloud.local.service import NotSimulated
from infra.cloud.local.world import ACCOUNT, World

from .deploy_tools import Deployer, function, role
from .test_kms_keys import act, key, queue
from .test_kms_keys import role as make_role
from .test_secrets_manager import error

HOUR = 3600 * SECOND


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.close()


def test_versions_labels_and_history(world: World) -> None:
    ssm = world.client("ssm")
    put = {"Name": "/app/limit", "Type": "String"}
    assert (ssm.put_parameter(**put, Value="1", Description="how many")["Version"]) == 1
    assert error(ssm.put_parameter, **put, Value="2") == (
        "ParameterAlreadyExists",
        "The parameter already exists. To overwrite this value, set the overwrite option in the request "
        "to true.",
    )
    assert ssm.put_parameter(Name="/app/limit", Value="2", Overwrite=True)["Version"] == 2
    labelled = ssm.label_parameter_version(
        Name="/app/limit", ParameterVersion=1, Labels=["prod", "1st", "awsome"]
    )
    assert (labelled["InvalidLabels"], labelled["ParameterVersion"]) == (["1st", "awsome"], 1)
    found = ssm.get_parameter(Name="/app/limit:prod")["Parameter"]
    assert (found["Value"], found["Version"], found["Selector"]) == ("1", 1, ":prod")
    ssm.label_parameter_version(Name="/app/limit", Labels=["prod"])
    history = ssm.get_parameter_history(Name="/app/limit")["Parameters"]
    assert [(each["Value"], each["Labels"], each["Description"]) for each in history] == [
        ("1", [], "how many"),
        ("2", ["prod"], "how many"),
    ]
    assert ssm.get_parameter(Name="/app/limit:1")["Parameter"]["Value"] == "1"
    assert error(ssm.get_parameter, Name="/app/limit:7") == (
        "ParameterVersionNotFound",
        "Systems Manager could not find version 7 of /app/limit. Verify the version and try again.",
    )
    for number in range(3, 102):
        ssm.put_parameter(Name="/app/limit", Value=str(number), Overwrite=True)
    assert error(ssm.put_parameter, Name="/app/limit", Value="x", Overwrite=True)[0] == (
        "ParameterMaxVersionLimitExceeded"  # the oldest now has a label
    )


def test_names(world: World) -> None:
    ssm = world.client("ssm")
    ssm.put_parameter(Name="one", Value="1", Type="String")
    ssm.put_parameter(Name="/a/b/c", Value="2", Type="String")
    assert ssm.get_parameter(Name="/one")["Parameter"]["Name"] == "/one"
    by_arn = ssm.get_parameter(Name=f"arn:aws:ssm:us-east-1:{ACCOUNT}:parameter/a/b/c")["Parameter"]
    assert (by_arn["Name"], by_arn["Value"], by_arn["DataType"]) == ("/a/b/c", "2", "text")
    for name in ("/a//b/c", "a/b/c"):
        code, message = error(ssm.get_parameter, Name=name)
        assert code == "ValidationException"
        assert "sub-paths divided by slash symbol" in message
    assert error(ssm.get_parameter, Name="none") == ("ParameterNotFound", "")
    assert error(ssm.put_parameter, Name="a/b", Value="1", Type="String")[1] == (
        "Parameter name must be a fully qualified name."
    )
    assert error(ssm.put_parameter, Name="aws_x", Value="1", Type="String")[1] == (
        'Parameter name: can\'t be prefixed with "aws" or "ssm" (case-insensitive).'
    )
    found = ssm.get_parameters(Names=["one", "none", "/a/b/c:9"])
    assert [each["Name"] for each in found["Parameters"]] == ["one"]
    assert found["InvalidParameters"] == ["none", "/a/b/c:9"]
    with pytest.raises(NotSimulated):
        ssm.get_parameter(Name="/aws/service/ami-amazon-linux-latest/al2023")


def test_values_and_tiers(world: World) -> None:
    ssm = world.client("ssm")
    big = "x" * 5000
    assert error(ssm.put_parameter, Name="/p", Value=big, Type="String") == (
        "ValidationException",
        "Standard tier parameters support a maximum parameter value of 4096 characters. To create a larger "
        "parameter value, upgrade the parameter to use the advanced-parameter tier. For more information, "
        "see "
        "https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html",
    )
    made = ssm.put_parameter(Name="/p", Value=big, Type="String", Tier="Intelligent-Tiering")
    assert made["Tier"] == "Advanced"
    down = error(ssm.put_parameter, Name="/p", Value="x", Overwrite=True, Tier="Standard")
    assert down[1].startswith("This parameter uses the advanced-parameter tier. You can't downgrade")
    pattern = {"Name": "/n", "Type": "String", "AllowedPattern": r"^\d{1,4}$"}
    assert error(ssm.put_parameter, **pattern, Value="12345") == (
        "ParameterPatternMismatchException",
        r"Parameter value, cannot be validated against allowedPattern: ^\d{1,4}$",
    )


def test_paths_and_filters(world: World) -> None:
    ssm = world.client("ssm")
    for name in ("/app/a", "/app/b", "/app/db/host", "/other/x"):
        kind = "StringList" if name.endswith("b") else "String"
        ssm.put_parameter(Name=name, Value="1,2", Type=kind, Tags=[{"Key": "team", "Value": name[1:4]}])
    ssm.label_parameter_version(Name="/app/a", Labels=["latest"])

    def names(**params: Any) -> list[str]:
        return [each["Name"] for each in ssm.get_parameters_by_path(**params)["Parameters"]]

    assert names(Path="/app") == ["/app/a", "/app/b"]
    assert names(Path="/app/", Recursive=True) == ["/app/a", "/app/b", "/app/db/host"]
    assert names(Path="/app", ParameterFilters=[{"Key": "Type", "Values": ["StringList"]}]) == ["/app/b"]
    assert names(Path="/app", ParameterFilters=[{"Key": "Label", "Values": ["latest"]}]) == ["/app/a"]
    first = ssm.get_parameters_by_path(Path="/app", Recursive=True, MaxResults=2)
    more = ssm.get_parameters_by_path(Path="/app", Recursive=True, MaxResults=2, NextToken=first["NextToken"])
    assert [each["Name"] for each in more["Parameters"]] == ["/app/db/host"]
    tagged = ssm.describe_parameters(ParameterFilters=[{"Key": "tag:team", "Values": ["oth"]}])
    assert [each["Name"] for each in tagged["Parameters"]] == ["/other/x"]
    assert error(
        ssm.get_parameters_by_path, Path="/", ParameterFilters=[{"Key": "Name", "Values": ["x"]}]
    ) == (
        "InvalidFilterKey",
        "The following filter key is not valid: Name. Valid filter keys include: [Type, KeyId].",
    )


def test_a_secure_string_and_its_key(world: World) -> None:
    ssm = world.client("ssm")
    arn = key(world)
    ssm.put_parameter(Name="/own", Value="secret", Type="SecureString", KeyId=arn)
    ssm.put_parameter(Name="/default", Value="secret", Type="SecureString")
    assert ssm.get_parameter(Name="/own")["Parameter"]["Value"].startswith("AQICAH")
    assert ssm.get_parameter(Name="/own", WithDecryption=True)["Parameter"]["Value"] == "secret"
    reader = make_role(world, "r", "ssm:GetParameter")
    assert act(world, reader, "ssm", "GetParameter", Name="/own", WithDecryption=True) == (
        f"AccessDeniedException: User: arn:aws:sts::{ACCOUNT}:assumed-role/r/f is not authorized to perform: "
        f"kms:Decrypt on resource: {arn} because no identity-based policy allows the kms:Decrypt action"
    )
    assert act(world, reader, "ssm", "GetParameter", Name="/own") == "ok"
    assert act(world, reader, "ssm", "GetParameter", Name="/default", WithDecryption=True) == "ok"
    described = ssm.describe_parameters()["Parameters"]
    assert [(each["Name"], each.get("KeyId")) for each in described] == [
        ("/cdk-bootstrap/hnb659fds/version", None),
        ("/default", "alias/aws/ssm"),
        ("/own", arn),
    ]


def test_a_secret_by_way_of_a_parameter(world: World) -> None:
    ssm = world.client("ssm")
    made = world.client("secretsmanager").create_secret(Name="db", SecretString="my_secret")
    name = "/aws/reference/secretsmanager/db"
    found = ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]
    source = json.loads(found["SourceResult"])
    assert (found["Name"], found["Value"]) == (name, "my_secret")
    assert (source["name"], source["ARN"]) == ("db", made["ARN"])
    code, message = error(ssm.get_parameter, Name=f"{name}-none", WithDecryption=True)
    assert (code, f"Secret {name}-none not found." in message) == ("ParameterNotFound", True)


def test_events_and_policies(world: World) -> None:
    ssm, events = world.client("ssm"), world.client("events")
    arn = queue(world, "told")
    events.put_rule(Name="r", EventPattern=json.dumps({"source": ["aws.ssm"]}))
    events.put_targets(Rule="r", Targets=[{"Id": "1", "Arn": arn}])

    def told() -> list[tuple[str, Any]]:
        world.kernel.settle()
        sqs, seen = world.client("sqs"), []
        while messages := sqs.receive_message(QueueUrl="told", MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                body = json.loads(message["Body"])
                assert body["resources"] == [f"arn:aws:ssm:us-east-1:{ACCOUNT}:parameter/p"]
                seen.append((body["time"], body["detail-type"], body["detail"]))
                sqs.delete_message(QueueUrl="told", ReceiptHandle=message["ReceiptHandle"])
        return [each[1:] for each in sorted(seen, key=lambda each: each[0])]

    expires = world.datetime() + datetime.timedelta(hours=48)
    policies = [
        {"Type": "Expiration", "Version": "1.0", "Attributes": {"Timestamp": expires.isoformat()}},
        {"Type": "ExpirationNotification", "Version": "1.0", "Attributes": {"Before": "24", "Unit": "Hours"}},
    ]
    ssm.put_parameter(Name="/p", Value="1", Type="String", Tier="Advanced", Policies=json.dumps(policies))
    world.kernel.advance(HOUR)
    ssm.put_parameter(Name="/p", Value="2", Overwrite=True)
    change = {"name": "/p", "type": "String"}
    assert told() == [
        ("Parameter Store Change", {"operation": "Create", **change}),
        ("Parameter Store Change", {"operation": "Update", **change}),
    ]
    world.kernel.advance(50 * HOUR)
    action = {"parameter-name": "/p", "parameter-type": "String", "action-status": "Success"}
    seen = told()
    assert seen[0] == ("Parameter Store Policy Action", {"policy-type": "ExpirationNotification", **action})
    assert sorted(seen[1:]) == [
        ("Parameter Store Change", {"operation": "Delete", **change}),
        ("Parameter Store Policy Action", {"policy-type": "Expiration", **action}),
    ]
    assert error(ssm.get_parameter, Name="/p")[0] == "ParameterNotFound"


READER = """
import os
from aws_lambda_powertools.utilities import parameters

def handler(event, context):
    return [parameters.get_parameter(os.environ["NAME"], max_age=60), os.environ["FIRST"]]
"""


def test_a_stack_with_references_to_versions() -> None:
    cloud = LocalCloud()
    stack = Deployer(cloud)
    ssm = cloud.client("ssm")
    ssm.put_parameter(Name="/shared", Value="old", Type="String")
    ssm.put_parameter(Name="/shared", Value="new", Overwrite=True)

    def resources(value: str) -> dict[str, Any]:
        variables = {"NAME": {"Ref": "Limit"}, "FIRST": "{{resolve:ssm:/shared:1}}"}
        return {
            "Limit": {
                "Type": "AWS::SSM::Parameter",
                "Properties": {"Type": "String", "Value": value, "Name": "/limit", "Tier": "Standard"},
            },
            "Role": role("ssm:GetParameter"),
            "Reader": function(READER, Environment={"Variables": variables}, MemorySize=512),
        }

    assert stack.create(resources("10")) == "CREATE_COMPLETE", stack.failures()

    def read() -> Any:
        answer = cloud.client("lambda").invoke(FunctionName=stack.physical("Reader"))
        return json.loads(answer["Payload"].read())

    assert read() == ["10", "old"]
    assert stack.update(resources("20")) == "UPDATE_COMPLETE"
    cloud.advance("61s")
    assert read() == ["20", "old"]
    assert stack.delete() == "DELETE_COMPLETE"
    cloud.close()
