"""AWS::Cognito: user pools, clients, domains, resource servers, groups, users.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_Cognito.html
"""

from __future__ import annotations

from typing import Any

from .base import Context, Outcome, Provider, picked
from .schema import BOOLEAN, INTEGER, STRING, STRINGS, accepts, list_of, optional, replaces, required, struct

_API = "cognito-idp"
_GONE = ("ResourceNotFoundException", "UserNotFoundException")
_ATTRIBUTES = list_of(struct(Name=STRING, Value=STRING))


class UserPool(Provider):
    type = "AWS::Cognito::UserPool"
    properties = accepts(
        AdminCreateUserConfig=optional(
            struct(AllowAdminCreateUserOnly=BOOLEAN, UnusedAccountValidityDays=INTEGER)
        ),
        AliasAttributes=replaces(STRINGS),
        AutoVerifiedAttributes=optional(STRINGS),
        DeletionProtection=optional(STRING),
        LambdaConfig=optional(
            struct(
                PostAuthentication=STRING,
                PostConfirmation=STRING,
                PreAuthentication=STRING,
                PreSignUp=STRING,
                PreTokenGeneration=STRING,
                PreTokenGenerationConfig=struct(LambdaArn=STRING, LambdaVersion=STRING),
            )
        ),
        MfaConfiguration=optional(STRING),
        Policies=optional(
            struct(
                PasswordPolicy=struct(
                    MinimumLength=INTEGER,
                    PasswordHistorySize=INTEGER,
                    RequireLowercase=BOOLEAN,
                    RequireNumbers=BOOLEAN,
                    RequireSymbols=BOOLEAN,
                    RequireUppercase=BOOLEAN,
                    TemporaryPasswordValidityDays=INTEGER,
                )
            )
        ),
        UserPoolName=optional(STRING),
        UsernameAttributes=replaces(STRINGS),
    )
    attributes = ("Arn", "ProviderName", "ProviderURL", "UserPoolId")
    missing = _GONE

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        params = {**picked(props, *self.properties), "PoolName": props.get("UserPoolName") or ctx.name(128)}
        params.pop("UserPoolName", None)
        pool = ctx.call(_API, "CreateUserPool", params)["UserPool"]
        return self._outcome(ctx, pool["Id"], pool["Arn"])

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        names = [name for name, each in self.properties.items() if not each.replaces]
        names.remove("UserPoolName")
        ctx.call(_API, "UpdateUserPool", {"UserPoolId": physical_id, **picked(new, *names)})
        arn = f"arn:aws:cognito-idp:{ctx.region}:{ctx.account}:userpool/{physical_id}"
        return self._outcome(ctx, physical_id, arn)

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        ctx.call(_API, "DeleteUserPool", {"UserPoolId": physical_id})

    @staticmethod
    def _outcome(ctx: Context, pool: str, arn: str) -> Outcome:
        name = f"cognito-idp.{ctx.region}.amazonaws.com/{pool}"
        names = {"ProviderName": name, "ProviderURL": f"https://{name}"}
        return Outcome(pool, {"Arn": arn, "UserPoolId": pool, **names})


class UserPoolClient(Provider):
    type = "AWS::Cognito::UserPoolClient"
    properties = accepts(
        AccessTokenValidity=optional(INTEGER),
        AllowedOAuthFlows=optional(STRINGS),
        AllowedOAuthFlowsUserPoolClient=optional(BOOLEAN),
        AllowedOAuthScopes=optional(STRINGS),
        ClientName=optional(STRING),
        EnableTokenRevocation=optional(BOOLEAN),
        ExplicitAuthFlows=optional(STRINGS),
        GenerateSecret=replaces(BOOLEAN),
        IdTokenValidity=optional(INTEGER),
        PreventUserExistenceErrors=optional(STRING),
        RefreshTokenValidity=optional(INTEGER),
        TokenValidityUnits=optional(struct(AccessToken=STRING, IdToken=STRING, RefreshToken=STRING)),
        UserPoolId=required(STRING, replaces=True),
    )
    attributes = ("ClientId", "ClientSecret", "Name")
    missing = _GONE

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        params = {**picked(props, *self.properties), "ClientName": props.get("ClientName") or ctx.name(128)}
        return _client(ctx.call(_API, "CreateUserPoolClient", params)["UserPoolClient"])

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        names = [name for name in self.properties if name != "GenerateSecret"]
        params = {**picked(new, *names), "ClientId": physical_id}
        return _client(ctx.call(_API, "UpdateUserPoolClient", params)["UserPoolClient"])

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        ctx.call(_API, "DeleteUserPoolClient", {**picked(props, "UserPoolId"), "ClientId": physical_id})


def _client(made: dict[str, Any]) -> Outcome:
    secret = {"ClientSecret": made["ClientSecret"]} if "ClientSecret" in made else {}
    return Outcome(made["ClientId"], {"ClientId": made["ClientId"], "Name": made["ClientName"], **secret})


class UserPoolDomain(Provider):
    type = "AWS::Cognito::UserPoolDomain"
    properties = accepts(Domain=required(STRING, replaces=True), UserPoolId=required(STRING, replaces=True))
    missing = (*_GONE, "InvalidParameterException")

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        ctx.call(_API, "CreateUserPoolDomain", picked(props, "Domain", "UserPoolId"))
        return Outcome(props["Domain"])

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        ctx.call(_API, "DeleteUserPoolDomain", picked(props, "Domain", "UserPoolId"))


class UserPoolResourceServer(Provider):
    type = "AWS::Cognito::UserPoolResourceServer"
    properties = accepts(
        Identifier=required(STRING, replaces=True),
        Name=required(STRING),
        Scopes=optional(list_of(struct(ScopeDescription=STRING, ScopeName=STRING))),
        UserPoolId=required(STRING, replaces=True),
    )
    missing = _GONE

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        ctx.call(_API, "CreateResourceServer", picked(props, *self.properties))
        return Outcome(props["Identifier"])

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        ctx.call(_API, "UpdateResourceServer", picked(new, *self.properties))
        return Outcome(physical_id)

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        ctx.call(_API, "DeleteResourceServer", picked(props, "Identifier", "UserPoolId"))


class UserPoolGroup(Provider):
    type = "AWS::Cognito::UserPoolGroup"
    properties = accepts(
        Description=optional(STRING),
        GroupName=replaces(STRING),
        Precedence=optional(INTEGER),
        RoleArn=optional(STRING),
        UserPoolId=required(STRING, replaces=True),
    )
    missing = _GONE

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        name = props.get("GroupName") or ctx.name(128)
        ctx.call(_API, "CreateGroup", {**picked(props, *self.properties), "GroupName": name})
        return Outcome(name)

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        ctx.call(_API, "UpdateGroup", {**picked(new, *self.properties), "GroupName": physical_id})
        return Outcome(physical_id)

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        ctx.call(_API, "DeleteGroup", {**picked(props, "UserPoolId"), "GroupName": physical_id})


class UserPoolUser(Provider):
    type = "AWS::Cognito::UserPoolUser"
    properties = accepts(
        UserAttributes=replaces(_ATTRIBUTES),
        UserPoolId=required(STRING, replaces=True),
        Username=replaces(STRING),
    )
    missing = _GONE

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        name = props.get("Username") or ctx.name(128)
        made = ctx.call(_API, "AdminCreateUser", {**picked(props, *self.properties), "Username": name})
        return Outcome(made["User"]["Username"])

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        ctx.call(_API, "AdminDeleteUser", {**picked(props, "UserPoolId"), "Username": physical_id})


PROVIDERS: tuple[type[Provider], ...] = (
    UserPool,
    UserPoolClient,
    UserPoolDomain,
    UserPoolResourceServer,
    UserPoolGroup,
    UserPoolUser,
)
