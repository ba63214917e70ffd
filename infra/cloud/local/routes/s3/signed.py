"""Who signed a pre-signed URL, and whether the request is the one that was signed.

What a signature covers must be sent as it was signed; with Signature Version 2, boto3's default in us-east-1,
that is the Content-Type, too. The URL can do what its signer may, at the time it is used.
https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html
https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

import botocore.credentials
from botocore.auth import HmacV1Auth
from botocore.compat import HTTPHeaders

from ...service import ServiceError
from .. import signatures
from ..credentials import Credentials, find
from ..http import HttpRequest

if TYPE_CHECKING:
    from ...world import World

MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your key and "
    "signing method."
)


def signer(world: World, bucket: str, request: HttpRequest) -> Credentials:
    """Whose URL it is. Raises ServiceError for a wrong signature, key or token."""
    query = dict(parse_qsl(urlsplit(request.url).query, keep_blank_values=True))
    second = "AWSAccessKeyId" in query
    key = query.get("AWSAccessKeyId") or query.get("X-Amz-Credential", "").partition("/")[0]
    known = find(world, key)
    if known is None:
        text = "The AWS Access Key Id you provided does not exist in our records."
        raise ServiceError("InvalidAccessKeyId", text, 403)
    if known.token != query.get("x-amz-security-token" if second else "X-Amz-Security-Token", ""):
        raise ServiceError("InvalidToken", "The provided token is malformed or otherwise invalid.", 400)
    if known.expires is not None and world.kernel.now >= known.expires:
        raise ServiceError("ExpiredToken", "The provided token has expired.", 400)
    expected = _second(known, bucket, request, query) if second else _fourth(known, request)
    given = query.get("Signature" if second else "X-Amz-Signature", "")
    if not hmac.compare_digest(expected.encode(), given.encode()):
        raise ServiceError("SignatureDoesNotMatch", MISMATCH, 403)
    return known


class _Version2(HmacV1Auth):  # type: ignore[misc]
    """With the time of expiry in the place of the date."""

    def __init__(self, credentials: botocore.credentials.Credentials, expires: str) -> None:
        super().__init__(credentials)
        self._expires = expires

    def _get_date(self) -> str:
        return self._expires


def _second(known: Credentials, bucket: str, request: HttpRequest, query: dict[str, str]) -> str:
    parts = urlsplit(request.url)
    sent = {name: value for name, value in query.items() if name.lower().startswith("x-amz-")}
    sent |= {name: value for name, value in request.joined().items() if value}
    keys = botocore.credentials.Credentials(known.access_key, known.secret, known.token or None)
    auth = _Version2(keys, query.get("Expires", ""))
    headers = HTTPHeaders.from_dict(sent)
    return str(auth.get_signature(request.method, parts, headers, auth_path=f"/{bucket}{parts.path}"))


def _fourth(known: Credentials, request: HttpRequest) -> str:
    headers = request.joined()
    headers.setdefault("host", urlsplit(request.url).netloc)
    try:
        signature = signatures.read(request, headers)
    except signatures.Unsigned as error:
        raise ServiceError("AuthorizationQueryParametersError", error.message, 400) from None
    return signatures.sign(
        known.secret, signature.scope, signatures.string_to_sign(request, headers, signature)
    )
