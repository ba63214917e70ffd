"""The pure decisions of what protects an API: buckets, quotas, cache keys, canaries, access log lines."""

from __future__ import annotations

import dataclasses
import datetime
from typing import Any

import pytest

from infra.cloud.local.routes.apigateway import access_logs, cache_keys, canary, execution_logs, quotas
from infra.cloud.local.routes.apigateway.model import Exchange, GatewayFailure, MethodRequest, MethodResponse
from infra.cloud.local.routes.apigateway.quotas import Grant, Quota
from infra.cloud.local.routes.apigateway.stage_settings import settings_of
from infra.cloud.local.routes.apigateway.token_buckets import TOKEN, Bucket, Limit, limit_of, take

SECOND = 1_000_000
EXCHANGE = Exchange(
    MethodRequest("GET", "/pets/7", {"X-User": ("ada",)}, {"page": ("1",)}, b"", {"id": "7"}),
    "api",
    "prod",
    "/pets/{id}",
    {"httpMethod": "GET", "apiKeyRequired": False},
    {"type": "AWS_PROXY", "uri": "arn:aws:apigateway:us-east-1:lambda:path/f", "cacheNamespace": "r1"},
    {
        "requestId": "id-1",
        "extendedRequestId": "ext=",
        "httpMethod": "GET",
        "resourcePath": "/pets/{id}",
        "identity": {"sourceIp": "203.0.113.10", "user": None},
        "authorizer": {"tenant": "blue"},
    },
    {},
    "us-east-1",
    "123456789012",
)


def test_bucket() -> None:
    limit = Limit(2.0, 2)
    first = take(None, limit, 0)
    assert first == (Bucket(1.0 * TOKEN, 0), True)
    second = take(first[0], limit, 0)
    assert second == (Bucket(0.0, 0), True)
    assert take(second[0], limit, SECOND // 4) == (Bucket(0.5 * TOKEN, SECOND // 4), False)
    assert take(second[0], limit, SECOND // 2) == (Bucket(0.0, SECOND // 2), True)
    assert take(second[0], limit, 3600 * SECOND) == (Bucket(1.0 * TOKEN, 3600 * SECOND), True)
    assert take(None, Limit(10.0, 0), 0) == (Bucket(0.0, 0), False)
    assert limit_of({"rateLimit": 5, "burstLimit": 1}) == Limit(5.0, 1)
    assert limit_of({"rateLimit": -1, "burstLimit": -1}) is limit_of({}) is None


def day(text: str) -> datetime.date:
    return datetime.date.fromisoformat(text)


@pytest.mark.parametrize(
    ("period", "offset", "today", "start"),
    [
        ("DAY", 0, "2026-01-05", "2026-01-05"),
        ("WEEK", 0, "2026-01-05", "2026-01-04"),  # a Monday: the week began on Sunday
        ("WEEK", 1, "2026-01-05", "2026-01-05"),
        ("WEEK", 6, "2026-01-05", "2026-01-03"),
        ("MONTH", 0, "2026-01-05", "2026-01-01"),
        ("MONTH", 4, "2026-01-05", "2026-01-05"),
        ("MONTH", 5, "2026-01-05", "2025-12-06"),
    ],
)
def test_quota_period(period: str, offset: int, today: str, start: str) -> None:
    assert quotas.start_of(Quota(10, period, offset), day(today)) == day(start)


def test_quota() -> None:
    week, used = Quota(10, "WEEK"), {day("2026-01-04"): 3, day("2026-01-06"): 4, day("2026-01-11"): 1}
    first, last = day("2026-01-04"), day("2026-01-07")
    assert quotas.shown(week, used, None, first, last) == [[3, 7], [0, 7], [4, 3], [0, 3]]
    grant = quotas.granted(week, used, last, 50)
    assert grant == Grant(day("2026-01-04"), 47)
    assert quotas.remaining(week, used, grant, last) == 50
    assert quotas.remaining(week, used, grant, day("2026-01-11")) == 9
    assert quotas.remaining(None, used, None, last) == quotas.LARGEST
    assert quotas.problem(Quota(1, "DAY", 1)) == "Usage Plan quota offset must be zero in the DAY period"
    assert quotas.problem(Quota(1, "MONTH", 27)) is None


def stage(**settings: Any) -> dict[str, Any]:
    every = {"cachingEnabled": True, "cacheTtlInSeconds": 300}
    return {"cacheClusterEnabled": True, "methodSettings": {"*/*": every, **settings}}


def test_settings_and_what_is_cached() -> None:
    own = {"cachingEnabled": True, "cacheTtlInSeconds": 60}
    made = stage(**{"pets/{id}/POST": own, "pets/{id}/GET": {**own, "cachingEnabled": False}})
    assert settings_of(made, "/pets/{id}", "POST") == own
    assert settings_of(made, "/", "GET") == made["methodSettings"]["*/*"]
    asked = [("/", "GET"), ("/", "POST"), ("/pets/{id}", "POST"), ("/pets/{id}", "GET")]
    assert [cache_keys.ttl_of(made, *each) for each in asked] == [300, 0, 60, 0]
    assert cache_keys.ttl_of({**made, "cacheClusterEnabled": False}, "/", "GET") == 0


def test_cache_key() -> None:
    """Without cache key parameters not even the path tells two requests apart."""
    assert cache_keys.key_of(EXCHANGE, "") == ("api", "prod", "", "r1", "GET", ())
    names = ["method.request.path.id", "integration.request.header.user", "method.request.querystring.no"]
    mapped = {"integration.request.header.user": "method.request.header.X-User"}
    integration = {**EXCHANGE.integration, "cacheKeyParameters": names, "requestParameters": mapped}
    exchange = dataclasses.replace(EXCHANGE, integration=integration)
    values = (("ada",), ("7",), ())
    assert cache_keys.key_of(exchange, "canary") == ("api", "prod", "canary", "r1", "GET", values)
    assert cache_keys.wants_fresh({"Cache-Control": ("no-store, max-age=0",)})
    assert not cache_keys.wants_fresh({"cache-control": ("max-age=10",)})


def test_canary() -> None:
    settings = {"deploymentId": "new", "percentTraffic": 10.0, "useStageCache": False}
    made = {"deploymentId": "old", "variables": {"a": "1", "b": "2"}}
    assert canary.release_of(made, lambda: 0.0) == canary.Release("old", {"a": "1", "b": "2"})
    made["canarySettings"] = {**settings, "stageVariableOverrides": {"b": "3"}}
    assert canary.release_of(made, lambda: 0.1) == canary.Release("old", {"a": "1", "b": "2"}, canary=False)
    assert canary.release_of(made, lambda: 0.0999) == canary.Release(
        "new", {"a": "1", "b": "3"}, canary=True, caches=False, partition="canary"
    )


def test_log_lines() -> None:
    told = access_logs.Told(EXCHANGE, MethodResponse(200, {}, b"hello"), None, 25, 19)
    template = (
        "$context.identity.sourceIp $context.identity.user $context.authorizer.tenant $context.status "
        "$context.responseLength $context.integrationLatency/$context.integration.status "
        "$context.error.message"
    )
    assert access_logs.line(template, told) == "203.0.113.10 - blue 200 5 19/200 -"
    assert execution_logs.lines(told, "ERROR", trace=True) == []
    lines = execution_logs.lines(told, "INFO", trace=False)
    assert lines[:2] == [
        "(id-1) Extended Request Id: ext=",
        "(id-1) Verifying Usage Plan for request: id-1. API Key:  API Stage: api/prod",
    ]
    assert [line.partition(") ")[2] for line in lines[-5:]] == [
        "Starting execution for request: id-1",
        "HTTP Method: GET, Resource Path: /pets/{id}",
        "Received response. Integration latency: 19 ms",
        "Successfully completed execution",
        "Method completed with status: 200",
    ]
    method = {**EXCHANGE.method, "authorizerId": "a1"}
    refused = access_logs.Told(
        dataclasses.replace(EXCHANGE, method=method),
        MethodResponse(401, {}, b"{}"),
        GatewayFailure("UNAUTHORIZED"),
        3,
        None,
    )
    assert [line.partition(") ")[2] for line in execution_logs.lines(refused, "INFO", trace=False)] == [
        "Extended Request Id: ext=",
        "Starting authorizer: a1 for request: id-1",
        "Unauthorized request: id-1",
    ]
    failure = GatewayFailure("DEFAULT_5XX", status=502)
    told = access_logs.Told(EXCHANGE, MethodResponse(502, {}, b"{}"), failure, 25, 19)
    malformed = "Execution failed due to configuration error: Malformed Lambda proxy response"
    template = "$context.error.responseType|$context.integrationStatus|$context.integrationErrorMessage"
    assert access_logs.line(template, told) == f"DEFAULT_5XX|200|{malformed}"
    assert execution_logs.lines(told, "ERROR", trace=False) == [
        f"(id-1) {malformed}",
        "(id-1) Method completed with status: 502",
    ]
