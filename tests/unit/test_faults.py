"""Faults end to end: what each kind does to a queue, a function and a call, and that each is journaled.

The first tests run on a cloud whose calls take no time, so that every moment is exact.
"""

from __future__ import annotations

import contextlib
import json
from collections import Counter

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from infra.cloud import connect
from infra.stacks.queue_processing import QueueProcessing
from labs.queue_processing.scenario import run
from labs.toolkit import AtOnce

ONCE = Config(retries={"max_attempts": 0})


@pytest.fixture
def cloud():
    with connect("local") as cloud:
        yield cloud


@pytest.fixture
def instant():
    """A cloud whose calls take no time."""
    with connect("local", latency={"*": 0}) as cloud:
        yield cloud


@pytest.fixture
def queue(instant):
    return instant.resource("sqs").create_queue(QueueName="orders", Attributes={"VisibilityTimeout": "30"})


def injected(cloud, **data) -> list[tuple[float, str, dict]]:
    """(second, resource, data) of every fault in the journal whose data include these."""
    return [
        ((entry.time - cloud.world.started) / 1_000_000, entry.resource, entry.data)
        for entry in cloud.world.journal.select("fault.injected")
        if data.items() <= entry.data.items()
    ]


def send(queue, *bodies: str) -> None:
    for body in bodies:
        queue.send_message(MessageBody=body)


def receive_all(queue) -> list[str]:
    """Receive and delete until an answer is empty; the bodies, in the order of their arrival."""
    bodies = []
    while messages := queue.receive_messages(MaxNumberOfMessages=1):
        bodies += [message.body for message in messages]
        for message in messages:
            message.delete()
    return bodies


# -- duplicate -----------------------------------------------------------------------------------


def test_duplicate_1_delivers_each_message_twice_and_no_more(instant, queue):
    send(queue, "a", "b", "c")
    arn = queue.attributes["QueueArn"]
    with instant.faults(duplicate=1.0, on=arn):
        assert receive_all(queue) == ["a", "b", "c", "a", "b", "c"]
    assert injected(instant) == [(0.0, arn, {"kind": "duplicate"})] * 3
    ids = [entry.data["messages"][0][0] for entry in instant.world.journal.select("sqs.sent")]
    assert [entry.data["message"] for entry in instant.world.journal.select("sqs.duplicate")] == ids
    delivered = [
        message[0]
        for entry in instant.world.journal.select("sqs.received")
        for message in entry.data["messages"]
    ]
    assert Counter(delivered) == dict.fromkeys(ids, 2)


def test_duplicate_1_makes_a_function_process_each_order_twice(cloud):
    with cloud.faults(duplicate=1.0):
        result = run(cloud, AtOnce(requests=20))
    assert result.counts == {
        "processed once": 0,
        "processed more than once": 20,
        "in the DLQ": 0,
        "lost": 0,
        "still waiting": 0,
    }
    assert len(injected(cloud, kind="duplicate")) == 20
    processed = Counter(
        message
        for entry in cloud.world.journal.select("lambda.invocation", resource=result.app["WorkerName"])
        for message in entry.data["messages"]
    )
    assert sorted(processed.values()) == [2] * 20


def test_a_fifo_queue_delivers_nothing_twice(instant):
    fifo = instant.resource("sqs").create_queue(
        QueueName="orders.fifo", Attributes={"FifoQueue": "true", "ContentBasedDeduplication": "true"}
    )
    with instant.faults(duplicate=1.0, reorder=1.0):
        for body in "abc":
            fifo.send_message(MessageBody=body, MessageGroupId="one")
        assert receive_all(fifo) == ["a", "b", "c"]
    assert injected(instant) == []


# -- reorder -------------------------------------------------------------------------------------


def test_reorder_changes_the_order_and_loses_nothing(instant, queue):
    bodies = [f"{number:02}" for number in range(20)]
    send(queue, *bodies)
    with instant.faults(reorder=1.0, on="orders"):
        found = receive_all(queue)
    assert found != bodies
    assert sorted(found) == bodies
    assert len(injected(instant, kind="reorder")) == 20


# -- kill ----------------------------------------------------------------------------------------


def test_a_killed_invocation_says_so_and_its_message_comes_back(cloud):
    app = cloud.deploy(QueueProcessing, visibility_timeout=60)
    with cloud.faults(kill=1.0, on=app["WorkerName"]):
        cloud.client("sqs").send_message(
            QueueUrl=app["QueueUrl"], MessageBody=json.dumps({"orderId": "one", "items": ["tea"]})
        )
        cloud.advance("30s")
    cloud.settle()
    killed, ok = cloud.world.journal.select("lambda.invocation", resource=app["WorkerName"])
    assert (killed.outcome, ok.outcome) == ("Killed", "ok")
    assert killed.data["messages"] == ok.data["messages"]
    assert killed.data["environment"] != ok.data["environment"]
    assert [
        (entry.data["environment"], entry.data["reason"])
        for entry in cloud.world.journal.select("lambda.environment.ended", resource=app["WorkerName"])
    ] == [(killed.data["environment"], "Killed")]
    assert [data for _, _, data in injected(cloud)] == [{"kind": "kill"}]
    received = [
        entry.time
        for entry in cloud.world.journal.select("sqs.received", resource=app["QueueArn"])
        if entry.data["messages"]
    ]
    assert received[1] - received[0] == 60_000_000


def test_a_synchronous_caller_of_a_killed_function_sees_an_unhandled_error(cloud):
    app = cloud.deploy(QueueProcessing)
    with cloud.faults(kill=1.0, on=app["WarehouseName"]):
        answer = cloud.client("lambda").invoke(
            FunctionName=app["WarehouseName"], Payload='{"orderId": "one"}'
        )
    assert answer["FunctionError"] == "Unhandled"
    assert json.loads(answer["Payload"].read())["errorType"] == "Runtime.ExitError"


# -- API calls -----------------------------------------------------------------------------------


def test_latency_makes_a_call_longer_by_exactly_that_much(instant, queue):
    with instant.faults(latency="250ms", on="sqs.SendMessage"):
        queue.send_message(MessageBody="late")
        assert instant.elapsed == 0.25
        queue.receive_messages()
        assert instant.elapsed == 0.25
    assert injected(instant) == [
        (0.0, queue.url, {"kind": "latency", "call": "sqs.SendMessage", "us": 250_000})
    ]
    (sent,) = instant.world.journal.select("api.sqs.SendMessage")
    assert (sent.duration, sent.outcome) == (250_000, "ok")


def test_a_rate_strikes_that_share_of_the_calls(instant, queue):
    with instant.faults(latency="1s", rate=0.25, on="sqs"):
        send(queue, *["x"] * 200)
    struck = len(injected(instant, kind="latency"))
    assert instant.elapsed == struck
    assert 30 <= struck <= 70


def test_a_throttled_invoke_is_tried_again_by_the_workers_own_client(cloud):
    """One refusal of the warehouse, and still every order is shipped once."""
    app = cloud.deploy(QueueProcessing)
    with cloud.faults(throttle="0s", on="lambda.Invoke"):
        result = run(cloud, AtOnce(requests=5))
    assert result.count("processed once") == 5
    calls = [
        (entry.actor, entry.outcome, entry.data.get("attempt", 1))
        for entry in cloud.world.journal.select("api.lambda.Invoke")
    ]
    refused = [call for call in calls if call[1] != "ok"]
    assert refused == [(app["WorkerName"], "TooManyRequestsException", 1)]
    assert [call for call in calls if call[2] > 1] == [(app["WorkerName"], "ok", 2)]
    assert [(resource, data) for _, resource, data in injected(cloud)] == [
        (app["WarehouseName"], {"kind": "throttle", "call": "lambda.Invoke"})
    ]


@pytest.mark.parametrize(
    ("service", "call", "kind", "code", "status"),
    [
        ("sqs", "list_queues", "throttle", "RequestThrottled", 403),
        ("dynamodb", "list_tables", "throttle", "ProvisionedThroughputExceededException", 400),
        ("lambda", "list_functions", "throttle", "TooManyRequestsException", 429),
        ("s3", "list_buckets", "throttle", "SlowDown", 503),
        ("cloudformation", "list_stacks", "throttle", "ThrottlingException", 400),
        ("sqs", "list_queues", "error", "ServiceUnavailable", 503),
        ("dynamodb", "list_tables", "error", "InternalServerError", 500),
        ("lambda", "list_functions", "error", "ServiceException", 500),
        ("s3", "list_buckets", "error", "InternalError", 500),
    ],
)
def test_each_service_fails_with_its_own_error(instant, service, call, kind, code, status):
    client = boto3.client(service, config=ONCE)
    with instant.faults(on=service, **{kind: 1.0}), pytest.raises(ClientError) as refused:
        getattr(client, call)()
    response = refused.value.response
    assert (response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]) == (code, status)
    getattr(client, call)()
    assert [data["kind"] for _, _, data in injected(instant)] == [kind]


def test_an_error_strikes_before_the_call_acts(instant, queue):
    client = boto3.client("sqs", config=ONCE)
    with instant.faults(error=1.0, on="sqs.SendMessage"), pytest.raises(ClientError):
        client.send_message(QueueUrl=queue.url, MessageBody="never sent")
    assert receive_all(queue) == []


# -- when and where ------------------------------------------------------------------------------


def test_a_fault_by_time_strikes_the_first_occasion_at_or_after_each_time(instant, queue):
    client = boto3.client("sqs", config=ONCE)
    outcomes = []
    instant.advance("100s")
    with instant.faults(throttle=["5s", "12s"], on="sqs.SendMessage"):
        for _ in range(6):
            try:
                client.send_message(QueueUrl=queue.url, MessageBody="x")
                outcomes.append((instant.elapsed, "ok"))
            except ClientError as error:
                outcomes.append((instant.elapsed, error.response["Error"]["Code"]))
            instant.advance("4s")
    assert outcomes == [
        (100, "ok"),
        (104, "ok"),
        (108, "RequestThrottled"),
        (112, "RequestThrottled"),
        (116, "ok"),
        (120, "ok"),
    ]
    assert [(time, data["kind"]) for time, _, data in injected(instant)] == [
        (108, "throttle"),
        (112, "throttle"),
    ]


def test_a_fault_strikes_only_what_it_is_on(instant, queue):
    other = instant.resource("sqs").create_queue(QueueName="others")
    with instant.faults(duplicate=1.0, on="orders"):
        send(queue, "a")
        send(other, "b")
        assert (receive_all(queue), receive_all(other)) == (["a", "a"], ["b"])


def test_faults_end_with_their_block_even_if_it_fails(instant, queue):
    with contextlib.suppress(ZeroDivisionError), instant.faults(duplicate=1.0, latency="1s"):
        send(queue, "a")
        _ = 1 / 0
    assert not instant.world.faults.active
    before = len(injected(instant))
    send(queue, "b")
    assert receive_all(queue) == ["a", "b"]
    assert len(injected(instant)) == before


def test_an_inner_block_adds_to_the_outer_and_leaves_it_on(instant, queue):
    with instant.faults(latency="1s", on="sqs.SendMessage"):
        with instant.faults(latency="2s", on="sqs.SendMessage"):
            send(queue, "a")
            assert instant.elapsed == 3
        send(queue, "b")
        assert instant.elapsed == 4


def test_a_rate_of_zero_does_nothing_at_all():
    """The journal, and so the fingerprint, is that of a run without faults."""

    def fingerprint(**faults):
        with connect("local", seed=3) as cloud, contextlib.ExitStack() as stack:
            if faults:
                stack.enter_context(cloud.faults(**faults))
            run(cloud, AtOnce(requests=10))
            return cloud.fingerprint()

    assert fingerprint(duplicate=0, reorder=0, kill=0, throttle=0, error=0) == fingerprint()
