"""Public designs with tokens, configuration, scaling, keys, alarms and uploads, each deployed and used.

The templates under ``tests/samples`` are ours, in the shape of the tutorial or pattern that each names.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
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
