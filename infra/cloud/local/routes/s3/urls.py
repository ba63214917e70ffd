"""Pre-signed URLs: an object by plain HTTP, with the right in the query. moto serves the objects.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-presigned-url.html
"""

from __future__ import annotations

import calendar
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

from botocore.awsrequest import AWSPreparedRequest

from ...service import ServiceError
from ..http import HttpRequest, HttpResponse
from .posted import form_of, poster
from .signed import signer

if TYPE_CHECKING:
    from ...world import World

OPERATIONS = {"DELETE": "DeleteObject", "GET": "GetObject", "HEAD": "HeadObject", "PUT": "PutObject"}


def register(world: World, bucket: str, region: str, told: Callable[[str, dict[str, Any]], None]) -> None:
    """Answer at the bucket's names; ``told(operation, params)`` learns what succeeded."""

    def handle(request: HttpRequest) -> HttpResponse:
        return _answer(world, bucket, region, request, told)

    for host in (f"{bucket}.s3.amazonaws.com", f"{bucket}.s3.{region}.amazonaws.com"):
        world.http.register(host, handle)


def expired(query: dict[str, list[str]], now: int) -> bool:
    """Is a signed URL too old (``now`` in seconds)? Signature versions 2 and 4."""
    if "X-Amz-Date" in query:
        signed = calendar.timegm(time.strptime(query["X-Amz-Date"][0], "%Y%m%dT%H%M%SZ"))
        return now > signed + int(query.get("X-Amz-Expires", ["604800"])[0])
    return "Expires" in query and now > int(query["Expires"][0])


def _answer(
    world: World,
    bucket: str,
    region: str,
    request: HttpRequest,
    told: Callable[[str, dict[str, Any]], None],
) -> HttpResponse:
    parts = urlsplit(request.url)
    query = parse_qs(parts.query)
    if request.method != "POST" and not any(name.endswith("Signature") for name in query):
        return _error(403, "AccessDenied", "Access Denied")
    if expired(query, world.kernel.now // 1_000_000):
        return _error(403, "AccessDenied", "Request has expired")
    operation = OPERATIONS.get(request.method, "PostObject")
    key = unquote(parts.path.lstrip("/"))
    try:
        if operation == "PostObject":
            fields, content = form_of(request)
            caller, key = poster(world, bucket, fields, len(content)).caller, fields["key"]
        else:
            caller = signer(world, bucket, request).caller
        asked = "PutObject" if operation == "PostObject" else operation
        world.identity.check(caller, "s3", asked, {"Bucket": bucket, "Key": key}, region, world.account)
    except ServiceError as error:
        return _error(error.status, error.code, error.message)
    body = request.body.encode("utf-8", "surrogateescape")
    headers = dict(request.headers)
    if headers.get("content-type") == "application/x-www-form-urlencoded":
        del headers["content-type"]  # urllib's default, which moto would parse
    sent = AWSPreparedRequest(request.method, request.url, headers, body, False)
    answer = world.moto.send(sent, "s3", operation, region)
    if answer.status_code < 300:
        told(operation, {"Bucket": bucket, "Key": key})
    shown = {str(name): str(value) for name, value in answer.headers.items()}
    return HttpResponse(answer.status_code, answer.content.decode("utf-8", "surrogateescape"), shown)


def _error(status: int, code: str, message: str) -> HttpResponse:
    error = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n{error}'
    return HttpResponse(status, text, {"Content-Type": "application/xml"})
