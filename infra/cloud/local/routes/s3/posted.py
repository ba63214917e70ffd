"""Browser uploads: the form of a pre-signed POST against the policy that was signed.

https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html,
https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-authentication-HTTPPOST.html
"""

from __future__ import annotations

import base64
import binascii
import datetime
import email
import email.policy
import hmac
import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ...service import ServiceError
from .. import signatures
from ..credentials import Credentials, find
from ..http import HttpRequest
from .signed import MISMATCH

if TYPE_CHECKING:
    from ...world import World

_UNCONDITIONED = frozenset({"awsaccesskeyid", "file", "policy", "signature", "x-amz-signature"})


def form_of(request: HttpRequest) -> tuple[dict[str, str], bytes]:
    """The fields of a multipart form (names in lower case), ``${filename}`` put in, and the file."""
    kind = request.joined().get("content-type", "")
    head = f"Content-Type: {kind}\r\n\r\n".encode("utf-8", "surrogateescape")
    whole = email.message_from_bytes(
        head + request.body.encode("utf-8", "surrogateescape"), policy=email.policy.HTTP
    )
    fields: dict[str, str] = {}
    content, name = b"", ""
    for part in whole.iter_parts() if whole.is_multipart() else ():
        field = str(part.get_param("name", "", header="content-disposition")).lower()
        raw = part.get_payload(decode=True)
        data = raw if isinstance(raw, bytes) else b""
        if field == "file":
            content, name = data, part.get_filename() or ""
        else:
            fields[field] = data.decode("utf-8", "replace")
    fields["key"] = fields.get("key", "").replace("${filename}", name)
    return fields, content


def poster(world: World, bucket: str, fields: Mapping[str, str], size: int) -> Credentials:
    """Who signed the policy of a form, which allows what the form asks. Raises ServiceError."""
    if not fields["key"]:
        text = "Bucket POST must contain a field named 'key'.  If it is specified, please check the order of "
        raise ServiceError("InvalidArgument", f"{text}the fields.", 400)
    text = fields.get("policy", "")
    if not text:
        raise ServiceError("AccessDenied", "Access Denied", 403)
    key = fields.get("awsaccesskeyid") or fields.get("x-amz-credential", "").partition("/")[0]
    known = find(world, key)
    if known is None:
        message = "The AWS Access Key Id you provided does not exist in our records."
        raise ServiceError("InvalidAccessKeyId", message, 403)
    if known.token != fields.get("x-amz-security-token", ""):
        raise ServiceError("InvalidToken", "The provided token is malformed or otherwise invalid.", 400)
    if "x-amz-credential" in fields:
        scope = fields["x-amz-credential"].partition("/")[2]
        expected, given = signatures.sign(known.secret, scope, text), fields.get("x-amz-signature", "")
    else:
        made = hmac.digest(known.secret.encode(), text.encode(), "sha1")
        expected, given = base64.b64encode(made).decode(), fields.get("signature", "")
    if not hmac.compare_digest(expected.encode(), given.encode()):
        raise ServiceError("SignatureDoesNotMatch", MISMATCH, 403)
    _check(text, {**fields, "bucket": bucket}, size, world.kernel.now / 1_000_000)
    return known


def _check(text: str, fields: Mapping[str, str], size: int, now: float) -> None:
    try:
        policy = json.loads(base64.b64decode(text))
        expires = datetime.datetime.fromisoformat(policy["expiration"]).timestamp()
    except (binascii.Error, KeyError, TypeError, ValueError):
        raise ServiceError("InvalidPolicyDocument", "Invalid Policy: Invalid JSON.", 400) from None
    if now >= expires:
        raise _denied("Policy expired.")
    covered = set(_UNCONDITIONED)
    for operator, field, value, shown in _conditions(policy.get("conditions", [])):
        if operator == "content-length-range":
            _check_size(int(field), int(value), size)
            continue
        covered.add(field)
        found = fields.get(field, "")
        if not (found == value if operator == "eq" else found.startswith(value)):
            raise _denied(f"Policy Condition failed: {json.dumps(shown)}")
    extra = [name for name in fields if name not in covered and not name.startswith("x-ignore-")]
    if extra:
        raise _denied(f"Extra input fields: {', '.join(extra)}")


def _conditions(given: list[Any]) -> Iterator[tuple[str, str, str, list[Any]]]:
    """Operator, field in lower case, value; and the condition as an error shows it."""
    for each in given:
        if isinstance(each, dict):
            for field, value in each.items():
                yield "eq", field.lower(), value, ["eq", f"${field}", value]
        elif not (isinstance(each, list) and len(each) == 3):
            raise _denied(f"Policy Condition failed: {json.dumps(each)}")
        else:
            operator, field, value = each
            yield operator.lower(), str(field).removeprefix("$").lower(), value, each


def _check_size(low: int, high: int, size: int) -> None:
    if size > high:
        text = "Your proposed upload exceeds the maximum allowed size"
        raise ServiceError("EntityTooLarge", text, 400)
    if size < low:
        text = "Your proposed upload is smaller than the minimum allowed size"
        raise ServiceError("EntityTooSmall", text, 400)


def _denied(why: str) -> ServiceError:
    return ServiceError("AccessDenied", f"Invalid according to Policy: {why}", 403)
