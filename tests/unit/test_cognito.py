"""Cognito user pools: sign-in by password, tokens in virtual time for a JWT authorizer, triggers, templates.

https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-with-identity-providers.html
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from infra.cloud.local.cloud import LocalCloud
from infra.cloud.local.service import NotSimulated

from .deploy_tools import Deployer, function, role
from .httpapi_tools import Builder
from .test_secrets_manager import error

PASSWORD = "Correct-horse-7"
PRE_SIGN_UP = """
def handler(event, context):
    if event["userName"].startswith("bad"):
        raise ValueError("not welcome")
    event["response"]["autoConfirmUser"] = True
    return event
"""
PRE_TOKEN = """
def handler(event, context):
    event["response"]["claimsOverrideDetails"] = {"claimsToAddOrOverride": {"tenant": "acme"}}
    return event
"""


def claims(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


def resources() -> dict[str, Any]:
    def trigger(name: str) -> dict[str, Any]:
        return {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "Action": "lambda:InvokeFunction",
                "FunctionName": {"Ref": name},
                "Principal": "cognito-idp.amazonaws.com",
                "SourceArn": {"Fn::GetAtt": ["Pool", "Arn"]},
            },
        }

    pool = {"UserPoolId": {"Ref": "Pool"}}
    return {
        "Role": role(),
        "SignUp": function(PRE_SIGN_UP),
        "Token": function(PRE_TOKEN),
        "MaySignUp": trigger("SignUp"),
        "MayToken": trigger("Token"),
        "Pool": {
            "Type": "AWS::Cognito::UserPool",
            "Properties": {
                "LambdaConfig": {
                    "PreSignUp": {"Fn::GetAtt": ["SignUp", "Arn"]},
                    "PreTokenGeneration": {"Fn::GetAtt": ["Token", "Arn"]},
                },
                "Policies": {"PasswordPolicy": {"MinimumLength": 12}},
            },
        },
        "Client": {
            "Type": "AWS::Cognito::UserPoolClient",
            "Properties": {
                **pool,
                "ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
                "AccessTokenValidity": 10,
                "TokenValidityUnits": {"AccessToken": "minutes"},
            },
        },
        "Server": {
            "Type": "AWS::Cognito::UserPoolResourceServer",
            "Properties": {
                **pool,
                "Identifier": "orders",
                "Name": "orders",
                "Scopes": [{"ScopeName": "read", "ScopeDescription": "read"}],
            },
        },
        "Domain": {"Type": "AWS::Cognito::UserPoolDomain", "Properties": {**pool, "Domain": "shop"}},
        "Machine": {
            "Type": "AWS::Cognito::UserPoolClient",
            "DependsOn": "Server",
            "Properties": {
                **pool,
                "GenerateSecret": True,
                "AllowedOAuthFlows": ["client_credentials"],
                "AllowedOAuthFlowsUserPoolClient": True,
                "AllowedOAuthScopes": ["orders/read"],
            },
        },
        "Admins": {"Type": "AWS::Cognito::UserPoolGroup", "Properties": {**pool, "GroupName": "admins"}},
    }


class Shop:
    def __init__(self) -> None:
        self.cloud = LocalCloud()
        self.stack = Deployer(self.cloud)
        outputs = {"Url": {"Value": {"Fn::GetAtt": ["Pool", "ProviderURL"]}}}
        assert self.stack.create(resources(), Outputs=outputs) == "CREATE_COMPLETE", self.stack.failures()
        self.pool, self.client = self.stack.physical("Pool"), self.stack.physical("Client")
        self.api = self.cloud.client("cognito-idp")

    def sign_up(self, name: str, password: str = PASSWORD) -> Any:
        email = [{"Name": "email", "Value": f"{name}@example.com"}]
        return self.api.sign_up(ClientId=self.client, Username=name, Password=password, UserAttributes=email)

    def sign_in(self, name: str, password: str = PASSWORD) -> dict[str, Any]:
        found: dict[str, Any] = self.api.initiate_auth(
            ClientId=self.client,
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": name, "PASSWORD": password},
        )["AuthenticationResult"]
        return found


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    made = Shop()
    yield made
    made.cloud.close()


def test_sign_up_and_tokens(shop: Shop) -> None:
    assert error(shop.sign_up, name="alice", password="short")[1] == (
        "Password did not conform with policy: Password not long enough"
    )
    assert error(shop.sign_up, name="bad guy") == (
        "UserLambdaValidationException",
        "PreSignUp failed with error not welcome.",
    )
    made = shop.sign_up("alice")
    assert made["UserConfirmed"]
    assert error(shop.sign_up, name="alice") == ("UsernameExistsException", "User already exists")
    shop.api.admin_add_user_to_group(UserPoolId=shop.pool, Username="alice", GroupName="admins")
    assert error(shop.sign_in, name="alice", password="wrong") == (
        "NotAuthorizedException",
        "Incorrect username or password.",
    )
    assert error(shop.sign_in, name="nobody") == ("UserNotFoundException", "User does not exist.")
    now = shop.cloud.world.kernel.now // 1_000_000
    result = shop.sign_in("alice")
    assert (result["ExpiresIn"], result["TokenType"]) == (600, "Bearer")
    access, identity = claims(result["AccessToken"]), claims(result["IdToken"])
    assert access["iat"] in range(now, now + 5)
    assert access["exp"] - access["iat"] == 600
    shared = {
        "sub": made["UserSub"],
        "cognito:groups": ["admins"],
        "iss": f"https://cognito-idp.us-east-1.amazonaws.com/{shop.pool}",
    }
    assert shop.stack.outputs["Url"] == shared["iss"]
    known = {name: access[name] for name in (*shared, "client_id", "token_use", "scope", "username")}
    assert known == {
        **shared,
        "client_id": shop.client,
        "token_use": "access",
        "scope": "aws.cognito.signin.user.admin",
        "username": "alice",
    }
    known = {name: identity[name] for name in (*shared, "aud", "token_use", "email", "tenant")}
    assert known == {
        **shared,
        "aud": shop.client,
        "token_use": "id",
        "email": "alice@example.com",
        "tenant": "acme",
    }
    refreshed = shop.api.initiate_auth(
        ClientId=shop.client,
        AuthFlow="REFRESH_TOKEN_AUTH",
        AuthParameters={"REFRESH_TOKEN": result["RefreshToken"]},
    )["AuthenticationResult"]
    assert "RefreshToken" not in refreshed
    assert claims(refreshed["AccessToken"])["origin_jti"] == access["origin_jti"]
    assert shop.api.get_user(AccessToken=refreshed["AccessToken"])["Username"] == "alice"
    shop.cloud.advance("11m")
    assert error(shop.api.get_user, AccessToken=result["AccessToken"]) == (
        "NotAuthorizedException",
        "Access Token has expired",
    )
    with pytest.raises(NotSimulated, match="USER_SRP_AUTH"):
        shop.api.initiate_auth(ClientId=shop.client, AuthFlow="USER_SRP_AUTH", AuthParameters={})


def test_a_user_that_an_administrator_made(shop: Shop) -> None:
    shop.api.admin_create_user(UserPoolId=shop.pool, Username="bob", TemporaryPassword="Temporary-9-word")
    asked = shop.api.initiate_auth(
        ClientId=shop.client,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": "bob", "PASSWORD": "Temporary-9-word"},
    )
    assert asked["ChallengeName"] == "NEW_PASSWORD_REQUIRED"
    answered = shop.api.respond_to_auth_challenge(
        ClientId=shop.client,
        ChallengeName="NEW_PASSWORD_REQUIRED",
        Session=asked["Session"],
        ChallengeResponses={"USERNAME": "bob", "NEW_PASSWORD": PASSWORD},
    )
    assert claims(answered["AuthenticationResult"]["AccessToken"])["username"] == "bob"
    found = shop.api.list_users(UserPoolId=shop.pool, Filter='username = "bob"')["Users"]
    assert [(each["Username"], each["UserStatus"]) for each in found] == [("bob", "CONFIRMED")]


def test_a_jwt_authorizer_takes_the_tokens(shop: Shop) -> None:
    on = Builder(shop.cloud)
    made = on.http_api()
    issuer = f"https://cognito-idp.us-east-1.amazonaws.com/{shop.pool}"
    machine = shop.stack.physical("Machine")
    authorizer = on.api.create_authorizer(
        ApiId=made["ApiId"],
        Name="pool",
        AuthorizerType="JWT",
        IdentitySource=["$request.header.Authorization"],
        JwtConfiguration={"Issuer": issuer, "Audience": [shop.client, machine]},
    )["AuthorizerId"]
    target = on.integrate(made["ApiId"], on.function("echo"))
    for path, scopes in (("/any", []), ("/orders", ["orders/read"])):
        on.api.create_route(
            ApiId=made["ApiId"],
            RouteKey=f"GET {path}",
            Target=target,
            AuthorizationType="JWT",
            AuthorizerId=authorizer,
            AuthorizationScopes=scopes,
        )
    on.api.create_stage(ApiId=made["ApiId"], StageName="$default", AutoDeploy=True)
    shop.sign_up("carol")
    token = shop.sign_in("carol")["AccessToken"]

    def ask(path: str, token: str) -> int:
        headers = {"Authorization": f"Bearer {token}"}
        return requests.get(made["ApiEndpoint"] + path, headers=headers, timeout=5).status_code

    secret = shop.api.describe_user_pool_client(UserPoolId=shop.pool, ClientId=machine)["UserPoolClient"]
    answer = requests.post(
        "https://shop.auth.us-east-1.amazoncognito.com/oauth2/token",
        data={"grant_type": "client_credentials", "scope": "orders/read"},
        auth=(machine, secret["ClientSecret"]),
        timeout=5,
    ).json()
    assert (answer["expires_in"], claims(answer["access_token"])["scope"]) == (3600, "orders/read")
    assert [ask("/any", token), ask("/orders", token), ask("/any", token + "x")] == [200, 403, 401]
    assert ask("/orders", answer["access_token"]) == 200
    shop.cloud.advance("11m")
    assert ask("/any", token) == 401
