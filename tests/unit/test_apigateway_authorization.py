"""Who may call a method: IAM with signed requests, resource policies, Lambda authorizers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from infra.cloud import connect
from infra.cloud.local.cloud import LocalCloud

from .apigateway_tools import Api, invocations, make_function

ECHO = """
import json
def handler(event, context):
    return {"statusCode": 200, "body": json.dumps(event["requestContext"])}
"""
AUTHORIZER = """
import json
calls = []
def handler(event, context):
    calls.append(event)
    print(json.dumps(event))
    token = event.get("authorizationToken") or event["headers"]["token"]
    if token == "unknown":
        raise Exception("Unauthorized")
    if token == "broken":
        raise Exception("no such thing")
    if token == "nested":
        return {"principalId": "me", "policyDocument": policy("Allow"), "context": {"a": {"b": 1}}}
    if token == "nothing":
        return None
    effect = "Deny" if token == "deny" else "Allow"
    resource = "arn:aws:execute-api:*:*:*/*/GET/other" if token == "elsewhere" else "*"
    return {
        "principalId": "me",
        "policyDocument": policy(effect, resource),
        "context": {"count": len(calls), "flag": True, "name": "x"},
    }
def policy(effect, resource="*"):
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": resource}
    return {"Version": "2012-10-17", "Statement": [statement]}
"""


@pytest.fixture(scope="module")
def cloud() -> Iterator[LocalCloud]:
    with connect("local") as opened:
        assert isinstance(opened, LocalCloud)
        yield opened


@pytest.fixture(scope="module")
def echo(cloud: LocalCloud) -> str:
    return make_function(cloud, "echo", ECHO)


@pytest.fixture(scope="module")
def decider(cloud: LocalCloud) -> str:
    return make_function(cloud, "decider", AUTHORIZER)


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def invoke(
    effect: str, resource: str = "execute-api:/*", principal: Any = "*", **more: Any
) -> dict[str, Any]:
    return {
        "Effect": effect,
        "Principal": principal,
        "Action": "execute-api:Invoke",
        "Resource": resource,
        **more,
    }


def outcome(response: requests.Response) -> tuple[int, str | None, Any]:
    return response.status_code, response.headers.get("x-amzn-ErrorType"), response.json()


# -- Lambda authorizers ----------------------------------------------------------------------------------


def test_a_token_authorizer(cloud: LocalCloud, echo: str, decider: str) -> None:
    api = Api(cloud)
    authorizer = api.client.create_authorizer(
        restApiId=api.id,
        name="token",
        type="TOKEN",
        authorizerUri=invocations(decider),
        identitySource="method.request.header.Auth",
        identityValidationExpression="[a-z]+",
    )["id"]
    api.function("GET", "/", echo, authorizationType="CUSTOM", authorizerId=authorizer)
    api.deploy()

    def call(token: str | None) -> tuple[int, str | None, Any]:
        return outcome(api.call("GET", "/", headers={"auth": token} if token else {}))

    unauthorized = (401, "UnauthorizedException", {"message": "Unauthorized"})
    failed = (500, "AuthorizerConfigurationException", {"message": None})
    said = "User is not authorized to access this resource"
    assert [call(each) for each in (None, "123", "unknown")] == [unauthorized] * 3
    assert [call(each) for each in ("broken", "nested", "nothing")] == [failed] * 3
    assert call("deny") == (
        403,
        "AccessDeniedException",
        {"Message": f"{said} with an explicit deny in an identity-based policy"},
    )
    assert call("elsewhere") == (
        403,
        "AccessDeniedException",
        {"Message": f"{said} because no identity-based policy allows the execute-api:Invoke action"},
    )
    first = call("good")[2]["authorizer"]
    assert {**first, "integrationLatency": 0} == {
        "principalId": "me",
        "count": first["count"],
        "flag": "true",
        "name": "x",
        "integrationLatency": 0,
    }
    assert call("good")[2]["authorizer"] == first  # kept
    cloud.advance("5m")
    assert int(call("good")[2]["authorizer"]["count"]) > int(first["count"])
    asked = json.loads(next(line for line in cloud.logs("decider") if line.startswith("{")))
    arn = f"arn:aws:execute-api:us-east-1:123456789012:{api.id}/test/GET/"
    assert asked == {"type": "TOKEN", "methodArn": arn, "authorizationToken": "unknown"}


def test_a_request_authorizer_asks_again_for_another_identity(
    cloud: LocalCloud, echo: str, decider: str
) -> None:
    api = Api(cloud)
    authorizer = api.client.create_authorizer(
        restApiId=api.id,
        name="request",
        type="REQUEST",
        authorizerUri=invocations(decider),
        identitySource="method.request.header.token, method.request.querystring.q",
    )["id"]
    api.function("GET", "/{id}", echo, authorizationType="CUSTOM", authorizerId=authorizer)
    api.deploy()
    headers = {"token": "good"}
    assert api.call("GET", "/1", headers=headers).status_code == 401
    counts = [
        api.call("GET", path, headers=headers).json()["authorizer"]["count"]
        for path in ("/1?q=1", "/2?q=1", "/1?q=2")
    ]
    assert counts[0] == counts[1] != counts[2]
    api.client.flush_stage_authorizers_cache(restApiId=api.id, stageName="test")
    assert api.call("GET", "/1?q=1", headers=headers).json()["authorizer"]["count"] != counts[0]
    asked = json.loads(next(line for line in cloud.logs("decider") if '"type": "REQUEST"' in line))
    assert (asked["resource"], asked["path"], asked["pathParameters"], asked["queryStringParameters"]) == (
        "/{id}", "/1", {"id": "1"}, {"q": "1"},
    )  # fmt: skip
    assert "body" not in asked


def test_a_resource_policy_denies_before_the_authorizer_is_asked(
    cloud: LocalCloud, echo: str, decider: str
) -> None:
    api = Api(cloud, policy=policy(invoke("Deny", "execute-api:/test/GET/no")))
    authorizer = api.client.create_authorizer(
        restApiId=api.id,
        name="token",
        type="TOKEN",
        authorizerUri=invocations(decider),
        identitySource="method.request.header.token",
        authorizerResultTtlInSeconds=0,
    )["id"]
    for path in ("/no", "/yes"):
        api.function("GET", path, echo, authorizationType="CUSTOM", authorizerId=authorizer)
    api.deploy()
    statuses = [api.call("GET", path, headers={"token": "good"}).status_code for path in ("/no", "/yes")]
    assert statuses == [403, 200]


# -- resource policies and IAM ---------------------------------------------------------------------------


def test_an_api_with_a_policy_is_open_to_whom_it_allows(cloud: LocalCloud) -> None:
    """Messages as measured on AWS (the account in the ARN is masked)."""
    near = {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}
    api = Api(
        cloud,
        policy=policy(
            invoke("Allow", "execute-api:/*/GET/near", Condition=near),
            invoke("Allow", "execute-api:/*/GET/denied"),
            invoke("Deny", "execute-api:/*/GET/denied", Condition=near),
        ),
    )
    for path in ("/near", "/denied", "/other"):
        api.mock("GET", path)
    api.deploy()
    arn = f"arn:aws:execute-api:us-east-1:********9012:{api.id}/test/GET"
    said = "User: anonymous is not authorized to perform: execute-api:Invoke on resource"
    assert [outcome(api.call("GET", path)) for path in ("/near", "/denied", "/other")] == [
        (200, None, {"ok": True}),
        (
            403,
            "AccessDeniedException",
            {"Message": f"{said}: {arn}/denied with an explicit deny in a resource-based policy"},
        ),
        (
            403,
            "AccessDeniedException",
            {
                "Message": f"{said}: {arn}/other because no resource-based policy allows the "
                "execute-api:Invoke action"
            },
        ),
    ]


def test_signed_requests_are_asked_what_their_role_may(cloud: LocalCloud, echo: str) -> None:
    iam, account = cloud.client("iam"), "123456789012"
    trust = {"Effect": "Allow", "Principal": {"AWS": account}, "Action": "sts:AssumeRole"}
    role = iam.create_role(RoleName="reader", AssumeRolePolicyDocument=policy(trust))["Role"]["Arn"]
    allow = {
        "Effect": "Allow",
        "Action": "execute-api:Invoke",
        "Resource": "arn:aws:execute-api:*:*:*/test/GET/*",
    }
    iam.put_role_policy(RoleName="reader", PolicyName="own", PolicyDocument=policy(allow))
    session = cloud.client("sts").assume_role(RoleArn=role, RoleSessionName="me")["Credentials"]
    api = Api(cloud)
    for verb in ("GET", "POST"):
        api.function(verb, "/x", echo, authorizationType="AWS_IAM")
    private = make_function(cloud, "private", ECHO, permit=False)
    integration = {"type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": invocations(private)}
    as_signer = {**integration, "credentials": "arn:aws:iam::*:user/*"}
    api.method("GET", "/signer", as_signer, authorizationType="AWS_IAM")
    api.method("GET", "/nobody", as_signer)
    api.deploy()
    credentials = Credentials(session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"])

    def signed(verb: str, keys: Credentials, path: str = "x") -> requests.Response:
        url = f"https://{api.id}.execute-api.us-east-1.amazonaws.com/test/{path}"
        request = AWSRequest(verb, url, data="")
        cloud.world.kernel.call(SigV4Auth(keys, "execute-api", "us-east-1").add_auth, request, name="sign")
        return requests.request(verb, url, headers=dict(request.headers), timeout=5)

    missing = (403, "MissingAuthenticationTokenException", {"message": "Missing Authentication Token"})
    assert outcome(api.call("GET", "/x")) == missing
    identity = signed("GET", credentials).json()["identity"]
    arn = f"arn:aws:sts::{account}:assumed-role/reader/me"
    assert (identity["accessKey"], identity["accountId"], identity["userArn"]) == (
        session["AccessKeyId"], account, arn,
    )  # fmt: skip
    status, kind, body = outcome(signed("POST", credentials))
    assert (status, kind) == (403, "AccessDeniedException")
    assert body["Message"] == (
        f"User: {arn} is not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:"
        f"us-east-1:********9012:{api.id}/test/POST/x because no identity-based policy allows the "
        "execute-api:Invoke action"
    )
    wrong = Credentials(session["AccessKeyId"], "x" * 40, session["SessionToken"])
    assert outcome(signed("GET", wrong))[:2] == (403, "InvalidSignatureException")
    # As SAM makes methods with AWS_IAM: the function is invoked with the permissions of the signer.
    assert signed("GET", credentials, "signer").status_code == 500
    invoke = {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": private}
    iam.put_role_policy(RoleName="reader", PolicyName="more", PolicyDocument=policy(invoke))
    assert signed("GET", credentials, "signer").status_code == 200
    assert api.call("GET", "/nobody").status_code == 500
