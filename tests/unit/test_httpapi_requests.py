"""HTTP APIs: routes, what functions get and answer, errors, limits, CORS, access logs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from infra.cloud import connect
from infra.cloud.local.cloud import LocalCloud
from infra.cloud.local.routes.httpapi.matching import RouteKeyError, Router, parse

from .httpapi_tools import ACCOUNT, Builder

FAILED = '{"message":"Internal Server Error"}'


@pytest.fixture
def on() -> Iterator[Builder]:
    with connect("local") as opened:
        assert isinstance(opened, LocalCloud)
        yield Builder(opened)


@pytest.mark.parametrize(
    ("request_line", "route"),
    [
        # https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
        ("GET /pets/dog/1", "GET /pets/dog/1"),
        ("GET /pets/dog/2", "GET /pets/dog/{id}"),
        ("GET /pets/cat/1", "GET /pets/{proxy+}"),
        ("POST /test/5", "ANY /{proxy+}"),
        ("POST /", "$default"),
        ("POST /pets/dog/1", "ANY /{proxy+}"),
        ("GET //pets/dog/1", "GET /pets/dog/1"),
        ("GET /pets/dog/", "GET /pets/{proxy+}"),
    ],
)
def test_which_route_a_request_takes(request_line: str, route: str) -> None:
    keys = ("GET /pets/dog/1", "GET /pets/dog/{id}", "GET /pets/{proxy+}", "ANY /{proxy+}", "$default")
    found = Router({key: key for key in keys}).match(*request_line.split(" "))
    assert found is not None
    assert found.id == route


@pytest.mark.parametrize("key", ["GET", "FETCH /x", "GET x", "get /x", "GET /a{b}", "GET /{a+}/b", "$other"])
def test_what_is_no_route_key(key: str) -> None:
    with pytest.raises(RouteKeyError):
        parse(key)


def test_an_event_of_format_2(on: Builder) -> None:
    url = on.simple("POST /orders/{id}", on.function("echo"))
    answer = requests.post(
        f"{url}/orders/a%20b?q=1&q=2&r=",
        json={"n": 1},
        headers={"Cookie": "a=1; b=2", "User-Agent": "me/1", "X-Own": "1"},
        timeout=5,
    )
    event = answer.json()
    context = event["requestContext"]
    host = url.removeprefix("https://")
    assert answer.headers["apigw-requestid"] == context["requestId"]
    assert event == {
        "version": "2.0",
        "routeKey": "POST /orders/{id}",
        "rawPath": "/orders/a b",
        "rawQueryString": "q=1&q=2&r=",
        "cookies": ["a=1", "b=2"],
        "headers": {
            "accept": "*/*",
            "accept-encoding": event["headers"]["accept-encoding"],
            "content-length": "8",
            "content-type": "application/json",
            "host": host,
            "user-agent": "me/1",
            "x-amzn-trace-id": event["headers"]["x-amzn-trace-id"],
            "x-forwarded-for": "203.0.113.10",
            "x-forwarded-port": "443",
            "x-forwarded-proto": "https",
            "x-own": "1",
        },
        "queryStringParameters": {"q": "1,2", "r": ""},
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": host.partition(".")[0],
            "domainName": host,
            "domainPrefix": host.partition(".")[0],
            "http": {
                "method": "POST",
                "path": "/orders/a b",
                "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.10",
                "userAgent": "me/1",
            },
            "requestId": context["requestId"],
            "routeKey": "POST /orders/{id}",
            "stage": "$default",
            "time": context["time"],
            "timeEpoch": context["timeEpoch"],
        },
        "pathParameters": {"id": "a b"},
        "body": '{"n": 1}',
        "isBase64Encoded": False,
    }
    assert list(event) == [
        "version", "routeKey", "rawPath", "rawQueryString", "cookies", "headers", "queryStringParameters",
        "requestContext", "pathParameters", "body", "isBase64Encoded",
    ]  # fmt: skip


def test_an_event_of_format_1_on_a_named_stage(on: Builder) -> None:
    made = on.http_api()
    target = on.integrate(made["ApiId"], on.function("echo"), PayloadFormatVersion="1.0")
    on.api.create_route(ApiId=made["ApiId"], RouteKey="ANY /{proxy+}", Target=target)
    variables = {"table": "orders"}
    on.api.create_stage(ApiId=made["ApiId"], StageName="dev", AutoDeploy=True, StageVariables=variables)
    event = requests.put(f"{made['ApiEndpoint']}/dev/a/b?q=1&q=2", data=b"\xff", timeout=5).json()
    context = event.pop("requestContext")
    assert event.pop("multiValueHeaders")["Host"] == [event["headers"]["Host"]]
    assert {"Content-Length", "X-Amzn-Trace-Id", "X-Forwarded-For"} <= set(event.pop("headers"))
    assert event == {
        "version": "1.0",
        "resource": "/{proxy+}",
        "path": "/dev/a/b",
        "httpMethod": "PUT",
        "queryStringParameters": {"q": "2"},
        "multiValueQueryStringParameters": {"q": ["1", "2"]},
        "pathParameters": {"proxy": "a/b"},
        "stageVariables": variables,
        "body": "/w==",
        "isBase64Encoded": True,
    }
    assert (context["resourceId"], context["resourcePath"]) == ("ANY /{proxy+}", "/{proxy+}")
    assert (context["stage"], context["path"]) == ("dev", "/dev/a/b")
    assert requests.get(f"{made['ApiEndpoint']}/a/b", timeout=5).status_code == 404


@pytest.mark.parametrize(
    ("result", "version", "status", "body", "kind"),
    [
        ("{'statusCode': 200, 'body': {}}", "2.0", 500, FAILED, "application/json"),
        ("1 / 0", "2.0", 500, FAILED, "application/json"),
        ("{'statusCode': 200, 'body': '/w==', 'isBase64Encoded': True, 'headers': {'Content-Type': 'a/b'}}",
         "2.0", 200, b"\xff", "a/b"),
    ],
)  # fmt: skip
def test_what_a_result_stands_for(
    on: Builder, result: str, version: str, status: int, body: Any, kind: str
) -> None:
    url = on.simple("GET /", on.function("f", f"def handler(event, context): return {result}"),
                    PayloadFormatVersion=version)  # fmt: skip
    answer = requests.get(url, timeout=5)
    got = answer.content if isinstance(body, bytes) else answer.text
    assert (answer.status_code, got, answer.headers["content-type"]) == (status, body, kind)


def test_cookies_become_headers_of_their_own(on: Builder) -> None:
    source = "def handler(event, context): return {'statusCode': 200, 'cookies': ['a=1; Path=/', 'b=2']}"
    answer = requests.get(on.simple("GET /", on.function("f", source)), timeout=5)
    assert dict(answer.cookies) == {"a": "1", "b": "2"}


def test_what_api_gateway_answers_itself(on: Builder) -> None:
    slow = "import time\ndef handler(event, context): time.sleep(float(event['rawPath'][1:]))"
    url = on.simple("GET /{seconds}", on.function("slow", slow, Timeout=60))
    forbidden = on.simple("GET /", on.function("closed", public=False))
    started = on.cloud.elapsed
    late = requests.get(f"{url}/40", timeout=100)
    assert 30 < on.cloud.elapsed - started < 31
    answers = [late, requests.get(f"{url}/a/b", timeout=5), requests.get(forbidden, timeout=5)]
    assert [(answer.status_code, answer.text) for answer in answers] == [
        (503, '{"message":"Service Unavailable"}'),
        (404, '{"message":"Not Found"}'),
        (500, '{"message":"Internal Server Error"}'),
    ]
    on.cloud.settle()
    ended = list(on.cloud.world.journal.select("lambda.invocation"))
    assert [entry.duration // 1_000_000 for entry in ended] == [40]  # the function went on


def test_a_function_without_concurrency_answers_503(on: Builder) -> None:
    url = on.simple("GET /", on.function("f"))
    on.cloud.client("lambda").put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=0)
    assert (requests.get(url, timeout=5).status_code, requests.get(url, timeout=5).json()) == (
        503, {"message": "Service Unavailable"},
    )  # fmt: skip


def test_throttling_is_a_token_bucket_in_virtual_time(on: Builder) -> None:
    made = on.http_api(Target=on.function("f"))
    limits = {"ThrottlingRateLimit": 1, "ThrottlingBurstLimit": 2}
    on.api.update_stage(ApiId=made["ApiId"], StageName="$default", DefaultRouteSettings=limits)

    def ask() -> int:
        return requests.get(made["ApiEndpoint"], timeout=5).status_code

    ask()  # the cold start takes longer than a token to come back
    on.cloud.advance("10s")
    assert [ask(), ask(), ask()] == [200, 200, 429]
    on.cloud.advance("1s")
    assert [ask(), ask()] == [200, 429]
    assert requests.get(made["ApiEndpoint"], timeout=5).text == '{"message":"Too Many Requests"}'


def test_cross_origin_requests(on: Builder) -> None:
    answer = {"statusCode": 200, "headers": {"Access-Control-Allow-Origin": "no"}}
    source = f"def handler(event, context): return {answer}"
    cors = {"AllowOrigins": ["https://shop.example"], "AllowMethods": ["POST"], "AllowHeaders": ["X-Own"],
            "MaxAge": 60}  # fmt: skip
    made = on.http_api(Target=on.function("f", source), CorsConfiguration=cors)
    origin = {"Origin": "https://shop.example"}
    asked = {**origin, "Access-Control-Request-Method": "POST"}
    preflight = requests.options(made["ApiEndpoint"], headers=asked, timeout=5)
    assert (preflight.status_code, preflight.text) == (204, "")
    assert {name: value for name, value in preflight.headers.items() if name.startswith("access")} == {
        "access-control-allow-origin": "https://shop.example",
        "access-control-allow-methods": "POST",
        "access-control-allow-headers": "x-own",
        "access-control-max-age": "60",
    }
    answers = [
        requests.get(made["ApiEndpoint"], headers=each, timeout=5) for each in (origin, {"Origin": "b"})
    ]
    assert [answer.headers.get("access-control-allow-origin") for answer in answers] == [
        "https://shop.example", None,
    ]  # fmt: skip


def test_a_deployment_is_a_snapshot(on: Builder) -> None:
    made = on.http_api()
    api = made["ApiId"]
    first, second = (
        on.integrate(api, on.function(name, f"def handler(event, context): return '{name}'"))
        for name in ("one", "two")
    )
    route = on.api.create_route(ApiId=api, RouteKey="GET /", Target=first)
    on.api.create_stage(ApiId=api, StageName="live")
    url = f"{made['ApiEndpoint']}/live/"
    assert requests.get(url, timeout=5).status_code == 404
    on.api.create_deployment(ApiId=api, StageName="live")
    on.api.update_route(ApiId=api, RouteId=route["RouteId"], Target=second)
    assert requests.get(url, timeout=5).text == "one"
    on.api.create_deployment(ApiId=api, StageName="live")
    assert requests.get(url, timeout=5).text == "two"


def test_access_logs(on: Builder) -> None:
    on.cloud.client("logs").create_log_group(logGroupName="access")
    made = on.http_api(Target=on.function("f"))
    arn = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:access"
    names = ("identity.sourceIp", "httpMethod", "routeKey", "status", "authorizer.x")
    settings = {"DestinationArn": arn, "Format": " ".join(f"$context.{name}" for name in names)}
    on.api.update_stage(ApiId=made["ApiId"], StageName="$default", AccessLogSettings=settings)
    requests.get(made["ApiEndpoint"], timeout=5)
    assert on.cloud.logs("access") == ["203.0.113.10 GET $default 200 -"]


def test_the_journal_and_the_metrics_have_each_request(on: Builder) -> None:
    made = on.http_api(Target=on.function("f"))
    api = made["ApiId"]
    on.api.update_stage(
        ApiId=api, StageName="$default", DefaultRouteSettings={"DetailedMetricsEnabled": True}
    )
    requests.get(f"{made['ApiEndpoint']}/x", timeout=5)
    (entry,) = on.cloud.world.journal.select("httpapi.request")
    data = dict(entry.data)
    assert 0 < data.pop("integration_us") < entry.duration
    size = data.pop("bytes")
    assert (entry.resource, entry.actor, entry.outcome, data) == (
        f"arn:aws:execute-api:us-east-1:{ACCOUNT}:{api}/$default/GET/x",
        "notebook",
        "ok",
        {
            "api": api,
            "stage": "$default",
            "method": "GET",
            "resource": "$default",
            "route": "$default",
            "status": 200,
            "request_id": data["request_id"],
            "detailed": True,
        },
    )
    (ran,) = on.cloud.world.journal.select("lambda.invocation")
    assert (ran.actor, ran.trace) == ("apigateway", entry.trace)
    on.api.delete_route(ApiId=api, RouteId=on.api.get_routes(ApiId=api)["Items"][0]["RouteId"])
    requests.get(f"{made['ApiEndpoint']}/x", timeout=5)

    def metric(name: str, statistic: str = "Sum", **dimensions: str) -> list[float]:
        wanted = {"ApiId": api, **dimensions}
        return [value for _, value in on.cloud.metrics("AWS/ApiGateway", name, wanted, statistic=statistic)]

    assert [metric(name) for name in ("Count", "4xx", "5xx")] == [[2.0], [1.0], [0.0]]
    assert metric("Count", Stage="$default", Route="$default") == [1.0]
    assert metric("DataProcessed", "Maximum", Stage="$default") == [size]
    assert metric("IntegrationLatency", "SampleCount", Stage="$default") == [1.0]
    assert metric("Latency", "Maximum")[0] == pytest.approx(entry.duration / 1000)
