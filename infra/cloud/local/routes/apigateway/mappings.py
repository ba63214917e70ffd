"""The mappings of a non-proxy integration: what it is asked, and what the client gets of its answer.

Parameters: https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-parameter-mapping-sources.html
Templates: https://docs.aws.amazon.com/apigateway/latest/developerguide/models-mappings.html
Pass-through: https://docs.aws.amazon.com/apigateway/latest/developerguide/integration-passthrough-behaviors.html
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import json
import re
import urllib.parse
from collections.abc import Iterable, Mapping
from typing import Any

from ..stepfunctions.language.jsonpath import NoResult, compile_path
from ..stepfunctions.language.jsonpath_filter import InvalidPath
from .headers import check_request_headers, drop_request_headers, response_headers
from .model import (
    Exchange,
    GatewayFailure,
    IntegrationRequest,
    IntegrationResponse,
    MethodResponse,
    Rendered,
    value_of,
    values_of,
)
from .templates import render
from .velocity_methods import to_json, to_text

_JSON = "application/json"
_NO_BODY = ("GET", "HEAD", "OPTIONS")

Values = dict[str, tuple[str, ...]]


@dataclasses.dataclass(frozen=True, slots=True)
class RequestParameters:
    """What ``requestParameters`` of an integration give: for its headers, its query string, its path."""

    header: Values
    querystring: Values
    path: Values


def integration_request(exchange: Exchange) -> tuple[IntegrationRequest, Exchange]:
    """The request to the integration, and the exchange with ``requestOverride`` in its context: the response
    template may still read it. Raises GatewayFailure: 415, 400 for a body that is no JSON, 500."""
    integration = exchange.integration
    mapped = request_parameters(exchange)
    template = _request_template(exchange)
    if template is None:
        rendered, body = Rendered(""), exchange.request.body
    else:
        rendered = render(template, exchange.request.text, exchange)
        body = rendered.text.encode("utf-8", "surrogateescape")
    headers = _overridden(mapped.header, rendered.request_headers)
    check_request_headers(headers, integration["type"])
    query = _overridden(mapped.querystring, rendered.request_query)
    path = _overridden(mapped.path, rendered.request_path)
    method = integration.get("httpMethod") or "ANY"
    request = IntegrationRequest(
        method=exchange.request.method if method == "ANY" else method,
        uri=fill_uri(integration.get("uri") or "", path, exchange.stage_variables),
        headers=_with_defaults(drop_request_headers(headers, integration["type"]), exchange),
        query=query,
        body=_converted(body, integration.get("contentHandling")),
    )
    override = {
        "header": dict(rendered.request_headers),
        "querystring": dict(rendered.request_query),
        "path": dict(rendered.request_path),
    }
    context = {**exchange.context, "requestOverride": override}
    return request, dataclasses.replace(exchange, context=context)


def method_response(exchange: Exchange, response: IntegrationResponse) -> MethodResponse:
    """What the client gets of an integration's answer. Raises GatewayFailure (500) where nothing is set up
    for that answer."""
    chosen = select_response(exchange, response.matched)
    mapped: Values = {}
    for target, source in (chosen.get("responseParameters") or {}).items():
        found = _response_source(source, exchange, response)
        if found:
            mapped[target.removeprefix("method.response.header.")] = found
    body = _converted(response.body, chosen.get("contentHandling"))
    kind, template = _response_template(chosen, exchange)
    rendered = Rendered("")
    if template is not None:
        rendered = render(template, body.decode("utf-8", "surrogateescape"), exchange)
        body = rendered.text.encode("utf-8", "surrogateescape")
    headers = _overridden(mapped, rendered.response_headers)
    if value_of(headers, "Content-Type") is None:
        headers["Content-Type"] = (kind,)
    status = rendered.response_status or int(chosen["statusCode"])
    return MethodResponse(status, response_headers(headers), body)


def select_response(exchange: Exchange, matched: str) -> Mapping[str, Any]:
    """The integration response whose ``selectionPattern`` matches all of ``matched``, else the default one.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/handle-errors-in-lambda-integration.html
    """
    responses = (exchange.integration.get("integrationResponses") or {}).values()
    for each in responses:
        pattern = each.get("selectionPattern")
        if pattern and matched and re.fullmatch(pattern, matched):
            return each  # type: ignore[no-any-return]
    for each in responses:
        if not each.get("selectionPattern"):
            return each  # type: ignore[no-any-return]
    raise GatewayFailure("API_CONFIGURATION_ERROR", "Internal server error", status=500)


# -- parameters ------------------------------------------------------------------------------------------


def request_parameters(exchange: Exchange) -> RequestParameters:
    """``requestParameters``; a source that the request does not have sets nothing."""
    found = RequestParameters({}, {}, {})
    for target, source in (exchange.integration.get("requestParameters") or {}).items():
        place, _, name = target.removeprefix("integration.request.").partition(".")
        values = _request_source(source, exchange)
        if values:
            getattr(found, place)[name] = values
    return found


def _request_source(source: str, exchange: Exchange) -> tuple[str, ...]:
    if not source.startswith("method.request."):
        return _other_source(source, exchange)
    request = exchange.request
    place, _, name = source.removeprefix("method.request.").partition(".")
    if place == "path":
        return _one(request.path_parameters.get(name))
    if place == "querystring":
        return request.query.get(name, ())[-1:]
    if place == "multivaluequerystring":
        return request.query.get(name, ())
    if place == "header":
        return request.headers.get(name, ())[-1:]
    if place == "multivalueheader":
        return _one(",".join(request.headers.get(name, ())) or None)
    if place == "body":
        return _body_source(request.text, name, "BAD_REQUEST_BODY", 400, "Invalid JSON in request body")
    return ()


def _response_source(source: str, exchange: Exchange, response: IntegrationResponse) -> tuple[str, ...]:
    if not source.startswith("integration.response."):
        return _other_source(source, exchange)
    place, _, name = source.removeprefix("integration.response.").partition(".")
    if place == "header":
        return values_of(response.headers, name)[-1:]
    if place == "multivalueheader":
        return values_of(response.headers, name)
    text = response.body.decode("utf-8", "surrogateescape")
    return _body_source(text, name, "DEFAULT_5XX", 500, "Internal server error")


def _other_source(source: str, exchange: Exchange) -> tuple[str, ...]:
    if source.startswith("'") and source.endswith("'"):
        return _one(source[1:-1] or None)
    root, _, name = source.partition(".")
    if root == "stageVariables":
        return _one(exchange.stage_variables.get(name))
    if root != "context":
        return ()
    found: Any = exchange.context
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return _one(None if found is None else to_text(found))


def _body_source(text: str, path: str, kind: str, status: int, message: str) -> tuple[str, ...]:
    """The body, or what a JSONPath selects of it. AWS reads as JSON only what begins like JSON."""
    body = text.strip() or "{}"
    parsed: Any = {}
    if body[0] in "{['\"":
        try:
            parsed = json.loads(body)
        except ValueError as error:
            raise GatewayFailure(kind, message, status=status) from error
    if not path:
        return (body,)
    try:
        found = compile_path(f"$.{path}").get(parsed)
    except (NoResult, InvalidPath):
        return ()
    return _one(to_json(found) if isinstance(found, dict | list) else to_text(found) or None)


def _one(value: str | None) -> tuple[str, ...]:
    return () if value is None else (value,)


def _overridden(mapped: Mapping[str, tuple[str, ...]], overrides: Mapping[str, str]) -> Values:
    """Overrides replace a mapped parameter of the same name; header names compare without case."""
    if not overrides:
        return dict(mapped)
    replaced = {name.lower() for name in overrides}
    kept = {name: values for name, values in mapped.items() if name.lower() not in replaced}
    return kept | {name: (value,) for name, value in overrides.items()}


def fill_uri(uri: str, path: Mapping[str, Iterable[str]], stage_variables: Mapping[str, str]) -> str:
    """``{name}`` from the mapped path parameters, ``${stageVariables.name}`` from the stage."""
    filled = re.sub(r"\$\{stageVariables\.(\w+)\}", lambda found: stage_variables.get(found[1], ""), uri)
    for name, values in path.items():
        value = urllib.parse.quote("".join(values), safe="/%:=@!$&'()*+,;~-._")
        filled = filled.replace(f"{{{name}}}", value)
    return filled


# -- bodies ----------------------------------------------------------------------------------------------


def _media_type(value: str) -> str:
    return value.partition(";")[0].strip().lower()


def _request_template(exchange: Exchange) -> str | None:
    """The template for the Content-Type (application/json if there is none); None to pass through."""
    integration = exchange.integration
    templates: Mapping[str, str] = integration.get("requestTemplates") or {}
    kind = value_of(exchange.request.headers, "Content-Type") or _JSON
    for name in (kind, _media_type(kind), "$default"):
        if name in templates:
            return templates[name]
    behavior = integration.get("passthroughBehavior") or "WHEN_NO_MATCH"
    if behavior == "WHEN_NO_MATCH" or (behavior == "WHEN_NO_TEMPLATES" and not templates):
        return None
    raise GatewayFailure("UNSUPPORTED_MEDIA_TYPE")


def _response_template(chosen: Mapping[str, Any], exchange: Exchange) -> tuple[str, str | None]:
    """The template for the client's Accept, else for application/json, else the first; with its type."""
    templates: Mapping[str, str] = chosen.get("responseTemplates") or {}
    accepted = value_of(exchange.request.headers, "Accept") or _JSON
    for name in (accepted, _JSON, next(iter(templates), _JSON)):
        if templates.get(name):
            return name, templates[name]
    return _JSON, None


def _converted(body: bytes, handling: str | None) -> bytes:
    """``contentHandling`` of a text payload: CONVERT_TO_BINARY decodes base64, CONVERT_TO_TEXT is nothing.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings-workflow.html
    """
    if handling != "CONVERT_TO_BINARY":
        return body
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error as error:
        raise GatewayFailure("DEFAULT_5XX", "Internal server error", status=500) from error


def _with_defaults(headers: Values, exchange: Exchange) -> Values:
    defaults = {"Accept": _JSON, "User-Agent": f"AmazonAPIGateway_{exchange.api}"}
    kind = value_of(exchange.request.headers, "Content-Type")
    if kind and exchange.request.method not in _NO_BODY:
        defaults["Content-Type"] = kind
    if exchange.trace:
        defaults["X-Amzn-Trace-Id"] = f"Root={exchange.trace}"
    if exchange.integration["type"].startswith("HTTP"):
        defaults["X-Amzn-Apigateway-Api-Id"] = exchange.api
    missing = {name: (value,) for name, value in defaults.items() if value_of(headers, name) is None}
    return {**headers, **missing}
