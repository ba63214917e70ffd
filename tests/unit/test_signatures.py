"""Signature Version 4 verified, and function URLs with AuthType AWS_IAM behind it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from infra.cloud import connect
from infra.cloud.local.cloud import LocalCloud
from infra.cloud.local.routes.http import HttpRequest
from infra.cloud.local.routes.signatures import Signature, canonical_request, sign

from .deploy_tools import TRUST, Deployer, function, role
from .test_function_urls import FORBIDDEN

ECHO = """
import json
def handler(event, context):
    return event["requestContext"]["authorizer"]
"""
NOTEBOOK = ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with connect("local") as opened:
        assert isinstance(opened, LocalCloud)
        yield opened


def deploy(cloud: LocalCloud, **more: Any) -> tuple[str, str]:
    target = {"Fn::GetAtt": ["Front", "Arn"]}
    app = Deployer(cloud)
    url = {"AuthType": "AWS_IAM", "TargetFunctionArn": target}
    resources = {
        "Role": role(),
        "Front": function(ECHO),
        "Url": {"Type": "AWS::Lambda::Url", "Properties": url},
    }
    outputs = {"Url": {"Value": {"Fn::GetAtt": ["Url", "FunctionUrl"]}}, "Arn": {"Value": target}}
    assert app.create({**resources, **more}, Outputs=outputs) == "CREATE_COMPLETE"
    return app.outputs["Url"], app.outputs["Arn"]


def send(url: str, keys: tuple[str, ...], method: str = "GET", body: str = "", **signing: str) -> Any:
    signed = AWSRequest(method, url, data=body)
    where = (signing.get("service", "lambda"), signing.get("region", "us-east-1"))
    SigV4Auth(Credentials(*keys), *where).add_auth(signed)
    return requests.request(
        method, url, headers=dict(signed.headers), data=signing.get("sent", body), timeout=5
    )


def test_the_example_of_the_documentation() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html and the
    published test suite of the algorithm (get-vanilla-query-order-key-case)."""
    request = HttpRequest("GET", "https://example.amazonaws.com/?Param2=value2&Param1=value1", {})
    headers = {"host": "example.amazonaws.com", "x-amz-date": "20150830T123600Z"}
    scope = "20150830/us-east-1/service/aws4_request"
    signature = Signature("AKIDEXAMPLE", scope, ("host", "x-amz-date"), "", "20150830T123600Z", "")
    canonical = canonical_request(request, headers, signature)
    assert canonical == (
        "GET\n/\nParam1=value1&Param2=value2\nhost:example.amazonaws.com\nx-amz-date:20150830T123600Z\n\n"
        "host;x-amz-date\ne3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    )
    text = (
        "AWS4-HMAC-SHA256\n20150830T123600Z\n20150830/us-east-1/service/aws4_request\n"
        "816cd5b414d056048ba4f7c5386d6e0533120fb1fcfa93762cf0fc39e2cf19e0"
    )
    secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
    assert sign(secret, scope, text) == "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"


def test_the_notebook_signs(cloud: LocalCloud) -> None:
    url, _ = deploy(cloud)
    answer = send(f"{url}a%20b?y=2&x=%2F1", NOTEBOOK, "POST", '{"n": 1}')
    assert (answer.status_code, answer.json()) == (
        200,
        {
            "iam": {
                "accessKey": "AKIAIOSFODNN7EXAMPLE",
                "accountId": "123456789012",
                "callerId": "AKIAIOSFODNN7EXAMPLE",
                "cognitoIdentity": None,
                "principalOrgId": None,
                "userArn": "arn:aws:iam::123456789012:user/notebook",
                "userId": "AKIAIOSFODNN7EXAMPLE",
            }
        },
    )


def test_what_is_wrong_with_a_signature(cloud: LocalCloud) -> None:
    url, _ = deploy(cloud)
    answers = [
        requests.get(url, timeout=5),
        send(url, ("AKIAUNKNOWN", "x")),
        send(url, (NOTEBOOK[0], "wrong")),
        send(url, NOTEBOOK, "POST", "as signed", sent="as sent"),
        send(url, NOTEBOOK, service="execute-api"),
        send(url, NOTEBOOK, region="eu-west-1"),
        requests.get(url, headers={"Authorization": "AWS4-HMAC-SHA256 Credential=a"}, timeout=5),
    ]
    assert [answer.status_code for answer in answers] == [403] * 7
    assert [answer.headers["x-amzn-ErrorType"] for answer in answers] == [
        "AccessDeniedException",
        "UnrecognizedClientException",
        "InvalidSignatureException",
        "InvalidSignatureException",
        "InvalidSignatureException",
        "InvalidSignatureException",
        "IncompleteSignatureException",
    ]
    assert answers[0].json()["Message"].startswith("Forbidden. For troubleshooting Function URL")
    assert answers[1].json() == {"message": "The security token included in the request is invalid."}
    assert answers[4].json() == {"message": "Credential should be scoped to correct service: 'lambda'."}


def test_a_signature_is_too_old_after_five_minutes_and_a_url_when_it_says(cloud: LocalCloud) -> None:
    url, _ = deploy(cloud)
    signed = AWSRequest("GET", url)
    SigV4Auth(Credentials(*NOTEBOOK), "lambda", "us-east-1").add_auth(signed)
    link = AWSRequest("GET", url)
    SigV4QueryAuth(Credentials(*NOTEBOOK), "lambda", "us-east-1", expires=600).add_auth(link)
    got = []
    for _ in range(3):
        for address, headers in ((url, dict(signed.headers)), (link.url, {})):
            got.append(requests.get(address, headers=headers, timeout=5))
        cloud.advance("305s")
    assert [answer.status_code for answer in got] == [200, 200, 403, 200, 403, 403]
    assert got[2].json()["message"].startswith("Signature expired: 20260105T09")


def test_a_role_needs_both_permissions(cloud: LocalCloud) -> None:
    def caller(*actions: str) -> dict[str, Any]:
        made = role(*actions)
        trust = json.loads(json.dumps(TRUST))
        trust["Statement"][0]["Principal"] = {"AWS": "*"}
        made["Properties"] |= {"AssumeRolePolicyDocument": trust, "RoleName": f"caller-{len(actions)}"}
        return made

    both = ("lambda:InvokeFunctionUrl", "lambda:InvokeFunction")
    url, _ = deploy(cloud, One=caller(both[0]), Two=caller(*both))
    found = {}
    for count in (1, 2):
        arn = f"arn:aws:iam::123456789012:role/caller-{count}"
        given = cloud.client("sts").assume_role(RoleArn=arn, RoleSessionName="me")["Credentials"]
        keys = (given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
        answer = send(url, keys)
        found[count] = (answer.status_code, answer.json())
        assert send(url, keys[:2]).status_code == 403
    assert found[1] == (403, {"Message": FORBIDDEN})
    assert found[2][1]["iam"]["userArn"] == "arn:aws:sts::123456789012:assumed-role/caller-2/me"


def test_a_function_signs_with_its_own_credentials(cloud: LocalCloud) -> None:
    source = """
import os, boto3, requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
def handler(event, context):
    signed = AWSRequest("GET", event["url"])
    SigV4Auth(boto3.Session().get_credentials(), "lambda", os.environ["AWS_REGION"]).add_auth(signed)
    answer = requests.get(event["url"], headers=dict(signed.headers))
    return [answer.status_code, answer.text]
"""
    actions = ("lambda:InvokeFunctionUrl", "lambda:InvokeFunction")
    other = function(source, "Allowed", FunctionName="caller")
    url, _ = deploy(cloud, Allowed=role(*actions), Caller=other)
    answer = cloud.client("lambda").invoke(FunctionName="caller", Payload=json.dumps({"url": url}))
    status, text = json.loads(answer["Payload"].read())
    assert status == 200, text
    assert json.loads(text)["iam"]["userArn"].endswith("/caller")
