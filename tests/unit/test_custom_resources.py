"""Custom resources: a function is asked, answers over HTTP that stays here, is asked again at each change."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.cloud import connect
from infra.cloud.local.cloud import LocalCloud
from infra.cloud.local.cloudformation.cdk_handlers import _flatten, _typed
from infra.cloud.local.cloudformation.providers.custom import stringified
from infra.deploy import DeployFailed

from .deploy_tools import Deployer, function, role

ECHO = """
import json, urllib.request
def handler(event, context):
    print(json.dumps(event))
    properties = event["ResourceProperties"]
    status = "FAILED" if properties.get("Fail") == event["RequestType"] else "SUCCESS"
    answer = {"Status": status, "Reason": "as asked", "PhysicalResourceId": properties.get("Id", "one"),
              "Data": {"Size": properties.get("Size", "none")}}
    answer |= {name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")}
    request = urllib.request.Request(event["ResponseURL"], json.dumps(answer).encode(), method="PUT")
    urllib.request.urlopen(request)
"""


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with connect("local") as opened:
        assert isinstance(opened, LocalCloud)
        yield opened


def stack(source: str = ECHO, kind: str = "Custom::Thing", **properties: Any) -> dict[str, Any]:
    token = {"Fn::GetAtt": ["Handler", "Arn"]}
    thing = {"Type": kind, "Properties": {"ServiceToken": token, **properties}}
    return {"Role": role(), "Handler": function(source), "Thing": thing}


SIZE = {"Size": {"Value": {"Fn::GetAtt": ["Thing", "Size"]}}}


def test_the_life_of_a_custom_resource(cloud: LocalCloud) -> None:
    app = Deployer(cloud)
    assert (
        app.create(stack(Size=3, Deep={"On": True, "Rate": 1.5, "List": [1]}), Outputs=SIZE)
        == "CREATE_COMPLETE"
    )
    assert (app.outputs, app.physical("Thing")) == ({"Size": "3"}, "one")
    assert app.update(stack(Size=4), Outputs=SIZE) == "UPDATE_COMPLETE"
    assert app.outputs == {"Size": "4"}
    create, update = app.requests("Handler")
    token = create.pop("ServiceToken")
    assert token.startswith("arn:aws:lambda:us-east-1:123456789012:function:app-Handler-")
    host = "https://cloudformation-custom-resource-response-useast1.s3.amazonaws.com/arn%3Aaws%3A"
    assert create.pop("ResponseURL").startswith(host)
    assert create.pop("RequestId") != update["RequestId"]
    assert create == {
        "RequestType": "Create",
        "StackId": update["StackId"],
        "LogicalResourceId": "Thing",
        "ResourceType": "Custom::Thing",
        "ResourceProperties": {
            "ServiceToken": token,
            "Size": "3",
            "Deep": {"On": "true", "Rate": "1.5", "List": ["1"]},
        },
    }
    assert update["RequestType"] == "Update"
    assert update["PhysicalResourceId"] == "one"
    assert update["OldResourceProperties"] == create["ResourceProperties"]
    assert update["ResourceProperties"] == {"ServiceToken": token, "Size": "4"}
    log_group = f"/aws/lambda/{app.physical('Handler')}"
    assert app.delete() == "DELETE_COMPLETE"
    last = [json.loads(line) for line in cloud.logs(log_group) if line.startswith("{")][-1]
    assert (last["RequestType"], last["PhysicalResourceId"]) == ("Delete", "one")


def test_another_physical_id_replaces_the_resource_and_deletes_the_old_one(cloud: LocalCloud) -> None:
    app = Deployer(cloud)
    app.create(stack(kind="AWS::CloudFormation::CustomResource", Id="a"))
    assert app.update(stack(kind="AWS::CloudFormation::CustomResource", Id="b")) == "UPDATE_COMPLETE"
    asked = [(each["RequestType"], each.get("PhysicalResourceId")) for each in app.requests("Handler")]
    assert asked == [("Create", None), ("Update", "a"), ("Delete", "a")]
    assert app.physical("Thing") == "b"


def test_a_failure_is_told_and_rolled_back(cloud: LocalCloud) -> None:
    app = Deployer(cloud)
    assert app.create(stack(Fail="Create", Id="half")) == "ROLLBACK_COMPLETE"
    logical_id, reason = app.failures()[0]
    assert logical_id == "Thing"
    assert reason.startswith(
        "Received response status [FAILED] from custom resource. Message returned: as asked (RequestId: "
    )
    group = next(name for name in cloud.world.logs.group_names())
    asked = [json.loads(line) for line in cloud.logs(group) if line.startswith("{")]
    assert [(each["RequestType"], each.get("PhysicalResourceId")) for each in asked] == [
        ("Create", None),
        ("Delete", "half"),
    ]


def test_a_failed_update_restores_what_was(cloud: LocalCloud) -> None:
    app = Deployer(cloud)
    app.create(stack(Size=1), Outputs=SIZE)
    assert app.update(stack(Size=2, Fail="Update"), Outputs=SIZE) == "UPDATE_ROLLBACK_COMPLETE"
    assert app.outputs == {"Size": "1"}
    assert [each["ResourceProperties"]["Size"] for each in app.requests("Handler")] == ["1", "2", "1"]


def test_no_answer_is_a_time_out_in_virtual_time(cloud: LocalCloud) -> None:
    app = Deployer(cloud)
    silent = "def handler(event, context):\n    return None\n"
    before = cloud.elapsed
    assert app.create(stack(silent, ServiceTimeout=90)) == "ROLLBACK_FAILED"
    assert 180 < cloud.elapsed - before < 300  # the roll-back asks too, and waits as long
    assert app.failures()[0][1].startswith(
        "CloudFormation did not receive a response from your Custom Resource. Please check your logs for "
    )


def test_a_handler_that_raises_is_tried_again_before_the_time_out(cloud: LocalCloud) -> None:
    app = Deployer(cloud)
    flaky = f"tries = 0\n{ECHO}".replace(
        "    print(",
        '    global tries\n    tries += 1\n    if tries < 3: raise RuntimeError("not yet")\n    print(',
    )
    assert app.create(stack(flaky)) == "CREATE_COMPLETE"


def test_what_a_handler_did_not_say_cannot_be_asked_for(cloud: LocalCloud) -> None:
    app = Deployer(cloud)
    outputs = {"Other": {"Value": {"Fn::GetAtt": ["Thing", "Other"]}}}
    assert app.create(stack(Size=1), Outputs=outputs) == "ROLLBACK_COMPLETE"
    events = app.api.describe_stack_events(StackName="app")["StackEvents"]
    reason = next(e["ResourceStatusReason"] for e in events if e["ResourceStatus"] == "ROLLBACK_IN_PROGRESS")
    assert reason.startswith(
        "CustomResource attribute error: Vendor response doesn't contain Other attribute"
    )


def test_a_topic_is_asked_too(cloud: LocalCloud) -> None:
    app = Deployer(cloud)
    from_topic = ECHO.replace(
        "(event, context):",
        "(event, context):\n    event = json.loads(event['Records'][0]['Sns']['Message'])",
    )
    resources = stack(from_topic, Size=5)
    resources["Thing"]["Properties"]["ServiceToken"] = {"Ref": "Topic"}
    resources["Thing"]["DependsOn"] = ["Permission"]
    endpoint = {"Fn::GetAtt": ["Handler", "Arn"]}
    resources["Topic"] = {
        "Type": "AWS::SNS::Topic",
        "Properties": {"Subscription": [{"Protocol": "lambda", "Endpoint": endpoint}]},
    }
    resources["Permission"] = {
        "Type": "AWS::Lambda::Permission",
        "Properties": {
            "Action": "lambda:InvokeFunction",
            "FunctionName": {"Ref": "Handler"},
            "Principal": "sns.amazonaws.com",
        },
    }
    assert app.create(resources, Outputs=SIZE) == "CREATE_COMPLETE"
    assert app.outputs == {"Size": "5"}


@pytest.mark.parametrize("client", ["cfnresponse", "urllib3", "requests", "http.client"])
def test_every_usual_client_reaches_the_response_url(cloud: LocalCloud, client: str) -> None:
    answer = (
        "    body = json.dumps({'Status': 'SUCCESS', 'PhysicalResourceId': 'x', 'Data': {'Size': '9'},"
        " **{n: event[n] for n in ('StackId', 'RequestId', 'LogicalResourceId')}})\n"
    )
    ways = {
        "cfnresponse": "    cfnresponse.send(event, context, cfnresponse.SUCCESS, {'Size': 9})\n",
        "urllib3": answer + "    urllib3.PoolManager().request('PUT', event['ResponseURL'], body=body)\n",
        "requests": answer + "    requests.put(event['ResponseURL'], data=body).raise_for_status()\n",
        "http.client": answer
        + "    url = urlsplit(event['ResponseURL'])\n"
        + "    connection = http.client.HTTPSConnection(url.netloc)\n"
        + "    connection.request('PUT', f'{url.path}?{url.query}', body)\n"
        + "    assert connection.getresponse().status == 200\n",
    }
    source = (
        f"import json, {client}\nfrom urllib.parse import urlsplit\n"
        f"def handler(event, context):\n{ways[client]}"
    )
    app = Deployer(cloud)
    assert app.create(stack(source), Outputs=SIZE) == "CREATE_COMPLETE"
    assert app.outputs == {"Size": "9"}


def test_a_handler_reaches_nobody_else(cloud: LocalCloud) -> None:
    tries = """
import socket, urllib.request, requests
def handler(event, context):
    for call in (lambda: urllib.request.urlopen("https://example.com/x"), lambda: requests.get("http://10.0.0.1"),
                 lambda: socket.create_connection(("example.com", 443))):
        try:
            call()
        except OSError as error:
            print("refused", "NotSimulated" in str(error))
"""
    app = Deployer(cloud)
    app.create({"Role": role(), "Handler": function(tries)})
    cloud.client("lambda").invoke(FunctionName=app.physical("Handler"))
    lines = [line for line in cloud.logs(app.physical("Handler")) if line.startswith("refused")]
    assert lines == ["refused True"] * 3


def test_properties_are_strings() -> None:
    assert stringified({"a": [1, True, 2.0, 1.5, "x"]}) == {"a": ["1", "true", "2", "1.5", "x"]}


def test_answers_of_aws_calls_are_flat() -> None:
    assert _flatten({"A": [{"B": 1}, {"C": b"x"}], "D": "y"}) == [("A.0.B", 1), ("A.1.C", "x"), ("D", "y")]
    assert _typed("PHYSICAL:RESOURCEID:", None, "id") == "id"


def test_deploy_waits_until_a_silent_custom_resource_has_failed(cloud: LocalCloud, tmp_path: Path) -> None:
    """An hour, and another for the roll-back: ``cfnresponse`` is there for inline code only, as on AWS."""
    template = {"Resources": stack("def handler(event, context):\n    import nowhere\n")}
    (tmp_path / "silent.json").write_text(json.dumps(template))
    with pytest.raises(DeployFailed, match=r"Thing .*did not receive a response from your Custom Resource"):
        cloud.deploy(tmp_path / "silent.json")


def test_a_deploy_that_gives_up_says_what_it_waited_for(
    cloud: LocalCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infra.deploy.MOST_POLLS", 60)
    template = {"Resources": stack("def handler(event, context):\n    import nowhere\n")}
    (tmp_path / "silent.json").write_text(json.dumps(template))
    with pytest.raises(DeployFailed, match=r"it still waits for Thing \(Custom::Thing\)"):
        cloud.deploy(tmp_path / "silent.json")
