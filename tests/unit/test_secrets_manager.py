"""Secrets Manager: versions and labels as recorded from AWS, rotation by a function, schedules, deletion.

Labels, messages and members: LocalStack's
tests/aws/services/secretsmanager/test_secretsmanager.snapshot.json.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.cloud.local.cloud import LocalCloud
from infra.cloud.local.kernel import SECOND
from infra.cloud.local.stores.secrets.windows import following
from infra.cloud.local.world import ACCOUNT, World

from .deploy_tools import Deployer, function, role
from .test_kms_keys import act, key
from .test_kms_keys import role as make_role

DAY = 24 * 3600 * SECOND


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.close()


def labels(world: World, name: str = "s") -> list[tuple[str, list[str]]]:
    """Value and labels of each version, deprecated ones too."""
    api = world.client("secretsmanager")
    listed = api.list_secret_version_ids(SecretId=name, IncludeDeprecated=True)["Versions"]
    return [
        (
            api.get_secret_value(SecretId=name, VersionId=each["VersionId"])["SecretString"],
            each.get("VersionStages", []),
        )
        for each in listed
    ]


def error(call: Any, **params: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**params)
    found = caught.value.response["Error"]
    return found["Code"], found["Message"]


def test_labels_move_as_recorded(world: World) -> None:
    api = world.client("secretsmanager")
    first = api.create_secret(Name="s", SecretString="S1")["VersionId"]
    second = api.put_secret_value(
        SecretId="s", SecretString="S2", VersionStages=["PUT1", "AWSPENDING", "AWSSOMETHING"]
    )
    assert second["VersionStages"] == ["AWSPENDING", "AWSSOMETHING", "PUT1"]
    api.update_secret_version_stage(
        SecretId="s",
        VersionStage="AWSCURRENT",
        RemoveFromVersionId=first,
        MoveToVersionId=second["VersionId"],
    )
    assert labels(world) == [
        ("S1", ["AWSPREVIOUS"]),
        ("S2", ["AWSCURRENT", "AWSPENDING", "AWSSOMETHING", "PUT1"]),
    ]
    api.put_secret_value(SecretId="s", SecretString="S3")
    assert labels(world) == [
        ("S1", []),
        ("S2", ["AWSPREVIOUS", "AWSSOMETHING", "PUT1"]),
        ("S3", ["AWSCURRENT"]),
    ]
    assert len(api.list_secret_version_ids(SecretId="s")["Versions"]) == 2
    assert error(
        api.update_secret_version_stage, SecretId="s", VersionStage="AWSCURRENT", MoveToVersionId=first
    ) == (
        "InvalidParameterException",
        f"The parameter RemoveFromVersionId can't be empty. Staging label AWSCURRENT is currently "
        f"attached to "
        f"version {api.get_secret_value(SecretId='s')['VersionId']}, so you must explicitly reference that "
        "version in RemoveFromVersionId.",
    )


def test_refusals_as_recorded(world: World) -> None:
    api = world.client("secretsmanager")
    gone = "Secrets Manager can't find the specified secret"
    assert error(api.get_secret_value, SecretId="none") == ("ResourceNotFoundException", f"{gone}.")
    assert error(api.create_secret, Name="Inv Name", SecretString="x") == (
        "ValidationException",
        "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: "
        "-/_+=.@!",
    )
    version = api.create_secret(Name="s", SecretString="x")["VersionId"]
    assert error(api.create_secret, Name="s", SecretString="y") == (
        "ResourceExistsException",
        "The operation failed because the secret s already exists.",
    )
    assert error(api.get_secret_value, SecretId="s", VersionStage="AWSPREVIOUS") == (
        "ResourceNotFoundException",
        f"{gone} value for staging label: AWSPREVIOUS",
    )
    assert error(api.get_secret_value, SecretId="s", VersionId=version, VersionStage="AWSPREVIOUS") == (
        "InvalidRequestException",
        "You provided a VersionStage that is not associated to the provided VersionId.",
    )
    assert error(
        api.rotate_secret,
        SecretId="s",
        RotationLambdaARN=f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:none",
        RotationRules={"AutomaticallyAfterDays": 1},
    ) == (
        "AccessDeniedException",
        "Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy "
        "grants access "
        "to the principal secretsmanager.amazonaws.com.",
    )
    assert "RotationEnabled" not in api.describe_secret(SecretId="s")


def test_names_and_partial_arns(world: World) -> None:
    api = world.client("secretsmanager")
    for name, found in (("Valid/_+=.@-Name-a1b2", True), ("Invalid/_+=.@-Name-a1b2c3", False)):
        arn = api.create_secret(Name=name, SecretString="x")["ARN"]
        assert api.get_secret_value(SecretId=arn)["Name"] == name
        partial = arn[:-7]
        if found:
            assert api.get_secret_value(SecretId=partial)["Name"] == name
        else:  # what looks like the random part is taken for it
            assert error(api.get_secret_value, SecretId=partial)[0] == "ResourceNotFoundException"


def test_the_recovery_window(world: World) -> None:
    api = world.client("secretsmanager")
    made = api.create_secret(Name="s", SecretString="x")
    deleted = api.delete_secret(SecretId="s", RecoveryWindowInDays=7)
    assert (deleted["DeletionDate"] - world.datetime()).days in (6, 7)
    assert error(api.get_secret_value, SecretId="s") == (
        "InvalidRequestException",
        "You can't perform this operation on the secret because it was marked for deletion.",
    )
    assert error(api.create_secret, Name="s", SecretString="x") == (
        "InvalidRequestException",
        "You can't create this secret because a secret with this name is already scheduled for deletion.",
    )
    assert api.list_secrets()["SecretList"] == []
    api.restore_secret(SecretId="s")
    assert api.get_secret_value(SecretId="s")["VersionId"] == made["VersionId"]
    api.delete_secret(SecretId="s", RecoveryWindowInDays=7)
    world.kernel.advance(8 * DAY)
    assert error(api.describe_secret, SecretId="s")[0] == "ResourceNotFoundException"
    assert api.create_secret(Name="s", SecretString="y")["ARN"] != made["ARN"]


def test_many_at_once(world: World) -> None:
    api = world.client("secretsmanager")
    for name in ("app/a", "app/b", "other"):
        api.create_secret(Name=name, SecretString=name, Tags=[{"Key": "team", "Value": name}])
    found = api.batch_get_secret_value(Filters=[{"Key": "name", "Values": ["app/"]}])
    assert [each["SecretString"] for each in found["SecretValues"]] == ["app/a", "app/b"]
    found = api.batch_get_secret_value(SecretIdList=["other", "none"])
    assert [each["Name"] for each in found["SecretValues"]] == ["other"]
    assert [(each["SecretId"], each["ErrorCode"]) for each in found["Errors"]] == [
        ("none", "ResourceNotFoundException")
    ]
    assert len(api.get_random_password(PasswordLength=20)["RandomPassword"]) == 20


def test_the_key_and_the_policy_of_a_secret(world: World) -> None:
    api = world.client("secretsmanager")
    arn = api.create_secret(Name="s", SecretString="x", KmsKeyId=key(world))["ARN"]
    reader = make_role(world, "r", "secretsmanager:GetSecretValue")
    assert act(world, reader, "secretsmanager", "GetSecretValue", SecretId="s") == (
        "AccessDeniedException: Access to KMS is not allowed"
    )
    both = make_role(world, "b", "secretsmanager:GetSecretValue", "kms:Decrypt")
    assert act(world, both, "secretsmanager", "GetSecretValue", SecretId="s") == "ok"
    api.create_secret(Name="plain", SecretString="x")
    nobody = make_role(world, "n", "s3:GetObject")
    assert "because no identity-based policy" in act(
        world, nobody, "secretsmanager", "GetSecretValue", SecretId="plain"
    )
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": nobody},
        "Action": "secretsmanager:GetSecretValue",
        "Resource": "*",
        "Condition": {"StringEquals": {"secretsmanager:VersionStage": "AWSCURRENT"}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    api.put_resource_policy(SecretId="plain", ResourcePolicy=policy)
    assert act(world, nobody, "secretsmanager", "GetSecretValue", SecretId="plain") == "ok"
    previous = {"SecretId": "plain", "VersionStage": "AWSPREVIOUS"}
    assert act(world, nobody, "secretsmanager", "GetSecretValue", **previous).startswith("AccessDenied")
    assert arn.startswith(f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:s-")


@pytest.mark.parametrize(
    ("rules", "opens", "closes"),
    [
        ({"AutomaticallyAfterDays": 30}, "2026-02-04T00:00", "2026-02-05T00:00"),
        ({"AutomaticallyAfterDays": 1, "Duration": "3h"}, "2026-01-06T00:00", "2026-01-06T03:00"),
        ({"ScheduleExpression": "rate(10 days)"}, "2026-01-15T00:00", "2026-01-16T00:00"),
        ({"ScheduleExpression": "rate(4 hours)"}, "2026-01-05T12:00", "2026-01-05T13:00"),
        ({"ScheduleExpression": "cron(0 16 1,15 * ? *)"}, "2026-01-15T16:00", "2026-01-16T00:00"),
        ({"ScheduleExpression": "cron(0 8/8 * * ? *)"}, "2026-01-05T16:00", "2026-01-05T17:00"),
    ],
)
def test_windows(rules: dict[str, Any], opens: str, closes: str) -> None:
    window = following(rules, datetime.datetime(2026, 1, 5, 9, 30, tzinfo=datetime.UTC))
    assert window is not None
    assert (f"{window.opens:%Y-%m-%dT%H:%M}", f"{window.closes:%Y-%m-%dT%H:%M}") == (opens, closes)


ROTATOR = """
import boto3, json, os
client = boto3.client("secretsmanager")

def handler(event, context):
    print(json.dumps(event))
    arn, token, step = event["SecretId"], event["ClientRequestToken"], event["Step"]
    stages = client.describe_secret(SecretId=arn)["VersionIdsToStages"]
    if "AWSPENDING" not in stages[token]:
        raise ValueError("not pending")
    if step == "createSecret":
        client.get_secret_value(SecretId=arn, VersionStage="AWSCURRENT")
        try:
            client.get_secret_value(SecretId=arn, VersionId=token, VersionStage="AWSPENDING")
        except client.exceptions.ResourceNotFoundException:
            password = client.get_random_password()["RandomPassword"]
            client.put_secret_value(SecretId=arn, ClientRequestToken=token, SecretString=password,
                                    VersionStages=["AWSPENDING"])
    if step == "testSecret" and os.environ["FAILS"] == "yes":
        raise RuntimeError("the database does not answer")
    if step == "finishSecret":
        current = next(version for version, labels in stages.items() if "AWSCURRENT" in labels)
        client.update_secret_version_stage(SecretId=arn, VersionStage="AWSCURRENT", MoveToVersionId=token,
                                           RemoveFromVersionId=current)
"""
READER = """
from aws_lambda_powertools.utilities import parameters
import os

def handler(event, context):
    return parameters.get_secret(os.environ["SECRET"], max_age=3600)
"""


def resources(fails: str, permitted: bool = True) -> dict[str, Any]:
    permission = {
        "Permission": {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "Action": "lambda:InvokeFunction",
                "FunctionName": {"Ref": "Rotator"},
                "Principal": "secretsmanager.amazonaws.com",
            },
        }
    }
    return {
        "Secret": {
            "Type": "AWS::SecretsManager::Secret",
            "Properties": {"GenerateSecretString": {"PasswordLength": 16}},
        },
        "Role": role("secretsmanager:*"),
        "Rotator": function(ROTATOR, Environment={"Variables": {"FAILS": fails}}),
        "Reader": function(READER, Environment={"Variables": {"SECRET": {"Ref": "Secret"}}}, MemorySize=512),
        "Schedule": {
            "Type": "AWS::SecretsManager::RotationSchedule",
            "DependsOn": ["Permission"] if permitted else [],
            "Properties": {
                "SecretId": {"Ref": "Secret"},
                "RotationLambdaARN": {"Fn::GetAtt": ["Rotator", "Arn"]},
                "RotationRules": {"ScheduleExpression": "rate(10 days)"},
            },
        },
        **(permission if permitted else {}),
    }


def test_a_stack_that_rotates() -> None:
    cloud = LocalCloud()
    stack = Deployer(cloud)
    assert stack.create(resources("no")) == "CREATE_COMPLETE", stack.failures()
    cloud.advance("1m")
    api, secret = cloud.client("secretsmanager"), stack.physical("Secret")
    steps = stack.requests("Rotator")
    assert [each["Step"] for each in steps] == ["createSecret", "setSecret", "testSecret", "finishSecret"]
    assert {each["SecretId"] for each in steps} == {secret}
    assert set(steps[0]) == {"Step", "SecretId", "ClientRequestToken", "RotationToken"}
    shown = api.describe_secret(SecretId=secret)
    token = steps[0]["ClientRequestToken"]
    assert shown["VersionIdsToStages"].pop(token) == ["AWSCURRENT", "AWSPENDING"]
    assert list(shown["VersionIdsToStages"].values()) == [["AWSPREVIOUS"]]
    assert shown["RotationEnabled"]
    assert shown["LastRotatedDate"].date().isoformat() == "2026-01-05"
    assert shown["NextRotationDate"].isoformat() == "2026-01-15T23:59:59+00:00"

    def read() -> str:
        answer = cloud.client("lambda").invoke(FunctionName=stack.physical("Reader"))
        return str(json.loads(answer["Payload"].read()))

    first = read()
    assert first == api.get_secret_value(SecretId=secret)["SecretString"]
    api.rotate_secret(SecretId=secret)
    cloud.advance("1m")
    second = api.get_secret_value(SecretId=secret)["SecretString"]
    assert read() == first != second  # Powertools' cache, for an hour
    cloud.advance("1h")
    assert read() == second
    cloud.advance("30d")
    assert len(stack.requests("Rotator")) == 4 * 4  # two by hand, and after 10 and 20 days
    assert stack.delete() == "DELETE_COMPLETE"
    cloud.close()


def test_a_rotation_that_fails_is_tried_again_and_then_blocks_another() -> None:
    cloud = LocalCloud()
    stack = Deployer(cloud)
    assert stack.create(resources("yes")) == "CREATE_COMPLETE"
    cloud.advance("1h")
    api, secret = cloud.client("secretsmanager"), stack.physical("Secret")
    attempts = list(cloud.world.journal.select("secretsmanager.rotation"))
    assert [(each.outcome, each.data["attempt"], each.data["step"]) for each in attempts] == [
        ("Unhandled", attempt, "testSecret") for attempt in range(1, 6)
    ]
    shown = api.describe_secret(SecretId=secret)
    assert "LastRotatedDate" not in shown
    assert sorted(shown["VersionIdsToStages"].values()) == [["AWSCURRENT"], ["AWSPENDING"]]
    assert error(api.rotate_secret, SecretId=secret) == (
        "InvalidRequestException",
        "A previous rotation isn't complete. That rotation will be reattempted.",
    )
    lambda_ = cloud.client("lambda")
    lambda_.update_function_configuration(
        FunctionName=stack.physical("Rotator"), Environment={"Variables": {"FAILS": "no"}}
    )
    cloud.advance("11d")  # the schedule goes on with the version that is pending
    assert attempts[0].data["version"] in api.get_secret_value(SecretId=secret)["VersionId"]
    cloud.close()


def test_without_permission_the_stack_fails() -> None:
    cloud = LocalCloud()
    stack = Deployer(cloud)
    assert stack.create(resources("no", permitted=False)) == "ROLLBACK_COMPLETE"
    assert "Secrets Manager cannot invoke the specified Lambda function" in stack.failures()[0][1]
    cloud.close()
