"""Public designs with APIs, webhooks, API destinations and traces, each deployed and used.

The templates under ``tests/samples`` are ours, in the shape of the tutorial or pattern that each names.
"""

from __future__ import annotations

import datetime
import hashlib
import hmac
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
import requests

from infra.cloud import connect
from infra.cloud.local.cloud import LocalCloud

from .samples_tools import SAMPLES, bodies, seen


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with connect("local") as opened:
        assert isinstance(opened, LocalCloud)
        yield opened


def test_crud_api(cloud: LocalCloud) -> None:
    url = cloud.deploy(SAMPLES / "crud_api")["InvokeUrl"] + "/items"
    item = {"id": "123", "price": 12345, "name": "myitem"}
    assert requests.put(url, json=item, timeout=30).json() == "Put item 123"
    assert requests.get(url, timeout=30).json() == [item]
    assert requests.get(url + "/123", timeout=30).json() == item
    assert requests.delete(url + "/123", timeout=30).json() == "Deleted item 123"
    assert requests.get(url + "/123", timeout=30).status_code == 400
    missing = requests.post(url, timeout=30)
    assert (missing.status_code, missing.json()) == (404, {"message": "Not Found"})


def test_token_authorizer(cloud: LocalCloud) -> None:
    app = cloud.deploy(SAMPLES / "token_authorizer")
    url = app["ApiUrl"]

    def ask(path: str, **headers: str) -> tuple[int, Any]:
        answer = requests.get(url + path, headers=headers, timeout=30)
        return answer.status_code, answer.json()

    assert ask("") == (200, {"path": "/", "who": None})
    assert ask("users") == (401, {"message": "Unauthorized"})
    assert ask("users", Authorization="123") == (401, {"message": "Unauthorized"})
    assert ask("users", Authorization="allow") == (200, {"path": "/users", "who": "user"})
    assert ask("users", Authorization="allow") == (200, {"path": "/users", "who": "user"})
    denied = requests.get(url + "users", headers={"Authorization": "deny"}, timeout=30)
    assert (denied.status_code, denied.headers["X-Reason"]) == (403, "denied")
    assert denied.json()["says"].startswith("User is not authorized to access this resource")
    assert ask("users", Authorization="unauthorized") == (401, {"message": "Unauthorized"})
    assert ask("users", Authorization="other") == (500, {"message": None})
    tenant = ask("tenants/a?token=of-a", **{"X-Tenant": "a"})
    assert tenant == (200, {"path": "/tenants/a", "who": "a"})
    assert ask("tenants/b?token=of-a", **{"X-Tenant": "a"})[0] == 403
    assert ask("tenants/b?token=of-a")[0] == 401
    key = cloud.client("apigateway").get_api_key(apiKey=app["KeyId"], includeValue=True)["value"]
    codes = [ask("metered", **{"x-api-key": key})[0] for _ in range(3)]
    assert (ask("metered")[0], codes) == (403, [200, 200, 429])
    checks = [line for line in cloud.logs(app["Authorizer"]) if line.startswith(("TOKEN", "REQUEST"))]
    assert checks == ["TOKEN Prod/GET/users"] * 4 + [
        "REQUEST Prod/GET/tenants/a",
        "REQUEST Prod/GET/tenants/b",
    ]


def test_queue_api(cloud: LocalCloud) -> None:
    app = cloud.deploy(SAMPLES / "queue_api")
    for order in ({"orderId": "a&b", "total": 2.5}, {"orderId": "c", "total": 2000}):
        answer = requests.post(app["Url"], json=order, headers={"X-Tenant": "shop é"}, timeout=30)
        assert (answer.status_code, list(answer.json())) == (200, ["id"])
    bad = requests.post(app["Url"], json={"orderId": "d", "total": -1}, timeout=30)
    assert (bad.status_code, bad.json()) == (400, {"message": "Invalid request body"})
    assert requests.post(app["Url"], "x", headers={"content-type": "text/xml"}, timeout=30).status_code == 415
    cloud.settle()
    table = cloud.resource("dynamodb").Table(app["TableName"])
    assert table.scan()["Items"] == [{"orderId": "a&b", "total": Decimal("2.5"), "tenant": "shop é"}]
    assert bodies(cloud, app["FailedUrl"]) == [{"orderId": "c", "total": 2000}]


def test_express_api(cloud: LocalCloud) -> None:
    app = cloud.deploy(SAMPLES / "express_api")
    cloud.resource("dynamodb").Table(app["TableName"]).put_item(Item={"currency": "EUR", "rate": 2})
    answer = requests.post(app["Url"], json={"to": "EUR", "amount": 3, "note": 'it\'s "so"'}, timeout=30)
    assert (answer.status_code, answer.json()) == (200, {"to": "EUR", "rate": 2, "asked": 3})
    answer = requests.post(app["Url"], json={"to": "X", "amount": 3}, timeout=30)
    assert (answer.status_code, answer.json()) == (422, {"error": "UnknownCurrency", "cause": "no rate"})
    started = requests.post(app["EventUrl"], json={"to": "EUR", "amount": 3}, timeout=30)
    assert sorted(started.json()) == ["executionArn", "startDate"]
    cloud.settle()
    kinds = [json.loads(line)["type"] for line in cloud.logs(app["LogGroup"])]
    assert (kinds.count("ExecutionSucceeded"), kinds.count("ExecutionFailed")) == (2, 1)


def test_short_links(cloud: LocalCloud) -> None:
    app = cloud.deploy(SAMPLES / "short_links")
    url = app["Url"]
    users = cloud.client("cognito-idp")
    pool = {"UserPoolId": app["PoolId"], "Username": "a@example.com"}
    users.admin_create_user(**pool, UserAttributes=[{"Name": "email", "Value": "a@example.com"}])
    users.admin_set_user_password(**pool, Password="Secret-123", Permanent=True)
    tokens = users.initiate_auth(
        ClientId=app["ClientId"],
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": "a@example.com", "PASSWORD": "Secret-123"},
    )["AuthenticationResult"]
    who = {"Authorization": tokens["IdToken"]}
    link = {"id": "docs", "url": "https://docs.example/a?b=c"}
    made = requests.post(url + "/app", json=link, headers=who, timeout=30)
    assert made.status_code == 200
    assert {**link, "owner": "a@example.com"}.items() <= made.json().items()
    again = requests.post(url + "/app", json=link, headers=who, timeout=30)
    assert (again.status_code, again.json()["message"]) == (200, "URL link already exists")
    assert requests.get(url + "/app", headers=who, timeout=30).json() == [link]
    found = requests.get(url + "/docs", timeout=30, allow_redirects=False)
    assert (found.status_code, found.headers["Location"]) == (302, link["url"])
    lost = requests.get(url + "/none", timeout=30, allow_redirects=False)
    assert lost.headers["Location"] == "https://links.example?error=url_not_found"
    assert requests.post(url + "/app", json=link, timeout=30).status_code == 401
    assert requests.post(url + "/app", json={"id": "x"}, headers=who, timeout=30).status_code == 400
    flight = requests.options(url + "/app", timeout=30)
    assert flight.headers["Access-Control-Allow-Methods"] == "POST, GET, OPTIONS"
    assert requests.delete(url + "/app/docs", headers=who, timeout=30).status_code == 200
    refused = requests.delete(url + "/app/docs", headers=who, timeout=30)
    assert (refused.status_code, refused.json()) == (400, {"error": {"message": "not yours"}})
    cloud.advance("10m")
    names = {mail["AlarmName"] for mail in bodies(cloud, app["InboxUrl"])}
    assert names >= {"short links 4xx"}
    lines = [json.loads(line) for line in cloud.logs(app["Log"])]
    assert [(line["path"], line["status"]) for line in lines][:2] == [("/app", "200")] * 2


def test_webhook(cloud: LocalCloud) -> None:
    app = cloud.deploy(SAMPLES / "webhook")
    secret = cloud.client("secretsmanager").get_secret_value(SecretId=app["SecretArn"])["SecretString"]
    body = json.dumps({"ref": "refs/heads/main", "note": "é"}).encode()

    def send(signature: str, kind: str = "push") -> int:
        headers = {
            "X-Hub-Signature-256": signature,
            "X-GitHub-Event": kind,
            "Content-Type": "application/json",
        }
        return requests.post(app["FunctionUrlEndpoint"], body, headers=headers, timeout=30).status_code

    right = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    assert [send(right), send(right, "star"), send("sha256=0"), send("sha256=0")] == [202, 202, 401, 401]
    cloud.advance("2m")
    [event] = [json.loads(line) for line in cloud.logs(app["LogGroup"])]
    assert (event["source"], event["detail"]) == ("github.com", {"ref": "refs/heads/main", "note": "é"})
    [alarm] = cloud.client("cloudwatch").describe_alarms(AlarmNames=[app["AlarmName"]])["MetricAlarms"]
    assert alarm["StateValue"] == "ALARM"


def test_destination(cloud: LocalCloud) -> None:
    app = cloud.deploy(SAMPLES / "destination")
    for number, total in (("1", 50), ("2", -1)):
        detail = json.dumps({"id": number, "total": total})
        entry = {"Source": "shop", "DetailType": "OrderPlaced", "Detail": detail}
        cloud.client("events").put_events(Entries=[entry])
    cloud.settle()
    order = {"order": "1", "cents": 50, "version": "1"}
    assert seen(cloud, app["PartnerName"]) == [["1", order, "shop", {"region": cloud.region}]]
    [undelivered] = bodies(cloud, app["UndeliveredUrl"])
    assert undelivered["detail"] == {"id": "2", "total": -1}


def test_bus_api(cloud: LocalCloud) -> None:
    app = cloud.deploy(SAMPLES / "bus_api")
    answer = requests.post(app["Url"] + "/orders/Placed", json={"id": 1}, timeout=30)
    assert (answer.status_code, answer.json()["FailedEntryCount"]) == (200, 0)
    bad = requests.post(app["Url"] + "/orders/Placed", "no json", timeout=30)
    assert (bad.status_code, bad.json()["FailedEntryCount"]) == (200, 1)
    requests.post(app["Url"] + "/users/Placed", json={"id": 1}, timeout=30)
    origin = {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"}
    flight = requests.options(app["Url"] + "/orders/Placed", headers=origin, timeout=30)
    assert (flight.status_code, flight.headers["access-control-max-age"]) == (204, "600")
    cloud.settle()
    assert seen(cloud, app["Seen"]) == [["com.mycompany.orders", "Placed", {"id": 1}]]


def test_hello_powertools(cloud: LocalCloud) -> None:
    app = cloud.deploy(SAMPLES / "hello_powertools")
    url = app["HelloWorldApi"]
    assert requests.get(url + "/hello", timeout=30).json() == {"message": "hello world"}
    cloud.advance("1s")  # the first request of a second is sampled
    assert requests.get(url + "/hello/ada", timeout=30).json() == {"message": "hello ada!"}
    receipts = [requests.post(url + "/pay", json={"order": "7", "n": n}, timeout=30).json() for n in (1, 2)]
    assert receipts[0] == receipts[1]
    missing = requests.post(url + "/pay", json={}, timeout=30)
    assert (missing.status_code, missing.json()) == (400, {"statusCode": 400, "message": "no order"})
    cloud.settle()
    lines = [json.loads(line) for line in cloud.logs(app["HelloWorldFunction"]) if "correlation_id" in line]
    assert [line["message"] for line in lines] == [
        "Hello world API - HTTP 200",
        "Request from ada received",
        "charged",
    ]
    service = {"service": "PowertoolsHelloWorld"}
    assert sum(v for _, v in cloud.metrics("Powertools", "HelloWorldInvocations", service)) == 1
    named = {**service, "kind": "named"}
    assert sum(v for _, v in cloud.metrics("Powertools", "SuccessfulGreetings", named)) == 1
    traces = cloud.client("xray").get_trace_summaries(
        StartTime=cloud.now - datetime.timedelta(hours=1),
        EndTime=cloud.now,
        FilterExpression='annotation.User = "ada"',
    )["TraceSummaries"]
    assert len(traces) == 1
