"""Execution environments over time, concurrency, and the bill."""

from __future__ import annotations

import pytest

from infra.cloud.local.answers import details
from infra.cloud.local.telemetry.cost import cost
from infra.cloud.local.telemetry.gantt import concurrency, environments
from infra.cloud.views.environments import Environment, Span
from infra.cloud.views.prices import prices

from .cloudwatch_world import ORDERS, Scene


def test_environments_with_their_init_and_work() -> None:
    scene = Scene()
    scene.at(1).journal.record(
        "lambda.environment.started", "worker", data={"environment": "e1", "reason": "x"}
    )
    init = {"environment": "e1", "request_id": "r1"}
    scene.at(1.5).journal.record("lambda.init", "worker", duration=500_000, data=init)
    scene.at(3.5).invoked(2, environment="e1", init=0.5)
    scene.at(6).invoked(1, environment="e1", outcome="Timeout", request="r2")
    ended = {"environment": "e1", "reason": "Timeout"}
    scene.at(6).journal.record("lambda.environment.ended", "worker", data=ended)
    scene.at(7).invoked(1, environment="e2", function="other")
    assert environments(scene.journal, scene.us(0), scene.us(10), "worker") == [
        Environment(
            "e1",
            "worker",
            1.0,
            6.0,
            [Span(1.0, 1.5, "init", "r1"), Span(1.5, 3.5, "busy", "r1"), Span(5.0, 6.0, "error", "r2")],
        )
    ]
    assert len(environments(scene.journal, scene.us(0), scene.us(10))) == 2


def test_concurrency_in_steps() -> None:
    scene = Scene()
    scene.at(3).invoked(2, environment="a", init=0.5)
    scene.at(4).invoked(2, environment="b")
    steps = concurrency(scene.journal, scene.us(0), scene.us(5))
    assert (steps.times, steps.values, steps.peak) == ([0, 0.5, 2, 3, 4, 5], [0, 1, 2, 1, 0, 0], 2)
    assert steps.at(2.5) == 2


def test_on_a_fifo_queue_only_messages_cost_more() -> None:
    scene = Scene()
    scene.journal.record("api.sqs.GetQueueAttributes", "https://sqs/1/orders.fifo")
    scene.journal.record("api.sqs.GetQueueAttributes", "https://sqs/1/orders")
    bill = cost(scene.journal, scene.us(0), scene.us(3600))
    assert [(line.item, line.quantity, line.price.usd) for line in bill.lines] == [("other calls", 2, 0.4)]


def test_strong_reads_and_partiql_are_on_the_bill() -> None:
    """Half a unit for an eventually consistent read, one for a strong one, two in a transaction."""
    scene = Scene()
    for operation, params in (
        ("GetItem", {}),
        ("GetItem", {"ConsistentRead": True}),
        ("ExecuteStatement", {"Statement": "SELECT * FROM t WHERE pk = 'a'"}),
        ("ExecuteStatement", {"Statement": "select * from t", "ConsistentRead": True}),
        ("ExecuteStatement", {"Statement": "INSERT INTO t VALUE {'pk': 'a'}"}),
        ("ExecuteTransaction", {"TransactStatements": [{"Statement": "DELETE FROM t"}] * 2}),
        ("BatchExecuteStatement", {"Statements": [{"Statement": "SELECT * FROM t"}] * 2}),
    ):
        scene.journal.record(f"api.dynamodb.{operation}", "t", data=details(operation, params, 1))
    bill = cost(scene.journal, scene.us(0), scene.us(3600))
    assert [(line.item, line.quantity) for line in bill.lines] == [
        ("writes, on demand", 1 + 2 * 2),
        ("reads, on demand", 0.5 + 1 + 0.5 + 1 + 2 * 0.5),
    ]


def test_the_bill_of_a_run() -> None:
    scene = Scene()
    scene.at(0).call(
        "PutMetricAlarm",
        AlarmName="a",
        Namespace="AWS/SQS",
        MetricName="NumberOfMessagesSent",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="ignore",
    )
    scene.send("a", size=100_000)
    scene.send(*(str(number) for number in range(10)), size=10)
    scene.receive("a")
    scene.receive(*(str(number) for number in range(10)))
    scene.receive()
    scene.at(1).invoked(1, init=1, messages=("a",))
    scene.delete("a")
    record = scene.journal.record
    record("esm.batch", "m", data={"queue": ORDERS, "messages": ["a"], "failed": [], "filtered": []})
    for _ in range(4):
        record("api.dynamodb.PutItem", "orders")
    record("api.dynamodb.PutItem", "orders", outcome="ConditionalCheckFailedException")
    record("api.dynamodb.PutItem", "orders", outcome="ProvisionedThroughputExceededException")
    record("api.dynamodb.GetItem", "orders")
    record("api.sqs.GetQueueAttributes", "orders")
    record("api.sqs.SendMessage", "orders")
    record("logs.event", "g", data={"stream": "s", "message": "x" * 1000})
    scene.at(3600)
    bill = cost(scene.journal, scene.us(0), scene.us(3600))
    assert [(line.service, line.item, round(line.quantity, 9)) for line in bill.lines] == [
        ("Lambda", "requests", 1),
        ("Lambda", "duration, x86_64", 1.0),
        ("SQS", "send", 3),
        ("SQS", "receive", 4),
        ("SQS", "delete", 1),
        ("SQS", "other calls", 1),
        ("SQS", "idle polling", 900),
        ("DynamoDB", "writes, on demand", 5),
        ("DynamoDB", "reads, on demand", 0.5),
        ("CloudWatch", "logs ingested", 1e-06),
        ("CloudWatch", "alarms", round(1 / 730, 9)),
    ]
    assert bill.usd == pytest.approx(
        0.2e-6 + 0.0000166667 + 909 * 0.4e-6 + 5 * 0.625e-6 + 0.5 * 0.125e-6 + 0.5e-6 + 0.1 / 730
    )
    assert bill.by_service().keys() == {"Lambda", "SQS", "DynamoDB", "CloudWatch"}
    day = bill.at(1_000_000, measured=11)
    quantities = {line.item: line.quantity for line in day.lines}
    assert quantities["requests"] == pytest.approx(1_000_000 / 11)
    assert quantities["idle polling"] == pytest.approx(900 * 24)
    with pytest.raises(ValueError, match="measured=0"):
        bill.at(1_000_000, measured=0)


def test_every_price_names_its_page_and_date() -> None:
    for name, price in prices().items():
        assert price.usd > 0, name
        assert price.page.startswith("https://aws.amazon.com/"), name
        assert "https://" in price.seen, name
        assert price.date >= "2025", name
