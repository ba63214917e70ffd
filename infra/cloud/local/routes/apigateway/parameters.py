"""Parameter mappings: where the values of ``requestParameters`` and ``responseParameters`` come from.

https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-parameter-mapping-sources.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..stepfunctions.language.jsonpath import NoResult, compile_path
from ..stepfunctions.language.jsonpath_filter import InvalidPath
from .model import Exchange, GatewayFailure, IntegrationResponse
from .velocity_methods import to_json, to_text

Values = dict[str, tuple[str, ...]]


def request_parameters(exchange: Exchange) -> tuple[Values, Values, dict[str, str]]:
    """Headers, query and path parameters that ``requestParameters`` of the integration map. A source that
    the request does not have sets nothing."""
    headers: Values = {}
    query: Values = {}
    path: dict[str, str] = {}
    for target, source in (exchange.integration.get("requestParameters") or {}).items():
        values = request_values(exchange, source)
        if not values:
            continue
        place, _, name = target.removeprefix("integration.request.").partition(".")
        if place == "path":
            path[name] = values[-1]
        else:
            (headers if place == "header" else query)[name] = values
    return headers, query, path


def response_parameters(
    exchange: Exchange, response: IntegrationResponse, chosen: Mapping[str, Any]
) -> Values:
    """The client's headers that ``responseParameters`` map; names of headers count with their case."""
    headers: Values = {}
    for target, source in (chosen.get("responseParameters") or {}).items():
        values = _response_values(exchange, response, source)
        if values:
            headers[target.removeprefix("method.response.header.")] = values
    return headers


def request_values(exchange: Exchange, source: str) -> tuple[str, ...]:
    """What an expression finds on the request's side. Names of headers count with their case, as on AWS."""
    if not source.startswith("method.request."):
        return _of_exchange(exchange, source)
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
    bad = GatewayFailure("DEFAULT_4XX", "Invalid JSON in request body", status=400)
    return _of_body(request.text, name, bad)


def _response_values(exchange: Exchange, response: IntegrationResponse, source: str) -> tuple[str, ...]:
    if not source.startswith("integration.response."):
        return _of_exchange(exchange, source)
    place, _, name = source.removeprefix("integration.response.").partition(".")
    if place == "header":
        return response.headers.get(name, ())[-1:]
    if place == "multivalueheader":
        return _one(",".join(response.headers.get(name, ())) or None)
    text = response.body.decode("utf-8", "surrogateescape")
    return _of_body(text, name, GatewayFailure("DEFAULT_5XX", "Internal server error", status=500))


def _of_exchange(exchange: Exchange, source: str) -> tuple[str, ...]:
    """A literal in single quotes, ``context.…`` or ``stageVariables.…``."""
    if len(source) > 1 and source[0] == source[-1] == "'":
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


def _of_body(text: str, path: str, bad: GatewayFailure) -> tuple[str, ...]:
    """The body, or what a JSONPath selects of it. AWS reads as JSON only what begins like JSON."""
    body = text.strip() or "{}"
    parsed: Any = {}
    if body[0] in "{['\"":
        try:
            parsed = json.loads(body)
        except ValueError:
            raise bad from None
    if not path:
        return (body,)
    try:
        found = compile_path(f"$.{path}").get(parsed)
    except (NoResult, InvalidPath):
        return ()
    return _one(to_json(found) if isinstance(found, dict | list) else to_text(found) or None)


def _one(value: str | None) -> tuple[str, ...]:
    return () if value is None else (value,)
