"""A request's way through an API: arrive, route, authorize, validate, integrate, answer.

Each step takes the exchange and returns the next one, or raises GatewayFailure; ``STEPS`` is their order.
What limits a stage (API keys, throttling) is a step between authorization and validation; a cache stands
around ``integrate``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from ...service import Caller
from ...telemetry.xray_gateway import Request
from ..http import HttpRequest, HttpResponse
from . import arriving, authorization, gateway_responses, integrations, validation
from .authorizers import LambdaAuthorizers
from .model import Exchange, GatewayFailure, MethodRequest, MethodResponse
from .store import RestApi, Snapshot
from .user_pools import UserPools

if TYPE_CHECKING:
    from ...world import World

LARGEST = 10 * 1024 * 1024
"""Bytes of a request's body: https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html"""
_FORBIDDEN = MethodResponse(
    403,
    {"Content-Type": ("application/json",), "x-amzn-ErrorType": ("ForbiddenException",)},
    b'{"message":"Forbidden"}',
)
_NO_ENDPOINT = MethodResponse(
    404,
    {"Content-Type": ("application/json",), "x-amzn-ErrorType": ("NotFoundException",)},
    b'{"message":"Not Found"}',
)


@dataclasses.dataclass(frozen=True, slots=True)
class Arrived:
    """What the steps may look at besides the exchange: the API as deployed, its stage, the raw request."""

    snapshot: Snapshot
    stage: dict[str, Any]
    raw: HttpRequest


@dataclasses.dataclass(slots=True)
class Measured:
    """What the journal wants to know of a request. ``integration``: µs, None if it was not asked."""

    resource: str = ""
    error: str = ""
    integration: int | None = None
    target: str = ""
    request_id: str = ""
    extended_id: str = ""
    detailed: bool = False
    traced: Request | None = None
    """The request in X-Ray, if its stage has tracing and it is recorded."""


Step = Callable[[Arrived, Exchange], Exchange]


class Gateway:
    """Answers the requests to all REST APIs of a world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.authorizers = LambdaAuthorizers(world)
        self._pools = UserPools(world)
        self.steps: list[Step] = [self._authorize, self._key, self._validate]

    def serve(self, api: RestApi, raw: HttpRequest) -> HttpResponse:
        """Runs in the task of the client; writes the request into the journal."""
        world = self._world
        started = world.kernel.now
        context = world.kernel.current.context if world.kernel.current is not None else None
        caller = context if isinstance(context, Caller) else Caller("notebook", "notebook")
        overhead = world.latency.sample("apigateway.request")
        world.kernel.sleep(overhead >> 1)
        name, path, query = arriving.split_path(raw.url)
        measured = Measured()
        stage = api.stages.get(unquote(name))
        if stage is not None and stage["tracingEnabled"]:
            title = str(api.settings["name"])
            trace, measured.traced = world.xray.gateway.begin(
                api.id, title, stage["stageName"], raw, caller.trace
            )
            caller = dataclasses.replace(caller, trace=trace)
        response = self._response(api, unquote(name), path, query, raw, caller, measured)
        world.kernel.sleep(overhead - (overhead >> 1))
        self._record(api, name, raw, response, measured, caller, world.kernel.now - started)
        if measured.traced is not None:
            world.xray.gateway.end(measured.traced, raw, response.status, measured.request_id)
        return _answer(response, measured, caller.trace)

    def _response(
        self,
        api: RestApi,
        name: str,
        path: str,
        query: str,
        raw: HttpRequest,
        caller: Caller,
        measured: Measured,
    ) -> MethodResponse:
        stage = api.stages.get(name)
        if stage is None:
            measured.error = "Forbidden"
            return _FORBIDDEN
        snapshot = api.deployments[stage["deploymentId"]].snapshot
        if snapshot.settings.get("disableExecuteApiEndpoint"):
            measured.error = "Not Found"
            return _NO_ENDPOINT
        world = self._world
        edge = snapshot.settings["endpointConfiguration"]["types"] == ["EDGE"]
        request = arriving.method_request(raw, path, query, edge, str(caller.trace))
        host = f"{api.id}.execute-api.{api.region}.amazonaws.com"
        rng = world.kernel.rng("apigateway.requests")
        shown = arriving.first_context(
            snapshot, stage["deploymentId"], name, request, host, world.account, world.datetime(), rng
        )
        variables = stage.get("variables", {})
        measured.request_id, measured.extended_id = shown["requestId"], shown["extendedRequestId"]
        exchange = Exchange(
            request, api.id, name, "", {}, {}, shown, variables, api.region, world.account, caller.trace
        )
        try:
            exchange = self._routed(snapshot, exchange, measured)
            arrived = Arrived(snapshot, stage, raw)
            measured.detailed = bool(method_settings(stage, exchange).get("metricsEnabled"))
            for step in self.steps:
                exchange = step(arrived, exchange)
            return self.integrate(arrived, exchange, measured)
        except GatewayFailure as failure:
            measured.error = failure.kind
            own = snapshot.gateway_responses
            return gateway_responses.answer(failure, own, exchange.request, exchange.context, variables)

    # -- steps -------------------------------------------------------------------------------------

    def _routed(self, snapshot: Snapshot, exchange: Exchange, measured: Measured) -> Exchange:
        request = exchange.request
        if len(request.body) > LARGEST:
            raise GatewayFailure("REQUEST_TOO_LARGE")
        route = snapshot.router.find(request.method, request.path)
        if route is None:
            raise _no_route(request)
        measured.resource = route.resource.path
        integration = route.method["methodIntegration"]
        measured.target = integration.get("uri", integration["type"])
        return dataclasses.replace(
            exchange,
            request=dataclasses.replace(request, path_parameters=route.parameters),
            resource_path=route.resource.path,
            method=route.method,
            integration=integration,
            context=arriving.with_route(exchange.context, route.resource.id, route.resource.path),
        )

    def _authorize(self, arrived: Arrived, exchange: Exchange) -> Exchange:
        kind = exchange.method["authorizationType"]
        if kind == "NONE":
            authorization.check_anonymous(arrived.snapshot, exchange, self._world.kernel.now)
            return exchange
        if kind == "AWS_IAM":
            return authorization.check_iam(self._world, arrived.snapshot, exchange, arrived.raw)
        if kind == "COGNITO_USER_POOLS":
            claims = self._pools.authorize(arrived.snapshot, exchange)
            return dataclasses.replace(exchange, context={**exchange.context, "authorizer": claims})
        verdict = self.authorizers.authorize(arrived.snapshot, exchange)
        return dataclasses.replace(exchange, context={**exchange.context, "authorizer": verdict.context})

    @staticmethod
    def _key(arrived: Arrived, exchange: Exchange) -> Exchange:
        """Without a usage plan no API key is valid."""
        if exchange.method["apiKeyRequired"]:
            raise GatewayFailure("INVALID_API_KEY")
        return exchange

    def _validate(self, arrived: Arrived, exchange: Exchange) -> Exchange:
        snapshot = arrived.snapshot
        validation.check(exchange.request, exchange.method, snapshot.validators, snapshot.models)
        return exchange

    def integrate(self, arrived: Arrived, exchange: Exchange, measured: Measured) -> MethodResponse:
        started, traced = self._world.kernel.now, measured.traced
        if traced is not None:
            exchange = dataclasses.replace(exchange, trace=traced.inside)
        try:
            return integrations.call(self._world, exchange, arrived.snapshot.binary)
        finally:
            measured.integration = self._world.kernel.now - started
            if traced is not None:
                traced.integration, traced.called = exchange.integration, (started, self._world.kernel.now)

    # -- afterwards --------------------------------------------------------------------------------

    def _record(
        self,
        api: RestApi,
        stage: str,
        raw: HttpRequest,
        response: MethodResponse,
        measured: Measured,
        caller: Caller,
        took: int,
    ) -> None:
        data: dict[str, Any] = {
            "name": api.settings["name"],
            "api": api.id,
            "stage": stage,
            "resource": measured.resource,
            "method": raw.method,
            "status": response.status,
            "id": measured.request_id,
            "to": measured.target,
            "bytes": len(response.body),
        }
        if measured.integration is not None:
            data["integration_us"] = measured.integration
        if measured.detailed:
            data["detailed"] = True
        if measured.error:
            data["error"] = measured.error
        path = measured.resource.lstrip("/")
        self._world.journal.record(
            "apigateway.request",
            f"arn:aws:execute-api:{api.region}:{self._world.account}:{api.id}/{stage}/{raw.method}/{path}",
            actor=caller.name,
            duration=took,
            outcome="ok" if response.status < 400 else str(response.status),
            trace=caller.trace,
            data=data,
        )


def method_settings(stage: Mapping[str, Any], exchange: Exchange) -> Mapping[str, Any]:
    """The settings of a stage for the method: its own, else those for all methods, else none."""
    settings: Mapping[str, Mapping[str, Any]] = stage["methodSettings"]
    path = exchange.resource_path.lstrip("/") or "/"
    for key in (f"{path}/{exchange.request.method}", f"{path}/*", "*/*"):
        if key in settings:
            return settings[key]
    return {}


def _no_route(request: MethodRequest) -> GatewayFailure:
    """An unknown path or method is taken for a call of an AWS API: its Authorization must be a signature."""
    given = [value for name, values in request.headers.items() if name == "Authorization" for value in values]
    if not given or given[0].startswith("AWS4-HMAC-SHA256"):
        return GatewayFailure("MISSING_AUTHENTICATION_TOKEN")
    return authorization.incomplete_signature(given[0])


def _answer(response: MethodResponse, measured: Measured, trace: str) -> HttpResponse:
    headers: dict[str, str] = {}
    more: list[tuple[str, str]] = []
    for name, values in response.headers.items():
        headers[name] = values[0]
        more += [(name, value) for value in values[1:]]
    if measured.request_id:
        headers["x-amzn-RequestId"] = measured.request_id
        headers["x-amz-apigw-id"] = measured.extended_id
    if trace and measured.integration is not None and measured.target != "MOCK":
        headers["X-Amzn-Trace-Id"] = f"Root={trace!s}"
    return HttpResponse(
        response.status, response.body.decode("utf-8", "surrogateescape"), headers, tuple(more)
    )
