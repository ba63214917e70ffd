"""AWS's managed policies are there when they are named, and cost nothing before."""

from __future__ import annotations

import json
from typing import Any

import pytest
from moto.core.config import default_user_config
from moto.iam.models import iam_backends

from infra.cloud.local.access.managed_policies import load_on_demand
from infra.cloud.local.world import World

BASIC = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"


@pytest.fixture
def iam(world: World, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setitem(default_user_config["iam"], "load_aws_managed_policies", False)
    load_on_demand()
    client = world.client("iam")
    client.create_role(
        RoleName="worker", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": []})
    )
    return client


def test_a_policy_is_read_when_it_is_attached(world: World, iam: Any) -> None:
    backend = iam_backends[world.account]["aws"]
    assert backend.managed_policies == {}
    iam.attach_role_policy(RoleName="worker", PolicyArn=BASIC)
    assert list(backend.managed_policies) == [BASIC]
    [attached] = iam.list_attached_role_policies(RoleName="worker")["AttachedPolicies"]
    assert attached == {"PolicyName": "AWSLambdaBasicExecutionRole", "PolicyArn": BASIC}
    version = iam.get_policy_version(PolicyArn=BASIC, VersionId="v1")["PolicyVersion"]
    assert version["Document"]["Statement"][0]["Action"] == [
        "logs:CreateLogGroup",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
    ]


def test_a_policy_that_aws_does_not_have(iam: Any) -> None:
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.attach_role_policy(RoleName="worker", PolicyArn="arn:aws:iam::aws:policy/NoSuchPolicy")
    with pytest.raises(iam.exceptions.NoSuchEntityException):  # the right name under the wrong path
        iam.attach_role_policy(
            RoleName="worker", PolicyArn="arn:aws:iam::aws:policy/AWSLambdaBasicExecutionRole"
        )


def test_the_list_has_them_all(iam: Any) -> None:
    pages = iam.get_paginator("list_policies").paginate(Scope="AWS")
    arns = [policy["Arn"] for page in pages for policy in page["Policies"]]
    assert BASIC in arns
    assert len(arns) > 1000
    assert iam.list_policies(Scope="Local")["Policies"] == []
