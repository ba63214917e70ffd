"""A request's way through an API: arrive, route, authorize, validate, integrate, answer.

Each step takes the exchange and returns the next one, or raises GatewayFailure; ``STEPS`` is their order.
What limits a stage (API keys, throttling: ``limits``) is a step between authorization and validation; a cache
(``response_cache``) stands around ``integrate``, and ``canary`` says which deployment all of it is of.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from ...service import Caller
from ..http import HttpRequest, HttpResponse
from . import arriving, authorization, gateway_responses, integrations, observing, validation
from .authorizers import LambdaAuthorizers
from .canary import Release, release_of
from .limits import Limits
from .model import Exchange, GatewayFailure, MethodRequest, MethodResponse
from .observing import Measured
from .plan_store import PlanStore
from .response_cache import ResponseCache
from .stage_settings import Settings, settings_of
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
    release: Release
    settings: Settings


Step = Callable[[Arrived, Exchange], Exchange]


class Gateway:
    """Answers the requests to all REST APIs of a world."""

    def __init__(self, world: World, plans: PlanStore) -> None:
        self._world = world
        self.authorizers = LambdaAuthorizers(world)
        self.cache = ResponseCache(world.kernel)
        self._limits = Limits(world.kernel, plans)
        self._pools = UserPools(world)
        self.steps: list[Step] = [self._authorize, self._identify, self._limit, self._validate]

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
        took = world.kernel.now - started
        observing.record(world, api, name, raw.method, response, measured, caller, took)
        if stage is not None:
            observing.log(world, stage, response, measured, took)
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
        release = release_of(stage, lambda: self._world.kernel.rng("apigateway.canary").random())
        snapshot = api.deployments[release.deployment].snapshot
        if snapshot.settings.get("disableExecuteApiEndpoint"):
            measured.error = "Not Found"
            return _NO_ENDPOINT
        world = self._world
        edge = snapshot.settings["endpointConfiguration"]["types"] == ["EDGE"]
        request = arriving.method_request(raw, path, query, edge, str(caller.trace))
        host = f"{api.id}.execute-api.{api.region}.amazonaws.com"
        rng = world.kernel.rng("apigateway.requests")
        shown = arriving.first_context(
            snapshot, release.deployment, name, request, host, world.account, world.datetime(), rng
        )
        shown["path"] = f"/{name}{path}"
        if release.canary is not None:
            shown["isCanaryRequest"] = release.canary
            measured.canary = release.canary
        variables = release.variables
        measured.request_id, measured.extended_id = shown["requestId"], shown["extendedRequestId"]
        exchange = Exchange(
            request, api.id, name, "", {}, {}, shown, variables, api.region, world.account, caller.trace
        )
        measured.exchange = exchange
        try:
            exchange = measured.exchange = self._routed(snapshot, exchange, measured)
            measured.settings = settings_of(stage, exchange.resource_path, request.method)
            arrived = Arrived(snapshot, stage, raw, release, measured.settings)
            for step in self.steps:
                exchange = measured.exchange = step(arrived, exchange)
            response, measured.cached = self.cache.answer(
                stage,
                release,
                exchange,
                lambda: authorization.may_invalidate(world, snapshot, exchange),
                lambda: self.integrate(arrived, exchange, measured),
            )
            return response
        except GatewayFailure as failure:
            measured.error, measured.failure = failure.kind, failure
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
        context = {**exchange.context, "authorizer": verdict.context}
        return dataclasses.replace(exchange, context=context, usage_key=verdict.usage_key)

    def _identify(self, arrived: Arrived, exchange: Exchange) -> Exchange:
        return self._limits.identify(arrived.snapshot.settings["apiKeySource"], exchange)

    def _limit(self, arrived: Arrived, exchange: Exchange) -> Exchange:
        self._limits.admit(arrived.settings, exchange)
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
    if trace and measured.told_trace():
        headers["X-Amzn-Trace-Id"] = f"Root={trace!s}"
    return HttpResponse(
        response.status, response.body.decode("utf-8", "surrogateescape"), headers, tuple(more)
    )
