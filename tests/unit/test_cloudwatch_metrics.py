"""Which metric data points follow from which journal entries."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .cloudwatch_world import DEAD, MINUTE, ORDERS, Scene


def test_queue_gauges_are_the_state_at_each_minute() -> None:
    scene = Scene()
    scene.at(10).send("a", "b", "c")
    scene.at(20).send("d", delay=90)
    scene.at(70).receive("a", "b", hide=30)
    scene.at(80).delete("a")
    scene.at(300)
    queue: dict[str, Any] = {"QueueName": "orders"}
    depth = scene.data("AWS/SQS ApproximateNumberOfMessagesVisible", "Maximum", 0, 300, **queue)
    assert depth == {0: 0, 60: 3, 120: 3, 180: 3, 240: 3}
    delayed = scene.data("AWS/SQS ApproximateNumberOfMessagesDelayed", "Maximum", 0, 300, **queue)
    assert delayed == {0: 0, 60: 1, 120: 0, 180: 0, 240: 0}
    scene.at(310).receive("b", "c", "d", hide=200)
    scene.at(400)
    flying = scene.data("AWS/SQS ApproximateNumberOfMessagesNotVisible", "Maximum", 240, 400, **queue)
    assert flying == {240: 0, 300: 0, 360: 3}
    age = scene.data("AWS/SQS ApproximateAgeOfOldestMessage", "Maximum", 0, 400, **queue)
    assert age == {60: 50, 120: 110, 180: 170, 240: 230, 300: 290, 360: 350}


def test_queue_counters_are_zero_where_nothing_happened_while_the_queue_is_active() -> None:
    scene = Scene()
    scene.at(10).send("a", "b", size=300)
    scene.at(130).receive("a", "b")
    scene.at(131).receive()
    scene.at(140).delete("a", "b")
    scene.at(7 * 3600)

    def of(name: str) -> dict[float, float]:
        return scene.data(f"AWS/SQS {name}", "Sum", 0, 240, QueueName="orders")

    assert of("NumberOfMessagesSent") == {0: 2, 60: 0, 120: 0, 180: 0}
    assert of("NumberOfMessagesReceived") == {0: 0, 60: 0, 120: 2, 180: 0}
    assert of("NumberOfMessagesDeleted") == {0: 0, 60: 0, 120: 2, 180: 0}
    assert of("NumberOfEmptyReceives") == {0: 0, 60: 0, 120: 1, 180: 0}
    assert of("SentMessageSize") == {0: 600}
    hours = scene.data(
        "AWS/SQS NumberOfMessagesSent", "SampleCount", 0, 7 * 3600, period=3600, QueueName="orders"
    )
    assert hours == {0: 60, 3600: 60, 7200: 60, 10800: 60, 14400: 60, 18000: 60, 21600: 3}


def test_a_redrive_to_a_dead_letter_queue_does_not_count_as_sent_there_and_resets_the_age() -> None:
    scene = Scene()
    scene.at(10).send("a")
    scene.at(100).move("a")
    scene.at(200)
    dead: dict[str, Any] = {"QueueName": "orders-dlq"}
    assert scene.data("AWS/SQS ApproximateNumberOfMessagesVisible", "Maximum", 0, 200, **dead) == {
        60: 0,
        120: 1,
        180: 1,
    }
    assert scene.data("AWS/SQS NumberOfMessagesSent", "Sum", 0, 200, **dead) == {60: 0, 120: 0, 180: 0}
    assert scene.data("AWS/SQS ApproximateAgeOfOldestMessage", "Maximum", 0, 200, **dead) == {
        120: 20,
        180: 80,
    }


def test_the_age_leaves_out_messages_received_three_times() -> None:
    scene = Scene()
    scene.at(0).send("poison")
    scene.at(30).send("good")
    for count in (1, 2, 3):
        scene.at(60 * count + 1).receive("poison", hide=10, count=count)
    scene.at(300)
    age = scene.data("AWS/SQS ApproximateAgeOfOldestMessage", "Maximum", 0, 300, QueueName="orders")
    assert age == {60: 60, 120: 120, 180: 180, 240: 210}


def test_invocations_carry_the_time_of_the_invocation() -> None:
    scene = Scene()
    scene.at(65).invoked(10)
    scene.at(66).invoked(2, outcome="ValueError")
    scene.at(70).journal.record("lambda.throttle", "worker", data={"invoked_by": "sqs", "reason": "x"})
    scene.at(200)

    def of(name: str, stat: str = "Sum", **dimensions: Any) -> dict[float, float]:
        return scene.data(f"AWS/Lambda {name}", stat, 0, 200, **dimensions)

    assert of("Invocations", FunctionName="worker") == {0: 1, 60: 1}
    assert of("Invocations", FunctionName="worker", Resource="worker") == {0: 1, 60: 1}
    assert of("Invocations") == {0: 1, 60: 1}
    assert of("Invocations", FunctionName="other") == {}
    assert of("Errors", FunctionName="worker") == {0: 0, 60: 1}
    assert of("Throttles", FunctionName="worker") == {60: 1}
    assert of("Duration", "Average", FunctionName="worker") == {0: 10_000, 60: 2_000}


def test_concurrency_is_the_most_that_ran_at_the_same_time_in_each_minute() -> None:
    scene = Scene()
    scene.at(30).invoked(20, environment="a")
    scene.at(40).invoked(20, environment="b", init=5)
    scene.at(200).invoked(150, environment="c")
    scene.at(201).invoked(1, environment="d", function="other")
    of_worker = scene.data("AWS/Lambda ConcurrentExecutions", "Maximum", 0, 300, FunctionName="worker")
    assert of_worker == {0: 2, 60: 1, 120: 1, 180: 1}
    assert scene.data("AWS/Lambda ConcurrentExecutions", "Maximum", 0, 300) == {0: 2, 60: 1, 120: 1, 180: 1}
    assert scene.data("AWS/Lambda UnreservedConcurrentExecutions", "Maximum", 0, 60) == {0: 2}


def test_provisioned_environments_have_their_own_metrics() -> None:
    scene = Scene()
    for name in ("p1", "p2"):
        started = {"environment": name, "reason": "provisioned"}
        scene.at(1).journal.record("lambda.environment.started", "worker", data=started)
    scene.at(30).invoked(5, environment="p1")
    scene.at(31).invoked(5, environment="on-demand")
    function: dict[str, Any] = {"FunctionName": "worker"}
    assert scene.data("AWS/Lambda ProvisionedConcurrentExecutions", "Maximum", 0, 60, **function) == {0: 1}
    assert scene.data("AWS/Lambda ProvisionedConcurrencyUtilization", "Maximum", 0, 60, **function) == {
        0: 0.5
    }
    assert scene.data("AWS/Lambda ClaimedAccountConcurrency", "Maximum", 0, 60) == {0: 3}
    assert scene.data("AWS/Lambda ProvisionedConcurrencyInvocations", "Sum", 0, 60, **function) == {0: 1}
    assert scene.data("AWS/Lambda ProvisionedConcurrencySpilloverInvocations", "Sum", 0, 60, **function) == {
        0: 1
    }


def test_asynchronous_events() -> None:
    scene = Scene()
    scene.at(10).invoked(1, by="async", outcome="ValueError")
    for what, reason, outcome in (
        ("queued", "", "ok"),
        ("dropped", "RetriesExhausted", "ok"),
        ("destination", "destination", "AccessDenied"),
        ("destination", "dead-letter queue", "ok"),
    ):
        data = {"request_id": "r", "attempt": 1, "reason": reason}
        scene.journal.record(f"lambda.async.{what}", "worker", outcome=outcome, data=data)
    function: dict[str, Any] = {"FunctionName": "worker"}
    names = (
        "AsyncEventsReceived",
        "AsyncEventsDropped",
        "AsyncEventAge",
        "DestinationDeliveryFailures",
        "DeadLetterErrors",
    )
    found = [scene.data(f"AWS/Lambda {name}", "Sum", 0, 60, **function)[0] for name in names]
    assert found == [1, 1, 250, 1, 0]


def test_embedded_metrics_in_log_lines() -> None:
    scene = Scene()
    line = {
        "_aws": {
            "Timestamp": scene.us(61.5) // 1000,
            "CloudWatchMetrics": [
                {
                    "Namespace": "Parcel",
                    "Dimensions": [["service"], ["service", "kind"]],
                    "Metrics": [{"Name": "Orders", "Unit": "Count"}],
                }
            ],
        },
        "service": "orders",
        "kind": "gift",
        "Orders": [1, 2],
    }
    scene.at(70)
    for message in (json.dumps(line), json.dumps({**line, "Orders": "many"}), '"_aws" not json', "START"):
        scene.journal.record("logs.event", "/aws/lambda/worker", data={"stream": "s", "message": message})
    assert scene.data("Parcel Orders", "Sum", 0, 120, service="orders") == {60: 3}
    assert scene.data("Parcel Orders", "SampleCount", 0, 120, service="orders", kind="gift") == {60: 2}
    assert scene.data("Parcel Orders", "Sum", 0, 120) == {}


def test_fifteen_days_of_an_idle_queue_cost_little() -> None:
    scene = Scene()
    scene.at(1).send("a")
    scene.at(15 * 86_400)
    scene.cloudwatch.metrics.read(scene.kernel.now)
    days = scene.data(
        "AWS/SQS ApproximateNumberOfMessagesVisible", "Sum", 0, 5 * 86_400, period=86_400, QueueName="orders"
    )
    assert days == {86_400.0 * day: 1439 if day == 0 else 1440 for day in range(5)}
    assert scene.kernel.events == 0


@pytest.mark.parametrize("queue", [ORDERS, DEAD])
def test_queues_do_not_mix(queue: str) -> None:
    scene = Scene()
    scene.at(1).send("a", queue=queue)
    scene.at(61)
    name = queue.rsplit(":", 1)[1]
    found = scene.data("AWS/SQS NumberOfMessagesSent", "Sum", 0, MINUTE / 1e6, QueueName=name)
    assert found == {0: 1}
