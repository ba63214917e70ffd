"""Who may call an HTTP API: tokens, functions, signatures."""

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

from .httpapi_tools import Builder


@pytest.fixture
def on() -> Iterator[Builder]:
    with connect("local") as opened:
        assert isinstance(opened, LocalCloud)
        yield Builder(opened)


def guarded(on: Builder, route: dict[str, Any], **authorizer: Any) -> str:
    """An API whose one route needs what ``authorizer`` says; its URL."""
    made = on.http_api()
    api = made["ApiId"]
    if authorizer:
        given = on.api.create_authorizer(ApiId=api, Name="own", **authorizer)
        route = {**route, "AuthorizerId": given["AuthorizerId"]}
    target = on.integrate(api, on.function("echo"))
    on.api.create_route(ApiId=api, RouteKey="GET /orders/{id}", Target=target, **route)
    on.api.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)
    return f"{made['ApiEndpoint']}/orders/7"


def by_token(on: Builder, *scopes: str) -> str:
    route: dict[str, Any] = {"AuthorizationType": "JWT"}
    if scopes:
        route["AuthorizationScopes"] = list(scopes)
    return guarded(
        on,
        route,
        AuthorizerType="JWT",
        IdentitySource=["$request.header.Authorization"],
        JwtConfiguration={"Issuer": on.cloud.issuer, "Audience": ["orders"]},
    )


def ask(url: str, token: str | None = None, **headers: str) -> requests.Response:
    if token is not None:
        headers["Authorization"] = token
    return requests.get(url, headers=headers, timeout=5)


def test_a_token_lets_in_and_its_claims_are_texts(on: Builder) -> None:
    url = by_token(on, "orders/read", "orders/write")
    token = on.cloud.token(
        "alice", audience="orders", scopes=["orders/read", "x"], groups=["a", "b"], level=3
    )
    answer = ask(url, f"Bearer {token}").json()["requestContext"]["authorizer"]
    now = on.cloud.world.started // 1_000_000
    assert answer == {
        "jwt": {
            "claims": {
                "aud": "orders",
                "exp": str(now + 3600),
                "groups": "[a b]",
                "iat": str(now),
                "iss": "https://issuer.workshop.example",
                "level": "3",
                "nbf": str(now),
                "scope": "orders/read x",
                "sub": "alice",
            },
            "scopes": ["orders/read", "x"],
        }
    }
    assert ask(url, token).status_code == 200  # recorded from AWS: the word Bearer may be left out
    assert token == on.cloud.token("alice", audience="orders", scopes=["orders/read", "x"], groups=["a", "b"],
                                   level=3, iat=now, nbf=now, exp=now + 3600)  # fmt: skip


def test_what_is_wrong_with_a_token(on: Builder) -> None:
    url = by_token(on, "orders/read")
    good = on.cloud.token(audience="orders", scopes=["orders/read"])
    head, body, signature = good.split(".")
    answers = [
        ask(url),
        ask(url, "nonsense"),
        ask(url, f"{head}.{body}.{signature[:-6]}AAAAAA"),
        ask(url, on.cloud.token(audience="others", scopes=["orders/read"])),
        ask(url, on.cloud.token(audience="orders", scopes=["orders/read"], iss="https://other.example")),
        ask(url, on.cloud.token(audience="orders", scopes=["orders/read"], nbf=2_000_000_000)),
        ask(url, on.cloud.token(audience="orders", scopes=["other"])),
    ]
    on.cloud.advance("1h")
    answers.append(ask(url, good))
    assert [(answer.status_code, answer.text) for answer in answers] == [
        *[(401, '{"message":"Unauthorized"}')] * 6,
        (403, '{"message":"Forbidden"}'),
        (401, '{"message":"Unauthorized"}'),
    ]
    said = [answer.headers["www-authenticate"].partition(" error=")[2] for answer in answers]
    assert said == [
        "",
        '"invalid_token" error_description="the token is malformed"',
        '"invalid_token" error_description="signature is invalid"',
        '"invalid_token" error_description="the token does not have a valid audience"',
        '"invalid_token" error_description="the token does not have a valid issuer"',
        '"invalid_token" error_description="the token is not valid yet"',
        '"insufficient_scope"',
        '"invalid_token" error_description="the token has expired"',
    ]


def test_a_client_id_stands_for_an_audience_that_is_not_there(on: Builder) -> None:
    url = by_token(on)
    token = on.cloud.token(client_id="orders", scopes=["x"])
    assert ask(url, token).status_code == 401  # it has an audience: only that counts
    made = on.cloud.world.issuer.token("me", "orders", (), 60, {})
    assert ask(url, made).json()["requestContext"]["authorizer"]["jwt"]["scopes"] is None


def test_the_key_set_is_fetched_from_the_issuer_every_two_hours(on: Builder) -> None:
    url = by_token(on)
    for _ in range(3):
        assert ask(url, on.cloud.token(audience="orders")).status_code == 200
        on.cloud.advance("1h")
    fetched = [e.resource for e in on.cloud.world.journal.select("http.request") if e.actor == "apigateway"]
    issuer = "https://issuer.workshop.example/.well-known"
    assert fetched == [f"{issuer}/openid-configuration", f"{issuer}/jwks.json"] * 2
    on.cloud.world.http.remove("issuer.workshop.example")
    on.cloud.advance("3h")
    answer = ask(url, on.cloud.token(audience="orders"))
    assert "OIDC discovery endpoint communication error" in answer.headers["www-authenticate"]


SIMPLE = """
import json
def handler(event, context):
    print(json.dumps(event))
    known = event["identitySource"][0]
    if known == "broken": return {"no": 1}
    if known == "fails": raise ValueError(known)
    return {"isAuthorized": known == "allow", "context": {"user": {"id": 7}}}
"""


def test_a_function_with_simple_answers(on: Builder) -> None:
    url = guarded(
        on,
        {"AuthorizationType": "CUSTOM"},
        AuthorizerType="REQUEST",
        AuthorizerUri=on.function("guard", SIMPLE),
        AuthorizerPayloadFormatVersion="2.0",
        EnableSimpleResponses=True,
        IdentitySource=["$request.header.X-User", "$context.routeKey"],
        AuthorizerResultTtlInSeconds=60,
    )
    got = [
        ask(url, **({"X-User": user} if user else {}))
        for user in ("allow", "allow", "deny", "", "broken", "fails")
    ]
    assert [answer.status_code for answer in got] == [200, 200, 403, 401, 500, 500]
    assert got[0].json()["requestContext"]["authorizer"] == {"lambda": {"user": {"id": 7}}}
    on.cloud.advance("61s")
    assert ask(url, **{"X-User": "allow"}).status_code == 200
    events = [json.loads(line) for line in on.cloud.logs("guard") if line.startswith("{")]
    assert [event["identitySource"][0] for event in events] == ["allow", "deny", "broken", "fails", "allow"]
    api = url.removeprefix("https://").partition(".")[0]
    assert list(events[0]) == [
        "version", "type", "routeArn", "identitySource", "routeKey", "rawPath", "rawQueryString", "headers",
        "requestContext", "pathParameters",
    ]  # fmt: skip
    assert events[0]["routeArn"] == f"arn:aws:execute-api:us-east-1:123456789012:{api}/$default/GET/orders/7"
    assert events[0]["identitySource"] == ["allow", "GET /orders/{id}"]


POLICY = """
def handler(event, context):
    effect = "Allow" if event["identitySource"] == "allow" else "Deny"
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": event["methodArn"][:-1] + "*"}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    return {"principalId": "me", "policyDocument": policy, "context": {"level": 3}}
"""


def test_a_function_that_answers_with_a_policy(on: Builder) -> None:
    url = guarded(
        on,
        {"AuthorizationType": "CUSTOM"},
        AuthorizerType="REQUEST",
        AuthorizerUri=on.function("guard", POLICY, public=False),
        AuthorizerPayloadFormatVersion="1.0",
        AuthorizerCredentialsArn=on.role,
        IdentitySource=["$request.header.X-User"],
    )
    assert [ask(url, **{"X-User": user}).status_code for user in ("allow", "deny")] == [200, 403]
    answer = ask(url, **{"X-User": "allow"}).json()
    assert answer["requestContext"]["authorizer"] == {"lambda": {"level": 3}}


def test_a_signature(on: Builder) -> None:
    url = guarded(on, {"AuthorizationType": "AWS_IAM"})
    on.add_role("caller", ("lambda.amazonaws.com",), "execute-api:Invoke")
    on.add_role("stranger", ("lambda.amazonaws.com",), "sqs:*")

    def signed(role: str, service: str = "execute-api") -> requests.Response:
        arn = f"arn:aws:iam::123456789012:role/{role}"
        keys = on.cloud.client("sts").assume_role(RoleArn=arn, RoleSessionName="me")["Credentials"]
        request = AWSRequest("GET", url)
        given = Credentials(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
        SigV4Auth(given, service, "us-east-1").add_auth(request)
        return requests.get(url, headers=dict(request.headers), timeout=5)

    answers = [
        signed("caller"),
        signed("stranger"),
        signed("caller", "lambda"),
        ask(url, "Bearer x"),
        ask(url),
    ]
    assert [answer.status_code for answer in answers] == [200, 403, 403, 403, 403]
    assert answers[-1].text == '{"message":"Forbidden"}'
    shown = answers[0].json()["requestContext"]["authorizer"]["iam"]
    assert shown["userArn"] == "arn:aws:sts::123456789012:assumed-role/caller/me"
