"""What ``cloud.deploy`` takes: template files, folders, CDK applications; what it says of anything else."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest

from infra import cloud_assembly, packaging
from infra.assembly import _key
from infra.cloud import connect
from infra.cloud.local.cloud import LocalCloud
from infra.deploy import DeployFailed
from infra.sources import _name, _text

QUEUE = """
Parameters:
  Seconds: {Type: Number, Default: 30}
  Name: {Type: String}
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties: {QueueName: !Ref Name, VisibilityTimeout: !Ref Seconds}
Outputs:
  Url: {Value: !Ref Queue}
"""


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with connect("local") as opened:
        assert isinstance(opened, LocalCloud)
        yield opened


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def timeout(cloud: LocalCloud, url: str) -> str:
    sqs = cloud.client("sqs")
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])
    return str(found["Attributes"]["VisibilityTimeout"])


def test_a_template_file_with_parameters(cloud: LocalCloud, tmp_path: Path) -> None:
    path = write(tmp_path, queue_dot_yaml=QUEUE) / "queue.yaml"
    app = cloud.deploy(path, Name="a", parameters={"Seconds": 40})
    assert (app.stack_name, timeout(cloud, app["Url"])) == ("queue", "40")
    assert (
        repr(cloud.deploy(str(path), parameters={"Seconds": 40})) == "queue is up to date: nothing to deploy"
    )
    again = cloud.deploy(path, Seconds=50)  # the name is the one that the stack has
    assert timeout(cloud, again["Url"]) == "50"


def test_stacks_live_side_by_side(cloud: LocalCloud, tmp_path: Path) -> None:
    write(tmp_path, queue_dot_yaml=QUEUE)
    first = cloud.deploy(tmp_path / "queue.yaml", stack_name="first", Name="a")
    second = cloud.deploy(tmp_path / "queue.yaml", stack_name="second", Name="b")
    cloud.destroy(first)
    assert timeout(cloud, second["Url"]) == "30"


def test_a_template_that_is_too_long_for_a_request_goes_through_the_bucket(
    cloud: LocalCloud, tmp_path: Path
) -> None:
    padded = QUEUE + "Metadata: {Padding: " + "x" * 60_000 + "}\n"
    write(tmp_path, queue_dot_yaml=padded)
    app = cloud.deploy(tmp_path / "queue.yaml", Name="a")
    assert timeout(cloud, app["Url"]) == "30"
    assert timeout(cloud, cloud.deploy(tmp_path / "queue.yaml", Seconds=31)["Url"]) == "31"


def test_bad_input_is_named(cloud: LocalCloud, tmp_path: Path) -> None:
    write(tmp_path, queue_dot_yaml=QUEUE, note_dot_txt="x", bad_dot_json="{", none_dot_yaml="a: 1")
    endings = ".yaml, .yml, .json, .template"
    for name, properties, kind, message in (
        ("queue.yaml", {"Secnds": 1}, TypeError, "has no parameter 'Secnds'; did you mean 'Seconds'?"),
        ("note.txt", {}, ValueError, f"note.txt does not end in {endings}; deploy() takes"),
        ("bad.json", {}, ValueError, "bad.json: JSON not well-formed. (line 1, column 2)"),
        ("none.yaml", {}, ValueError, "none.yaml is no CloudFormation template: it has no Resources"),
        ("", {}, ValueError, "holds no template.yaml, no cdk.json and no manifest.json; deploy() takes"),
    ):
        with pytest.raises(kind, match=re.escape(message)):
            cloud.deploy(tmp_path / name, **properties)
    with pytest.raises(DeployFailed, match=re.escape("Parameters: [Name] must have values")):
        cloud.deploy(tmp_path / "queue.yaml")


# -- packing -------------------------------------------------------------------------------------------------

SAM = """
Transform: AWS::Serverless-2016-10-31
Globals: {Function: {CodeUri: src/, Runtime: python3.12}}
Resources:
  One: {Type: AWS::Serverless::Function, Properties: {Handler: app.handler}}
  Two: {Type: AWS::Serverless::Function, Properties: {Handler: app.handler, CodeUri: other/app.py}}
  Layer:
    Type: AWS::Serverless::LayerVersion
    Metadata: {BuildMethod: python3.12}
    Properties: {ContentUri: layer}
  Plain: {Type: AWS::Lambda::Function, Properties: {Code: src, Role: r}}
  Far: {Type: AWS::Serverless::Function, Properties: {CodeUri: s3://bucket/key}}
  Child: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: child.yaml}}
"""


def test_local_code_is_packed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(
        tmp_path,
        template_dot_yaml=SAM,
        src__app_dot_py="def handler(event, context): ...",
        src__requirements_dot_txt="boto3\n# comment\nno-such-package>=1\n",
        src____pycache____app_dot_pyc="x",
        other__app_dot_py="x = 1",
        other__secret_dot_txt="not packed",
        layer__shared_dot_py="y = 2",
        child_dot_yaml="Resources: {Queue: {Type: AWS::SQS::Queue}}",
    )
    (tmp_path / "src" / "__pycache__").mkdir()
    (tmp_path / "src" / "__pycache__" / "app.pyc").write_text("x")
    found = packaging.package(tmp_path / "template.yaml", "app", "123456789012", "us-east-1")
    body = json.loads(found.template)
    contents = {}
    for asset in found.assets:
        assert asset.content() == asset.content()
        if asset.zipped:
            with zipfile.ZipFile(BytesIO(asset.content())) as archive:
                contents[asset.key] = sorted(archive.namelist())
    bucket = "workshop-assets-123456789012-us-east-1"

    def inside(uri: str) -> list[str]:
        return [name for name in contents[uri.removeprefix(f"s3://{bucket}/")] if "pycache" not in name]

    resources = {name: each["Properties"] for name, each in body["Resources"].items()}
    assert inside(body["Globals"]["Function"]["CodeUri"]) == ["app.py", "requirements.txt"]
    assert "CodeUri" not in resources["One"]
    assert inside(resources["Two"]["CodeUri"]) == ["app.py"]
    assert inside(resources["Layer"]["ContentUri"]) == ["python/shared.py"]
    assert resources["Plain"]["Code"]["S3Bucket"] == bucket
    assert resources["Far"]["CodeUri"] == "s3://bucket/key"
    assert resources["Child"]["TemplateURL"].startswith(f"https://s3.us-east-1.amazonaws.com/{bucket}/")
    said = capsys.readouterr().out
    assert "its requirements.txt asks for no-such-package, not installed here" in said
    assert "boto3" not in said


def test_code_that_is_not_there_is_named(tmp_path: Path) -> None:
    write(tmp_path, template_dot_yaml=SAM)
    message = "Globals.Function.CodeUri: there is no file or folder 'src/' beside the template"
    with pytest.raises(ValueError, match=re.escape(message)):
        packaging.package(tmp_path / "template.yaml", "app", "1", "us-east-1")


def test_names_and_values() -> None:
    assert _name(Path("/x/my_app/template.yaml")) == "my-app"
    assert _name(Path("/x/9lives.json")) == "stack-9lives"
    assert [_text(value) for value in (True, 3, ["a", 1], "x")] == ["true", "3", "a,1", "x"]


# -- CDK -----------------------------------------------------------------------------------------------------

MANIFEST = {
    "artifacts": {
        "User": {
            "type": "aws:cloudformation:stack",
            "dependencies": ["Maker", "User.assets"],
            "properties": {"templateFile": "User.json"},
        },
        "User.assets": {"type": "cdk:asset-manifest", "properties": {"file": "User.assets.json"}},
        "Maker": {
            "type": "aws:cloudformation:stack",
            "properties": {"templateFile": "Maker.json", "stackName": "made-first"},
        },
        "Tree": {"type": "cdk:tree"},
    }
}
MAKER = {
    "Resources": {"Queue": {"Type": "AWS::SQS::Queue"}},
    "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Queue", "Arn"]}, "Export": {"Name": "arn"}}},
}
USER = {
    "Resources": {
        "Seen": {
            "Type": "AWS::SSM::Parameter",
            "Properties": {"Type": "String", "Value": {"Fn::ImportValue": "arn"}},
        }
    },
    "Outputs": {"Seen": {"Value": {"Fn::GetAtt": ["Seen", "Value"]}}},
}
ASSETS = {
    "files": {
        "t": {"source": {"path": "User.json"}, "destinations": {"d": {"bucketName": "b", "objectKey": "t"}}},
        "a": {
            "source": {"path": "asset.x", "packaging": "zip"},
            "destinations": {
                "d": {"bucketName": "cdk-assets-${AWS::AccountId}-${AWS::Region}", "objectKey": "x.zip"}
            },
        },
    }
}


def assembly(folder: Path) -> Path:
    write(folder, asset_dot_x__app_dot_py="x = 1")
    for name, content in (("manifest", MANIFEST), ("Maker", MAKER), ("User", USER), ("User.assets", ASSETS)):
        (folder / f"{name}.json").write_text(json.dumps(content))
    return folder


def test_a_cloud_assembly_is_deployed_in_the_order_of_its_dependencies(
    cloud: LocalCloud, tmp_path: Path
) -> None:
    app = cloud.deploy(assembly(tmp_path))
    assert list(app.stacks) == ["made-first", "User"]
    assert app["Seen"] == app["made-first.Arn"] == app["Arn"]
    assert app["User.Seen"] == app["Seen"]
    keys = cloud.client("s3").list_objects_v2(Bucket="cdk-assets-123456789012-us-east-1")["Contents"]
    assert [each["Key"] for each in keys] == ["x.zip"]
    cloud.destroy(app)
    assert cloud.client("cloudformation").describe_stacks()["Stacks"] == []


def test_one_stack_of_an_assembly(cloud: LocalCloud, tmp_path: Path) -> None:
    app = cloud.deploy(assembly(tmp_path), stack_name="made-first")
    assert app.stack_name == "made-first"
    with pytest.raises(ValueError, match="has no stack 'other'; it has: made-first, User"):
        cloud.deploy(tmp_path, stack_name="other")


def test_container_images_are_refused_by_name(tmp_path: Path) -> None:
    assembly(tmp_path)
    (tmp_path / "User.assets.json").write_text(json.dumps({**ASSETS, "dockerImages": {"x": {}}}))
    with pytest.raises(ValueError, match="NotSimulated: docker image assets"):
        cloud_assembly.read(tmp_path)


def test_a_synthesized_template_brings_its_assets(cloud: LocalCloud, tmp_path: Path) -> None:
    assembly(tmp_path)
    (tmp_path / "One.template.json").write_text(json.dumps(MAKER))
    own = {"files": {"a": ASSETS["files"]["a"]}}
    (tmp_path / "One.assets.json").write_text(json.dumps(own))
    assert cloud.deploy(tmp_path / "One.template.json").stack_name == "One"
    keys = cloud.client("s3").list_objects_v2(Bucket="cdk-assets-123456789012-us-east-1")["Contents"]
    assert "x.zip" in [each["Key"] for each in keys]


class Made:
    """In the place of a stack, whose source would be read with all of the CDK's."""


def test_an_assembly_is_made_anew_when_a_folder_that_it_was_given_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A relative one too; but an empty text is no path, and no reason to read the current folder."""
    monkeypatch.chdir(tmp_path)
    code = tmp_path / "code"
    code.mkdir()

    def key(given: str) -> str:
        return _key(Made, "Some", {"code": given})

    before = {given: key(given) for given in ("code", str(code), "")}
    (code / "work.py").write_text("print()")
    (tmp_path / "work.py").write_text("print()")
    assert {given for given, was in before.items() if key(given) != was} == {"code", str(code)}

    packages = code / "node_modules"
    packages.mkdir()
    before = {given: key(given) for given in before}
    (packages / "index.js").write_text("")
    assert before == {given: key(given) for given in before}
