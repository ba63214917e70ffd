"""The integrations: where a method's request goes.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-integration-types.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from ...kernel import MILLISECOND
from ...service import NotSimulated, ServiceError
from ..http import HttpRequest, HttpResponse, Unreachable
from . import aws_integrations, lambda_proxy, mappings
from .callers import caller_of, checked_role
from .headers import response_headers
from .model import (
    Exchange,
    GatewayFailure,
    IntegrationRequest,
    IntegrationResponse,
    MethodResponse,
    Multi,
)
from .parameters import request_parameters

if TYPE_CHECKING:
    from ...world import World

_STATUS = re.compile(r"""\s*\{.*?["']?\bstatusCode["']?\s*:\s*(-?\d{1,9})\s*[,}].*""", re.DOTALL)


def call(world: World, exchange: Exchange, binary: tuple[str, ...]) -> MethodResponse:
    """Ask the method's integration, for as long as its time-out allows. Raises GatewayFailure."""
    kind = exchange.integration["type"]
    if kind == "MOCK":
        return _mock(exchange, binary)
    timeout = exchange.integration["timeoutInMillis"] * MILLISECOND
    ways: dict[str, Callable[[], MethodResponse]] = {
        "AWS_PROXY": lambda: _lambda_proxy(world, exchange, binary),
        "HTTP_PROXY": lambda: _http_proxy(world, exchange),
        "HTTP": lambda: _http(world, exchange, binary),
        "AWS": lambda: _aws(world, exchange, binary),
    }
    return within(world, timeout, ways[kind])


def within(world: World, timeout: int, ask: Callable[[], MethodResponse]) -> MethodResponse:
    """The result of ``ask``, in a task of its own: what was asked goes on when nobody waits any more."""
    kernel = world.kernel
    answered = kernel.event("an integration's answer")
    outcome: list[MethodResponse | Exception] = []

    def run() -> None:
        try:
            outcome.append(ask())
        except Exception as error:  # noqa: BLE001 - whoever waits for it raises it
            outcome.append(error)
        answered.set()

    kernel.spawn(run, name="apigateway.integration")
    if not answered.wait(timeout):
        raise GatewayFailure("INTEGRATION_TIMEOUT")
    result = outcome[0]
    if isinstance(result, Exception):
        raise result
    return result


# -- MOCK ----------------------------------------------------------------------------------------------


def _mock(exchange: Exchange, binary: tuple[str, ...]) -> MethodResponse:
    """The request template's ``statusCode`` selects the response. CDK writes ``{ statusCode: 200 }``, without
    quotes, LocalStack's recordings ``{"statusCode": 200,}``: AWS takes both, and any integer; no text and no
    object that is cut off (LocalStack, tests/unit/services/apigateway/test_mock_integration.py)."""

    def ask(request: IntegrationRequest) -> IntegrationResponse:
        found = _STATUS.match(request.body.decode("utf-8", "replace"))
        if found is None:
            raise GatewayFailure("DEFAULT_5XX")
        return IntegrationResponse(int(found[1]), {}, b"", found[1])

    return mappings.mapped(exchange, binary, ask)


# -- Lambda --------------------------------------------------------------------------------------------


def _lambda_proxy(world: World, exchange: Exchange, binary: tuple[str, ...]) -> MethodResponse:
    """500 if Lambda does not take the request, 502 if the function fails or its result is no response.

    https://docs.aws.amazon.com/lambda/latest/dg/services-apigateway.html#services-apigateway-errors
    """
    integration = exchange.integration
    if integration["httpMethod"] != "POST":
        raise GatewayFailure("INTEGRATION_FAILURE", "Internal server error", status=500)
    if ":firehose:" in integration["uri"]:
        raise NotSimulated(f"NotSimulated: AWS_PROXY to {integration['uri']}")
    function = lambda_proxy.function_of(integration["uri"], exchange.stage_variables)
    role = checked_role(world, exchange, integration.get("credentials"))
    payload = json.dumps(lambda_proxy.event(exchange, binary)).encode()
    asynchronous = (integration.get("requestParameters") or {}).get(
        "integration.request.header.X-Amz-Invocation-Type"
    ) == "'Event'"
    params = {"FunctionName": function, "Payload": payload}
    if asynchronous:
        params["InvocationType"] = "Event"
    try:
        answer = world.call("lambda", "Invoke", params, caller_of(exchange, role), region=exchange.region)
    except ServiceError:
        raise GatewayFailure("API_CONFIGURATION_ERROR") from None
    if asynchronous:
        return MethodResponse(200, {"Content-Type": ("application/json",)}, b"")
    if answer.get("FunctionError"):
        raise GatewayFailure("DEFAULT_5XX", status=502)
    made = lambda_proxy.response(_bytes(answer.get("Payload")), exchange.request.headers, binary)
    return MethodResponse(made.status, response_headers(dict(made.headers)), made.body)


def _bytes(payload: Any) -> bytes:
    if payload is None:
        return b""
    return payload if isinstance(payload, bytes) else bytes(payload.read())


# -- HTTP ----------------------------------------------------------------------------------------------


def _http_proxy(world: World, exchange: Exchange) -> MethodResponse:
    """Everything passes, but for the headers of a connection; parameters may be mapped besides: a mapped
    header takes the place of the client's, a mapped query parameter is added to it. (LocalStack says so of
    AWS in handlers/integration_request.py, "undocumented but validated"; recorded beside the URI's own query
    in test_http_proxy_integration_request_data_mappings.)"""
    request = exchange.request
    headers, query, path = request_parameters(exchange)
    passed = {
        name: values
        for name, values in request.headers.items()
        if name.lower() not in ("host", "content-encoding", "via", "x-amz-cf-id")
        and not name.startswith("CloudFront-")
    }
    method = exchange.integration.get("httpMethod") or request.method
    asked = IntegrationRequest(
        request.method if method == "ANY" else method,
        mappings.filled_uri(exchange, path),
        {**passed, "x-amzn-apigateway-api-id": (exchange.api,), **headers},
        {
            **request.query,
            **{name: (*request.query.get(name, ()), *values) for name, values in query.items()},
        },
        request.body,
    )
    answer = _send(world, exchange, asked)
    received = response_headers(dict(_fields(answer)))
    identifier = received.pop("x-amzn-RequestId", None)
    if identifier is not None:
        received["x-amzn-Remapped-x-amzn-RequestId"] = identifier
    return MethodResponse(answer.status, received, answer.body.encode("utf-8", "surrogateescape"))


def _http(world: World, exchange: Exchange, binary: tuple[str, ...]) -> MethodResponse:
    def ask(asked: IntegrationRequest) -> IntegrationResponse:
        answer = _send(world, exchange, asked)
        data = answer.body.encode("utf-8", "surrogateescape")
        return IntegrationResponse(answer.status, _fields(answer), data, str(answer.status))

    return mappings.mapped(exchange, binary, ask)


def _send(world: World, exchange: Exchange, asked: IntegrationRequest) -> HttpResponse:
    if not asked.uri.startswith(("http://", "https://")):
        raise GatewayFailure("API_CONFIGURATION_ERROR")
    url = asked.uri
    if asked.query:
        pairs = [(name, value) for name, values in asked.query.items() for value in values]
        url += ("&" if "?" in url else "?") + urlencode(pairs)
    fields = tuple((name, value) for name, values in asked.headers.items() for value in values)
    request = HttpRequest(
        asked.method,
        url,
        {name.lower(): value for name, value in fields},
        asked.body.decode("utf-8", "surrogateescape"),
        fields,
    )
    try:
        return world.http.send(request, actor="apigateway", trace=exchange.trace)
    except Unreachable:
        raise GatewayFailure("API_CONFIGURATION_ERROR") from None


def _fields(answer: HttpResponse) -> Multi:
    found: dict[str, tuple[str, ...]] = {}
    for name, value in (*answer.headers.items(), *answer.more):
        found[name] = (*found.get(name, ()), value)
    return found


# -- AWS services ----------------------------------------------------------------------------------------


def _aws(world: World, exchange: Exchange, binary: tuple[str, ...]) -> MethodResponse:
    return mappings.mapped(exchange, binary, lambda asked: aws_integrations.call(world, exchange, asked))
