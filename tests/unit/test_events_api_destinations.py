"""Connections and API destinations: requests, authorization, retries by status, time-out, rate."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from infra.cloud.local.kernel import SECOND
from infra.cloud.local.routes.http import HttpRequest, HttpResponse
from infra.cloud.local.world import World

from .events_tools import deliveries, messages, put, queue, role, rule

Answer = Callable[[HttpRequest], HttpResponse]
KEY: dict[str, Any] = {"ApiKeyAuthParameters": {"ApiKeyName": "X-Key", "ApiKeyValue": "secret"}}


def destination(
    world: World, answer: Answer, kind: str = "API_KEY", parameters: dict[str, Any] = KEY, **more: Any
) -> tuple[dict[str, Any], list[HttpRequest]]:
    """A target for ``https://api.example.com/orders/*``, and the requests that it gets."""
    requests: list[HttpRequest] = []

    def handle(request: HttpRequest) -> HttpResponse:
        requests.append(request)
        return answer(request)

    world.http.register("api.example.com", handle)
    events = world.client("events")
    connection = events.create_connection(Name="c", AuthorizationType=kind, AuthParameters=parameters)
    made = events.create_api_destination(
        Name="d",
        ConnectionArn=connection["ConnectionArn"],
        InvocationEndpoint="https://api.example.com/orders/*",
        HttpMethod="POST",
        **more,
    )
    invoker = role(world, "invoker", "events:InvokeApiDestination")
    return {"Arn": made["ApiDestinationArn"], "RoleArn": invoker}, requests


def ok(request: HttpRequest) -> HttpResponse:
    return HttpResponse(200, "thanks")


def test_a_request(world: World) -> None:
    more = {
        "InvocationHttpParameters": {
            "HeaderParameters": [{"Key": "X-Team", "Value": "orders"}],
            "QueryStringParameters": [{"Key": "v", "Value": "2"}],
            "BodyParameters": [{"Key": "tenant", "Value": "t1"}],
        }
    }
    target, requests = destination(world, ok, parameters={**KEY, **more})
    target |= {
        "InputPath": "$.detail",
        "HttpParameters": {
            "PathParameterValues": ["$.detail.id"],
            "HeaderParameters": {"X-Kind": "$.detail-type", "X-Fixed": "yes"},
            "QueryStringParameters": {"q": "$.detail.total"},
        },
    }
    rule(world, "r", {"source": ["shop"]}, target)
    put(world, {"id": "a b", "total": 5})
    world.kernel.settle()
    (request,) = requests
    assert (request.method, request.url) == ("POST", "https://api.example.com/orders/a%20b?q=5&v=2")
    assert json.loads(request.body) == {"id": "a b", "total": 5, "tenant": "t1"}
    headers = {name: request.headers[name] for name in ("X-Key", "X-Team", "X-Kind", "X-Fixed")}
    assert headers == {"X-Key": "secret", "X-Team": "orders", "X-Kind": "order", "X-Fixed": "yes"}


def test_basic_authorization_and_what_describe_hides(world: World) -> None:
    basic = {"BasicAuthParameters": {"Username": "ada", "Password": "pw"}}
    target, requests = destination(world, ok, "BASIC", basic)
    rule(world, "r", {"source": ["shop"]}, target)
    put(world)
    world.kernel.settle()
    assert requests[0].headers["Authorization"] == "Basic YWRhOnB3"
    described = world.client("events").describe_connection(Name="c")
    assert described["AuthParameters"] == {"BasicAuthParameters": {"Username": "ada"}}
    secret = world.client("secretsmanager").get_secret_value(SecretId=described["SecretArn"])
    assert json.loads(secret["SecretString"]) == {"username": "ada", "password": "pw"}


def test_oauth_fetches_a_token_and_a_new_one_when_refused(world: World) -> None:
    tokens = iter(["one", "two"])

    def token(request: HttpRequest) -> HttpResponse:
        assert request.body == "grant_type=client_credentials&audience=orders"
        return HttpResponse(200, json.dumps({"access_token": next(tokens), "token_type": "Bearer"}))

    world.http.register("auth.example.com", token)
    oauth = {
        "OAuthParameters": {
            "ClientParameters": {"ClientID": "id", "ClientSecret": "secret"},
            "AuthorizationEndpoint": "https://auth.example.com/token",
            "HttpMethod": "POST",
            "OAuthHttpParameters": {"BodyParameters": [{"Key": "audience", "Value": "orders"}]},
        }
    }
    target, requests = destination(
        world,
        lambda request: HttpResponse(200 if request.headers["Authorization"] == "Bearer two" else 401),
        "OAUTH_CLIENT_CREDENTIALS",
        oauth,
    )
    rule(world, "r", {"source": ["shop"]}, target)
    put(world)
    world.kernel.settle()
    assert [request.headers["Authorization"] for request in requests] == ["Bearer one", "Bearer two"]
    assert [outcome for _, _, outcome in deliveries(world)] == ["SDK_CLIENT_ERROR", "ok"]
    assert world.client("events").describe_connection(Name="c")["ConnectionState"] == "AUTHORIZED"


@pytest.mark.parametrize(
    ("status", "attempts"), [(200, 1), (301, 1), (400, 1), (404, 1), (401, 3), (409, 3), (429, 3), (503, 3)]
)
def test_which_statuses_are_retried(status: int, attempts: int, world: World) -> None:
    target, requests = destination(world, lambda request: HttpResponse(status, "why"))
    dead = queue(world, "dead")
    more = {"RetryPolicy": {"MaximumRetryAttempts": 2}, "DeadLetterConfig": {"Arn": dead}}
    rule(world, "r", {"source": ["shop"]}, {**target, **more})
    put(world)
    world.kernel.settle()
    assert len(requests) == attempts
    found = messages(world, "dead")
    assert len(found) == (0 if status == 200 else 1)
    if status == 503:
        assert found[0]["MessageAttributes"]["ERROR_MESSAGE"]["StringValue"] == (
            "Unable to invoke ApiDestination endpoint: API destination returned HTTP status 503 with "
            "payload: why"
        )


def test_five_seconds_and_nobody_there(world: World) -> None:
    def slow(request: HttpRequest) -> HttpResponse:
        world.kernel.sleep(6 * SECOND)
        return HttpResponse(200)

    target, _ = destination(world, slow)
    rule(world, "r", {"source": ["shop"]}, {**target, "RetryPolicy": {"MaximumRetryAttempts": 0}})
    put(world)
    world.kernel.settle()
    world.http.remove("api.example.com")
    put(world)
    world.kernel.settle()
    assert [outcome for _, _, outcome in deliveries(world)] == ["TIMEOUT", "CONNECTION_FAILURE"]


def test_the_rate_limit_spreads_invocations(world: World) -> None:
    times: list[int] = []

    def note(request: HttpRequest) -> HttpResponse:
        times.append(world.kernel.now)
        return HttpResponse(200)

    target, _ = destination(world, note, InvocationRateLimitPerSecond=2)
    rule(world, "r", {"source": ["shop"]}, target)
    entry = {"Source": "shop", "DetailType": "d", "Detail": "{}"}
    world.client("events").put_events(Entries=[entry] * 10)
    world.kernel.settle()
    assert len(times) == 10
    assert 4 * SECOND < max(times) - min(times) < 6 * SECOND


@pytest.mark.parametrize(("seconds", "attempts"), [("90", 2), ("-1", 1)])
def test_a_destination_may_ask_for_time(seconds: str, attempts: int, world: World) -> None:
    times: list[int] = []

    def busy(request: HttpRequest) -> HttpResponse:
        times.append(world.kernel.now)
        return HttpResponse(429 if len(times) == 1 else 200, headers={"Retry-After": seconds})

    target, _ = destination(world, busy)
    rule(world, "r", {"source": ["shop"]}, target)
    put(world)
    world.kernel.settle()
    assert len(times) == attempts
    assert attempts == 1 or 90 * SECOND <= times[1] - times[0] < 91 * SECOND
