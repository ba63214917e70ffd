"""Signed requests: AWS's Signature Version 4 verified, in the headers or in the query.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html. The error codes
and messages are those that API Gateway and Lambda answer:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html
"""

from __future__ import annotations

import calendar
import dataclasses
import hashlib
import hmac
import re
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

from ..kernel import SECOND
from .credentials import Credentials, find
from .http import HttpRequest

if TYPE_CHECKING:
    from ..world import World

ALGORITHM = "AWS4-HMAC-SHA256"
SKEW = 300
"""Seconds by which the time of a signature may differ from the service's."""

_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret "
    "Access Key and signing method. Consult the service documentation for details."
)
_TIME = "%Y%m%dT%H%M%SZ"


class Unsigned(Exception):
    """The request is not signed as it must be. ``code`` is what the header x-amzn-ErrorType says."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = 403


@dataclasses.dataclass(frozen=True, slots=True)
class Signature:
    """What a request says of its signature. ``expires`` is in seconds, of a pre-signed URL only."""

    access_key: str
    scope: str
    signed_headers: tuple[str, ...]
    signature: str
    time: str
    token: str
    expires: int | None = None


def verify(world: World, request: HttpRequest, service: str) -> Credentials:
    """Who signed the request, for ``service`` (``execute-api``, ``lambda``). Raises Unsigned."""
    headers = request.joined()
    headers.setdefault("host", urlsplit(request.url).netloc)
    signature = read(request, headers)
    now = world.kernel.now // SECOND
    _check_scope(signature, world.region, service)
    _check_time(signature, now)
    known = find(world, signature.access_key)
    if known is None or known.token != signature.token:
        raise Unsigned(
            "UnrecognizedClientException", "The security token included in the request is invalid."
        )
    if known.expires is not None and world.kernel.now >= known.expires:
        raise Unsigned("ExpiredTokenException", "The security token included in the request is expired")
    text = string_to_sign(request, headers, signature)
    if not hmac.compare_digest(sign(known.secret, signature.scope, text), signature.signature):
        raise Unsigned("InvalidSignatureException", _MISMATCH)
    return known


def read(request: HttpRequest, headers: Mapping[str, str]) -> Signature:
    """The parts of a signature, unverified; ``headers`` with names in lower case. Raises Unsigned."""
    query = dict(_pairs(urlsplit(request.url).query))
    if "X-Amz-Signature" in query or "X-Amz-Credential" in query:
        given = {name.removeprefix("X-Amz-"): value for name, value in query.items()}
        expires: int | None = int(given["Expires"]) if given.get("Expires", "").isdigit() else 0
        stamp, token = given.get("Date", ""), given.get("Security-Token", "")
    else:
        value = headers.get("authorization", "")
        if not value:
            raise Unsigned("MissingAuthenticationTokenException", "Missing Authentication Token")
        if not value.startswith(ALGORITHM):
            raise Unsigned("IncompleteSignatureException", _incomplete(value, (), headers))
        fields = (part.strip().partition("=") for part in value[len(ALGORITHM) :].split(","))
        given = {name: text for name, _, text in fields}
        expires = None
        stamp, token = headers.get("x-amz-date", ""), headers.get("x-amz-security-token", "")
    needed = ("Credential", "Signature", "SignedHeaders")
    missing = [name for name in needed if not given.get(name)]
    if missing or not re.fullmatch(r"\d{8}T\d{6}Z", stamp) or given["Credential"].count("/") < 4:
        raise Unsigned(
            "IncompleteSignatureException", _incomplete(headers.get("authorization", ""), missing, headers)
        )
    access_key, _, scope = given["Credential"].partition("/")
    names = tuple(given["SignedHeaders"].lower().split(";"))
    return Signature(access_key, scope, names, given["Signature"], stamp, token, expires)


def string_to_sign(request: HttpRequest, headers: Mapping[str, str], signature: Signature) -> str:
    canonical = hashlib.sha256(canonical_request(request, headers, signature).encode()).hexdigest()
    return "\n".join((ALGORITHM, signature.time, signature.scope, canonical))


def canonical_request(request: HttpRequest, headers: Mapping[str, str], signature: Signature) -> str:
    """The request in the one form that both sides hash. The path is encoded once more than it was sent, but
    not for S3, which takes the body of a pre-signed request as it comes."""
    parts = urlsplit(request.url)
    s3 = signature.scope.split("/")[2] == "s3"
    pairs = [pair for pair in _pairs(parts.query) if pair[0] != "X-Amz-Signature"]
    encoded = sorted((quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in pairs)
    lines = [f"{name}:{' '.join(headers.get(name, '').split())}" for name in signature.signed_headers]
    body = request.body.encode("utf-8", "surrogateescape")
    declared = headers.get("x-amz-content-sha256", "")
    unsigned = signature.expires is not None or declared == "UNSIGNED-PAYLOAD"
    if s3 and signature.expires is not None:
        declared = "UNSIGNED-PAYLOAD"
    hashed = declared if unsigned and declared else hashlib.sha256(body).hexdigest()
    return "\n".join(
        (
            request.method,
            parts.path if s3 else quote(_normalized(parts.path), safe="/-_.~"),
            "&".join(f"{name}={value}" for name, value in encoded),
            *lines,
            "",
            ";".join(signature.signed_headers),
            hashed,
        )
    )


def sign(secret: str, scope: str, text: str) -> str:
    """The signature, in hexadecimal. ``scope``: date/region/service/aws4_request."""
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex()


def _check_scope(signature: Signature, region: str, service: str) -> None:
    date, signed_region, signed_service, end = signature.scope.split("/", 3)
    wrong = []
    if signed_region != region:
        wrong.append("Credential should be scoped to a valid region. ")
    if signed_service != service:
        wrong.append(f"Credential should be scoped to correct service: '{service}'. ")
    if end != "aws4_request":
        wrong.append("Credential should be scoped with a valid terminator: 'aws4_request'. ")
    if date != signature.time[:8]:
        wrong.append(
            f"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
            f"'{date}' != '{signature.time[:8]}', from '{signature.time}'. "
        )
    if wrong:
        raise Unsigned("InvalidSignatureException", "".join(wrong).rstrip())


def _check_time(signature: Signature, now: int) -> None:
    signed = calendar.timegm(time.strptime(signature.time, _TIME))
    last = signed + (SKEW if signature.expires is None else signature.expires)
    if now > last:
        earliest = _stamp(now - (last - signed))
        message = (
            f"Signature expired: {signature.time} is now earlier than {earliest} ({_stamp(now)} - 5 min.)"
        )
        raise Unsigned("InvalidSignatureException", message)
    if signed > now + SKEW:
        message = (
            f"Signature not yet current: {signature.time} is still later than {_stamp(now + SKEW)} "
            f"({_stamp(now)} + 5 min.)"
        )
        raise Unsigned("InvalidSignatureException", message)


def _incomplete(authorization: str, missing: tuple[str, ...] | list[str], headers: Mapping[str, str]) -> str:
    names = missing or (
        ("Credential", "Signature", "SignedHeaders") if not authorization.startswith(ALGORITHM) else ()
    )
    sentences = [f"Authorization header requires '{name}' parameter." for name in names]
    if not headers.get("x-amz-date"):
        sentences.append(
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."
        )
    return " ".join([*sentences, f"Authorization={authorization}"])


def _pairs(query: str) -> list[tuple[str, str]]:
    split = (part.partition("=") for part in query.split("&") if part)
    return [(unquote(name), unquote(value)) for name, _, value in split]


def _normalized(path: str) -> str:
    """Without ``.``, ``..`` and double slashes."""
    kept: list[str] = []
    for part in path.split("/"):
        if part == "..":
            del kept[-1:]
        elif part not in ("", "."):
            kept.append(part)
    end = "/" if kept and path.endswith("/") else ""
    return "/" + "/".join(kept) + end


def _stamp(seconds: int) -> str:
    return time.strftime(_TIME, time.gmtime(seconds))
