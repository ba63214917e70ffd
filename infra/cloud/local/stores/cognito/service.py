"""Amazon Cognito user pools: signing up and signing in, with tokens for authorizers.

https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_Operations.html. Sign-in is by
password (USER_PASSWORD_AUTH, ADMIN_USER_PASSWORD_AUTH) and refresh token. Nobody reads mail here: SRP,
codes and MFA are not simulated; confirm a user with AdminConfirmSignUp or a PreSignUp trigger.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...ids import uuid4
from ...service import Call, Caller, NotSimulated, ServiceError
from .model import Client, Pool, User, check_password, invalid, not_authorized
from .users import Users

if TYPE_CHECKING:
    from ...world import World

_SOURCES = {
    "PreSignUp": "PreSignUp_SignUp",
    "PostConfirmation": "PostConfirmation_ConfirmSignUp",
    "PreAuthentication": "PreAuthentication_Authentication",
    "PostAuthentication": "PostAuthentication_Authentication",
    "PreTokenGeneration": "TokenGeneration_Authentication",
}
_REFRESH = ("REFRESH_TOKEN", "REFRESH_TOKEN_AUTH")


class Cognito(Users):
    """The service ``cognito-idp``."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._sessions: dict[str, tuple[str, str, str]] = {}

    # -- signing up ------------------------------------------------------------------------------------------

    def SignUp(self, call: Call) -> dict[str, Any]:
        params = call.params
        pool, client = self.of_client(params["ClientId"])
        _check_secret(client, params["Username"], params.get("SecretHash"))
        if pool.given.get("AdminCreateUserConfig", {}).get("AllowAdminCreateUserOnly"):
            raise not_authorized("SignUp is not permitted for this user pool")
        check_password(params.get("Password", ""), self.policy(pool))
        attributes = {each["Name"]: each.get("Value", "") for each in params.get("UserAttributes") or ()}
        answer = self._trigger(
            pool, client, "PreSignUp", params["Username"], attributes, {"validationData": None}
        )
        user = self.add(pool, params["Username"], attributes, params.get("Password"), "User already exists")
        if answer.get("autoVerifyEmail"):
            user.attributes["email_verified"] = "true"
        if answer.get("autoConfirmUser"):
            self._confirm(pool, client, user)
        return {"UserConfirmed": user.status == "CONFIRMED", "UserSub": user.attributes["sub"]}

    def AdminConfirmSignUp(self, call: Call) -> dict[str, Any]:
        pool = self.pool(call)
        user = pool.find(call.params["Username"])
        if user.status != "UNCONFIRMED":
            raise not_authorized(f"User cannot be confirmed. Current status is {user.status}")
        self._confirm(pool, None, user)
        return {}

    def _confirm(self, pool: Pool, client: Client | None, user: User) -> None:
        user.status = "CONFIRMED"
        self._trigger(pool, client, "PostConfirmation", user.name, user.attributes, {})

    # -- signing in ------------------------------------------------------------------------------------------

    def InitiateAuth(self, call: Call) -> dict[str, Any]:
        pool, client = self.of_client(call.params["ClientId"])
        return self._sign_in(pool, client, call.params, admin=False)

    def AdminInitiateAuth(self, call: Call) -> dict[str, Any]:
        pool = self.pool(call)
        return self._sign_in(pool, self.client(pool, call.params["ClientId"]), call.params, admin=True)

    def _sign_in(self, pool: Pool, client: Client, params: Mapping[str, Any], admin: bool) -> dict[str, Any]:
        flow, given = params["AuthFlow"], params.get("AuthParameters") or {}
        if flow in _REFRESH:
            return self._refresh(pool, client, given)
        by_password = ("ADMIN_NO_SRP_AUTH", "ADMIN_USER_PASSWORD_AUTH") if admin else ("USER_PASSWORD_AUTH",)
        if flow not in by_password:
            if flow in ("USER_SRP_AUTH", "CUSTOM_AUTH", "USER_AUTH"):
                raise NotSimulated(f"NotSimulated: cognito-idp AuthFlow {flow} - use {by_password[-1]}")
            raise invalid("Initiate Auth method not supported.")
        if not client.allows(flow):
            named = (
                "Auth flow not enabled for this client"
                if admin
                else f"{flow} flow not enabled for this client"
            )
            raise invalid(named)
        for name in ("USERNAME", "PASSWORD"):
            if name not in given:
                raise invalid(f"Missing required parameter {name}")
        _check_secret(client, given["USERNAME"], given.get("SECRET_HASH"))
        user = self._authentic(pool, client, given["USERNAME"], given["PASSWORD"])
        if user.status == "FORCE_CHANGE_PASSWORD":
            session = uuid4(self._ids)
            self._sessions[session] = (pool.id, client.id, user.name)
            attributes = {name: value for name, value in user.attributes.items() if name != "sub"}
            asked = {
                "USER_ID_FOR_SRP": user.name,
                "requiredAttributes": "[]",
                "userAttributes": json.dumps(attributes, separators=(",", ":")),
            }
            return {
                "ChallengeName": "NEW_PASSWORD_REQUIRED",
                "Session": session,
                "ChallengeParameters": asked,
            }
        return self._authenticated(pool, client, user)

    def _authentic(self, pool: Pool, client: Client, name: str, password: str) -> User:
        try:
            user = pool.find(name)
        except ServiceError:
            if client.given.get("PreventUserExistenceErrors") == "ENABLED":
                raise not_authorized() from None
            raise
        self._trigger(pool, client, "PreAuthentication", user.name, user.attributes, {})
        if user.password is None or user.password != password:
            raise not_authorized()
        if not user.enabled:
            raise not_authorized("User is disabled.")
        if user.status == "UNCONFIRMED":
            raise ServiceError("UserNotConfirmedException", "User is not confirmed.")
        return user

    def _authenticated(self, pool: Pool, client: Client, user: User) -> dict[str, Any]:
        self._trigger(
            pool, client, "PostAuthentication", user.name, user.attributes, {"newDeviceUsed": False}
        )
        result = self.tokens.issue(pool, client, user, self._claims(pool, client, user))
        return {"ChallengeParameters": {}, "AuthenticationResult": result}

    def _refresh(self, pool: Pool, client: Client, given: Mapping[str, str]) -> dict[str, Any]:
        name, origin = self.tokens.refreshed(pool, client, given.get("REFRESH_TOKEN", ""))
        _check_secret(client, name, given.get("SECRET_HASH"))
        user = pool.find(name)
        if not user.enabled:
            raise not_authorized("User is disabled.")
        result = self.tokens.issue(pool, client, user, self._claims(pool, client, user), origin)
        return {"ChallengeParameters": {}, "AuthenticationResult": result}

    def RespondToAuthChallenge(self, call: Call) -> dict[str, Any]:
        pool, client = self.of_client(call.params["ClientId"])
        return self._respond(pool, client, call.params)

    def AdminRespondToAuthChallenge(self, call: Call) -> dict[str, Any]:
        pool = self.pool(call)
        return self._respond(pool, self.client(pool, call.params["ClientId"]), call.params)

    def _respond(self, pool: Pool, client: Client, params: Mapping[str, Any]) -> dict[str, Any]:
        challenge = params["ChallengeName"]
        if challenge != "NEW_PASSWORD_REQUIRED":
            raise NotSimulated(f"NotSimulated: cognito-idp challenge {challenge}")
        known = self._sessions.get(params.get("Session", ""))
        if known is None or known[:2] != (pool.id, client.id):
            raise not_authorized("Invalid session for the user.")
        given = params.get("ChallengeResponses") or {}
        user = pool.find(known[2])
        _check_secret(client, given.get("USERNAME", user.name), given.get("SECRET_HASH"))
        check_password(given.get("NEW_PASSWORD", ""), self.policy(pool))
        del self._sessions[params["Session"]]
        user.password, user.status = given["NEW_PASSWORD"], "CONFIRMED"
        return self._authenticated(pool, client, user)

    # -- with an access token ----------------------------------------------------------------------------

    def GetUser(self, call: Call) -> dict[str, Any]:
        _, user = self.tokens.holder(call.params["AccessToken"])
        shown = user.shown("UserAttributes")
        return {name: shown[name] for name in ("Username", "UserAttributes")}

    def ChangePassword(self, call: Call) -> dict[str, Any]:
        params = call.params
        pool, user = self.tokens.holder(params["AccessToken"])
        if user.password != params.get("PreviousPassword"):
            raise not_authorized()
        check_password(params["ProposedPassword"], self.policy(pool))
        user.password = params["ProposedPassword"]
        return {}

    def GlobalSignOut(self, call: Call) -> dict[str, Any]:
        self.tokens.forget(self.tokens.holder(call.params["AccessToken"])[1])
        return {}

    def RevokeToken(self, call: Call) -> dict[str, Any]:
        self.of_client(call.params["ClientId"])
        self.tokens.revoke(call.params["Token"])
        return {}

    # -- triggers ----------------------------------------------------------------------------------------

    def _claims(self, pool: Pool, client: Client, user: User) -> dict[str, Any]:
        """What the trigger before token generation adds to the ID token, and takes away."""
        groups = {"groupsToOverride": pool.groups_of(user), "iamRolesToOverride": [], "preferredRole": None}
        request = {"groupConfiguration": groups}
        answer = self._trigger(pool, client, "PreTokenGeneration", user.name, user.attributes, request)
        details = answer.get("claimsOverrideDetails") or {}
        more: dict[str, Any] = dict(details.get("claimsToAddOrOverride") or {})
        more.update(dict.fromkeys(details.get("claimsToSuppress") or ()))
        changed = details.get("groupOverrideDetails")
        if changed is not None:
            more["cognito:groups"] = changed.get("groupsToOverride") or None
        return more

    def _trigger(
        self,
        pool: Pool,
        client: Client | None,
        name: str,
        username: str,
        attributes: Mapping[str, str],
        request: Mapping[str, Any],
    ) -> dict[str, Any]:
        """Invoke a pool's trigger, if it has one; returns the response that it has filled in.

        https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-identity-pools-working-with-aws-lambda-triggers.html
        """
        wanted = pool.given.get("LambdaConfig") or {}
        function = wanted.get(name) or (wanted.get(f"{name}Config") or {}).get("LambdaArn")
        if function is None:
            return {}
        empty: dict[str, Any] = {}
        if name == "PreSignUp":
            empty = {"autoConfirmUser": False, "autoVerifyEmail": False, "autoVerifyPhone": False}
        elif name == "PreTokenGeneration":
            empty = {"claimsOverrideDetails": None}
        event = {
            "version": "1",
            "triggerSource": _SOURCES[name],
            "region": pool.region,
            "userPoolId": pool.id,
            "userName": username,
            "callerContext": {
                "awsSdkVersion": "aws-sdk-unknown-unknown",
                "clientId": "CLIENT_ID_NOT_APPLICABLE" if client is None else client.id,
            },
            "request": {"userAttributes": dict(attributes), **request},
            "response": empty,
        }
        caller = Caller(
            "service",
            "cognito-idp",
            principal="cognito-idp.amazonaws.com",
            source_arn=pool.arn,
            source_account=self.world.account,
        )
        params = {"FunctionName": function, "Payload": json.dumps(event).encode()}
        try:
            answer = self.world.call("lambda", "Invoke", params, caller, region=pool.region)
        except ServiceError as error:
            raise ServiceError(
                "UnexpectedLambdaException", f"{name} invocation failed due to {error.code}."
            ) from error
        said = json.loads(answer["Payload"].read() or b"null") or {}
        if "FunctionError" in answer:
            message = said.get("errorMessage", "")
            raise ServiceError("UserLambdaValidationException", f"{name} failed with error {message}.")
        if not isinstance(said.get("response"), dict):
            raise ServiceError("InvalidLambdaResponseException", "Unrecognizable lambda output")
        response: dict[str, Any] = said["response"]
        return response


def _check_secret(client: Client, username: str, given: str | None) -> None:
    """https://docs.aws.amazon.com/cognito/latest/developerguide/signing-up-users-in-your-app.html#cognito-user-pools-computing-secret-hash"""
    if client.secret is None:
        return
    if given is None:
        raise not_authorized(f"Client {client.id} is configured with secret but SECRET_HASH was not received")
    message = (username + client.id).encode()
    digest = hmac.new(client.secret.encode(), message, hashlib.sha256).digest()
    if base64.b64encode(digest).decode() != given:
        raise not_authorized(f"Unable to verify secret hash for client {client.id}")
