"""TestInvokeMethod: a method of an API as it is now, not as it was deployed, tried without authorization.

https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-test-method.html. No stage is involved, so
nothing is counted. What ``$context`` holds instead of a client's data is as events published on GitHub show
it; the log has those lines of AWS's that say what API Gateway itself did, not those of the endpoint.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...service import Call
from . import arriving, gateway_responses, integrations, validation
from .lambda_proxy import all_of, last
from .model import Exchange, GatewayFailure, MethodRequest, MethodResponse
from .routing import Router
from .store import Resource, RestApi

if TYPE_CHECKING:
    import datetime

    from ...world import World

STAGE = "test-invoke-stage"
_HOST = "testPrefix.testDomainName"
_IDENTITY = {
    "apiKey": "test-invoke-api-key",
    "apiKeyId": "test-invoke-api-key-id",
    "sourceIp": "test-invoke-source-ip",
}


def invoke(
    world: World, api: RestApi, resource: Resource, method: Mapping[str, Any], call: Call
) -> dict[str, Any]:
    """The answer of TestInvokeMethod."""
    params, started = call.params, world.kernel.now
    request = _request(resource, params)
    snapshot = api.snapshot()
    rng = world.kernel.rng("apigateway.requests")
    context = arriving.first_context(
        snapshot, "", STAGE, request, _HOST, call.account, world.datetime(), rng
    )  # fmt: skip
    del context["deploymentId"]
    context["path"] = request.path
    context["identity"] |= {**_IDENTITY, "accountId": call.account}
    exchange = Exchange(
        request,
        api.id,
        STAGE,
        resource.path,
        method,
        method["methodIntegration"],
        arriving.with_route(context, resource.id, resource.path),
        params.get("stageVariables") or {},
        api.region,
        call.account,
        call.caller.trace,
    )
    log = _Log(world, exchange)
    try:
        validation.check(request, method, snapshot.validators, snapshot.models)
        response = integrations.call(world, exchange, snapshot.binary)
        log.succeeded(response)
    except GatewayFailure as failure:
        response = gateway_responses.answer(
            failure, snapshot.gateway_responses, request, exchange.context, exchange.stage_variables
        )
        log.add(f"Gateway response type: {failure.kind} with status code: {response.status}")
        kept = {name: each for name, each in response.headers.items() if name != "Content-Type"}
        response = dataclasses.replace(response, headers=kept)
    log.add(f"Method completed with status: {response.status}")
    return {
        "status": response.status,
        "body": response.body.decode("utf-8", "replace"),
        "headers": last(response.headers) or {},
        "multiValueHeaders": all_of(response.headers) or {},
        "log": log.text,
        "latency": (world.kernel.now - started) // 1000,
    }


def _request(resource: Resource, params: Mapping[str, Any]) -> MethodRequest:
    verb = params["httpMethod"]
    path, _, query = (params.get("pathWithQueryString") or resource.path).partition("?")
    headers: dict[str, tuple[str, ...]] = {
        name: tuple(values) for name, values in (params.get("multiValueHeaders") or {}).items()
    }
    headers |= {name: (value,) for name, value in (params.get("headers") or {}).items()}
    route = Router({resource.path: resource}).find(verb, path) if "pathWithQueryString" in params else None
    return MethodRequest(
        verb,
        path,
        headers,
        arriving.query_of(query),
        (params.get("body") or "").encode(),
        route.parameters if route is not None else {},
    )


class _Log:
    def __init__(self, world: World, exchange: Exchange) -> None:
        self._world = world
        identifier, request = exchange.context["requestId"], exchange.request
        self.text = f"Execution log for request {identifier}\n"
        self.add(f"Starting execution for request: {identifier}")
        self.add(f"HTTP Method: {request.method}, Resource Path: {exchange.resource_path}")
        self.add(f"Method request path: {_pairs(request.path_parameters)}")
        self.add(f"Method request query string: {_pairs(last(request.query) or {})}")
        self.add(f"Method request headers: {_pairs(last(request.headers) or {})}")
        self.add(f"Method request body before transformations: {request.text}")

    def add(self, line: str) -> None:
        moment: datetime.datetime = self._world.datetime()
        self.text += f"{moment:%a %b %d %H:%M:%S UTC %Y} : {line}\n"

    def succeeded(self, response: MethodResponse) -> None:
        body = response.body.decode("utf-8", "replace")
        self.add(f"Method response body after transformations: {body}")
        self.add(f"Method response headers: {_pairs(last(response.headers) or {})}")
        self.add("Successfully completed execution")


def _pairs(values: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{name}={value}" for name, value in values.items()) + "}"
