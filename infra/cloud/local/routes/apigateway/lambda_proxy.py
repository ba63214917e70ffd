"""AWS_PROXY: a Lambda function that gets the request and answers the response.

https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from .mappings import matches, media_type, with_stage_variables
from .model import Exchange, GatewayFailure, MethodResponse, Multi, value_of

_FIELDS = frozenset({"isBase64Encoded", "statusCode", "headers", "multiValueHeaders", "body"})


def function_of(uri: str, stage_variables: Mapping[str, str]) -> str:
    """The function's ARN in an integration's or authorizer's URI. Raises GatewayFailure if it has none."""
    uri = with_stage_variables(uri, stage_variables)
    _, found, rest = uri.partition("/functions/")
    arn, end, _ = rest.rpartition("/invocations")
    if not found or not end or not arn:
        raise GatewayFailure("API_CONFIGURATION_ERROR")
    return arn


def event(exchange: Exchange, binary: tuple[str, ...]) -> dict[str, Any]:
    """The function's event, payload format 1.0."""
    request = exchange.request
    body: str | None = None
    is_binary = False
    if request.body:
        is_binary = matches(media_type(value_of(request.headers, "content-type")), binary)
        if is_binary:
            body = base64.b64encode(request.body).decode()
        else:
            body = request.body.decode("utf-8", "replace")
    return {
        "resource": exchange.resource_path,
        "path": request.path,
        "httpMethod": request.method,
        "headers": last(request.headers),
        "multiValueHeaders": all_of(request.headers),
        "queryStringParameters": last(request.query),
        "multiValueQueryStringParameters": all_of(request.query),
        "pathParameters": dict(request.path_parameters) or None,
        "stageVariables": dict(exchange.stage_variables) or None,
        "requestContext": exchange.context,
        "body": body,
        "isBase64Encoded": is_binary,
    }


def last(values: Multi) -> dict[str, str] | None:
    return {name: each[-1] for name, each in values.items()} or None


def all_of(values: Multi) -> dict[str, list[str]] | None:
    return {name: list(each) for name, each in values.items()} or None


def response(payload: bytes, request_headers: Multi, binary: tuple[str, ...]) -> MethodResponse:
    """The response that a function's result stands for; 502 if it stands for none."""
    malformed = GatewayFailure("DEFAULT_5XX", status=502)
    try:
        result = json.loads(payload)
    except ValueError:
        raise malformed from None
    if not isinstance(result, dict) or not _FIELDS.issuperset(result):
        raise malformed
    headers = _headers(result)
    body = result.get("body")
    status = result.get("statusCode", 200)
    try:
        status = 200 if status is None else int(status)
    except (TypeError, ValueError):
        raise malformed from None
    if headers is None or not isinstance(body, str | None) or not 100 <= status <= 599:
        raise malformed
    data = (body or "").encode("utf-8", "surrogateescape")
    accept = media_type(value_of(request_headers, "accept"))
    if result.get("isBase64Encoded") and matches(accept, binary):
        try:
            data = base64.b64decode(data)
        except binascii.Error:
            raise GatewayFailure("API_CONFIGURATION_ERROR") from None
    if value_of(headers, "content-type") is None:
        headers = {"Content-Type": ("application/json",), **headers}
    return MethodResponse(status, headers, data)


def _headers(result: Mapping[str, Any]) -> Multi | None:
    """``multiValueHeaders`` win over a header of the same name; None if something is not a text."""
    single, several = result.get("headers") or {}, result.get("multiValueHeaders") or {}
    if not isinstance(single, dict) or not isinstance(several, dict):
        return None
    found: dict[str, tuple[str, ...]] = {}
    taken = {name.lower() for name in several}
    for name, value in single.items():
        if not isinstance(value, str | bool):
            return None
        if name.lower() not in taken:
            found[name] = (_text(value),)
    for name, values in several.items():
        listed = values if isinstance(values, list) else [values]
        if not all(isinstance(value, str | bool) for value in listed):
            return None
        found[name] = tuple(map(_text, listed))
    return found


def _text(value: str | bool) -> str:
    return value if isinstance(value, str) else "true" if value else "false"
