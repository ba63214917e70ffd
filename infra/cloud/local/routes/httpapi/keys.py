"""Public keys of token issuers, found as OpenID Connect says, by HTTP to a host of the world.

API Gateway keeps a key set for two hours:
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...kernel import SECOND
from ..http import HttpRequest, Unreachable
from .tokens import Refused

if TYPE_CHECKING:
    from ...world import World

KEPT = 2 * 3600 * SECOND
DISCOVERY = "/.well-known/openid-configuration"


class KeySets:
    def __init__(self, world: World) -> None:
        self._world = world
        self._sets: dict[str, tuple[int, dict[str, Any]]] = {}

    def key(self, issuer: str, identifier: str, trace: str) -> Mapping[str, Any] | None:
        """The key (JWK) of an issuer with this id; asks the issuer if the set is too old. Raises Refused."""
        until, keys = self._sets.get(issuer, (0, {}))
        if until <= self._world.kernel.now:
            keys = self._fetch(issuer, trace)
            self._sets[issuer] = (self._world.kernel.now + KEPT, keys)
        return keys.get(identifier)

    def _fetch(self, issuer: str, trace: str) -> dict[str, Any]:
        try:
            configuration = self._get(issuer.rstrip("/") + DISCOVERY, trace)
            answer = self._get(str(configuration["jwks_uri"]), trace)
            return {str(key["kid"]): key for key in answer["keys"]}
        except (Unreachable, ValueError, KeyError, TypeError):
            raise Refused("OIDC discovery endpoint communication error") from None

    def _get(self, url: str, trace: str) -> Any:
        request = HttpRequest("GET", url, {"accept": "application/json"})
        response = self._world.http.send(request, actor="apigateway", trace=trace)
        if response.status != 200:
            raise ValueError(f"{url} answered {response.status}")
        return json.loads(response.body)
