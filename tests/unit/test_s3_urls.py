"""Pre-signed URLs, called by plain HTTP as a browser would."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator

import boto3
import pytest
import requests
from botocore.config import Config

from infra.cloud.local.patches import ACCESS_KEY, SECRET_KEY
from infra.cloud.local.world import World


@pytest.fixture
def world() -> Iterator[World]:
    world = World(latency={"*": 0})
    world.client("s3").create_bucket(Bucket="uploads")
    yield world
    world.close()


def call(method: str, url: str, body: bytes | None = None, kind: str = "") -> bytes:
    request = urllib.request.Request(url, data=body, method=method, headers={"Content-Type": kind})
    with urllib.request.urlopen(request) as answer:
        return bytes(answer.read())


def sign(world: World, operation: str, seconds: int = 60, version: str = "s3", **more: str) -> str:
    keys = {"aws_access_key_id": ACCESS_KEY, "aws_secret_access_key": SECRET_KEY}
    config = Config(signature_version=version)
    client = boto3.client("s3", region_name=world.region, config=config, **keys)  # type: ignore[call-overload]
    params = {"Bucket": "uploads", "Key": "my file", **more}
    return str(client.generate_presigned_url(operation, Params=params, ExpiresIn=seconds))


def refused(method: str, url: str, body: bytes | None = None, kind: str = "") -> tuple[int, str]:
    with pytest.raises(urllib.error.HTTPError) as error:
        call(method, url, body, kind)
    return error.value.code, error.value.read().decode().partition("<Code>")[2].partition("<")[0]


def test_upload_and_download(world: World) -> None:
    sent: list[str] = []
    world.events.emit = lambda source, kind, detail, **more: sent.append(detail["reason"]) or ""  # type: ignore[assignment,method-assign,func-returns-value]
    world.client("s3").put_bucket_notification_configuration(
        Bucket="uploads", NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    body = bytes(range(256))
    call("PUT", sign(world, "put_object"), body)
    assert call("GET", sign(world, "get_object")) == body
    assert world.client("s3").get_object(Bucket="uploads", Key="my file")["Body"].read() == body
    world.kernel.settle()
    assert sent == ["PutObject"]


def test_an_old_or_unsigned_url_is_refused(world: World) -> None:
    url = sign(world, "put_object", 60)
    world.kernel.advance(62_000_000)
    with pytest.raises(urllib.error.HTTPError) as old:
        call("PUT", url, b"x")
    assert old.value.code == 403
    assert b"Request has expired" in old.value.read()
    with pytest.raises(urllib.error.HTTPError) as unsigned:
        call("GET", url.partition("?")[0])
    assert unsigned.value.code == 403


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_what_was_signed_must_be_sent(world: World, version: str) -> None:
    url = sign(world, "put_object", version=version, ContentType="text/plain")
    assert refused("PUT", url, b"x", "image/png") == (403, "SignatureDoesNotMatch")
    assert refused("GET", url) == (403, "SignatureDoesNotMatch")
    assert refused("PUT", url.replace("my%20file", "other"), b"x", "text/plain")[1] == "SignatureDoesNotMatch"
    call("PUT", url, b"x", "text/plain")
    shown = sign(world, "get_object", version=version, ResponseContentType="text/csv")
    assert call("GET", shown) == b"x"
    assert refused("GET", shown.replace("csv", "css")) == (403, "SignatureDoesNotMatch")


def test_a_url_can_do_what_its_signer_may(world: World) -> None:
    iam, sts = world.client("iam"), world.client("sts")
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    role = iam.create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))["Role"]
    allow = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::uploads/*"}
    iam.put_role_policy(
        RoleName="r",
        PolicyName="p",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allow]}),
    )
    keys = sts.assume_role(RoleArn=role["Arn"], RoleSessionName="uploader")["Credentials"]
    client = boto3.client(
        "s3",
        region_name="us-east-1",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )
    world.client("s3").put_object(Bucket="uploads", Key="k", Body=b"x")
    params = {"Bucket": "uploads", "Key": "k"}
    assert call("GET", client.generate_presigned_url("get_object", Params=params)) == b"x"
    url = client.generate_presigned_url("put_object", Params=params)
    assert refused("PUT", url, b"y") == (403, "AccessDenied")
    assert refused("GET", url.replace("AWSAccessKeyId=", "AWSAccessKeyId=X")) == (403, "InvalidAccessKeyId")


def post(url: str, fields: dict[str, str], body: bytes) -> tuple[int, str]:
    made = requests.Request("POST", url, data=fields, files={"file": ("a.txt", body)}).prepare()
    answer = requests.Session().send(made, timeout=30)
    return answer.status_code, answer.text.partition("<Message>")[2].partition("<")[0]


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_a_browser_s_upload_keeps_to_its_policy(world: World, version: str) -> None:
    keys = {"aws_access_key_id": ACCESS_KEY, "aws_secret_access_key": SECRET_KEY}
    config = Config(signature_version=version)
    client = boto3.client("s3", region_name=world.region, config=config, **keys)  # type: ignore[call-overload]
    conditions = [["content-length-range", 1, 5], ["starts-with", "$Content-Type", "text/"]]
    given = client.generate_presigned_post("uploads", "in/${filename}", None, conditions, 60)
    url, fields = given["url"], {**given["fields"], "Content-Type": "text/plain"}
    assert post(url, fields, b"hello")[0] == 204
    assert world.client("s3").get_object(Bucket="uploads", Key="in/a.txt")["Body"].read() == b"hello"
    assert post(url, fields, b"hello!") == (400, "Your proposed upload exceeds the maximum allowed size")
    failed = 'Invalid according to Policy: Policy Condition failed: ["starts-with", "$Content-Type", "text/"]'
    assert post(url, {**fields, "Content-Type": "image/png"}, b"x") == (403, failed)
    extra = "Invalid according to Policy: Extra input fields: x-own"
    assert post(url, {**fields, "x-own": "1"}, b"x") == (403, extra)
    assert post(url, {**fields, "policy": fields["policy"] + "AA"}, b"x")[0] == 403
    assert post(url, {"key": "k"}, b"x")[0] == 403
    world.kernel.advance(61_000_000)
    assert post(url, fields, b"x") == (403, "Invalid according to Policy: Policy expired.")
