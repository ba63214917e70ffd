"""Whole applications from template files: each is deployed, gets an event, and shows its effect at the end.

The templates under ``tests/samples`` are ours; they use SAM and CloudFormation as public samples do.
"""

from __future__ import annotations

import datetime
import json
import shutil
import urllib.request
from collections.abc import Iterator
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


def bodies(cloud: LocalCloud, url: str) -> list[str]:
    """The bodies of what a queue holds, sorted."""
    found, sqs = [], cloud.client("sqs")
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        found += [message["Body"] for message in messages]
    return sorted(found)


def items(cloud: LocalCloud, table: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = cloud.resource("dynamodb").Table(table).scan()["Items"]
    return sorted(found, key=str)


def test_queue_worker(cloud: LocalCloud) -> None:
    app = cloud.deploy(SAMPLES / "queue_worker", Stage="prod")
    for body in ({"kind": "order", "id": "1"}, {"kind": "other", "id": "2"}, {"kind": "order", "id": "bad"}):
        cloud.client("sqs").send_message(QueueUrl=app["QueueUrl"], MessageBody=json.dumps(body))
    cloud.settle()
    assert items(cloud, app["TableName"]) == [{"orderId": "1", "stage": "prod"}]
    assert bodies(cloud, app["FailedUrl"]) == ['{"kind": "order", "id": "bad"}']


def test_topic_fan_out(cloud: LocalCloud) -> None:
    app = cloud.deploy(SAMPLES / "topic_fan_out")
    for message, severity in (("disk full", "high"), ("logged in", "low")):
        attributes = {"severity": {"DataType": "String", "StringValue": severity}}
        cloud.client("sns").publish(TopicArn=app["TopicArn"], Message=message, MessageAttributes=attributes)
    cloud.settle()
    assert bodies(cloud, app["ArchiveUrl"]) == ["disk full", "logged in"]
    assert bodies(cloud, app["AlertsUrl"]) == ["disk full"]


def test_event_rules(cloud: LocalCloud) -> None:
    app = cloud.deploy(SAMPLES / "event_rules")
    for number, total in (("1", 50), ("2", 150)):
        detail = json.dumps({"id": number, "total": total})
        entry = {
            "EventBusName": app["BusName"],
            "Source": "shop",
            "DetailType": "OrderPlaced",
            "Detail": detail,
        }
        cloud.client("events").put_events(Entries=[entry])
    cloud.settle()
    assert [json.loads(body) for body in bodies(cloud, app["LargeUrl"])] == [{"order": "2", "total": 150}]
    seen = [line for line in cloud.logs(app["LogName"]) if "seen" in line]
    assert seen == ['{"seen": "1"}', '{"seen": "2"}']


def test_uploads(cloud: LocalCloud) -> None:
    app = cloud.deploy(SAMPLES / "uploads")
    for key in ("in/two words.txt", "in/picture.png", "out/other.txt"):
        cloud.client("s3").put_object(Bucket=app["BucketName"], Key=key, Body=b"one two three")
    cloud.settle()
    assert items(cloud, app["TableName"]) == [{"id": "in/two words.txt", "words": 3}]


def test_table_changes(cloud: LocalCloud) -> None:
    app = cloud.deploy(SAMPLES / "table_changes")
    table = cloud.resource("dynamodb").Table(app["TableName"])
    table.put_item(Item={"pk": "a", "n": 1})
    table.put_item(Item={"pk": "a", "n": 1})
    table.delete_item(Key={"pk": "a"})
    cloud.settle()
    assert [json.loads(body)["name"] for body in bodies(cloud, app["ChangesUrl"])] == ["INSERT", "REMOVE"]


def test_schedule(cloud: LocalCloud) -> None:
    """Berlin is an hour ahead of UTC in winter: 02:30 there is 01:30 UTC."""
    app = cloud.deploy(SAMPLES / "schedule")
    cloud.advance("24h")
    reports = [line for line in cloud.logs(app["ReportName"]) if line.startswith("report")]
    assert reports == ["report Scheduled Event"] * 24
    events = cloud.world.logs.events(f"/aws/lambda/{app['CleanUpName']}")
    cleaned = [event for event in events if event.message.startswith("clean")]
    assert [event.message.strip() for event in cleaned] == ["clean up nightly"]
    ran = cloud.world.datetime(cleaned[0].time)
    assert ran.replace(second=0, microsecond=0) == datetime.datetime(2026, 1, 6, 1, 30, tzinfo=datetime.UTC)


def test_pipe(cloud: LocalCloud) -> None:
    app = cloud.deploy(SAMPLES / "pipe")
    for body in ({"city": "Kiel"}, {"town": "Plön"}):
        cloud.client("sqs").send_message(QueueUrl=app["SourceUrl"], MessageBody=json.dumps(body))
    cloud.settle()
    assert [json.loads(body) for body in bodies(cloud, app["TargetUrl"])] == [
        {"city": "Kiel", "country": "DE"}
    ]


def test_workflow(cloud: LocalCloud) -> None:
    app = cloud.deploy(SAMPLES / "workflow")
    for number, total in (("1", 20), ("2", 2000)):
        detail = json.dumps({"id": number, "total": total})
        entry = {"Source": "shop", "DetailType": "OrderPlaced", "Detail": detail}
        cloud.client("events").put_events(Entries=[entry])
    cloud.settle()
    expected = [{"id": "1", "state": "charged"}, {"id": "2", "state": "review"}]
    assert items(cloud, app["TableName"]) == expected


def test_clicks(cloud: LocalCloud) -> None:
    app = cloud.deploy(SAMPLES / "clicks")
    records = [
        {"Data": json.dumps({"kind": kind, "count": count}).encode(), "PartitionKey": kind}
        for kind, count in (("page", 2), ("cart", 1), ("page", 3))
    ]
    cloud.client("kinesis").put_records(StreamName=app["StreamName"], Records=records)
    cloud.settle()
    assert bodies(cloud, app["PageUrl"]) == ["5"]
    assert bodies(cloud, app["CartUrl"]) == ["1"]


def test_function_url(cloud: LocalCloud) -> None:
    app = cloud.deploy(SAMPLES / "function_url")
    parameter = cloud.client("ssm").get_parameter(Name=app["ParameterName"])["Parameter"]
    request = urllib.request.Request(parameter["Value"], b'{"id": 7}', {"content-type": "application/json"})
    with urllib.request.urlopen(request) as response:
        assert response.status == 202
        assert list(json.load(response)) == ["id"]
    assert bodies(cloud, app["QueueUrl"]) == ['{"id": 7}']


def test_nested(cloud: LocalCloud) -> None:
    app = cloud.deploy(SAMPLES / "nested", Size=3, stack_name="outer")
    assert (app["Sent"], app["By"]) == ("6", "shop")
    assert bodies(cloud, app["FirstUrl"]) == ["0", "1", "2"]
    exports = cloud.client("cloudformation").list_exports()["Exports"]
    assert [(each["Name"], each["Value"]) for each in exports] == [("outer-sent", "6")]
    cloud.destroy(app)
    stacks = cloud.client("cloudformation").list_stacks()["StackSummaries"]
    assert [stack["StackStatus"] for stack in stacks] == ["DELETE_COMPLETE"] * 3


def test_gradual(cloud: LocalCloud, tmp_path: Path) -> None:
    """A version that only fails for users passes its check, meets a tenth of them, and is taken back."""
    shutil.copytree(SAMPLES / "gradual", tmp_path, dirs_exist_ok=True)
    app = cloud.deploy(tmp_path, stack_name="gradual")
    (tmp_path / "src" / "app.py").write_text(
        "def handler(event, context):\n"
        "    if 'check' not in event: raise KeyError('price')\n"
        "    return {'statusCode': 200}\n"
    )
    answers: list[int] = []
    done: list[bool] = []

    def users() -> None:
        while not done:
            answers.append(requests.get(app["Url"], timeout=30).status_code)
            cloud.sleep(1)

    running = cloud.spawn(users)
    with pytest.raises(Exception, match="Activated alarms: <gradual-Errors-"):
        cloud.deploy(tmp_path, stack_name="gradual")
    seen = len(answers)
    cloud.advance("1m")
    done.append(True)
    running.join()
    assert set(answers[:seen]) == {200, 500}
    assert 0.02 < answers.count(500) / seen < 0.3
    assert set(answers[seen + 3 :]) == {200}
    alias = cloud.client("lambda").get_alias(FunctionName=app["Name"], Name="live")
    assert (alias["FunctionVersion"], alias.get("RoutingConfig")) == ("1", None)
