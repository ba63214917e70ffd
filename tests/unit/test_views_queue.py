"""Queue depth, latency and what became of messages, from the journal."""

from __future__ import annotations

import pytest

from infra.cloud.local.telemetry.latency import latency, messages, throughput
from infra.cloud.local.telemetry.queue_depth import queue_depth
from infra.cloud.views.messages import Attempt, Fates, fates

from .cloudwatch_world import DEAD, ORDERS, Scene


def story() -> Scene:
    """a is processed at once; b fails, comes back and is processed; c is poison and becomes a dead letter;
    d is delayed and still there."""
    scene = Scene()
    scene.at(1).send("a", "b", "c")
    scene.at(2).send("d", delay=1000)
    scene.at(3).receive("a", "b", "c", hide=10)
    scene.at(5).invoked(1.5, messages=("a", "b", "c"), request="r1")
    scene.at(5).delete("a")
    batch = {
        "function": "worker",
        "queue": ORDERS,
        "messages": ["a", "b", "c"],
        "failed": ["b", "c"],
        "filtered": [],
    }
    scene.journal.record("esm.batch", "m-1", data=batch)
    scene.at(13).receive("b", "c", hide=10, count=2)
    scene.at(15).invoked(1, messages=("b", "c"), outcome="ValueError", request="r2")
    scene.at(23).receive("b", hide=10, count=3)
    scene.move("c")
    scene.at(24).invoked(0.5, messages=("b",), request="r3")
    scene.at(24.25).delete("b")
    return scene


def test_queue_depth_is_exact() -> None:
    scene = story()
    depth = queue_depth(scene.journal, "orders", scene.us(0), scene.us(30))
    assert list(
        zip(depth.times, depth.visible, depth.in_flight, depth.delayed, depth.oldest, strict=True)
    ) == [
        (0.0, 0, 0, 0, None),
        (1.0, 3, 0, 0, 1.0),
        (2.0, 3, 0, 1, 1.0),
        (3.0, 0, 3, 1, 1.0),
        (5.0, 0, 2, 1, 1.0),
        (13.0, 0, 2, 1, 1.0),
        (23.0, 0, 1, 1, 1.0),
        (24.25, 0, 0, 1, 2.0),
        (30.0, 0, 0, 1, 2.0),
    ]
    assert (depth.peak, depth.at(4), depth.oldest_age) == (4, (0, 3, 1), 28.0)
    times, ages = depth.age()
    assert list(zip(times, ages, strict=True))[-3:] == [(24.25, 23.25), (24.25, 22.25), (30.0, 28.0)]
    dead = queue_depth(scene.journal, DEAD, scene.us(20), scene.us(30))
    assert (dead.times, dead.visible, dead.oldest) == ([0.0, 3.0, 10.0], [0, 1, 1], [None, 3.0, 3.0])


def test_depth_shows_a_visibility_timeout_that_just_ends() -> None:
    scene = Scene()
    scene.at(0).send("a")
    scene.at(10).receive("a", hide=5)
    depth = queue_depth(scene.journal, ORDERS, scene.us(0), scene.us(60))
    assert (depth.times, depth.visible, depth.in_flight) == ([0, 10, 15, 60], [1, 0, 1, 1], [0, 1, 0, 0])


def test_the_story_of_each_message() -> None:
    scene = story()
    found = {message.id: message for message in messages(scene.journal, ORDERS, scene.us(0), scene.us(30))}
    assert [(one.id, one.sent, one.ended, one.fate, one.receives) for one in found.values()] == [
        ("a", 1.0, 5.0, "processed", 1),
        ("b", 1.0, 24.25, "processed", 3),
        ("c", 1.0, 23.0, "dead-lettered", 2),
        ("d", 2.0, None, "waiting", 0),
    ]
    assert found["b"].attempts == [
        Attempt(5.0, "r1", False),
        Attempt(15.0, "r2", False),
        Attempt(24.0, "r3", True),
    ]
    assert fates(found.values()) == Fates(
        sent=4,
        processed=2,
        dead_lettered=1,
        expired=0,
        purged=0,
        filtered=0,
        waiting=1,
        processed_once=1,
        retried=1,
        succeeded_twice=0,
        attempts=6,
        failed_attempts=4,
    )


def test_latency_counts_what_is_done() -> None:
    scene = story()
    measured = latency(scene.journal, "orders", scene.us(0), scene.us(30))
    assert (measured.sent, measured.values, measured.unfinished) == ([1.0, 1.0], [4.0, 23.25], 2)
    assert measured.percentiles([50, 99]) == {50: 4.0, 99: 23.25}
    with pytest.raises(ValueError, match="no message was processed"):
        latency(scene.journal, DEAD, scene.us(0), scene.us(30)).percentile(50)


def test_duplicates_filtered_expired_and_purged_messages() -> None:
    scene = Scene()
    scene.at(0).send("twice", "filtered", "expired", "purged", "back")
    scene.at(1).invoked(1, messages=("twice",))
    scene.at(2).invoked(1, messages=("twice",), request="r2")
    scene.at(3).delete("twice", "filtered")
    batch = {
        "function": "worker",
        "queue": ORDERS,
        "messages": ["twice"],
        "failed": [],
        "filtered": ["filtered"],
    }
    scene.journal.record("esm.batch", "m-1", data=batch)
    scene.at(4).journal.record("sqs.expired", ORDERS, data={"messages": ["expired"]})
    scene.at(5).move("back")
    scene.at(6).move("back", source=DEAD, to=ORDERS)
    scene.at(7).invoked(1, messages=("back",), request="r3")
    scene.delete("back")
    scene.at(8).journal.record("sqs.purged", ORDERS, data={"messages": 1})
    counted = fates(messages(scene.journal, ORDERS, scene.us(0), scene.us(10)))
    assert (counted.processed, counted.filtered, counted.expired, counted.purged) == (2, 1, 1, 1)
    assert (counted.succeeded_twice, counted.processed_once, counted.dead_lettered) == (1, 1, 0)


def test_throughput_per_bin() -> None:
    scene = story()
    done = throughput(scene.journal, ORDERS, scene.us(0), scene.us(30), 10)
    assert (done.times, done.counts, done.rates) == ([0, 10, 20], [1, 0, 1], [0.1, 0.0, 0.1])
    sent = throughput(scene.journal, ORDERS, scene.us(0), scene.us(30), 10, "sent")
    assert sent.counts == [4, 0, 0]
