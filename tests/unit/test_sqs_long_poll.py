"""Waiting for messages: long polls and the pollers of event source mappings."""

from __future__ import annotations

import pytest

from infra.cloud.local.kernel import SECOND
from infra.cloud.local.service import ServiceError
from infra.cloud.local.world import World

from .sqs_tools import Desk


@pytest.fixture
def desk(world: World) -> Desk:
    return Desk(world)


def test_a_long_poll_returns_empty_after_its_time(desk: Desk) -> None:
    url = desk.create()
    assert desk.run(lambda: desk.receive(url, WaitTimeSeconds=20)) == []
    assert desk.now() == 20


def test_the_queue_s_own_wait_time_is_the_default(desk: Desk) -> None:
    url = desk.create(ReceiveMessageWaitTimeSeconds=7)
    assert desk.run(lambda: desk.receive(url)) == []
    assert desk.now() == 7
    assert desk.run(lambda: desk.receive(url, WaitTimeSeconds=0)) == []
    assert desk.now() == 7


def test_a_long_poll_returns_the_moment_a_message_is_sent(desk: Desk) -> None:
    url = desk.create()
    desk.kernel.call_later(3 * SECOND, lambda: desk.send(url, "now"))
    assert desk.run(lambda: desk.bodies(url, WaitTimeSeconds=20)) == ["now"]
    assert desk.now() == 3


def test_a_long_poll_returns_the_moment_a_message_becomes_visible(desk: Desk) -> None:
    url = desk.create(VisibilityTimeout=12)
    desk.send(url, "again")
    desk.receive(url)
    desk.send(url, "delayed", DelaySeconds=15)
    assert desk.run(lambda: desk.bodies(url, WaitTimeSeconds=20)) == ["again"]
    assert desk.now() == 12
    assert desk.run(lambda: desk.bodies(url, WaitTimeSeconds=20)) == ["delayed"]
    assert desk.now() == 15


def test_waiters_are_served_in_the_order_they_came(desk: Desk) -> None:
    url = desk.create()
    log: list[tuple[str, float, list[str]]] = []

    def poll(name: str, maximum: int) -> None:
        got = desk.bodies(url, MaxNumberOfMessages=maximum, WaitTimeSeconds=20)
        log.append((name, desk.now(), got))

    for name, maximum in (("first", 1), ("second", 2), ("third", 10), ("fourth", 10)):
        desk.kernel.spawn(poll, name, maximum, name=name)
    entries = [{"Id": str(number), "MessageBody": str(number)} for number in range(5)]
    desk.kernel.call_later(2 * SECOND, lambda: desk.do("SendMessageBatch", QueueUrl=url, Entries=entries))
    desk.kernel.settle()
    assert log == [
        ("first", 2, ["0"]),
        ("second", 2, ["1", "2"]),
        ("third", 2, ["3", "4"]),
        ("fourth", 20, []),
    ]


def test_one_message_wakes_one_of_a_thousand_pollers(desk: Desk) -> None:
    url = desk.create()
    queue = desk.queue(url)
    for number in range(1000):
        desk.kernel.spawn(queue.wait_for_messages, name=f"poller {number}")
    desk.kernel.settle()
    before = desk.kernel.events
    desk.send(url)
    desk.kernel.settle()
    assert desk.kernel.events - before == 1


def test_who_waits_for_ever_holds_no_timer_unless_a_message_will_come_back(desk: Desk) -> None:
    url = desk.create(VisibilityTimeout=30)
    queue = desk.queue(url)
    woken: list[float] = []

    def poller() -> None:
        while True:
            queue.wait_for_messages()
            woken.append(desk.now())
            messages = queue.receive(10, None, "poller")
            desk.kernel.sleep(SECOND)
            if messages[0].receive_count == 2:
                queue.delete([message.receipt_handle for message in messages], "poller")

    desk.kernel.spawn(poller, name="poller")
    assert desk.kernel.settle()
    assert desk.now() == 0
    desk.send(url)
    assert desk.kernel.settle()
    assert woken == [0, 30]
    assert desk.now() == 31  # the second receive's visibility timeout would have ended at 60


def test_a_killed_waiter_hands_its_turn_on(desk: Desk) -> None:
    url = desk.create()
    log: list[str] = []

    def poll(name: str) -> None:
        desk.receive(url, WaitTimeSeconds=20)
        log.append(name)

    first = desk.kernel.spawn(poll, "first", name="first")
    desk.kernel.spawn(poll, "second", name="second")

    def send_and_kill() -> None:
        desk.send(url)
        desk.kernel.kill(first)

    desk.kernel.call_later(SECOND, send_and_kill)
    desk.kernel.settle()
    assert log == ["second"]
    assert desk.now() == 1


def test_deleting_the_queue_ends_the_waiting(desk: Desk) -> None:
    url = desk.create()
    desk.kernel.call_later(SECOND, lambda: desk.do("DeleteQueue", QueueUrl=url))
    with pytest.raises(ServiceError, match=r"AWS\.SimpleQueueService\.NonExistentQueue"):
        desk.run(lambda: desk.receive(url, WaitTimeSeconds=20))
    assert desk.now() == 1


def test_a_blocked_fifo_group_wakes_its_waiter_when_it_is_free(desk: Desk) -> None:
    url = desk.create("orders.fifo", ContentBasedDeduplication="true", VisibilityTimeout=30)
    desk.send(url, "1", MessageGroupId="a")
    handle = desk.receive(url)[0]["ReceiptHandle"]
    desk.send(url, "2", MessageGroupId="a")
    desk.kernel.call_later(4 * SECOND, lambda: desk.do("DeleteMessage", QueueUrl=url, ReceiptHandle=handle))
    assert desk.run(lambda: desk.bodies(url, WaitTimeSeconds=20)) == ["2"]
    assert desk.now() == 4
