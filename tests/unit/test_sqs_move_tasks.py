"""Redrive tasks: messages leave a dead-letter queue at a rate, in virtual time."""

from __future__ import annotations

from typing import Any

import pytest

from infra.cloud.local.service import ServiceError
from infra.cloud.local.world import World

from .sqs_tools import Desk


class Redrive:
    """Two queues with one dead-letter queue that holds ``messages`` of the first."""

    def __init__(self, world: World, messages: int = 10) -> None:
        self.desk = desk = Desk(world)
        self.dead = desk.create("dead")
        policy = f'{{"deadLetterTargetArn": "{self.arn(self.dead)}", "maxReceiveCount": 1}}'
        self.orders = desk.create("orders", VisibilityTimeout=0, RedrivePolicy=policy)
        self.bills = desk.create("bills", VisibilityTimeout=0, RedrivePolicy=policy)
        self.other = desk.create("other")
        self.fill(self.orders, messages)

    def arn(self, url: str) -> str:
        return self.desk.queue(url).arn

    def fill(self, url: str, messages: int) -> None:
        for number in range(messages):
            self.desk.send(url, f"{url.rsplit('/', 1)[-1]} {number}")
        while self.desk.bodies(url):
            pass

    def begin(self, **params: Any) -> str:
        handle: str = self.desk.do("StartMessageMoveTask", SourceArn=self.arn(self.dead), **params)[
            "TaskHandle"
        ]
        return handle

    def tasks(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.desk.do(
            "ListMessageMoveTasks", SourceArn=self.arn(self.dead), MaxResults=10
        )["Results"]
        return found


@pytest.fixture
def redrive(world: World) -> Redrive:
    return Redrive(world)


def test_without_a_destination_each_message_goes_back_where_it_came_from(redrive: Redrive) -> None:
    desk = redrive.desk
    redrive.fill(redrive.bills, 3)
    started = desk.kernel.now
    redrive.begin()
    assert desk.kernel.settle()
    assert redrive.tasks() == [
        {
            "Status": "COMPLETED",
            "SourceArn": redrive.arn(redrive.dead),
            "ApproximateNumberOfMessagesMoved": 13,
            "ApproximateNumberOfMessagesToMove": 13,
            "StartedTimestamp": started // 1000,
        }
    ]
    assert desk.counts(redrive.dead) == (0, 0, 0)
    assert desk.bodies(redrive.bills) == ["bills 0", "bills 1", "bills 2"]
    assert len(desk.bodies(redrive.orders)) == 10


def test_a_redriven_message_is_a_new_message(redrive: Redrive) -> None:
    desk = redrive.desk
    before = desk.receive(redrive.dead, VisibilityTimeout=0)[0]
    desk.wait(60)
    redrive.begin(DestinationArn=redrive.arn(redrive.other))
    desk.kernel.settle()
    after = desk.receive(redrive.other, MessageSystemAttributeNames=["All"])[0]
    assert after["Body"] == before["Body"]
    assert after["MessageId"] != before["MessageId"]
    assert after["Attributes"]["ApproximateReceiveCount"] == "1"
    assert int(after["Attributes"]["SentTimestamp"]) >= desk.start // 1000 + 60_000
    assert "DeadLetterQueueSourceArn" not in after["Attributes"]
    moved = [data for _, data in desk.journal("sqs.moved") if data["reason"] == "redrive task"]
    assert [(data["to"], len(data["messages"])) for data in moved] == [(redrive.arn(redrive.other), 10)]


def test_the_rate_is_kept_and_a_task_can_be_cancelled(redrive: Redrive) -> None:
    desk = redrive.desk
    handle = redrive.begin(MaxNumberOfMessagesPerSecond=2)
    desk.wait(2)
    assert redrive.tasks()[0] == {
        "Status": "RUNNING",
        "TaskHandle": handle,
        "SourceArn": redrive.arn(redrive.dead),
        "MaxNumberOfMessagesPerSecond": 2,
        "ApproximateNumberOfMessagesMoved": 4,
        "ApproximateNumberOfMessagesToMove": 10,
        "StartedTimestamp": redrive.tasks()[0]["StartedTimestamp"],
    }
    with pytest.raises(ServiceError, match="There is already a task running"):
        redrive.begin()
    assert desk.do("CancelMessageMoveTask", TaskHandle=handle) == {"ApproximateNumberOfMessagesMoved": 4}
    assert redrive.tasks()[0]["Status"] == "CANCELLING"
    desk.kernel.settle()
    assert redrive.tasks()[0]["Status"] == "CANCELLED"
    assert desk.counts(redrive.dead) == (6, 0, 0)
    redrive.begin()
    assert [task["Status"] for task in redrive.tasks()] == ["RUNNING", "CANCELLED"]


def test_500_messages_a_second_at_most(world: World) -> None:
    redrive = Redrive(world, 1000)
    before = redrive.desk.now()
    redrive.begin()
    redrive.desk.kernel.settle()
    assert redrive.desk.now() - before == pytest.approx(2.02)


def test_a_task_fails_when_its_destination_goes_away(redrive: Redrive) -> None:
    desk = redrive.desk
    redrive.begin(DestinationArn=redrive.arn(redrive.other), MaxNumberOfMessagesPerSecond=1)
    desk.wait(3)
    desk.do("DeleteQueue", QueueUrl=redrive.other)
    desk.kernel.settle()
    task = redrive.tasks()[0]
    assert (task["Status"], task["FailureReason"], task["ApproximateNumberOfMessagesMoved"]) == (
        "FAILED",
        "AWS.SimpleQueueService.NonExistentQueue",
        3,
    )
    assert desk.counts(redrive.dead) == (7, 0, 0)


def test_a_message_sent_to_the_dead_letter_queue_directly_has_no_way_back(redrive: Redrive) -> None:
    desk = redrive.desk
    desk.send(redrive.dead, "stray")
    redrive.begin()
    desk.kernel.settle()
    task = redrive.tasks()[0]
    assert (task["Status"], task["FailureReason"]) == ("FAILED", "CouldNotDetermineMessageSource")
    assert desk.bodies(redrive.dead) == ["stray"]


def test_what_cannot_be_a_task(redrive: Redrive) -> None:
    desk = redrive.desk

    def refused(operation: str, **params: Any) -> tuple[str, str, int]:
        with pytest.raises(ServiceError) as refusal:
            desk.do(operation, **params)
        return refusal.value.code, refusal.value.message, refusal.value.status

    dead, other = redrive.arn(redrive.dead), redrive.arn(redrive.other)
    assert refused("StartMessageMoveTask", SourceArn=other) == (
        "InvalidParameterValue",
        "Source queue must be configured as a Dead Letter Queue.",
        400,
    )
    assert refused("StartMessageMoveTask", SourceArn=dead, DestinationArn=other + "x") == (
        "ResourceNotFoundException",
        "The resource that you specified for the DestinationArn parameter doesn't exist.",
        404,
    )
    assert refused("CancelMessageMoveTask", TaskHandle="foobared") == (
        "InvalidParameterValue",
        "Value for parameter TaskHandle is invalid.",
        400,
    )
    handle = redrive.begin()
    desk.kernel.settle()
    assert refused("CancelMessageMoveTask", TaskHandle=handle)[0].endswith("UnsupportedOperation")
