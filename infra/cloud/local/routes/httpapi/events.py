"""What a function gets for a request, in payload formats 1.0 and 2.0, and what its answer stands for.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html. What
is decoded, how format 1.0 writes header names and what counts as an answer is as recorded from AWS in
github.com/aws/aws-lambda-dotnet, Tools/LambdaTestTool-v2/tests (Snapshots, InvokeResponseExtensions).
"""

from __future__ import annotations

import base64
import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from ...lineage import root
from ..http import HttpResponse
from .request import SOURCE_IP, Incoming

_TEXT = ("text/", "application/json", "application/xml", "application/javascript")
_OF_AWS = {
    name.lower(): name
    for name in ("Content-Length", "Host", "User-Agent", "X-Amzn-Trace-Id", "X-Forwarded-For",
                 "X-Forwarded-Port", "X-Forwarded-Proto")
}  # fmt: skip


@dataclasses.dataclass(frozen=True, slots=True)
class About:
    """What an event says besides the request itself. ``authorizer``: what format 2.0 shows, by its kind
    (``jwt``, ``lambda``, ``iam``); ``time`` is virtual microseconds, ``when`` the same as text."""

    account: str
    api: str
    stage: str
    route_key: str
    request_id: str
    trace: str
    time: int
    when: str
    path_parameters: Mapping[str, str]
    stage_variables: Mapping[str, str]
    authorizer: Mapping[str, Any] = dataclasses.field(default_factory=dict)


class MalformedAnswer(ValueError):
    """The function's answer is no response in its format: 500 on AWS."""


def event(request: Incoming, about: About, version: str) -> dict[str, Any]:
    return _version_2(request, about) if version == "2.0" else _version_1(request, about)


def all_headers(request: Incoming, about: About) -> dict[str, str]:
    """The request's headers and those that API Gateway adds, in lower case, in order of their names."""
    added = {
        "content-length": str(len(request.body.encode("utf-8", "surrogateescape"))),
        "host": request.host,
        "x-amzn-trace-id": f"Root={root(about.trace)}",
        "x-forwarded-for": SOURCE_IP,
        "x-forwarded-port": "443",
        "x-forwarded-proto": "https",
    }
    hop = ("connection", "transfer-encoding", "keep-alive", "upgrade")
    kept = {name: value for name, value in request.headers.items() if name not in hop}
    return dict(sorted({**kept, **added}.items()))


def body_of(request: Incoming) -> tuple[str, bool]:
    """The body as an event holds it, and whether in base64: all but texts are."""
    if request.headers.get("content-type", "").lower().startswith(_TEXT):
        return request.body, False
    return base64.b64encode(request.body.encode("utf-8", "surrogateescape")).decode(), True


def _version_2(request: Incoming, about: About) -> dict[str, Any]:
    path, query = request.decoded_path, request.joined_query
    headers = all_headers(request, about)
    headers.pop("cookie", None)
    found: dict[str, Any] = {
        "version": "2.0",
        "routeKey": about.route_key,
        "rawPath": path,
        "rawQueryString": request.query_string,
    }
    if request.cookies:
        found["cookies"] = request.cookies
    found["headers"] = headers
    if query:
        found["queryStringParameters"] = query
    context: dict[str, Any] = {"accountId": about.account, "apiId": about.api}
    if about.authorizer:
        context["authorizer"] = dict(about.authorizer)
    found["requestContext"] = {
        **context,
        "domainName": request.host,
        "domainPrefix": request.host.partition(".")[0],
        "http": {
            "method": request.method,
            "path": path,
            "protocol": "HTTP/1.1",
            "sourceIp": SOURCE_IP,
            "userAgent": request.headers.get("user-agent", ""),
        },
        "requestId": about.request_id,
        "routeKey": about.route_key,
        "stage": about.stage,
        "time": about.when,
        "timeEpoch": about.time // 1000,
    }
    if about.path_parameters:
        found["pathParameters"] = dict(about.path_parameters)
    if about.stage_variables:
        found["stageVariables"] = dict(about.stage_variables)
    encoded = False
    if request.body:
        found["body"], encoded = body_of(request)
    found["isBase64Encoded"] = encoded
    return found


def _version_1(request: Incoming, about: About) -> dict[str, Any]:
    several = dict(sorted(_values(request, about).items()))
    multi: dict[str, list[str]] = {}
    for name, value in request.query:
        multi.setdefault(name, []).append(value)
    resource = about.route_key.partition(" ")[2] or f"/{about.route_key}"
    path = request.decoded_path
    body, encoded = body_of(request) if request.body else (None, False)
    iam = about.authorizer.get("iam") or {}
    return {
        "version": "1.0",
        "resource": resource,
        "path": request.path,
        "httpMethod": request.method,
        "headers": {name: values[-1] for name, values in several.items()},
        "multiValueHeaders": several,
        "queryStringParameters": {name: values[-1] for name, values in multi.items()} or None,
        "multiValueQueryStringParameters": multi or None,
        "requestContext": {
            "accountId": about.account,
            "apiId": about.api,
            **_authorizer_1(about.authorizer),
            "domainName": request.host,
            "domainPrefix": request.host.partition(".")[0],
            "extendedRequestId": about.request_id,
            "httpMethod": request.method,
            "identity": {
                "accessKey": iam.get("accessKey"),
                "accountId": iam.get("accountId"),
                "caller": iam.get("callerId"),
                "cognitoAmr": None,
                "cognitoAuthenticationProvider": None,
                "cognitoAuthenticationType": None,
                "cognitoIdentityId": None,
                "cognitoIdentityPoolId": None,
                "principalOrgId": None,
                "sourceIp": SOURCE_IP,
                "user": iam.get("userId"),
                "userAgent": request.headers.get("user-agent", ""),
                "userArn": iam.get("userArn"),
            },
            "path": path,
            "protocol": "HTTP/1.1",
            "requestId": about.request_id,
            "requestTime": about.when,
            "requestTimeEpoch": about.time // 1000,
            "resourceId": about.route_key,
            "resourcePath": resource,
            "stage": about.stage,
        },
        "pathParameters": dict(about.path_parameters) or None,
        "stageVariables": dict(about.stage_variables) or None,
        "body": body,
        "isBase64Encoded": encoded,
    }


def _values(request: Incoming, about: About) -> dict[str, list[str]]:
    """Headers with their names as they were sent, and all their values; a mapped one has one value."""
    found = {}
    for name, value in all_headers(request, about).items():
        sent, values = request.sent.get(name, (name, ()))
        separator = "; " if name == "cookie" else ","
        unchanged = bool(values) and separator.join(values) == value
        found[_OF_AWS.get(name, sent)] = list(values) if unchanged else [value]
    return found


def _authorizer_1(authorizer: Mapping[str, Any]) -> dict[str, Any]:
    """Format 1.0 shows claims and scopes of a token, and the context of a function at once."""
    if "jwt" in authorizer:
        return {"authorizer": dict(authorizer["jwt"])}
    if "lambda" in authorizer:
        return {"authorizer": dict(authorizer["lambda"] or {})}
    return {}


def answer(payload: bytes, version: str) -> HttpResponse:
    """The response that a function's result stands for. Raises MalformedAnswer.

    Format 2.0 takes what has no ``statusCode``, even if it is no JSON, for the body of a response with 200.
    """
    try:
        result = json.loads(payload or b"null")
    except ValueError:
        if version != "2.0":
            raise MalformedAnswer("no JSON") from None
        result = None
    if not (isinstance(result, dict) and "statusCode" in result):
        if version != "2.0":
            raise MalformedAnswer("no statusCode")
        text = result if isinstance(result, str) else payload.decode("utf-8", "surrogateescape")
        return HttpResponse(200, text, {"content-type": "application/json"})
    body = result.get("body")
    if body is not None and not isinstance(body, str):
        raise MalformedAnswer("body is no text")
    text = body or ""
    if result.get("isBase64Encoded"):
        try:
            text = base64.b64decode(text, validate=True).decode("utf-8", "surrogateescape")
        except ValueError:
            raise MalformedAnswer("body is not base64") from None
    status = _status(result["statusCode"])
    lines = _header_lines(result, version)
    first: dict[str, str] = {}
    more = []
    for name, value in lines:
        if name in first or name == "set-cookie":
            more.append((name, value))
        else:
            first[name] = value
    first.setdefault("content-type", "text/plain; charset=utf-8")
    return HttpResponse(status, text, first, tuple(more))


def _status(value: Any) -> int:
    try:
        status = int(value) if isinstance(value, str) or value == int(value) else 0
    except (TypeError, ValueError):
        status = 0
    if not 100 <= status <= 599:
        raise MalformedAnswer(f"statusCode {value!r} is no status")
    return status


def _header_lines(result: Mapping[str, Any], version: str) -> list[tuple[str, str]]:
    """Format 1.0 may list several values: they come after the single one (recorded); 2.0 has cookies."""
    lines = [(str(name).lower(), _shown(value)) for name, value in (result.get("headers") or {}).items()]
    if version == "1.0":
        for name, values in (result.get("multiValueHeaders") or {}).items():
            lines += [(str(name).lower(), _shown(value)) for value in values]
    else:
        lines += [("set-cookie", str(cookie)) for cookie in result.get("cookies") or ()]
    return lines


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
