"""Stack policies: what an update may not touch stays, and the update is rolled back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.cloud import connect
from infra.cloud.local.cloud import LocalCloud
from infra.cloud.local.cloudformation.stack_policy import denial

from .deploy_tools import Deployer


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with connect("local") as opened:
        assert isinstance(opened, LocalCloud)
        yield opened


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Statement": [{"Principal": "*", **statement} for statement in statements]})


ALL = {"Effect": "Allow", "Action": "Update:*", "Resource": "*"}
KEEP = {"Effect": "Deny", "Action": ["Update:Modify", "Update:Delete"], "Resource": "LogicalResourceId/Kept"}
REASON = (
    "Action denied by stack policy: Statement [#2] does not allow [{}] for resource [LogicalResourceId/Kept]"
)


def queues(kept: int, other: int) -> dict[str, Any]:
    seconds = {"Kept": kept, "Other": other}
    return {
        name: {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": value}}
        for name, value in seconds.items()
        if value
    }


def test_what_a_policy_denies_is_not_updated(cloud: LocalCloud) -> None:
    app = Deployer(cloud)
    app.create(queues(30, 30))
    app.api.set_stack_policy(StackName="app", StackPolicyBody=policy(ALL, KEEP))
    assert (
        json.loads(app.api.get_stack_policy(StackName="app")["StackPolicyBody"])["Statement"][1]["Effect"]
        == "Deny"
    )
    assert app.update(queues(30, 40)) == "UPDATE_COMPLETE"
    assert app.update(queues(50, 40)) == "UPDATE_ROLLBACK_COMPLETE"
    assert app.failures() == [("Kept", REASON.format("Update:Modify"))]
    assert app.update(queues(0, 40)) == "UPDATE_ROLLBACK_COMPLETE"
    assert app.failures()[-1] == ("Kept", REASON.format("Update:Delete"))
    body = json.dumps({"Resources": queues(50, 40)})
    app.api.update_stack(StackName="app", TemplateBody=body, StackPolicyDuringUpdateBody=policy(ALL))
    cloud.settle()
    assert app.status == "UPDATE_COMPLETE"


def test_what_is_no_policy_is_refused(cloud: LocalCloud) -> None:
    app = Deployer(cloud)
    app.create(queues(30, 0))
    for body in ("{", "{}", policy({**ALL, "Effect": "Maybe"}), policy({**ALL, "Colour": "red"})):
        with pytest.raises(ClientError, match="Error validating stack policy"):
            app.api.set_stack_policy(StackName="app", StackPolicyBody=body)


@pytest.mark.parametrize(
    ("statement", "action", "denied"),
    [
        (ALL, "Update:Replace", False),
        ({**ALL, "Action": "Update:Modify"}, "Update:Replace", True),
        ({"Effect": "Allow", "NotAction": "Update:Delete", "Resource": "*"}, "Update:Replace", False),
        ({"Effect": "Allow", "Action": "*", "NotResource": "LogicalResourceId/Q*"}, "Update:Modify", True),
        (
            {**ALL, "Condition": {"StringEquals": {"ResourceType": ["AWS::SQS::Queue"]}}},
            "Update:Modify",
            False,
        ),
        ({**ALL, "Condition": {"StringLike": {"ResourceType": ["AWS::RDS::*"]}}}, "Update:Modify", True),
    ],
)
def test_statements(statement: dict[str, Any], action: str, denied: bool) -> None:
    assert bool(denial(policy(statement), action, "Queue", "AWS::SQS::Queue")) is denied
    assert denial("", action, "Queue", "AWS::SQS::Queue") == ""
