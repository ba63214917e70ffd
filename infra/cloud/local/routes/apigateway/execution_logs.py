"""Execution logs: what API Gateway did with a request, line by line, in its own words.

https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html and
https://repost.aws/knowledge-center/api-gateway-logs; the words and their order are those of logs that public
repositories hold. Not written: what went to and came from authorizers and endpoints, but for an endpoint's
URI and latency.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from .execution_reasons import reason
from .model import Exchange, Multi

if TYPE_CHECKING:
    from .access_logs import Told

LONGEST = 1024
"""Bytes of a line before it is cut: https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html"""
_REFUSED = frozenset({"INVALID_API_KEY", "THROTTLED", "QUOTA_EXCEEDED"})
_BEFORE = frozenset({"UNAUTHORIZED", "ACCESS_DENIED", "AUTHORIZER_FAILURE", "AUTHORIZER_CONFIGURATION_ERROR"})


def lines(told: Told, level: str, trace: bool) -> list[str]:
    """``level`` is ERROR or INFO; ``trace`` adds headers and bodies, at INFO."""
    found = _everything(told, trace) if level == "INFO" else _errors(told)
    prefix = f"({told.exchange.context['requestId']}) "
    return [prefix + _cut(line) for line in found]


def _errors(told: Told) -> Iterator[str]:
    if told.failure is not None:
        yield reason(told.failure, told.exchange)
        yield f"Method completed with status: {told.response.status}"


def _everything(told: Told, trace: bool) -> Iterator[str]:
    exchange, failure = told.exchange, told.failure
    context = exchange.context
    request_id, kind = context["requestId"], failure.kind if failure is not None else ""
    yield f"Extended Request Id: {context['extendedRequestId']}"
    authorizer = exchange.method.get("authorizerId")
    if authorizer:
        yield f"Starting authorizer: {authorizer} for request: {request_id}"
    if kind in _BEFORE:
        yield f"Unauthorized request: {request_id}"
        return
    if authorizer:
        yield "Successfully completed authorizer execution"
    yield from _usage_plan(exchange, kind)
    if kind in _REFUSED:
        yield f"Method completed with status: {told.response.status}"
        return
    yield f"Starting execution for request: {request_id}"
    yield f"HTTP Method: {exchange.request.method}, Resource Path: {context['resourcePath']}"
    if trace:
        yield f"Method request path: {_map(exchange.request.path_parameters)}"
        yield f"Method request query string: {_multi(exchange.request.query)}"
        yield f"Method request headers: {_multi(exchange.request.headers)}"
        yield f"Method request body before transformations: {exchange.request.text}"
    if told.integration is not None and exchange.integration["type"] != "MOCK":
        uri = _uri(exchange)
        if trace:
            yield f"Endpoint request URI: {uri}"
            yield f"Sending request to {uri}"
        yield f"Received response. Integration latency: {told.integration} ms"
    if failure is not None:
        yield reason(failure, exchange)
    elif trace:
        body = told.response.body.decode("utf-8", "replace")
        yield f"Method response body after transformations: {body}"
        yield f"Method response headers: {_multi(told.response.headers)}"
    if failure is None:
        yield "Successfully completed execution"
    yield f"Method completed with status: {told.response.status}"
    if told.traced:
        yield f"X-ray Tracing ID : {exchange.trace}"


def _usage_plan(exchange: Exchange, kind: str) -> Iterator[str]:
    stage = f"{exchange.api}/{exchange.stage}"
    key = _hidden(exchange.context["identity"].get("apiKey") or "")
    request_id = exchange.context["requestId"]
    method = f"{exchange.method['httpMethod']} {exchange.resource_path}"
    yield f"Verifying Usage Plan for request: {request_id}. API Key: {key} API Stage: {stage}"
    if kind == "INVALID_API_KEY":
        yield (
            f"API Key {key} not authorized because method '{method}' requires API Key and API Key is not "
            f"associated with a Usage Plan for API Stage {stage}: No Usage Plan found for key and API Stage"
        )
        return
    if kind == "QUOTA_EXCEEDED":
        yield "Exceeded quota limit"
        return
    if kind == "THROTTLED":
        yield "Exceeded throttle limit"
        return
    if not exchange.method["apiKeyRequired"]:
        yield (
            f"API Key {key} authorized because method '{method}' does not require API Key. Request will not "
            "contribute to throttle or quota limits"
        )
    yield f"Usage Plan check succeeded for API Key {key} and API Stage {stage}"


def _uri(exchange: Exchange) -> str:
    uri: str = exchange.integration.get("uri", "")
    _, marked, path = uri.partition(":path/")
    service = uri.split(":")[4] if marked and uri.count(":") > 4 else ""
    return f"https://{service}.{exchange.region}.amazonaws.com/{path}" if marked else uri


def _hidden(key: str) -> str:
    """Only the last six characters are shown."""
    return "*" * (len(key) - 6) + key[-6:] if key else ""


def _map(values: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{name}={value}" for name, value in values.items()) + "}"


def _multi(values: Multi) -> str:
    return _map({name: ",".join(each) for name, each in values.items()})


def _cut(line: str) -> str:
    return line if len(line) <= LONGEST else f"{line[:LONGEST]} [TRUNCATED]"
