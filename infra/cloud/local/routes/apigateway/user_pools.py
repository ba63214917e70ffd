"""Authorizers of type COGNITO_USER_POOLS: a token of one of the named user pools opens a method.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-enable-cognito-user-pool.html: without
scopes a method takes ID tokens, with scopes access tokens that have one of them. A function gets the claims
as texts, times like ``Sun Apr 19 07:06:14 UTC 2020``, as events published on GitHub show them.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...kernel import SECOND
from ..httpapi import tokens
from ..httpapi.keys import KeySets
from . import authorization
from .authorizer_settings import POOL
from .authorizers import identity_of
from .mappings import with_stage_variables
from .model import Exchange, GatewayFailure
from .store import Snapshot

if TYPE_CHECKING:
    from ...world import World

EXPIRED = "The incoming token has expired"


class UserPools:
    def __init__(self, world: World) -> None:
        self._world = world
        self._keys = KeySets(world)

    def authorize(self, snapshot: Snapshot, exchange: Exchange) -> dict[str, Any]:
        """``$context.authorizer``. Raises GatewayFailure: UNAUTHORIZED by the token, ACCESS_DENIED by the
        resource policy."""
        authorizer, now = snapshot.authorizers[exchange.method["authorizerId"]], self._world.kernel.now
        authorization.check_denied(snapshot, exchange, now)
        token = identity_of(authorizer, exchange)[0].removeprefix("Bearer ")
        issuers = [
            issuer_of(with_stage_variables(arn, exchange.stage_variables))
            for arn in authorizer["providerARNs"]
        ]
        try:
            claims = self._claims(token, issuers, exchange.trace)
        except tokens.Refused:
            raise GatewayFailure("UNAUTHORIZED") from None
        check(claims, exchange.method.get("authorizationScopes") or (), now // SECOND)
        expression = authorizer.get("identityValidationExpression")
        if expression and not re.fullmatch(expression, str(claims.get("aud", claims.get("client_id", "")))):
            raise GatewayFailure("UNAUTHORIZED")
        authorization.check_anonymous(snapshot, exchange, now)
        return {"claims": {name: shown(name, value) for name, value in claims.items()}}

    def _claims(self, token: str, issuers: Sequence[str], trace: str) -> dict[str, Any]:
        issuer = str(tokens.unverified(token).get("iss"))
        if issuer not in issuers:
            raise tokens.Refused("another issuer")
        return tokens.signed_claims(token, lambda identifier: self._keys.key(issuer, identifier, trace))


def issuer_of(arn: str) -> str:
    """Of a user pool, ``arn:aws:cognito-idp:REGION:ACCOUNT:userpool/ID``."""
    found = POOL.fullmatch(arn)
    if found is None:
        raise GatewayFailure("AUTHORIZER_CONFIGURATION_ERROR")
    return f"https://cognito-idp.{found['region']}.amazonaws.com/{found['id']}"


def check(claims: Mapping[str, Any], scopes: Sequence[str], now: int) -> None:
    """Expiry, which kind of token it is, scopes; ``now`` is in seconds. Raises GatewayFailure."""
    expires = claims.get("exp")
    if not isinstance(expires, int | float) or expires <= now:
        raise GatewayFailure("UNAUTHORIZED", EXPIRED)
    if claims.get("token_use") != ("access" if scopes else "id"):
        raise GatewayFailure("UNAUTHORIZED")
    if scopes and not set(tokens.granted(claims)) & set(scopes):
        raise GatewayFailure("UNAUTHORIZED")


def shown(name: str, value: Any) -> str:
    """A claim as a function gets it; a list's items with commas between them."""
    if name in ("exp", "iat") and isinstance(value, int):
        return time.strftime("%a %b %d %H:%M:%S UTC %Y", time.gmtime(value))
    if isinstance(value, list):
        return ",".join(map(tokens.text, value))
    return tokens.text(value)
