"""A request's way through an HTTP API: stage, CORS, route, limit, authorizer, integration, answer.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api.html
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...functions.concurrency import RateLimit
from ...service import NOTEBOOK, Caller
from ..http import HttpRequest, HttpResponse
from .access_logs import write
from .authorization import Asked, Authorization, Denied
from .cors import is_preflight, preflight, response_headers, without_own
from .events import About
from .integrations import Errand, Integrations
from .matching import DEFAULT, Match
from .model import ACCOUNT_BURST, ACCOUNT_RATE, Api, Configuration, Shown, Stage
from .request import SOURCE_IP, Incoming, Variables

if TYPE_CHECKING:
    from ...world import World

LARGEST = 10_000_000
"""Bytes of a request's body: https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html"""
_MESSAGES = {
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    413: "Request Entity Too Large",
    429: "Too Many Requests",
    500: "Internal Server Error",
}
_ID_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
_COST = 1_000_000 // ACCOUNT_RATE


@dataclasses.dataclass(slots=True)
class _Exchange:
    """What is known of a request by now."""

    api: Api
    stage: Stage
    request: Incoming
    about: About
    variables: Variables
    caller: str
    """Who sent it: the notebook, or a function."""
    route: Shown | None = None
    integration_us: int | None = None
    error: str = ""


class Gateway:
    """Answers for the APIs of a world. The account's limit is one token bucket for all of them."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._kernel = world.kernel
        self._authorization = Authorization(world)
        self._integrations = Integrations(world)
        self._account = RateLimit(ACCOUNT_BURST * _COST)

    def answer(self, api: Api, sent: HttpRequest) -> HttpResponse:
        """From inside a task, which waits as long as the answer takes."""
        kernel, world = self._kernel, self._world
        request = Incoming.of(sent)
        found = _stage(api, request.path)
        if found is None or api.shown.get("DisableExecuteApiEndpoint"):
            return _own(404, self._request_id())
        stage, path = found
        exchange = self._begin(api, stage, request, path)
        started = kernel.now
        latency = world.latency.sample("apigatewayv2.request")
        kernel.sleep(latency >> 1)
        response = self._respond(exchange, sent, path)
        cors = (api.serving(stage) or api.current).cors
        if cors:
            headers = {**without_own(response.headers), **_cors_headers(response, cors, request)}
            response = dataclasses.replace(response, headers=headers)
        kernel.sleep(latency - (latency >> 1))
        date = world.datetime().strftime("%a, %d %b %Y %H:%M:%S GMT")
        added = {"date": date, "apigw-requestid": exchange.about.request_id}
        response = dataclasses.replace(response, headers={**response.headers, **added})
        self._record(exchange, response, kernel.now - started)
        return response

    def _begin(self, api: Api, stage: Stage, request: Incoming, path: str) -> _Exchange:
        world = self._world
        task = self._kernel.current
        context = task.context if task is not None else None
        caller = context if isinstance(context, Caller) else NOTEBOOK
        trace = caller.trace or world.new_trace()
        about = About(
            account=world.account,
            api=api.id,
            stage=stage.name,
            route_key="",
            request_id=self._request_id(),
            trace=trace,
            time=self._kernel.now,
            when=world.datetime().strftime("%d/%b/%Y:%H:%M:%S +0000"),
            path_parameters={},
            stage_variables=stage.shown["StageVariables"],
        )
        variables = Variables(request, path, {}, about.stage_variables, _context(about, request))
        return _Exchange(api, stage, request, about, variables, caller.name)

    def _respond(self, exchange: _Exchange, sent: HttpRequest, path: str) -> HttpResponse:
        api, request, stage = exchange.api, exchange.request, exchange.stage
        configuration = api.serving(stage)
        if configuration is None:
            return _own(404)
        if configuration.cors and is_preflight(request.method, request.headers):
            return preflight(configuration.cors, request.headers["origin"])
        found = configuration.match(request.method, path)
        if found is None:
            return _own(404)
        self._take_route(exchange, *found)
        now = self._kernel.now
        if not stage.take(found[0]["RouteKey"], now) or not self._account.take(now, _COST):
            return _own(429)
        if len(request.body) > LARGEST:
            return _own(413)
        try:
            self._authorize(exchange, configuration, sent, path)
        except Denied as denied:
            exchange.variables.context["authorizer"] = {"error": str(denied)}
            return _own(denied.status, headers=denied.headers)
        return self._integrate(exchange, configuration)

    def _take_route(self, exchange: _Exchange, route: Shown, match: Match) -> None:
        exchange.route = route
        exchange.about = dataclasses.replace(
            exchange.about, route_key=route["RouteKey"], path_parameters=match.parameters
        )
        exchange.variables.path_parameters = match.parameters
        exchange.variables.context["routeKey"] = route["RouteKey"]

    def _authorize(
        self, exchange: _Exchange, configuration: Configuration, sent: HttpRequest, path: str
    ) -> None:
        route = exchange.route
        assert route is not None
        arn = self._arn(exchange, f"{exchange.request.method}{path}")
        asked = Asked(
            exchange.api,
            exchange.stage,
            route,
            exchange.request,
            sent,
            exchange.about,
            exchange.variables,
            arn,
        )
        authorizer = configuration.authorizers.get(route.get("AuthorizerId", ""))
        shown = self._authorization.check(asked, authorizer)
        exchange.about = dataclasses.replace(exchange.about, authorizer=shown)
        _add_authorizer(exchange.variables.context, shown)

    def _integrate(self, exchange: _Exchange, configuration: Configuration) -> HttpResponse:
        route = exchange.route
        assert route is not None
        target = route.get("Target", "").removeprefix("integrations/")
        integration = configuration.integrations.get(target)
        if integration is None:
            return _own(500)
        key = route["RouteKey"]
        method, _, resource = key.partition(" ")
        method = exchange.request.method if method == "ANY" else method
        source = self._arn(exchange, DEFAULT if key == DEFAULT else f"{method}{resource}")
        began = self._kernel.now
        outcome = self._integrations.run(
            Errand(integration, exchange.request, exchange.about, exchange.variables, source)
        )
        exchange.integration_us = self._kernel.now - began
        exchange.error = outcome.error
        return outcome.response

    def _arn(self, exchange: _Exchange, rest: str) -> str:
        world = self._world
        prefix = f"arn:aws:execute-api:{world.region}:{world.account}"
        return f"{prefix}:{exchange.api.id}/{exchange.stage.name}/{rest}"

    def _record(self, exchange: _Exchange, response: HttpResponse, duration: int) -> None:
        request, about = exchange.request, exchange.about
        size = len(response.body.encode("utf-8", "surrogateescape"))
        data: dict[str, Any] = {
            "api": exchange.api.id,
            "stage": exchange.stage.name,
            "method": request.method,
            "resource": about.route_key.partition(" ")[2] or about.route_key,
            "route": about.route_key,
            "status": response.status,
            "request_id": about.request_id,
            "bytes": request.size + size + sum(map(len, response.headers.values())),
        }
        if exchange.integration_us is not None:
            data["integration_us"] = exchange.integration_us
        if exchange.error:
            data["error"] = exchange.error
        if (exchange.stage.shown.get("DefaultRouteSettings") or {}).get("DetailedMetricsEnabled"):
            data["detailed"] = True
        self._world.journal.record(
            "httpapi.request",
            self._arn(exchange, f"{request.method}{exchange.variables.path}"),
            actor=exchange.caller,
            duration=duration,
            outcome="ok" if response.status < 400 else str(response.status),
            trace=about.trace,
            data=data,
        )
        settings = exchange.stage.shown.get("AccessLogSettings")
        if settings:
            context = exchange.variables.context
            context |= _outcome(response, size, duration, exchange)
            write(self._world, settings, exchange.api.id, exchange.stage.name, context)

    def _request_id(self) -> str:
        rng = self._kernel.rng("apigatewayv2.requests")
        return "".join(rng.choice(_ID_LETTERS) for _ in range(15)) + "="


def _stage(api: Api, path: str) -> tuple[Stage, str] | None:
    """The stage that a path names first, and the rest of the path; else ``$default`` and all of it."""
    first, _, rest = path.lstrip("/").partition("/")
    named = api.stages.get(first)
    if named is not None and first:
        return named, f"/{rest}"
    default = api.stages.get(DEFAULT)
    return None if default is None else (default, path)


def _own(status: int, request_id: str = "", headers: Mapping[str, str] | None = None) -> HttpResponse:
    """An answer of API Gateway's own."""
    body = json.dumps({"message": _MESSAGES[status]}, separators=(",", ":"))
    own = {"content-type": "application/json", **(headers or {})}
    return HttpResponse(status, body, {**own, "apigw-requestid": request_id} if request_id else own)


def _cors_headers(response: HttpResponse, cors: Shown, request: Incoming) -> dict[str, str]:
    if is_preflight(request.method, request.headers):
        return dict(response.headers)
    return response_headers(cors, request.headers.get("origin", ""))


def _context(about: About, request: Incoming) -> dict[str, Any]:
    """https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging-variables.html"""
    return {
        "accountId": about.account,
        "apiId": about.api,
        "domainName": request.host,
        "domainPrefix": request.host.partition(".")[0],
        "extendedRequestId": about.request_id,
        "httpMethod": request.method,
        "identity": {"sourceIp": SOURCE_IP, "userAgent": request.headers.get("user-agent", "")},
        "path": request.decoded_path,
        "protocol": "HTTP/1.1",
        "requestId": about.request_id,
        "requestTime": about.when,
        "requestTimeEpoch": str(about.time // 1000),
        "stage": about.stage,
    }


def _add_authorizer(context: dict[str, Any], shown: Mapping[str, Any]) -> None:
    if "jwt" in shown:
        context["authorizer"] = {"claims": shown["jwt"]["claims"]}
    elif "lambda" in shown:
        context["authorizer"] = shown["lambda"] or {}
    elif "iam" in shown:
        iam = shown["iam"]
        context["identity"] |= {
            "accessKey": iam["accessKey"],
            "accountId": iam["accountId"],
            "caller": iam["callerId"],
            "user": iam["userId"],
            "userArn": iam["userArn"],
        }


def _outcome(response: HttpResponse, size: int, duration: int, exchange: _Exchange) -> dict[str, Any]:
    found: dict[str, Any] = {
        "status": str(response.status),
        "responseLength": str(size),
        "responseLatency": str(duration // 1000),
        "dataProcessed": str(exchange.request.size + size),
    }
    if exchange.integration_us is None and response.status >= 400:
        message = _MESSAGES.get(response.status, "")
        found["error"] = {"message": message, "messageString": f'"{message}"'}
    if exchange.integration_us is not None:
        latency = str(exchange.integration_us // 1000)
        found["integrationLatency"] = latency
        found["integrationStatus"] = str(200 if "Lambda" in exchange.error else response.status)
        found["integration"] = {"latency": latency, "integrationStatus": found["integrationStatus"]}
    if exchange.error:
        found["integrationErrorMessage"] = exchange.error
        found["integration"]["error"] = exchange.error
    return found
