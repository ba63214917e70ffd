"""Public designs with APIs, telemetry, configuration and gradual deployments, each deployed and used.

The templates under ``tests/samples`` are ours, in the shape of the tutorial or pattern that each names.
"""

from __future__ import annotations

import datetime
import hashlib
import hmac
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests

from infra.cloud import connect
from infra.cloud.local.cloud import LocalCloud

SAMPLES = Path(__file__).parents[1] / "samples"


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with connect("local") as opened:
        assert isinstance(opened, LocalCloud)
        yield opened


def seen(cloud: LocalCloud, name: str) -> list[Any]:
    """What a function printed after ``seen``, as JSON."""
    return [json.loads(line[5:]) for line in cloud.logs(name) if line.startswith("seen ")]


def bodies(cloud: LocalCloud, url: str) -> list[Any]:
    found, sqs = [], cloud.client("sqs")
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        found += [json.loads(message["Body"]) for message in messages]
    return found


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


def test_user_api(cloud: LocalCloud) -> None:
    app = cloud.deploy(SAMPLES / "user_api")
    url, users = app["Url"], cloud.client("cognito-idp")
    who = {"ClientId": app["ClientId"], "Password": "Secret-123"}
    users.sign_up(
        **who, Username="a@example.com", UserAttributes=[{"Name": "email", "Value": "a@example.com"}]
    )
    asked = {"USERNAME": "a@example.com", "PASSWORD": "Secret-123"}
    auth = users.initiate_auth(ClientId=app["ClientId"], AuthFlow="USER_PASSWORD_AUTH", AuthParameters=asked)
    tokens = auth["AuthenticationResult"]

    def get(path: str, **headers: str) -> tuple[int, Any]:
        answer = requests.get(url + path, headers=headers, timeout=30)
        return answer.status_code, answer.json()

    assert get("/") == (200, {"hello": "world"})
    assert get("/me") == (401, {"message": "Unauthorized"})
    mine = get("/me", Authorization="Bearer " + tokens["AccessToken"])
    assert mine == (200, {"scopes": ["aws.cognito.signin.user.admin"], "use": "access"})
    assert get("/me", Authorization=tokens["IdToken"])[0] == 403
    assert get("/tenant/a/b", **{"X-Tenant": "t-1"}) == (200, {"tenant": "t-1", "path": "/tenant/a/b"})
    assert get("/tenant/a/b", **{"X-Tenant": "u-1"}) == (403, {"message": "Forbidden"})
    cloud.advance("1h")
    assert get("/me", Authorization=tokens["AccessToken"])[0] == 401
    lines = [json.loads(line) for line in cloud.logs(app["Log"])]
    assert [line["status"] for line in lines] == [200, 401, 200, 403, 200, 403, 401]


def test_feature_flags(cloud: LocalCloud) -> None:
    """A discount that breaks the function reaches half of it, then the alarm takes it back."""
    app = cloud.deploy(SAMPLES / "feature_flags")
    name, api = app["Name"], cloud.client("lambda")

    def ask(tier: str, price: float | None = 10) -> Any:
        event = json.dumps({"tier": tier, "price": price})
        return json.load(api.invoke(FunctionName=name, Payload=event)["Payload"])

    assert ask("premium") == {"premium": True, "price": 10}
    assert ask("standard", None) == {"premium": False, "price": None}
    cloud.deploy(SAMPLES / "feature_flags", Discount="true")
    cloud.advance("3m")
    assert ask("standard") == {"premium": False, "price": 9}
    cloud.deploy(SAMPLES / "feature_flags")
    cloud.advance("3m")
    answers: list[Any] = []
    done: list[bool] = []

    def users() -> None:
        while not done:
            answers.append(ask("standard", None).get("errorType", "fine"))
            cloud.sleep(10)

    running = cloud.spawn(users)
    with pytest.raises(Exception, match="Deployment"):
        cloud.deploy(SAMPLES / "feature_flags", Discount="true")
    cloud.advance("3m")
    done.append(True)
    running.join()
    assert "ValueError" in answers
    assert set(answers[-5:]) == {"fine"}


def test_scaled_table(cloud: LocalCloud) -> None:
    app = cloud.deploy(SAMPLES / "scaled_table")
    table = cloud.resource("dynamodb").Table(app["TableName"])
    for second in range(180):
        with table.batch_writer() as batch:
            for number in range(10):
                batch.put_item(Item={"ArtistId": f"{second}-{number}", "Concert": "c", "TicketSales": "t"})
        cloud.sleep(1)
    cloud.advance("5m")

    def capacity() -> int:
        table.reload()
        return int(table.provisioned_throughput["WriteCapacityUnits"])

    assert 18 <= capacity() <= 22
    cloud.advance("9h")  # past the scheduled action at 18:00
    assert capacity() == 40


def test_scraper(cloud: LocalCloud) -> None:
    app = cloud.deploy(SAMPLES / "scraper")
    cloud.advance("10h")
    told = [json.loads(body["Message"]) for body in bodies(cloud, app["InboxUrl"])]
    assert [each["text"] for each in told] == [
        f"<p>news of the {half}</p>" for half in ("morning", "afternoon")
    ]
    listed = cloud.client("s3").list_objects_v2(Bucket=app["Bucket"])
    assert len(listed["Contents"]) == 2
    versions = cloud.client("ssm").get_parameter_history(Name="/scraper/last")["Parameters"]
    assert [each["Version"] for each in versions] == [1, 2]


def test_encrypted_fan_out(cloud: LocalCloud) -> None:
    app = cloud.deploy(SAMPLES / "encrypted_fan_out")
    s3 = cloud.client("s3")
    for key, body in (("a.csv", b"1\n2"), ("b.txt", b"3"), ("c.csv", b"")):
        s3.put_object(Bucket=app["BucketName"], Key=key, Body=body)
    cloud.settle()
    assert seen(cloud, app["Reader"]) == [["1", "2"]]
    [dead] = bodies(cloud, app["DeadUrl"])
    assert dead["Records"][0]["s3"]["object"]["key"] == "c.csv"


def test_watched(cloud: LocalCloud) -> None:
    app = cloud.deploy(SAMPLES / "watched")
    api = cloud.client("lambda")
    for number in range(30):
        bad = 10 <= number < 16 and number % 2
        event = {"id": number, "took": 90 + number, "bad": bad, "lost": number == 20}
        api.invoke(FunctionName=app["Name"], Payload=json.dumps(event))
        cloud.sleep(30)
    cloud.advance("10m")
    mails = [json.loads(body["Message"]) for body in bodies(cloud, app["InboxUrl"])]
    states = [(mail["AlarmName"], mail["NewStateValue"]) for mail in mails]
    assert states == [("page", "OK"), ("page", "ALARM"), ("page", "OK")]  # two minutes late, so once
    took = cloud.metrics("Shop", "Took", {}, statistic="Maximum", period=3600)
    assert max(value for _, value in took) == 119
    assert seen(cloud, app["Forward"])[-1] == ["ERROR lost payment 20"]
    body = cloud.client("cloudwatch").get_dashboard(DashboardName=app["DashboardName"])["DashboardBody"]
    assert [widget["type"] for widget in json.loads(body)["widgets"]] == ["text", "metric", "alarm", "log"]


def test_stream_metrics(cloud: LocalCloud) -> None:
    app = cloud.deploy(SAMPLES / "stream_metrics")
    clicks = [{"kind": "click", "page": page, "ms": ms} for page, ms in (("a", 10), ("b", 30), ("a", 20))]
    bad = [{"kind": "view"}, {"kind": "click", "page": "a"}]
    cloud.client("kinesis").put_records(
        StreamName=app["StreamName"],
        Records=[{"Data": json.dumps(each).encode(), "PartitionKey": "k"} for each in clicks + bad],
    )
    cloud.settle()
    by_page = {"service": "clicks", "page": "a"}
    assert sum(value for _, value in cloud.metrics("Clicks", "Clicks", by_page)) == 2
    latency = cloud.metrics("Clicks", "Latency", {"service": "clicks"}, statistic="Maximum")
    assert max(value for _, value in latency) == 30
    [failed] = bodies(cloud, app["FailedUrl"])
    assert failed["KinesisBatchInfo"]["batchSize"] == 1


def test_upload_api(cloud: LocalCloud) -> None:
    app = cloud.deploy(SAMPLES / "upload_api")
    s3 = cloud.client("s3")
    for body in (b"hello big world", b"\xff\xfe"):
        given = requests.get(app["APIendpoint"], timeout=30).json()
        put = requests.put(given["uploadURL"], body, headers={"Content-Type": "text/plain"}, timeout=30)
        assert put.status_code == 200
        if body == b"hello big world":
            key = given["Key"]
    refused = requests.put(given["uploadURL"], b"x", headers={"Content-Type": "image/png"}, timeout=30)
    assert refused.status_code == 403
    cloud.settle()
    found = s3.get_object(Bucket=app["ResultsName"], Key=f"short/{key}")
    assert (found["Body"].read(), found["Metadata"]) == (b"HELLO", {"words": "3"})
    assert s3.list_objects_v2(Bucket=app["ResultsName"])["KeyCount"] == 1
    url = cloud.client("sqs").get_queue_url(QueueName=app["FailedUrl"])["QueueUrl"]
    [failed] = bodies(cloud, url)
    assert failed["responsePayload"]["errorType"] == "UnicodeDecodeError"
