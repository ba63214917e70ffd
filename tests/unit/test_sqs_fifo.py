"""Rules of a FIFO queue, each as a small scenario in virtual time."""

from __future__ import annotations

import pytest

from infra.cloud.local.service import ServiceError
from infra.cloud.local.world import World

from .sqs_tools import Desk

ALL = {"MessageSystemAttributeNames": ["All"]}


@pytest.fixture
def desk(world: World) -> Desk:
    return Desk(world)


@pytest.fixture
def url(desk: Desk) -> str:
    return desk.create("orders.fifo", ContentBasedDeduplication="true", VisibilityTimeout=30)


def test_a_receive_takes_one_group_as_far_as_it_goes_and_then_the_next(desk: Desk, url: str) -> None:
    for group, body in (("a", "a1"), ("b", "b1"), ("a", "a2"), ("c", "c1"), ("b", "b2")):
        desk.send(url, body, MessageGroupId=group)
    assert desk.bodies(url, MaxNumberOfMessages=3) == ["a1", "a2", "b1"]
    assert desk.bodies(url) == ["c1"]  # b2 waits for b1


def test_a_group_is_blocked_until_all_in_flight_are_deleted_or_back(desk: Desk, url: str) -> None:
    for body in ("1", "2", "3"):
        desk.send(url, body, MessageGroupId="a")
    one, two = (message["ReceiptHandle"] for message in desk.receive(url, MaxNumberOfMessages=2))
    desk.do("DeleteMessage", QueueUrl=url, ReceiptHandle=one)
    assert desk.bodies(url) == []
    desk.do("ChangeMessageVisibility", QueueUrl=url, ReceiptHandle=two, VisibilityTimeout=0)
    assert desk.bodies(url) == ["2", "3"]


def test_what_comes_back_comes_before_what_was_sent_later(desk: Desk, url: str) -> None:
    for body in ("1", "2", "3", "4"):
        desk.send(url, body, MessageGroupId="a")
    handles = [message["ReceiptHandle"] for message in desk.receive(url, MaxNumberOfMessages=3)]
    for handle in reversed(handles):
        desk.do("ChangeMessageVisibility", QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=0)
    assert desk.bodies(url) == ["1", "2", "3", "4"]


def test_a_duplicate_within_five_minutes_is_accepted_and_not_delivered(desk: Desk, url: str) -> None:
    first = desk.send(url, "same", MessageGroupId="a")
    desk.do("DeleteMessage", QueueUrl=url, ReceiptHandle=desk.receive(url)[0]["ReceiptHandle"])
    desk.wait(299)
    again = desk.send(url, "same", MessageGroupId="a")
    assert (again["MessageId"], again["SequenceNumber"]) == (first["MessageId"], first["SequenceNumber"])
    assert desk.counts(url) == (0, 0, 0)
    desk.wait(1)  # five minutes from the first send: the duplicate did not prolong them
    third = desk.send(url, "same", MessageGroupId="a")
    assert third["MessageId"] != first["MessageId"]
    assert int(third["SequenceNumber"]) > int(first["SequenceNumber"])
    assert desk.bodies(url) == ["same"]


def test_an_explicit_deduplication_id_comes_before_the_content(desk: Desk, url: str) -> None:
    one = desk.send(url, "same", MessageGroupId="a", MessageDeduplicationId="x")
    two = desk.send(url, "same", MessageGroupId="a", MessageDeduplicationId="y")
    other = desk.send(url, "other", MessageGroupId="b", MessageDeduplicationId="x")
    assert other["MessageId"] == one["MessageId"] != two["MessageId"]
    assert desk.bodies(url) == ["same", "same"]


def test_deduplication_by_group(desk: Desk) -> None:
    url = desk.create(
        "orders.fifo",
        ContentBasedDeduplication="true",
        DeduplicationScope="messageGroup",
        FifoThroughputLimit="perMessageGroupId",
    )
    for group in ("a", "b", "a"):
        desk.send(url, "same", MessageGroupId=group)
    assert desk.bodies(url) == ["same", "same"]


def test_a_sequence_number_has_20_digits_and_grows(desk: Desk, url: str) -> None:
    numbers = [desk.send(url, str(n), MessageGroupId="a")["SequenceNumber"] for n in range(3)]
    assert [len(number) for number in numbers] == [20, 20, 20]
    assert numbers == sorted(set(numbers))
    attributes = desk.receive(url, **ALL)[0]["Attributes"]
    assert attributes["SequenceNumber"] == numbers[0]
    assert attributes["MessageGroupId"] == "a"
    assert len(attributes["MessageDeduplicationId"]) == 64


def test_a_handle_expires_with_the_visibility_timeout(desk: Desk, url: str) -> None:
    desk.send(url, "1", MessageGroupId="a")
    handle = desk.receive(url)[0]["ReceiptHandle"]
    desk.wait(30)
    for operation, more in (("DeleteMessage", {}), ("ChangeMessageVisibility", {"VisibilityTimeout": 9})):
        with pytest.raises(ServiceError) as refusal:
            desk.do(operation, QueueUrl=url, ReceiptHandle=handle, **more)
        assert refusal.value.code == "InvalidParameterValue"
        assert refusal.value.message == (
            f"Value {handle} for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired."
        )
    newer = desk.receive(url)[0]["ReceiptHandle"]
    with pytest.raises(ServiceError, match="has expired"):
        desk.do("DeleteMessage", QueueUrl=url, ReceiptHandle=handle)
    desk.do("DeleteMessage", QueueUrl=url, ReceiptHandle=newer)
    assert desk.counts(url) == (0, 0, 0)


def test_a_message_cannot_have_a_delay_of_its_own(desk: Desk, url: str) -> None:
    with pytest.raises(ServiceError) as refusal:
        desk.send(url, "1", MessageGroupId="a", DelaySeconds=2)
    assert refusal.value.message == (
        "Value 2 for parameter DelaySeconds is invalid. Reason: The request include parameter that is not "
        "valid for this queue type."
    )
    desk.send(url, "1", MessageGroupId="a", DelaySeconds=0)


def test_the_queue_s_delay_is_retroactive(desk: Desk) -> None:
    url = desk.create("orders.fifo", ContentBasedDeduplication="true", DelaySeconds=60)
    desk.send(url, "1", MessageGroupId="a")
    desk.wait(5)
    desk.send(url, "2", MessageGroupId="a")
    desk.do("SetQueueAttributes", QueueUrl=url, Attributes={"DelaySeconds": "8"})
    assert desk.counts(url) == (0, 0, 2)
    desk.wait(3)
    assert desk.counts(url) == (1, 0, 1)
    desk.wait(5)
    assert desk.bodies(url) == ["1", "2"]


def test_the_dead_letter_queue_keeps_the_order_and_begins_a_new_retention_period(desk: Desk) -> None:
    dead = desk.create("dead.fifo", MessageRetentionPeriod=60)
    redrive = f'{{"deadLetterTargetArn": "{desk.queue(dead).arn}", "maxReceiveCount": 1}}'
    url = desk.create(
        "orders.fifo", ContentBasedDeduplication="true", VisibilityTimeout=40, RedrivePolicy=redrive
    )
    for body in ("1", "2"):
        desk.send(url, body, MessageGroupId="a")
    assert desk.bodies(url) == ["1", "2"]
    desk.wait(40)
    desk.send(url, "3", MessageGroupId="a")
    assert desk.bodies(url) == ["3"]
    desk.wait(59)
    assert desk.counts(dead) == (2, 0, 0)
    shown = desk.receive(dead, MaxNumberOfMessages=10, **ALL)
    assert [message["Body"] for message in shown] == ["1", "2"]
    assert [message["Attributes"]["ApproximateReceiveCount"] for message in shown] == ["2", "2"]
    desk.wait(1)
    assert desk.counts(dead) == (0, 0, 0)


def test_purge_forgets_the_deduplication_ids(desk: Desk, url: str) -> None:
    desk.send(url, "1", MessageGroupId="a")
    desk.receive(url)
    desk.do("PurgeQueue", QueueUrl=url)
    desk.send(url, "1", MessageGroupId="a")
    assert desk.bodies(url) == ["1"]


def test_an_expired_message_frees_its_group(desk: Desk) -> None:
    url = desk.create(
        "orders.fifo", ContentBasedDeduplication="true", MessageRetentionPeriod=60, VisibilityTimeout=300
    )
    desk.send(url, "1", MessageGroupId="a")
    desk.receive(url)
    desk.wait(30)
    desk.send(url, "2", MessageGroupId="a")
    assert desk.run(lambda: desk.bodies(url, WaitTimeSeconds=20)) == []
    assert desk.run(lambda: desk.bodies(url, WaitTimeSeconds=20)) == ["2"]
    assert desk.now() == 60


def test_the_same_receive_attempt_returns_the_same_messages(desk: Desk, url: str) -> None:
    for body in ("1", "2"):
        desk.send(url, body, MessageGroupId="a")
    attempt = {"ReceiveRequestAttemptId": "try-1", "MaxNumberOfMessages": 10}
    first = desk.receive(url, **attempt)
    desk.wait(20)
    assert desk.receive(url, **attempt) == first
    desk.wait(20)  # 40 s after the first, but only 20 s after the retry, which began the timeout anew
    assert desk.counts(url) == (0, 2, 0)
    desk.do("DeleteMessage", QueueUrl=url, ReceiptHandle=first[0]["ReceiptHandle"])
    with pytest.raises(ServiceError, match="not retryable"):
        desk.receive(url, **attempt)


def test_many_groups_cost_no_more_than_one(desk: Desk, url: str) -> None:
    for number in range(2000):
        desk.send(url, str(number), MessageGroupId=f"group {number % 500}".replace(" ", "-"))
    received = []
    while messages := desk.receive(url, MaxNumberOfMessages=10):
        received += messages
        for message in messages:
            desk.do("DeleteMessage", QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    by_group: dict[int, list[int]] = {}
    for message in received:
        by_group.setdefault(int(message["Body"]) % 500, []).append(int(message["Body"]))
    assert len(received) == 2000
    assert all(numbers == sorted(numbers) for numbers in by_group.values())
    assert desk.queue(url)._groups == {}  # type: ignore[attr-defined]
