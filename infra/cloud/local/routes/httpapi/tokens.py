"""JSON Web Tokens as an HTTP API's JWT authorizer takes them.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html: the signature by a
public key of the issuer (RSA only), then ``iss``, ``aud`` or ``client_id``, ``exp``, ``nbf``, ``iat`` and the
route's scopes in ``scope`` or ``scp``.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

ALGORITHMS = {"RS256": "SHA256", "RS384": "SHA384", "RS512": "SHA512"}


class Refused(Exception):
    """The token is not accepted: ``status`` 401 or 403; the message is what www-authenticate says."""

    def __init__(self, description: str, error: str = "invalid_token", status: int = 401) -> None:
        super().__init__(description)
        self.error = error
        self.status = status


def verify(
    token: str,
    configuration: Mapping[str, Any],
    scopes: Sequence[str],
    now: int,
    keys: Callable[[str], Mapping[str, Any] | None],
) -> dict[str, Any]:
    """The claims of a token. ``now`` is in seconds, ``keys(kid)`` a public key (JWK). Raises Refused."""
    claims = signed_claims(token, keys)
    if claims.get("iss") != configuration["Issuer"]:
        raise Refused("the token does not have a valid issuer")
    audience = claims.get("aud", claims.get("client_id"))
    named = audience if isinstance(audience, list) else [audience]
    if not set(named) & set(configuration["Audience"]):
        raise Refused("the token does not have a valid audience")
    _check_times(claims, now)
    if scopes and not set(granted(claims)) & set(scopes):
        raise Refused("", "insufficient_scope", 403)
    return claims


def signed_claims(token: str, keys: Callable[[str], Mapping[str, Any] | None]) -> dict[str, Any]:
    """The claims of a token whose signature is right, whatever they say. Raises Refused."""
    header, claims, signed, signature = _parts(token)
    hashing = ALGORITHMS.get(str(header.get("alg")))
    if hashing is None:
        raise Refused(f"unsupported algorithm {header.get('alg')}")
    key = keys(str(header.get("kid", "")))
    if key is None or not _is_signed(key, hashing, signed, signature):
        raise Refused("signature is invalid" if key is not None else "the token does not have a valid key id")
    return claims


def unverified(token: str) -> dict[str, Any]:
    """The claims of a token that nobody has checked. Raises Refused if it is none."""
    return _parts(token)[1]


def _check_times(claims: Mapping[str, Any], now: int) -> None:
    expires = claims.get("exp")
    if not isinstance(expires, int | float) or expires <= now:
        raise Refused("the token has expired")
    for name, said in (("nbf", "the token is not valid yet"), ("iat", "the token was issued in the future")):
        time = claims.get(name, now)
        if not isinstance(time, int | float) or time > now:
            raise Refused(said)


def granted(claims: Mapping[str, Any]) -> list[str]:
    """The scopes that a token has."""
    value = claims.get("scope", claims.get("scp", ""))
    return list(value) if isinstance(value, list) else str(value).split()


def shown(claims: Mapping[str, Any]) -> dict[str, str]:
    """Claims as an event holds them: all of them texts, a list as ``[a b]``."""
    return {name: text(value) for name, value in claims.items()}


def text(value: Any) -> str:
    if isinstance(value, list):
        return "[" + " ".join(map(text, value)) + "]"
    return value if isinstance(value, str) else json.dumps(value)


def _parts(token: str) -> tuple[dict[str, Any], dict[str, Any], bytes, bytes]:
    pieces = token.split(".")
    try:
        first, second, third = (decode(piece) for piece in pieces)
        header, claims = json.loads(first), json.loads(second)
    except (ValueError, binascii.Error):
        raise Refused("the token is malformed") from None
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise Refused("the token is malformed")
    return header, claims, f"{pieces[0]}.{pieces[1]}".encode(), third


def _is_signed(key: Mapping[str, Any], hashing: str, signed: bytes, signature: bytes) -> bool:
    # A fifth of a second of imports, so only who uses tokens waits for them.
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding, rsa

    if key.get("kty") != "RSA":
        return False
    exponent, modulus = (int.from_bytes(decode(str(key[name])), "big") for name in ("e", "n"))
    public = rsa.RSAPublicNumbers(exponent, modulus).public_key()
    try:
        public.verify(signature, signed, padding.PKCS1v15(), getattr(hashes, hashing)())
    except InvalidSignature:
        return False
    return True


def decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
