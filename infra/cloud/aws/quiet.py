"""When nothing is in flight any more, as far as an account can tell.

No API says so in one answer. So it is put together: queues that a function polls are empty, no execution
of a state machine runs, no redrive does, and no function has logged anything for a while. Counts of SQS are
approximate and lag, and so do logs: all of it must hold for ``cloud.quiet`` seconds on end.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/confirm-queue-is-empty.html
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from .account import EXPIRED

if TYPE_CHECKING:
    from .cloud import AwsCloud

EVERY = 1.0
"""Seconds between two looks."""
COUNTS = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)
"""Zero together: the queue is empty."""


def wait_until_quiet(cloud: AwsCloud, limit: float) -> None:
    """Return when nothing is in flight. TimeoutError after ``limit`` seconds says what still is."""
    deadline = time.monotonic() + limit
    quiet_since: float | None = None
    logs = _Logs(cloud)
    while True:
        busy = [*_queues(cloud), *_executions(cloud), *_redrives(cloud), *logs.news()]
        now = time.monotonic()
        if busy:
            quiet_since = None
        elif quiet_since is None:
            quiet_since = now
        elif now - quiet_since >= cloud.quiet:
            return
        if now >= deadline:
            still = "; ".join(busy[:5]) or f"quiet for less than {cloud.quiet:g} s"
            raise TimeoutError(f"still in flight after {limit:g} s: {still}")
        cloud.sleep(EVERY)


def polled_queues(cloud: AwsCloud) -> set[str]:
    """ARNs of the queues from which a function of these stacks takes messages."""
    return {
        mapping["EventSourceArn"]
        for function in cloud.deployed.functions
        for page in cloud.client("lambda")
        .get_paginator("list_event_source_mappings")
        .paginate(FunctionName=function)
        for mapping in page["EventSourceMappings"]
        if mapping.get("State") in ("Enabled", "Creating", "Enabling", "Updating")
        and ":sqs:" in mapping.get("EventSourceArn", "")
    }


def counts(sqs: Any, url: str) -> tuple[int, int, int]:
    """(waiting, in flight, delayed) of a queue, approximately."""
    said = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(COUNTS))["Attributes"]
    waiting, in_flight, delayed = (int(said.get(name, 0)) for name in COUNTS)
    return waiting, in_flight, delayed


def _queues(cloud: AwsCloud) -> Iterator[str]:
    """Queues with an enabled mapping that are not empty."""
    sqs = cloud.client("sqs")
    for arn in sorted(polled_queues(cloud)):
        name, owner = arn.split(":")[5], arn.split(":")[4]
        try:
            url = sqs.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=owner)["QueueUrl"]
            waiting, in_flight, delayed = counts(sqs, url)
        except sqs.exceptions.QueueDoesNotExist:
            continue
        if waiting or in_flight or delayed:
            yield f"queue {name}: {waiting} waiting, {in_flight} in flight, {delayed} delayed"


def is_empty(cloud: AwsCloud, queue: str) -> bool:
    """Whether a queue (its name) holds nothing, as far as SQS says. One that is gone is empty."""
    sqs = cloud.client("sqs")
    try:
        url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
        return not any(counts(sqs, url))
    except sqs.exceptions.QueueDoesNotExist:
        return True


def _executions(cloud: AwsCloud) -> Iterator[str]:
    """Running executions of the state machines that were deployed. Express ones cannot be listed."""
    client = cloud.client("stepfunctions")
    for arn in cloud.deployed.physical_ids("AWS::StepFunctions::StateMachine"):
        try:
            running = client.list_executions(stateMachineArn=arn, statusFilter="RUNNING")["executions"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "StateMachineTypeNotSupported":
                raise
            continue
        if running:
            yield f"state machine {arn.rpartition(':')[2]}: {len(running)} executions run"


def _redrives(cloud: AwsCloud) -> Iterator[str]:
    """Message move tasks that run."""
    sqs = cloud.client("sqs")
    for url in cloud.deployed.physical_ids("AWS::SQS::Queue"):
        name = url.rpartition("/")[2]
        arn = f"arn:{cloud.partition}:sqs:{cloud.region}:{cloud.account}:{name}"
        try:
            tasks: list[Any] = sqs.list_message_move_tasks(SourceArn=arn).get("Results", [])
        except ClientError as error:  # not the DLQ of any queue, or gone
            if error.response["Error"]["Code"] in EXPIRED:
                raise
            continue
        if any(task["Status"] == "RUNNING" for task in tasks):
            yield f"messages move from {name}"


class _Logs:
    """Which functions have logged since the last look."""

    def __init__(self, cloud: AwsCloud) -> None:
        self._cloud = cloud
        self._latest: dict[str, int] = {}

    def news(self) -> Iterator[str]:
        client = self._cloud.client("logs")
        for function in self._cloud.deployed.functions:
            group = self._cloud.deployed.log_group(function)
            try:
                streams = client.describe_log_streams(
                    logGroupName=group, orderBy="LastEventTime", descending=True, limit=1
                )["logStreams"]
            except client.exceptions.ResourceNotFoundException:
                continue  # it has never run
            if not streams:
                continue
            start = self._latest.get(function, streams[0].get("lastEventTimestamp", 0))
            events = [
                event
                for page in client.get_paginator("filter_log_events").paginate(
                    logGroupName=group, startTime=start + 1
                )
                for event in page["events"]
            ]
            self._latest[function] = max([start, *(event["timestamp"] for event in events)])
            if events:
                yield f"function {function} runs"
