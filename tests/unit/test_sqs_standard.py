"""Rules of a standard queue, each as a small scenario in virtual time."""

from __future__ import annotations

import pytest

from infra.cloud.local.kernel import SECOND
from infra.cloud.local.service import ServiceError
from infra.cloud.local.world import World

from .sqs_tools import Desk

ALL = {"MessageSystemAttributeNames": ["All"]}


@pytest.fixture
def desk(world: World) -> Desk:
    return Desk(world)


def test_a_message_is_hidden_for_the_visibility_timeout_and_then_comes_back(desk: Desk) -> None:
    url = desk.create(VisibilityTimeout=30)
    sent = desk.send(url, "one")
    first = desk.receive(url, **ALL)[0]
    assert first["MessageId"] == sent["MessageId"]
    desk.wait(29.999999)
    assert desk.receive(url) == []
    desk.wait(0.000001)
    second = desk.receive(url, **ALL)[0]
    assert second["ReceiptHandle"] != first["ReceiptHandle"]
    assert second["Attributes"]["ApproximateReceiveCount"] == "2"
    for name in ("SentTimestamp", "ApproximateFirstReceiveTimestamp", "SenderId"):
        assert second["Attributes"][name] == first["Attributes"][name]


def test_the_journal_tells_the_whole_life_of_a_message(desk: Desk) -> None:
    url = desk.create(VisibilityTimeout=30)
    start = desk.kernel.now
    name = desk.send(url, "héllo")["MessageId"]
    desk.wait(1)
    handle = desk.receive(url)[0]["ReceiptHandle"]
    desk.do("ChangeMessageVisibility", QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=5)
    desk.wait(5)
    handle = desk.receive(url)[0]["ReceiptHandle"]
    desk.do("DeleteMessage", QueueUrl=url, ReceiptHandle=handle)
    assert desk.receive(url) == []
    second = SECOND
    assert [(entry.what, entry.time - start, entry.data) for entry in desk.world.journal.entries] == [
        ("sqs.sent", 0, {"messages": [[name, start, 6]]}),
        (
            "sqs.received",
            1 * second,
            {"messages": [[name, 1, start + 31 * second]], "poller": "notebook"},
        ),
        ("sqs.visibility", 1 * second, {"messages": [[name, start + 6 * second]]}),
        (
            "sqs.received",
            6 * second,
            {"messages": [[name, 2, start + 36 * second]], "poller": "notebook"},
        ),
        ("sqs.deleted", 6 * second, {"messages": [name]}),
        ("sqs.received", 6 * second, {"messages": [], "poller": "notebook"}),
    ]


def test_delays_of_the_queue_and_of_the_message(desk: Desk) -> None:
    url = desk.create(DelaySeconds=10)
    desk.send(url, "queue's delay")
    desk.send(url, "own delay", DelaySeconds=5)
    desk.send(url, "none", DelaySeconds=0)
    assert desk.counts(url) == (1, 0, 2)
    assert desk.bodies(url) == ["none"]
    desk.wait(5)
    assert desk.bodies(url) == ["own delay"]
    desk.wait(5)
    assert desk.bodies(url) == ["queue's delay"]


def test_messages_expire_at_the_end_of_the_retention_period(desk: Desk) -> None:
    url = desk.create(MessageRetentionPeriod=60, VisibilityTimeout=50)
    old = desk.send(url, "in flight")["MessageId"]
    desk.receive(url)
    older = desk.send(url, "visible")["MessageId"]
    desk.wait(30)
    desk.send(url, "young")
    desk.wait(29.999999)
    assert desk.counts(url) == (3, 0, 0)
    desk.wait(0.000001)
    assert desk.counts(url) == (1, 0, 0)
    assert desk.journal("sqs.expired") == [("sqs.expired", {"messages": [old, older]})]
    assert desk.bodies(url) == ["young"]


def test_lowering_the_retention_period_expires_what_is_older(desk: Desk) -> None:
    url = desk.create()
    desk.send(url)
    desk.wait(120)
    desk.do("SetQueueAttributes", QueueUrl=url, Attributes={"MessageRetentionPeriod": "60"})
    assert desk.counts(url) == (0, 0, 0)


def test_changing_visibility_to_zero_makes_it_visible_at_once(desk: Desk) -> None:
    url = desk.create()
    desk.send(url)
    handle = desk.receive(url)[0]["ReceiptHandle"]
    assert desk.receive(url) == []
    desk.do("ChangeMessageVisibility", QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=0)
    assert desk.bodies(url) == ["hello"]


def test_visibility_cannot_exceed_12_hours_from_the_receive(desk: Desk) -> None:
    url = desk.create()
    desk.send(url)
    handle = desk.receive(url, VisibilityTimeout=43_200)[0]["ReceiptHandle"]
    desk.wait(3600)
    with pytest.raises(ServiceError) as refusal:
        desk.do("ChangeMessageVisibility", QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=39_601)
    assert refusal.value.message == (
        "Value 39601 for parameter VisibilityTimeout is invalid. Reason: Total VisibilityTimeout for the "
        "message is beyond the limit [43200 seconds]"
    )
    desk.do("ChangeMessageVisibility", QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=39_600)


def test_a_handle_works_after_the_timeout_and_after_another_receive(desk: Desk) -> None:
    url = desk.create(VisibilityTimeout=1)
    desk.send(url, "a")
    desk.send(url, "b")
    first = {
        message["Body"]: message["ReceiptHandle"] for message in desk.receive(url, MaxNumberOfMessages=2)
    }
    desk.wait(2)
    desk.do("DeleteMessage", QueueUrl=url, ReceiptHandle=first["a"])  # visible again
    assert desk.bodies(url) == ["b"]
    desk.do("DeleteMessage", QueueUrl=url, ReceiptHandle=first["b"])  # in flight under a newer handle
    desk.do("DeleteMessage", QueueUrl=url, ReceiptHandle=first["b"])  # gone: succeeds as well
    assert desk.counts(url) == (0, 0, 0)


def test_changing_visibility_of_what_is_visible_does_nothing_and_of_what_is_gone_fails(desk: Desk) -> None:
    url = desk.create(VisibilityTimeout=1)
    desk.send(url)
    handle = desk.receive(url)[0]["ReceiptHandle"]
    desk.wait(2)
    desk.do("ChangeMessageVisibility", QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=60)
    assert desk.counts(url) == (1, 0, 0)
    desk.do("DeleteMessage", QueueUrl=url, ReceiptHandle=handle)
    with pytest.raises(ServiceError, match="Message does not exist or is not available for visibility"):
        desk.do("ChangeMessageVisibility", QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=60)


def test_what_comes_back_keeps_its_place_until_its_third_receive(desk: Desk) -> None:
    url = desk.create(VisibilityTimeout=0)
    for body in ("poison", "b", "c"):
        desk.send(url, body)
    seen = [desk.receive(url)[0]["Body"] for _ in range(7)]
    assert seen == ["poison", "poison", "poison", "b", "b", "b", "c"]


def test_a_message_moves_to_the_dead_letter_queue_instead_of_the_receive_too_many(desk: Desk) -> None:
    dead = desk.create("dead")
    redrive = f'{{"deadLetterTargetArn": "{desk.queue(dead).arn}", "maxReceiveCount": 2}}'
    url = desk.create("orders", VisibilityTimeout=10, RedrivePolicy=redrive)
    name = desk.send(url, "bad")["MessageId"]
    sent = desk.kernel.now
    for _ in range(2):
        assert desk.bodies(url) == ["bad"]
        desk.wait(10)
    desk.send(url, "good")
    assert desk.bodies(url) == ["good"]
    assert desk.journal("sqs.moved") == [
        (
            "sqs.moved",
            {
                "to": desk.queue(dead).arn,
                "messages": [name],
                "receive_counts": [2],
                "reason": "maxReceiveCount",
            },
        )
    ]
    attributes = desk.receive(dead, **ALL)[0]["Attributes"]
    assert attributes["ApproximateReceiveCount"] == "3"
    assert attributes["DeadLetterQueueSourceArn"] == desk.queue(url).arn
    assert attributes["SentTimestamp"] == str(sent // 1000)  # retention goes on from the first enqueue


def test_the_original_time_counts_for_the_retention_in_a_dead_letter_queue(desk: Desk) -> None:
    dead = desk.create("dead", MessageRetentionPeriod=60)
    redrive = f'{{"deadLetterTargetArn": "{desk.queue(dead).arn}", "maxReceiveCount": 1}}'
    url = desk.create("orders", VisibilityTimeout=30, RedrivePolicy=redrive)
    desk.send(url, "bad")
    desk.receive(url)
    desk.wait(40)
    assert desk.receive(url) == []
    assert desk.counts(dead) == (1, 0, 0)
    desk.wait(20)
    assert desk.counts(dead) == (0, 0, 0)


def test_without_its_dead_letter_queue_a_message_stays(desk: Desk) -> None:
    dead = desk.create("dead")
    redrive = f'{{"deadLetterTargetArn": "{desk.queue(dead).arn}", "maxReceiveCount": 1}}'
    url = desk.create("orders", VisibilityTimeout=0, RedrivePolicy=redrive)
    desk.send(url)
    desk.do("DeleteQueue", QueueUrl=dead)
    for _ in range(3):
        assert desk.bodies(url, MaxNumberOfMessages=1) == ["hello"]


def test_at_most_120_000_messages_are_in_flight(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.cloud.local.stores.sqs.queue.MAX_IN_FLIGHT", 3)
    url = desk.create()
    for _ in range(5):
        desk.send(url)
    assert len(desk.receive(url, MaxNumberOfMessages=10)) == 3
    with pytest.raises(ServiceError) as refusal:
        desk.receive(url)
    assert (refusal.value.code, refusal.value.status) == ("OverLimit", 403)


def test_purge_empties_the_queue_once_a_minute(desk: Desk) -> None:
    url = desk.create()
    desk.send(url)
    desk.send(url, DelaySeconds=60)
    desk.send(url)
    desk.receive(url)
    desk.do("PurgeQueue", QueueUrl=url)
    assert desk.counts(url) == (0, 0, 0)
    assert desk.journal("sqs.purged") == [("sqs.purged", {"messages": 3})]
    with pytest.raises(ServiceError) as refusal:
        desk.do("PurgeQueue", QueueUrl=url)
    assert refusal.value.code == "AWS.SimpleQueueService.PurgeQueueInProgress"
    assert refusal.value.message == "Only one PurgeQueue operation on orders is allowed every 60 seconds."
    desk.wait(60)
    desk.do("PurgeQueue", QueueUrl=url)


def test_a_duplicate_is_delivered_once_more_by_itself(desk: Desk) -> None:
    url = desk.create()
    name = desk.send(url)["MessageId"]
    with desk.world.faults(duplicate=1.0, on=desk.queue(url).arn):
        first = desk.receive(url)[0]
        desk.do("DeleteMessage", QueueUrl=url, ReceiptHandle=first["ReceiptHandle"])
        second = desk.receive(url)[0]
        assert desk.receive(url) == []
    assert second["MessageId"] == name
    assert second["ReceiptHandle"] != first["ReceiptHandle"]
    desk.do("DeleteMessage", QueueUrl=url, ReceiptHandle=second["ReceiptHandle"])
    assert desk.counts(url) == (0, 0, 0)
    assert desk.journal("sqs.duplicate") == [("sqs.duplicate", {"message": name})]


def test_reordering_loses_nothing(desk: Desk) -> None:
    url = desk.create()
    sent = [f"{number:03}" for number in range(100)]
    for body in sent:
        desk.send(url, body)
    with desk.world.faults(reorder=1.0, on=desk.queue(url).arn):
        got = [body for _ in range(10) for body in desk.bodies(url)]
    assert got != sent
    assert sorted(got) == sent
