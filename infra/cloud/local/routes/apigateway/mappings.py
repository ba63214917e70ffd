"""The mappings of a non-proxy integration: what it is asked, and what the client gets of its answer.

Templates: https://docs.aws.amazon.com/apigateway/latest/developerguide/models-mappings.html
Pass-through: https://docs.aws.amazon.com/apigateway/latest/developerguide/integration-passthrough-behaviors.html
``binary`` are the API's binary media types:
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings-workflow.html
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from .headers import check_request_headers, drop_request_headers, response_headers
from .model import (
    Exchange,
    GatewayFailure,
    IntegrationRequest,
    IntegrationResponse,
    MethodResponse,
    Multi,
    Rendered,
    value_of,
)
from .parameters import Values, request_parameters, response_parameters
from .templates import render, texts

JSON = "application/json"
_NO_BODY = ("GET", "HEAD", "OPTIONS")


def mapped(
    exchange: Exchange, binary: tuple[str, ...], ask: Callable[[IntegrationRequest], IntegrationResponse]
) -> MethodResponse:
    """A whole non-proxy integration around ``ask``. What the request template overrides is still there for
    the response: ``$context.requestOverride`` to read, ``responseOverride`` to act. Raises GatewayFailure."""
    request, after = integration_request(exchange, binary)
    return method_response(after, ask(request), binary)


# -- requests --------------------------------------------------------------------------------------------


def integration_request(exchange: Exchange, binary: tuple[str, ...]) -> tuple[IntegrationRequest, Exchange]:
    """The request to the integration, and the exchange with what its template overrode. Raises GatewayFailure
    (415 by the pass-through behavior, 400 for a body that is no JSON where it is read as JSON, 500 for a
    template that fails or a header that may not be set)."""
    integration, request = exchange.integration, exchange.request
    kind = media_type(value_of(request.headers, "Content-Type")) or JSON
    template = _request_template(integration, kind)
    is_binary = matches(kind, binary)
    body = _converted(request.body, is_binary, integration.get("contentHandling"), "BAD_REQUEST_BODY", 400)
    rendered = Rendered("")
    if template is not None:
        rendered = render(template, body.decode("utf-8", "surrogateescape"), exchange)
        body = rendered.text.encode("utf-8", "surrogateescape")
    headers, query, path = request_parameters(exchange)
    headers = _overridden(headers, rendered.request_headers)
    check_request_headers(headers, integration["type"])
    method = integration.get("httpMethod") or "ANY"
    asked = IntegrationRequest(
        method=request.method if method == "ANY" else method,
        uri=filled_uri(exchange, {**path, **rendered.request_path}),
        headers=_with_defaults(drop_request_headers(headers, integration["type"]), exchange),
        query=_overridden(query, rendered.request_query),
        body=body,
    )
    override = {
        "header": _shown(rendered.request_headers),
        "querystring": _shown(rendered.request_query),
        "path": dict(rendered.request_path),
    }
    answered: dict[str, Any] = {"header": _shown(rendered.response_headers)}
    if rendered.response_status is not None:
        answered["status"] = rendered.response_status
    context = {**exchange.context, "requestOverride": override, "responseOverride": answered}
    return asked, dataclasses.replace(exchange, context=context)


def _shown(values: Multi) -> dict[str, Any]:
    """Overrides as a template sees them again: one value is text, several are a list."""
    return {name: each[0] if len(each) == 1 else list(each) for name, each in values.items()}


def filled_uri(exchange: Exchange, path: Mapping[str, str]) -> str:
    """The integration's URI with its stage variables and path parameters filled in."""
    uri = with_stage_variables(exchange.integration.get("uri") or "", exchange.stage_variables)
    for name, value in path.items():
        uri = uri.replace(f"{{{name}}}", quote(value, safe="/%:@!$&'()*+,;=~"))
    return uri


def with_stage_variables(text: str, variables: Mapping[str, str]) -> str:
    """``${stageVariables.name}`` filled in; a variable that the stage does not have is nothing."""
    return re.sub(r"\$\{stageVariables\.(\w+)\}", lambda found: variables.get(found[1], ""), text)


def _request_template(integration: Mapping[str, Any], kind: str) -> str | None:
    """The template for a media type; None to pass the body through."""
    templates: Mapping[str, str] = integration.get("requestTemplates") or {}
    for name, template in templates.items():
        if template and media_type(name) == kind:
            return template
    if templates.get("$default"):
        return templates["$default"]
    behavior = integration.get("passthroughBehavior") or "WHEN_NO_MATCH"
    if behavior == "WHEN_NO_MATCH" or (behavior == "WHEN_NO_TEMPLATES" and not templates):
        return None
    raise GatewayFailure("UNSUPPORTED_MEDIA_TYPE")


def _with_defaults(headers: Values, exchange: Exchange) -> Values:
    defaults = {"Accept": JSON, "User-Agent": f"AmazonAPIGateway_{exchange.api}"}
    kind = value_of(exchange.request.headers, "Content-Type")
    if kind and exchange.request.method not in _NO_BODY:
        defaults["Content-Type"] = kind
    if exchange.trace:
        defaults["X-Amzn-Trace-Id"] = f"Root={exchange.trace!s}"
    if exchange.integration["type"].startswith("HTTP"):
        defaults["X-Amzn-Apigateway-Api-Id"] = exchange.api
    missing = {name: (value,) for name, value in defaults.items() if value_of(headers, name) is None}
    return {**headers, **missing}


def _overridden(values: Multi, overrides: Multi) -> Values:
    """Overrides replace a mapped parameter of the same name; header names compare without case."""
    replaced = {name.lower() for name in overrides}
    kept = {name: each for name, each in values.items() if name.lower() not in replaced}
    return kept | dict(overrides)


# -- responses -------------------------------------------------------------------------------------------


def method_response(
    exchange: Exchange, response: IntegrationResponse, binary: tuple[str, ...]
) -> MethodResponse:
    """What the client gets of an integration's answer. Raises GatewayFailure (500) where nothing is set up
    for that answer."""
    chosen = selected(exchange.integration.get("integrationResponses") or {}, response.matched)
    headers = response_parameters(exchange, response, chosen)
    accept = media_type(value_of(exchange.request.headers, "Accept"))
    is_binary = matches(media_type(value_of(response.headers, "Content-Type")), binary)
    handling = chosen.get("contentHandling")
    if not handling:
        handling = "CONVERT_TO_BINARY" if matches(accept, binary) else "CONVERT_TO_TEXT"
    body = _converted(response.body, is_binary, handling, "API_CONFIGURATION_ERROR", 500)
    kind, template = _response_template(chosen.get("responseTemplates") or {}, accept)
    override = exchange.context.get("responseOverride", {})
    overriding: Multi = texts(override.get("header", {}))
    status = override.get("status")
    if template:
        if handling == "CONVERT_TO_BINARY":
            raise GatewayFailure("API_CONFIGURATION_ERROR")  # "Unable to transform response"
        rendered = render(template, body.decode("utf-8", "surrogateescape"), exchange)
        body = rendered.text.encode("utf-8", "surrogateescape")
        overriding, status = rendered.response_headers, rendered.response_status
    headers = _overridden(headers, overriding)
    if value_of(headers, "Content-Type") is None:
        headers["Content-Type"] = (kind,)
    return MethodResponse(status or int(chosen["statusCode"]), response_headers(headers), body)


def selected(responses: Mapping[str, Mapping[str, Any]], matched: str) -> Mapping[str, Any]:
    """The integration response whose ``selectionPattern`` matches all of ``matched`` (``.*`` also nothing:
    a function that did not fail), else the default one.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/handle-errors-in-lambda-integration.html
    """
    ordered = [responses[status] for status in sorted(responses)]
    for each in ordered:
        pattern = each.get("selectionPattern")
        if pattern and _fits(pattern, matched):
            return each
    for each in ordered:
        if not each.get("selectionPattern"):
            return each
    raise GatewayFailure("API_CONFIGURATION_ERROR", "Internal server error", status=500)


def _fits(pattern: str, matched: str) -> bool:
    try:
        return re.fullmatch(pattern, matched) is not None
    except re.error:
        return pattern == matched


def _response_template(templates: Mapping[str, str], accept: str) -> tuple[str, str]:
    """Type and text of the template for the client's Accept, else for application/json, else the first."""
    for name in (accept, JSON, *templates):
        if templates.get(name):
            return name, templates[name]
    return JSON, ""


# -- media types -----------------------------------------------------------------------------------------


def media_type(header: str | None) -> str:
    """The type of a Content-Type or Accept header, without its parameters, in lower case."""
    return (header or "").partition(",")[0].partition(";")[0].strip().lower()


def matches(kind: str, binary: tuple[str, ...]) -> bool:
    """Whether a media type is one of the API's binary ones; ``*/*`` stands for all."""
    return any(
        each == "*/*" or each.lower() == kind or (each.endswith("/*") and kind.startswith(each[:-1].lower()))
        for each in binary
    )


def _converted(body: bytes, is_binary: bool, handling: str | None, kind: str, status: int) -> bytes:
    """Binary data as base64 text, or the other way round, as ``contentHandling`` asks."""
    if is_binary and handling == "CONVERT_TO_TEXT":
        return base64.b64encode(body)
    if not is_binary and handling == "CONVERT_TO_BINARY" and body:
        try:
            return base64.b64decode(body, validate=True)
        except binascii.Error:
            raise GatewayFailure(kind, status=status) from None
    return body
