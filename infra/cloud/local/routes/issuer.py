"""An issuer of JSON Web Tokens for lessons: what a JWT authorizer needs where there is no user pool.

It answers as a host of the world where OpenID Connect says (discovery, key set), and signs with an RSA key
that follows from the seed: the same seed gives the same tokens.
https://openid.net/specs/openid-connect-discovery-1_0.html
"""

from __future__ import annotations

import functools
import json
import random
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ..kernel import SECOND
from .http import HttpRequest, HttpResponse
from .httpapi.tokens import encode

if TYPE_CHECKING:
    from ..world import World

ISSUER = "https://issuer.workshop.example"
_KEY_ID = "workshop-1"
_BITS = 2048
_EXPONENT = 65_537
_JSON = {"content-type": "application/json"}


class Issuer:
    """The key is made when it is first needed."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._key: Any = None
        world.http.register(urlsplit(ISSUER).netloc, self._answer)

    def token(
        self,
        subject: str,
        audience: str | Sequence[str],
        scopes: Sequence[str],
        lifetime: int,
        claims: Mapping[str, Any],
    ) -> str:
        """A signed token, valid from now on for ``lifetime`` seconds. ``claims`` come over the usual ones."""
        now = self._world.kernel.now // SECOND
        usual: dict[str, Any] = {"iss": ISSUER, "sub": subject, "aud": audience, "iat": now, "nbf": now}
        usual["exp"] = now + lifetime
        if scopes:
            usual["scope"] = " ".join(scopes)
        header = {"alg": "RS256", "kid": _KEY_ID, "typ": "JWT"}
        signed = f"{_part(header)}.{_part({**usual, **claims})}"
        return f"{signed}.{encode(self._sign(signed.encode()))}"

    def _sign(self, data: bytes) -> bytes:
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import padding

        signature: bytes = self._private().sign(data, padding.PKCS1v15(), hashes.SHA256())
        return signature

    def _private(self) -> Any:
        if self._key is None:
            self._key = private_key(self._world.kernel.seed)
        return self._key

    def _answer(self, request: HttpRequest) -> HttpResponse:
        path = urlsplit(request.url).path
        if path == "/.well-known/openid-configuration":
            found: dict[str, Any] = {
                "issuer": ISSUER,
                "jwks_uri": f"{ISSUER}/.well-known/jwks.json",
                "id_token_signing_alg_values_supported": ["RS256"],
                "subject_types_supported": ["public"],
            }
        elif path == "/.well-known/jwks.json":
            found = {"keys": [public_key(self._world.kernel.seed, _KEY_ID)]}
        else:
            return HttpResponse(404, '{"error":"not found"}', _JSON)
        return HttpResponse(200, json.dumps(found, separators=(",", ":")), _JSON)


@functools.lru_cache(maxsize=16)
def private_key(seed: int) -> Any:
    """An RSA key that follows from a seed: the library's own come from the machine, another each time. It
    takes a third of a second to find, so a process remembers it."""
    from cryptography.hazmat.primitives.asymmetric import rsa

    rng = random.Random(f"{seed}/issuer.key")
    p, q = _prime(rng, _BITS // 2), _prime(rng, _BITS // 2)
    d = pow(_EXPONENT, -1, (p - 1) * (q - 1))
    numbers = rsa.RSAPrivateNumbers(
        p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), rsa.RSAPublicNumbers(_EXPONENT, p * q)
    )
    return numbers.private_key(unsafe_skip_rsa_key_validation=True)


def public_key(seed: int, identifier: str) -> dict[str, str]:
    """The public half of ``private_key``, as a JWK."""
    public = private_key(seed).public_key().public_numbers()
    key = {"kty": "RSA", "alg": "RS256", "use": "sig", "kid": identifier}
    return {**key, "n": _number(public.n), "e": _number(public.e)}


@functools.cache
def _small_primes() -> list[int]:
    return [each for each in range(3, 3000, 2) if all(each % by for by in range(3, int(each**0.5) + 1, 2))]


def _prime(rng: random.Random, bits: int) -> int:
    """The first probable prime from a random start with its two highest bits set, fit for the exponent."""
    number = rng.getrandbits(bits) | (3 << (bits - 2)) | 1
    small = _small_primes()
    left = [number % prime for prime in small]
    while True:
        if all(left) and (number - 1) % _EXPONENT and _is_prime(number):
            return number
        number += 2
        left = [(rest + 2) % prime for rest, prime in zip(left, small, strict=True)]


def _is_prime(number: int) -> bool:
    """Miller and Rabin's test with fixed bases; for a random number of this size one would do."""
    odd = number - 1
    shift = (odd & -odd).bit_length() - 1
    odd >>= shift
    for base in (2, 3, 5, 7):
        value = pow(base, odd, number)
        if value in (1, number - 1):
            continue
        for _ in range(shift - 1):
            value = value * value % number
            if value == number - 1:
                break
        else:
            return False
    return True


def _part(value: Mapping[str, Any]) -> str:
    return encode(json.dumps(value, separators=(",", ":")).encode())


def _number(value: int) -> str:
    return encode(value.to_bytes((value.bit_length() + 7) // 8, "big"))
