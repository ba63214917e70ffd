"""The tokens of a user pool: signed with a key that follows from the seed, published as a key set.

https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-with-identity-providers.html
(claims of the ID token and the access token) and
https://docs.aws.amazon.com/cognito/latest/developerguide/token-endpoint.html (client credentials).
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from ...ids import uuid4
from ...kernel import SECOND
from ...routes.http import HttpRequest, HttpResponse
from ...routes.httpapi.tokens import encode
from ...routes.issuer import private_key, public_key
from .model import Client, Pool, User, not_authorized

if TYPE_CHECKING:
    from ...world import World

_KEY_ID = "d29ya3Nob3AtcG9vbC1rZXk="
_JSON = {"content-type": "application/json"}
_SIGN_IN = "aws.cognito.signin.user.admin"


class Tokens:
    """Makes tokens, reads them again, and answers as the pools' hosts. ``pools`` are those of all Regions."""

    def __init__(self, world: World, pools: Mapping[str, Pool]) -> None:
        self._world = world
        self._pools = pools
        self._ids = world.kernel.rng("cognito.tokens")
        self._refresh: dict[str, tuple[str, str, str, str, int]] = {}
        self._revoked: set[str] = set()

    # -- making ----------------------------------------------------------------------------------------------

    def issue(
        self,
        pool: Pool,
        client: Client,
        user: User,
        more: Mapping[str, Any],
        origin: str = "",
        auth_time: int = 0,
    ) -> dict[str, Any]:
        """An AuthenticationResult. With ``origin`` it is a refresh, which brings no new refresh token.

        ``more``: claims that a trigger adds to the ID token (or takes away: None).
        """
        now = self._world.kernel.now // SECOND
        refreshed, origin = bool(origin), origin or uuid4(self._ids)
        groups = pool.groups_of(user)
        common: dict[str, Any] = {
            "sub": user.attributes["sub"],
            **({"cognito:groups": groups} if groups else {}),
            "iss": pool.issuer,
            "origin_jti": origin,
            "event_id": uuid4(self._ids),
            "auth_time": auth_time or now,
            "iat": now,
        }
        attributes = {name: _typed(value) for name, value in user.attributes.items() if name != "sub"}
        identity = {
            **common,
            "cognito:username": user.name,
            "aud": client.id,
            "token_use": "id",
            **attributes,
            **more,
        }
        access = {
            **common,
            "client_id": client.id,
            "token_use": "access",
            "scope": _SIGN_IN,
            "username": user.name,
        }
        lifetime = client.lifetime("AccessToken", 3600)
        result: dict[str, Any] = {
            "AccessToken": self._signed(access, lifetime),
            "ExpiresIn": lifetime,
            "TokenType": "Bearer",
            "IdToken": self._signed(identity, client.lifetime("IdToken", 3600)),
        }
        if not refreshed:
            token = f"eyJjdHkiOiJKV1QiLCJlbmMiOiJBMjU2R0NNIn0.{encode(self._ids.randbytes(96))}"
            until = now + client.lifetime("RefreshToken", 30 * 86_400)
            self._refresh[token] = (pool.id, client.id, user.name, origin, until)
            result["RefreshToken"] = token
        return result

    def _signed(self, claims: Mapping[str, Any], lifetime: int) -> str:
        kept = {name: value for name, value in claims.items() if value is not None}
        kept.update(exp=claims["iat"] + lifetime, jti=uuid4(self._ids))
        signed = f"{_part({'kid': _KEY_ID, 'alg': 'RS256'})}.{_part(kept)}"
        return f"{signed}.{encode(self._sign(signed.encode()))}"

    def _sign(self, data: bytes) -> bytes:
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import padding

        key = private_key(self._world.kernel.seed)
        signature: bytes = key.sign(data, padding.PKCS1v15(), hashes.SHA256())
        return signature

    # -- reading ---------------------------------------------------------------------------------------------

    def refreshed(self, pool: Pool, client: Client, token: str) -> tuple[str, str]:
        """Username and origin of a refresh token. Raises NotAuthorizedException."""
        known = self._refresh.get(token)
        if token in self._revoked:  # text: moto's cognitoidp/models.py
            raise not_authorized("Refresh Token has been revoked")
        if known is None or known[:2] != (pool.id, client.id):
            raise not_authorized("Invalid Refresh Token")
        if known[4] <= self._world.kernel.now // SECOND:
            raise not_authorized("Refresh Token has expired")
        return known[2], known[3]

    def revoke(self, token: str) -> None:
        if self._refresh.pop(token, None) is not None:
            self._revoked.add(token)

    def forget(self, user: User) -> None:
        """Sign out everywhere."""
        user.signed_out = self._world.kernel.now // SECOND
        gone = [token for token, known in self._refresh.items() if known[2] == user.name]
        for token in gone:
            self.revoke(token)

    def holder(self, token: str) -> tuple[Pool, User]:
        """Whose access token it is. Raises NotAuthorizedException."""
        try:
            claims = json.loads(_decoded(token.split(".")[1]))
            signed, _, signature = token.rpartition(".")
            if encode(self._sign(signed.encode())) != signature or claims["token_use"] != "access":
                raise ValueError("not ours")
            pool = self._pools[claims["iss"].rpartition("/")[2]]
            user = pool.users[claims["username"]]
        except (ValueError, KeyError, IndexError, binascii.Error):
            raise not_authorized("Invalid Access Token") from None
        if claims["exp"] <= self._world.kernel.now // SECOND:
            raise not_authorized("Access Token has expired")
        if claims["iat"] <= user.signed_out:
            raise not_authorized("Access Token has been revoked")
        return pool, user

    # -- hosts -----------------------------------------------------------------------------------------------

    def publish(self, pool: Pool) -> None:
        """Answer for the pool's issuer: discovery and key set."""
        self._world.http.register(urlsplit(pool.issuer).netloc, self._discovery)

    def _discovery(self, request: HttpRequest) -> HttpResponse:
        _, _, rest = urlsplit(request.url).path.partition("/")
        name, _, path = rest.partition("/")
        pool = self._pools.get(name)
        if pool is None:
            return HttpResponse(400, '{"message":"User pool does not exist"}', _JSON)
        if path == ".well-known/jwks.json":
            return _json({"keys": [public_key(self._world.kernel.seed, _KEY_ID)]})
        if path == ".well-known/openid-configuration":
            return _json(
                {
                    "id_token_signing_alg_values_supported": ["RS256"],
                    "issuer": pool.issuer,
                    "jwks_uri": f"{pool.issuer}/.well-known/jwks.json",
                    "response_types_supported": ["code", "token"],
                    "scopes_supported": ["openid", "email", "phone", "profile"],
                    "subject_types_supported": ["public"],
                }
            )
        return HttpResponse(404, '{"message":"not found"}', _JSON)

    def serve(self, pool: Pool, domain: str) -> str:
        """Answer at the pool's domain; returns its host. Of its endpoints only the token endpoint is here."""
        host = f"{domain}.auth.{pool.region}.amazoncognito.com"
        self._world.http.register(host, lambda request: self._token_endpoint(pool, request))
        return host

    def _token_endpoint(self, pool: Pool, request: HttpRequest) -> HttpResponse:
        if urlsplit(request.url).path != "/oauth2/token" or request.method != "POST":
            return HttpResponse(404, "not found: only POST /oauth2/token is simulated", _JSON)
        form = {name: values[0] for name, values in parse_qs(request.body).items()}
        identifier, secret = form.get("client_id", ""), form.get("client_secret")
        headers = {name.lower(): value for name, value in request.headers.items()}
        if headers.get("authorization", "").startswith("Basic "):
            given = base64.b64decode(headers["authorization"][6:]).decode()
            identifier, _, secret = given.partition(":")
        client = pool.clients.get(identifier)
        if client is None or client.secret != secret:
            return _json({"error": "invalid_client"}, 400)
        if form.get("grant_type") != "client_credentials":
            return _json({"error": "unsupported_grant_type"}, 400)
        allowed: Sequence[str] = client.given.get("AllowedOAuthScopes", ())
        if "client_credentials" not in client.given.get("AllowedOAuthFlows", ()):
            return _json({"error": "unauthorized_client"}, 400)
        scopes = form["scope"].split() if form.get("scope") else list(allowed)
        if not set(scopes) <= set(allowed):
            return _json({"error": "invalid_scope"}, 400)
        now, lifetime = self._world.kernel.now // SECOND, client.lifetime("AccessToken", 3600)
        claims = {
            "sub": client.id,
            "token_use": "access",
            "scope": " ".join(scopes),
            "auth_time": now,
            "iss": pool.issuer,
            "iat": now,
            "version": 2,
            "client_id": client.id,
        }
        token = self._signed(claims, lifetime)
        return _json({"access_token": token, "expires_in": lifetime, "token_type": "Bearer"})


def _json(value: Any, status: int = 200) -> HttpResponse:
    return HttpResponse(status, json.dumps(value, separators=(",", ":")), _JSON)


def _part(value: Mapping[str, Any]) -> str:
    return encode(json.dumps(value, separators=(",", ":")).encode())


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _typed(value: str) -> Any:
    """email_verified and the like are booleans in a token."""
    return {"true": True, "false": False}.get(value, value)
