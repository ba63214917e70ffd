"""AWS::Include: snippets from S3 in the place of a transform, wherever it stands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.cloud import connect
from infra.cloud.local.cloud import LocalCloud
from infra.cloud.local.cloudformation.includes import Includer
from infra.cloud.local.service import ServiceError

from .deploy_tools import Deployer


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with connect("local") as opened:
        assert isinstance(opened, LocalCloud)
        yield opened


FILES = {
    "s3://b/delay.yaml": "DelaySeconds: 7\n",
    "s3://b/queue.json": '{"Type": "AWS::SQS::Queue", "Properties": {"Fn::Transform": '
    '{"Name": "AWS::Include", "Parameters": {"Location": "s3://b/delay.yaml"}}}}',
    "s3://b/sections.yaml": "Resources: {Two: {Type: AWS::SQS::Queue}}\nOutputs: {O: {Value: 2012-10-17}}\n",
    "s3://b/list.yaml": "- a\n- b\n",
    "s3://b/short.yaml": "Value: !Ref Q\n",
    "s3://b/bad.yaml": "a: [\n",
}


def include(location: Any) -> dict[str, Any]:
    return {"Name": "AWS::Include", "Parameters": {"Location": location}}


def included(body: dict[str, Any]) -> dict[str, Any]:
    return Includer(FILES.__getitem__, {"File": "delay", "Uri": "s3://b/list.yaml"}).template(body)


def test_a_snippet_joins_what_stands_beside_it() -> None:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/transform-aws-include.html"""
    inner = include({"Fn::Sub": "s3://b/${File}.yaml"})
    body = {"Resources": {"One": {"Type": "T", "Properties": {"A": 1, "Fn::Transform": inner}}}}
    assert included(body) == {"Resources": {"One": {"Type": "T", "Properties": {"A": 1, "DelaySeconds": 7}}}}
    whole = {"Resources": {"One": {"Fn::Transform": include("s3://b/queue.json")}}}
    assert included(whole)["Resources"]["One"] == {
        "Type": "AWS::SQS::Queue",
        "Properties": {"DelaySeconds": 7},
    }
    alone = {"Metadata": {"L": {"Fn::Transform": include({"Ref": "Uri"})}}}
    assert included(alone) == {"Metadata": {"L": ["a", "b"]}}


def test_sections_at_the_top_and_other_transforms() -> None:
    body = {
        "Transform": ["AWS::Serverless-2016-10-31", include("s3://b/sections.yaml")],
        "Resources": {"One": {"Type": "T", "Fn::Transform": {"Name": "Own"}}},
    }
    assert included(body) == {
        "Transform": ["AWS::Serverless-2016-10-31"],
        "Resources": {
            "One": {"Type": "T", "Fn::Transform": {"Name": "Own"}},
            "Two": {"Type": "AWS::SQS::Queue"},
        },
        "Outputs": {"O": {"Value": "2012-10-17"}},
    }


@pytest.mark.parametrize("name", ["short", "bad"])
def test_a_snippet_has_no_short_forms_and_is_well_formed(name: str) -> None:
    with pytest.raises(
        ServiceError, match="Transform AWS::Include failed with: The specified S3 object's content"
    ):
        included({"Metadata": {"Fn::Transform": include(f"s3://b/{name}.yaml")}})
    with pytest.raises(ServiceError, match="not a valid S3 uri"):
        included({"Metadata": {"Fn::Transform": include("file.yaml")}})


def test_from_a_bucket_with_its_capability(cloud: LocalCloud) -> None:
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="snippets")
    s3.put_object(Bucket="snippets", Key="delay.yaml", Body=b"DelaySeconds: 7\n")
    queue = {"Type": "AWS::SQS::Queue", "Properties": {"Fn::Transform": include("s3://snippets/delay.yaml")}}
    app = Deployer(cloud)
    with pytest.raises(ClientError, match=r"Requires capabilities : \[CAPABILITY_AUTO_EXPAND\]"):
        app.api.create_stack(StackName="x", TemplateBody=json.dumps({"Resources": {"Q": queue}}))
    assert app.create({"Q": queue}) == "CREATE_COMPLETE"
    url = app.physical("Q")
    attributes = cloud.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["DelaySeconds"])
    assert attributes["Attributes"]["DelaySeconds"] == "7"


def test_a_file_beside_the_template_is_uploaded(cloud: LocalCloud, tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "queue.yaml").write_text("Type: AWS::SQS::Queue\nProperties: {DelaySeconds: 3}\n")
    path = tmp_path / "template.yaml"
    path.write_text(
        "Resources:\n  Q: {'Fn::Transform': {Name: 'AWS::Include', Parameters: {Location: own/queue.yaml}}}\n"
        "Outputs: {Url: {Value: !Ref Q}}\n"
    )
    url = cloud.deploy(path)["Url"]
    attributes = cloud.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["DelaySeconds"])
    assert attributes["Attributes"]["DelaySeconds"] == "3"
