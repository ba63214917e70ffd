"""May a request pass? JWT, Lambda function, or IAM, as its route says.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-access-control.html
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...access.policies import Request, decide, parse
from ...kernel import SECOND
from ..credentials import Credentials
from ..http import HttpRequest
from ..signatures import Unsigned, verify
from . import tokens
from .events import About, event
from .functions import Failed, invoke
from .keys import KeySets
from .model import Api, Shown, Stage
from .request import Incoming, Variables

if TYPE_CHECKING:
    from ...world import World


class Denied(Exception):
    """Not authorized: 401, 403, or 500 if an authorizer failed; with what is logged of it."""

    def __init__(self, status: int, headers: Mapping[str, str] | None = None, reason: str = "") -> None:
        super().__init__(reason)
        self.status = status
        self.headers = dict(headers or {})


@dataclasses.dataclass(frozen=True, slots=True)
class Asked:
    """What an authorizer looks at. ``arn`` is the request's: ``api/stage/GET/orders/7``."""

    api: Api
    stage: Stage
    route: Shown
    request: Incoming
    sent: HttpRequest
    about: About
    variables: Variables
    arn: str


class Authorization:
    """Answers with what the event's ``requestContext.authorizer`` shows; raises Denied."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._keys = KeySets(world)

    def check(self, asked: Asked, authorizer: Shown | None) -> dict[str, Any]:
        kind = asked.route["AuthorizationType"]
        if kind == "AWS_IAM":
            return {"iam": self._signed(asked).shown()}
        if kind == "JWT" and authorizer is not None:
            return {"jwt": self._token(asked, authorizer)}
        if kind == "CUSTOM" and authorizer is not None:
            return {"lambda": self._function(asked, authorizer)}
        return {}

    # -- IAM -------------------------------------------------------------------------------------

    def _signed(self, asked: Asked) -> Credentials:
        """Whatever is wrong, an HTTP API answers Forbidden (recorded from AWS)."""
        try:
            known = verify(self._world, asked.sent, "execute-api")
        except Unsigned as error:
            raise Denied(403, reason=error.message) from None
        identity, region = self._world.identity, self._world.region
        decision = identity.may(known.caller, "execute-api:Invoke", asked.arn, region=region)
        if not decision.allowed:
            raise Denied(403, reason=decision.reason)
        return known

    # -- JWT -------------------------------------------------------------------------------------

    def _token(self, asked: Asked, authorizer: Shown) -> dict[str, Any]:
        configuration = authorizer["JwtConfiguration"]
        token = asked.variables.fill(authorizer["IdentitySource"][0]) or ""
        if token[:7].lower() == "bearer ":
            token = token[7:].strip()
        if not token:
            raise Denied(401, {"www-authenticate": "Bearer"}, "no token")
        scopes = asked.route.get("AuthorizationScopes") or []
        issuer, trace = configuration["Issuer"], asked.about.trace
        try:
            now = self._world.kernel.now // SECOND
            claims = tokens.verify(
                token, configuration, scopes, now, lambda kid: self._keys.key(issuer, kid, trace)
            )
        except tokens.Refused as error:
            said = f' error_description="{error}"' if str(error) else ""
            header = f'Bearer scope="{" ".join(scopes)}" error="{error.error}"{said}'
            raise Denied(error.status, {"www-authenticate": header}, str(error)) from None
        return {"claims": tokens.shown(claims), "scopes": tokens.granted(claims) if scopes else None}

    # -- a Lambda function -----------------------------------------------------------------------

    def _function(self, asked: Asked, authorizer: Shown) -> dict[str, Any] | None:
        """https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html"""
        sources = [asked.variables.fill(each) or "" for each in authorizer.get("IdentitySource") or ()]
        if not all(sources):
            raise Denied(401, reason="an identity source is missing")
        kernel, kept = self._world.kernel, asked.api.authorizations
        key = (asked.stage.name, authorizer["AuthorizerId"], *sources)
        until, answer = kept.get(key, (0, None))
        if until <= kernel.now:
            answer = self._ask(asked, authorizer, sources)
            seconds = authorizer.get("AuthorizerResultTtlInSeconds", 0)
            if seconds:
                kept[key] = (kernel.now + seconds * SECOND, answer)
        if authorizer.get("EnableSimpleResponses"):
            allowed = answer.get("isAuthorized")
            if not isinstance(allowed, bool):
                raise Denied(500, reason="the authorizer's answer has no isAuthorized")
        else:
            allowed = _allows(answer, asked.arn)
        if not allowed:
            raise Denied(403, reason="the authorizer says no")
        context: dict[str, Any] | None = answer.get("context")
        return context

    def _ask(self, asked: Asked, authorizer: Shown, sources: list[str]) -> dict[str, Any]:
        version = authorizer["AuthorizerPayloadFormatVersion"]
        whole = event(asked.request, asked.about, version)
        for name in ("body", "isBase64Encoded", "multiValueHeaders", "multiValueQueryStringParameters"):
            whole.pop(name, None)
        first: dict[str, Any] = {"version": version, "type": "REQUEST"}
        if version == "2.0":
            first |= {"routeArn": asked.arn, "identitySource": sources or None}
        else:
            joined = ",".join(sources)
            first |= {"methodArn": asked.arn, "identitySource": joined, "authorizationToken": joined}
        source_arn = f"{asked.arn.partition('/')[0]}/authorizers/{authorizer['AuthorizerId']}"
        payload = json.dumps({**first, **whole}, separators=(",", ":")).encode()
        uri = asked.variables.fill(authorizer["AuthorizerUri"]) or ""
        role = authorizer.get("AuthorizerCredentialsArn", "")
        try:
            answer = json.loads(invoke(self._world, uri, payload, source_arn, role, asked.about.trace))
        except (Failed, ValueError) as error:
            raise Denied(500, reason=f"the authorizer failed: {error}") from None
        if not isinstance(answer, dict):
            raise Denied(
                401 if answer == "Unauthorized" else 500, reason="the authorizer's answer is no object"
            )
        return answer


def _allows(answer: Mapping[str, Any], arn: str) -> bool:
    """Does the policy that an authorizer answered allow this request?"""
    try:
        policy = parse(json.dumps(answer["policyDocument"]))
        return decide(Request("execute-api:Invoke", arn, {}), policy).allowed
    except (KeyError, TypeError, ValueError, AttributeError):
        raise Denied(500, reason="the authorizer's answer has no valid policy") from None
