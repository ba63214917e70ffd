"""Authorizers of type COGNITO_USER_POOLS: which tokens open a method, and what a function gets of them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from infra.cloud import connect
from infra.cloud.local.cloud import LocalCloud
from infra.cloud.local.kernel import SECOND
from infra.cloud.local.routes.apigateway.user_pools import shown

from .apigateway_tools import Api, invocations, make_function
from .deploy_tools import Deployer

ECHO = """
import json
def handler(event, context):
    return {"statusCode": 200, "body": json.dumps(event["requestContext"]["authorizer"])}
"""
SCOPE = "aws.cognito.signin.user.admin"
UNAUTHORIZED = (401, {"message": "Unauthorized"})


class Shop:
    def __init__(self, cloud: LocalCloud) -> None:
        self.cloud, self.client = cloud, cloud.client("cognito-idp")
        self.pool = self.add_pool("shop")
        self.function = make_function(cloud, "front", ECHO)

    def add_pool(self, name: str) -> dict[str, Any]:
        pool: dict[str, Any] = self.client.create_user_pool(PoolName=name)["UserPool"]
        user = {"UserPoolId": pool["Id"], "Username": "alice"}
        self.client.admin_create_user(**user, UserAttributes=[{"Name": "email", "Value": "a@b.example"}])
        self.client.admin_set_user_password(**user, Password="Correct-horse-7", Permanent=True)
        for group in ("admins", "staff"):
            self.client.create_group(UserPoolId=pool["Id"], GroupName=group)
            self.client.admin_add_user_to_group(**user, GroupName=group)
        return pool

    def sign_in(self, pool: dict[str, Any]) -> dict[str, Any]:
        made = self.client.create_user_pool_client(
            UserPoolId=pool["Id"], ClientName="web", ExplicitAuthFlows=["ALLOW_ADMIN_USER_PASSWORD_AUTH"]
        )["UserPoolClient"]
        result: dict[str, Any] = self.client.admin_initiate_auth(
            UserPoolId=pool["Id"],
            ClientId=made["ClientId"],
            AuthFlow="ADMIN_USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": "alice", "PASSWORD": "Correct-horse-7"},
        )["AuthenticationResult"]
        return {**result, "ClientId": made["ClientId"]}


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    with connect("local") as opened:
        assert isinstance(opened, LocalCloud)
        yield Shop(opened)


def test_which_tokens_open_a_method(shop: Shop) -> None:
    api = Api(shop.cloud)
    authorizer = api.client.create_authorizer(
        restApiId=api.id,
        name="pool",
        type="COGNITO_USER_POOLS",
        providerARNs=[shop.pool["Arn"]],
        identitySource="method.request.header.Authorization",
    )
    authorizer.pop("ResponseMetadata")
    assert authorizer == {
        "id": authorizer["id"],
        "name": "pool",
        "type": "COGNITO_USER_POOLS",
        "providerARNs": [shop.pool["Arn"]],
        "authType": "cognito_user_pools",
        "identitySource": "method.request.header.Authorization",
    }
    wanted = {"authorizationType": "COGNITO_USER_POOLS", "authorizerId": authorizer["id"]}
    api.function("GET", "/any", shop.function, **wanted)
    api.function("GET", "/scoped", shop.function, **wanted, authorizationScopes=[SCOPE, "orders/read"])
    api.function("GET", "/other", shop.function, **wanted, authorizationScopes=["orders/write"])
    api.deploy()

    def asked(path: str, token: str | None) -> tuple[int, Any]:
        headers = {"Authorization": token} if token is not None else {}
        response = api.call("GET", path, headers=headers)
        return response.status_code, response.json()

    mine = shop.sign_in(shop.pool)
    identity, access = mine["IdToken"], mine["AccessToken"]
    status, found = asked("/any", f"Bearer {identity}")
    assert (status, list(found)) == (200, ["claims"])
    claims = found["claims"]
    now = shop.cloud.world.kernel.now // SECOND
    issued = time.mktime(time.strptime(claims["iat"], "%a %b %d %H:%M:%S UTC %Y")) - time.timezone
    assert abs(issued - now) < 10
    for name in ("event_id", "auth_time", "iat", "exp", "jti", "origin_jti", "sub"):
        assert isinstance(claims.pop(name), str), name
    assert claims == {
        "aud": mine["ClientId"],
        "cognito:groups": "admins,staff",
        "cognito:username": "alice",
        "email": "a@b.example",
        "iss": f"https://cognito-idp.us-east-1.amazonaws.com/{shop.pool['Id']}",
        "token_use": "id",
    }
    assert asked("/any", identity)[0] == 200
    assert asked("/scoped", access)[1]["claims"]["scope"] == SCOPE
    foreign = shop.sign_in(shop.add_pool("other"))["IdToken"]
    forged = identity[:-6] + ("AAAAAA" if not identity.endswith("AAAAAA") else "BBBBBB")
    refused = {
        "no token": ("/any", None),
        "nonsense": ("/any", "Bearer nonsense"),
        "an access token without scopes": ("/any", access),
        "an ID token with scopes": ("/scoped", identity),
        "another scope": ("/other", access),
        "another pool": ("/any", foreign),
        "another signature": ("/any", forged),
    }
    assert {name: asked(*each) for name, each in refused.items()} == dict.fromkeys(refused, UNAUTHORIZED)
    shop.cloud.world.kernel.advance(3601 * SECOND)
    assert asked("/any", identity) == (401, {"message": "The incoming token has expired"})


def test_an_imported_scheme_names_a_user_pool(shop: Shop) -> None:
    """As SAM writes ``Auth: Authorizers: … UserPoolArn``."""
    pools = [shop.pool["Arn"]]
    body = {
        "swagger": "2.0",
        "info": {"title": "shop", "version": "1.0"},
        "securityDefinitions": {
            "Pool": {
                "type": "apiKey",
                "in": "header",
                "name": "X-Token",
                "x-amazon-apigateway-authtype": "cognito_user_pools",
                "x-amazon-apigateway-authorizer": {"type": "cognito_user_pools", "providerARNs": pools},
            }
        },
        "paths": {
            "/me": {
                "get": {
                    "security": [{"Pool": []}],
                    "x-amazon-apigateway-integration": {
                        "type": "aws_proxy",
                        "httpMethod": "POST",
                        "uri": invocations(shop.function),
                    },
                }
            }
        },
    }
    app = Deployer(shop.cloud)
    resources: dict[str, Any] = {
        "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Body": body}},
        "Deployment": {
            "Type": "AWS::ApiGateway::Deployment",
            "Properties": {"RestApiId": {"Ref": "Api"}, "StageName": "prod"},
        },
        "Own": {
            "Type": "AWS::ApiGateway::Authorizer",
            "Properties": {
                "RestApiId": {"Ref": "Api"},
                "Name": "own",
                "Type": "COGNITO_USER_POOLS",
                "ProviderARNs": pools,
                "IdentitySource": "method.request.header.Authorization",
            },
        },
    }
    assert app.create(resources) == "CREATE_COMPLETE", app.failures()
    url = f"https://{app.physical('Api')}.execute-api.us-east-1.amazonaws.com/prod/me"
    token = shop.sign_in(shop.pool)["IdToken"]
    assert requests.get(url, headers={"X-Token": token}, timeout=5).json()["claims"]["email"] == "a@b.example"
    assert requests.get(url, headers={"Authorization": token}, timeout=5).status_code == 401
    second = shop.add_pool("second")["Arn"]
    resources["Own"]["Properties"]["ProviderARNs"] = [second]
    assert app.update(resources) == "UPDATE_COMPLETE", app.failures()
    found = shop.cloud.client("apigateway").get_authorizers(restApiId=app.physical("Api"))["items"]
    assert {each["name"]: each["providerARNs"] for each in found} == {"Pool": pools, "own": [second]}


def test_claims_are_texts() -> None:
    assert shown("iat", 1587279974) == "Sun Apr 19 07:06:14 UTC 2020"
    assert shown("auth_time", 1587038744) == "1587038744"
    assert shown("email_verified", True) == "true"
    assert shown("cognito:groups", ["anotherGroup", "admin"]) == "anotherGroup,admin"
