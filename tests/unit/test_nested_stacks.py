"""Nested stacks and wait conditions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.cloud import connect
from infra.cloud.local.cloud import LocalCloud

from .deploy_tools import Deployer, function, role

CHILD = {
    "Parameters": {"Timeout": {"Type": "Number"}},
    "Resources": {
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": {"Ref": "Timeout"}}}
    },
    "Outputs": {
        "Url": {"Value": {"Ref": "Queue"}},
        "Arn": {"Value": {"Fn::GetAtt": "Queue.Arn"}, "Export": {"Name": "child-arn"}},
    },
}
URL = "https://templates.s3.amazonaws.com/child.json"


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with connect("local") as opened:
        assert isinstance(opened, LocalCloud)
        put(opened, CHILD)
        yield opened


def put(cloud: LocalCloud, template: dict[str, Any]) -> None:
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="templates")
    s3.put_object(Bucket="templates", Key="child.json", Body=json.dumps(template))


def parent(timeout: int) -> dict[str, Any]:
    properties = {"TemplateURL": URL, "Parameters": {"Timeout": timeout}}
    return {"Child": {"Type": "AWS::CloudFormation::Stack", "Properties": properties}}


OUTPUTS = {"Url": {"Value": {"Fn::GetAtt": ["Child", "Outputs.Url"]}}}


def timeout_of(cloud: LocalCloud, url: str) -> str:
    attributes = cloud.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])
    return str(attributes["Attributes"]["VisibilityTimeout"])


def test_the_life_of_a_nested_stack(cloud: LocalCloud) -> None:
    app = Deployer(cloud)
    assert app.create(parent(30), Outputs=OUTPUTS) == "CREATE_COMPLETE"
    url = app.outputs["Url"]
    assert timeout_of(cloud, url) == "30"
    child = app.physical("Child")
    described = app.api.describe_stacks(StackName=child)["Stacks"][0]
    own = app.api.describe_stacks(StackName="app")["Stacks"][0]
    assert (described["ParentId"], described["RootId"]) == (own["StackId"], own["StackId"])
    assert described["StackName"].startswith("app-Child-")
    assert app.update(parent(60), Outputs=OUTPUTS) == "UPDATE_COMPLETE"
    assert (app.outputs["Url"], timeout_of(cloud, url)) == (url, "60")
    assert app.delete() == "DELETE_COMPLETE"
    assert app.api.describe_stacks(StackName=child)["Stacks"][0]["StackStatus"] == "DELETE_COMPLETE"


def test_a_nested_stack_that_fails_rolls_its_parent_back(cloud: LocalCloud) -> None:
    app = Deployer(cloud)
    assert app.create(parent(99_999_999)) == "ROLLBACK_COMPLETE"
    (logical_id, reason), *_ = app.failures()
    assert logical_id == "Child"
    assert reason.startswith("Embedded stack arn:aws:cloudformation:us-east-1:123456789012:stack/app-Child-")
    assert reason.endswith(
        " was not successfully created: The following resource(s) failed to create: [Queue]. "
    )


def test_a_nested_update_that_fails_restores_both(cloud: LocalCloud) -> None:
    app = Deployer(cloud)
    app.create(parent(30), Outputs=OUTPUTS)
    assert app.update(parent(99_999_999), Outputs=OUTPUTS) == "UPDATE_ROLLBACK_COMPLETE"
    assert timeout_of(cloud, app.outputs["Url"]) == "30"
    assert app.failures()[0][1].endswith("The following resource(s) failed to update: [Queue]. ")


def test_what_a_nested_template_cannot_have_is_named_before_anything_is_created(cloud: LocalCloud) -> None:
    put(cloud, {**CHILD, "Resources": {**CHILD["Resources"], "Api": {"Type": "AWS::AppSync::GraphQLApi"}}})
    app = Deployer(cloud)
    with pytest.raises(ClientError, match=r"NotSimulated: in Child: AWS::AppSync::GraphQLApi \(Api\)"):
        app.create(parent(30))
    assert app.api.list_stacks()["StackSummaries"] == []


def test_an_export_of_a_nested_stack_that_is_used_stays(cloud: LocalCloud) -> None:
    app = Deployer(cloud)
    app.create(parent(30))
    topic = {
        "Type": "AWS::SSM::Parameter",
        "Properties": {"Type": "String", "Value": {"Fn::ImportValue": "child-arn"}},
    }
    user = Deployer(cloud, "user")
    assert user.create({"Seen": topic}) == "CREATE_COMPLETE"
    assert app.api.list_imports(ExportName="child-arn")["Imports"] == ["user"]
    assert app.delete() == "DELETE_FAILED"
    assert "Cannot delete export child-arn as it is in use by user" in app.failures()[0][1]
    assert user.delete() == "DELETE_COMPLETE"
    assert app.delete() == "DELETE_COMPLETE"


# -- wait conditions -----------------------------------------------------------------------------------------

SIGNAL = """
import json, urllib.request
def handler(event, context):
    for unique_id, data in event["signals"]:
        body = json.dumps({"Status": event.get("status", "SUCCESS"), "UniqueId": unique_id, "Data": data,
                           "Reason": "no luck"}).encode()
        urllib.request.urlopen(urllib.request.Request(event["url"], body, method="PUT"))
"""


def waiting(**payload: Any) -> dict[str, Any]:
    """A condition, and a rule of a custom kind: a function that signals when a custom resource is made."""
    source = SIGNAL.replace(
        "def handler(event, context):",
        "import cfnresponse\n"
        "def handler(request, context):\n"
        "    payload = json.loads(request['ResourceProperties']['Payload'])\n"
        "    if request['RequestType'] == 'Create': signal(payload)\n"
        "    cfnresponse.send(request, context, 'SUCCESS', {}, 'x')\n"
        "def signal(event):",
    )
    body = json.dumps({**payload, "url": "${Handle}"})
    token = {"Fn::GetAtt": ["Handler", "Arn"]}
    return {
        "Role": role(),
        "Handler": function(source),
        "Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"},
        "Signals": {
            "Type": "Custom::Signals",
            "Properties": {"ServiceToken": token, "Payload": {"Fn::Sub": body}},
        },
        "Condition": {
            "Type": "AWS::CloudFormation::WaitCondition",
            "Properties": {"Handle": {"Ref": "Handle"}, "Timeout": "60", "Count": 2},
        },
    }


def test_a_wait_condition_waits_for_its_signals(cloud: LocalCloud) -> None:
    app = Deployer(cloud)
    outputs = {"Data": {"Value": {"Fn::GetAtt": ["Condition", "Data"]}}}
    resources = waiting(signals=[["a", "1"], ["a", "again"], ["b", "2"]])
    assert app.create(resources, Outputs=outputs) == "CREATE_COMPLETE"
    assert json.loads(app.outputs["Data"]) == {"a": "1", "b": "2"}


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (
            {"signals": [["a", "1"]]},
            "WaitCondition timed out. Received 1 conditions when expecting 2",
        ),
        (
            {"signals": [["a", "1"]], "status": "FAILURE"},
            "WaitCondition received failed message: 'no luck' for uniqueId: a",
        ),
    ],
)
def test_a_wait_condition_fails(cloud: LocalCloud, payload: dict[str, Any], reason: str) -> None:
    app = Deployer(cloud)
    assert app.create(waiting(**payload)) == "ROLLBACK_COMPLETE"
    assert ("Condition", reason) in app.failures()
