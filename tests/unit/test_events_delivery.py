"""From a matched event to its targets: what they get, retries, the dead-letter queue, buses, permissions."""

from __future__ import annotations

import datetime
import json

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.cloud.local.kernel import SECOND
from infra.cloud.local.routes.eventbridge.retries import (
    RetryPolicy,
    backoff,
    exhausted,
)
from infra.cloud.local.routes.retries import DEFAULT_RETRIES
from infra.cloud.local.service import NotSimulated, ServiceError
from infra.cloud.local.world import World

from .events_tools import ACCOUNT, arn, deliveries, messages, put, queue, received, role, rule


def test_what_a_queue_gets(world: World) -> None:
    q = queue(world, "q")
    paths = {"id": "$.detail.id", "gone": "$.detail.gone"}
    rule(
        world,
        "r",
        {"source": ["shop"]},
        {"Arn": q},
        {"Arn": q, "Input": '{"fixed": true}'},
        {"Arn": q, "InputPath": "$.detail.lines[0]"},
        {
            "Arn": q,
            "InputTransformer": {"InputPathsMap": paths, "InputTemplate": '{"id": <id>, "g": <gone>}'},
        },
    )
    id = put(world, {"id": 7, "lines": ["first", "second"]})
    world.kernel.settle()
    event = {
        "version": "0", "id": id, "detail-type": "order", "source": "shop", "account": ACCOUNT,
        "time": "2026-01-05T09:00:00Z", "region": "us-east-1", "resources": [],
        "detail": {"id": 7, "lines": ["first", "second"]},
    }  # fmt: skip
    found = received(world, "q")
    assert sorted(map(json.dumps, found)) == sorted(
        map(json.dumps, [event, {"fixed": True}, "first", {"id": 7, "g": ""}])
    )
    assert list(next(one for one in found if "version" in one)) == list(event)


@pytest.mark.parametrize(
    "time",
    [
        datetime.datetime(2022, 1, 1, 1, 2, 3, 999_000),
        datetime.datetime(2022, 1, 1, 1, 2, 3, tzinfo=datetime.UTC),
        "2022-01-01T01:02:03Z",
        1640998923,
    ],
    ids=str,
)
def test_an_entry_s_own_time_in_seconds(time: object, world: World) -> None:
    rule(world, "r", {"source": ["shop"]}, {"Arn": queue(world, "q"), "InputPath": "$.time"})
    entry = {"Source": "shop", "DetailType": "d", "Detail": "{}", "Time": time}
    world.client("events").put_events(Entries=[entry])
    world.kernel.settle()
    assert received(world, "q") == ["2022-01-01T01:02:03Z"]


def test_a_fifo_queue_needs_its_group(world: World) -> None:
    q = queue(world, "q.fifo")
    rule(world, "r", {"source": ["shop"]}, {"Arn": q, "SqsParameters": {"MessageGroupId": "g"}})
    put(world)
    world.kernel.settle()
    assert [message["Attributes"]["MessageGroupId"] for message in messages(world, "q.fifo")] == ["g"]


def test_without_permission_an_event_goes_to_the_dead_letter_queue_at_once(world: World) -> None:
    world.client("sqs").create_queue(QueueName="closed")
    dead = queue(world, "dead")
    made = rule(
        world, "r", {"source": ["shop"]}, {"Arn": arn("sqs", "closed"), "DeadLetterConfig": {"Arn": dead}}
    )
    id = put(world, {"total": 1})
    world.kernel.settle()
    assert deliveries(world) == [("closed", 1, "NO_PERMISSIONS")]
    (message,) = messages(world, "dead")
    assert json.loads(message["Body"])["id"] == id
    attributes = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
    text = attributes.pop("ERROR_MESSAGE")
    assert attributes == {
        "RULE_ARN": made,
        "TARGET_ARN": arn("sqs", "closed"),
        "ERROR_CODE": "NO_PERMISSIONS",
    }
    assert "not authorized to perform: sqs:sendmessage" in text


def test_a_target_that_is_gone_is_not_retried(world: World) -> None:
    dead = queue(world, "dead")
    function = arn("lambda", "function:gone")
    rule(world, "r", {"source": ["shop"]}, {"Arn": function, "DeadLetterConfig": {"Arn": dead}})
    put(world)
    world.kernel.settle()
    assert [code for _, _, code in deliveries(world)] in (["NO_RESOURCE"], ["NO_PERMISSIONS"])
    assert len(messages(world, "dead")) == 1


@pytest.fixture
def broken(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """Every SendMessage to ``q`` fails on SQS's side."""
    original = world.sqs.operation("SendMessage")

    def send(call):  # type: ignore[no-untyped-def]
        if call.params["QueueUrl"].endswith("/q"):
            raise ServiceError("InternalFailure", "broken", 500)
        return original(call)

    monkeypatch.setitem(world.sqs._operations, "SendMessage", send)
    return world


def test_retries_end_with_their_number(broken: World) -> None:
    q, dead = queue(broken, "q"), queue(broken, "dead")
    target = {"Arn": q, "RetryPolicy": {"MaximumRetryAttempts": 3}, "DeadLetterConfig": {"Arn": dead}}
    rule(broken, "r", {"source": ["shop"]}, target)
    put(broken)
    broken.kernel.settle()
    assert deliveries(broken) == [("q", n, "SDK_CLIENT_ERROR") for n in (1, 2, 3, 4)]
    (message,) = messages(broken, "dead")
    attributes = message["MessageAttributes"]
    assert attributes["EXHAUSTED_RETRY_CONDITION"]["StringValue"] == "MaximumRetryAttempts"
    assert attributes["RETRY_ATTEMPTS"] == {"StringValue": "3", "DataType": "Number"}


def test_retries_end_with_the_event_s_age(broken: World) -> None:
    q, dead = queue(broken, "q"), queue(broken, "dead")
    target = {"Arn": q, "RetryPolicy": {"MaximumEventAgeInSeconds": 60}, "DeadLetterConfig": {"Arn": dead}}
    rule(broken, "r", {"source": ["shop"]}, target)
    started = broken.kernel.now
    put(broken)
    broken.kernel.settle()
    assert broken.kernel.now - started < 61 * SECOND
    (message,) = messages(broken, "dead")
    attributes = message["MessageAttributes"]
    assert attributes["EXHAUSTED_RETRY_CONDITION"]["StringValue"] == "MaximumEventAgeInSeconds"
    assert [attempt for _, attempt, _ in deliveries(broken)] == [1, 2, 3, 4, 5, 6]


def test_the_default_policy_lasts_a_day(broken: World) -> None:
    rule(broken, "r", {"source": ["shop"]}, {"Arn": queue(broken, "q")})
    started = broken.kernel.now
    put(broken)
    broken.kernel.settle()
    assert 170 < len(deliveries(broken)) <= DEFAULT_RETRIES + 1
    assert 22 * 3600 * SECOND < broken.kernel.now - started < 24.1 * 3600 * SECOND


@given(st.integers(1, 500), st.floats(0, 1))
def test_backoff_grows_to_its_limit(retry: int, draw: float) -> None:
    assert 0 < backoff(retry, draw) <= 600 * SECOND
    assert backoff(retry, draw) <= backoff(retry + 1, draw)
    assert exhausted(RetryPolicy(), retry, 0) == ("MaximumRetryAttempts" if retry >= DEFAULT_RETRIES else "")


def test_a_template_that_makes_no_json_is_not_delivered(world: World) -> None:
    q, dead = queue(world, "q"), queue(world, "dead")
    transformer = {"InputPathsMap": {"x": "$.detail"}, "InputTemplate": '{"x": "<x>"}'}
    rule(
        world,
        "r",
        {"source": ["shop"]},
        {"Arn": q, "InputTransformer": transformer, "DeadLetterConfig": {"Arn": dead}},
    )
    put(world, {"a": "b"})
    world.kernel.settle()
    assert received(world, "q") == []
    (message,) = messages(world, "dead")
    assert message["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "INVALID_JSON"


def test_from_bus_to_bus_once(world: World) -> None:
    """The second hop is refused."""
    events = world.client("events")
    q, dead = queue(world, "q"), queue(world, "dead")
    for name in ("second", "third"):
        events.create_event_bus(Name=name)
    forwarder = role(world, "forwarder", "events:PutEvents")
    to = {"RoleArn": forwarder, "DeadLetterConfig": {"Arn": dead}}
    rule(world, "r", {"source": ["shop"]}, {"Arn": arn("events", "event-bus/second"), **to})
    rule(
        world,
        "s",
        {"source": ["shop"]},
        {"Arn": arn("events", "event-bus/third"), **to},
        {"Arn": q},
        bus="second",
    )
    rule(world, "t", {"source": ["shop"]}, {"Arn": q}, bus="third")
    id = put(world, {"n": 1})
    world.kernel.settle()
    (found,) = received(world, "q")
    assert (found["id"], found["detail"]) == (id, {"n": 1})
    (message,) = messages(world, "dead")
    assert message["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "THIRD_ACCOUNT_HOP_DETECTED"


def test_to_another_region(world: World) -> None:
    q = queue(world, "q", "eu-west-1")
    far = arn("events", "event-bus/default", "eu-west-1")
    other = world.client("events", region="eu-west-1")
    other.put_rule(Name="r", EventPattern='{"source": ["shop"]}')
    other.put_targets(Rule="r", Targets=[{"Id": "q", "Arn": q}])
    forwarder = role(world, "forwarder", "events:PutEvents")
    rule(world, "r", {"source": ["shop"]}, {"Arn": far, "RoleArn": forwarder})
    id = put(world)
    world.kernel.settle()
    (found,) = received(world, "q", "eu-west-1")
    assert found["region"] == "us-east-1"
    assert found["id"] != id


def test_to_another_account_its_bus_must_let_it(world: World) -> None:
    far = arn("events", "event-bus/default", account="111122223333")
    bus = world.events.find("default", "us-east-1", "111122223333")
    assert bus is not None
    forwarder = role(world, "forwarder", "events:PutEvents")
    rule(world, "r", {"source": ["shop"]}, {"Arn": far, "RoleArn": forwarder})
    put(world)
    world.kernel.settle()
    allow = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
        "Action": "events:PutEvents",
        "Resource": far,
    }
    world.events.set_policy(bus, {"Version": "2012-10-17", "Statement": [allow]})
    put(world)
    world.kernel.settle()
    assert [outcome for _, _, outcome in deliveries(world)] == ["NO_PERMISSIONS", "ok"]
    arrived = [entry.resource for entry in world.journal.select("events.event")]
    assert arrived[-1] == far


def test_a_client_of_another_account(world: World) -> None:
    """Both sides of a route across accounts; PutEvents to the other's bus is refused until it lets one in."""
    other = world.client("events", account="111122223333")
    audited = queue(world, "audited")
    made = other.put_rule(Name="audit", EventPattern='{"source": ["shop"]}')["RuleArn"]
    assert made == arn("events", "rule/audit", account="111122223333")
    other.put_targets(Rule="audit", Targets=[{"Id": "q", "Arn": audited}])
    assert world.client("events").list_rules()["Rules"] == []
    far = arn("events", "event-bus/default", account="111122223333")
    with pytest.raises(ClientError, match="because no resource-based policy allows the events:PutEvents"):
        put(world, bus=far)
    other.put_permission(Action="events:PutEvents", Principal=ACCOUNT, StatementId="shop")
    put(world, {"n": 1}, bus=far)
    forwarder = role(world, "forwarder", "events:PutEvents")
    rule(world, "to-audit", {"source": ["shop"]}, {"Arn": far, "RoleArn": forwarder})
    put(world, {"n": 2})
    world.kernel.settle()
    assert [(event["account"], event["detail"]["n"]) for event in received(world, "audited")] == [
        (ACCOUNT, 1),
        (ACCOUNT, 2),
    ]
    with pytest.raises(NotSimulated, match="sqs in account 111122223333"):
        world.client("sqs", account="111122223333")


def test_a_role_that_may_not_put_events(world: World) -> None:
    world.client("events").create_event_bus(Name="second")
    target = {"Arn": arn("events", "event-bus/second"), "RoleArn": role(world, "powerless")}
    rule(world, "r", {"source": ["shop"]}, target)
    put(world)
    world.kernel.settle()
    assert [outcome for _, _, outcome in deliveries(world)] == ["NO_PERMISSIONS"]


def test_a_log_group_needs_a_resource_policy(world: World) -> None:
    logs = world.client("logs")
    logs.create_log_group(logGroupName="/aws/events/all")
    target = {"Arn": arn("logs", "log-group:/aws/events/all")}
    template = {"InputPathsMap": {"t": "$.time"}, "InputTemplate": '{"timestamp": <t>, "message": "at <t>"}'}
    rule(world, "r", {"source": ["shop"]}, target, {**target, "InputTransformer": template})
    put(world)
    world.kernel.settle()
    assert [outcome for _, _, outcome in deliveries(world)] == ["NO_PERMISSIONS"] * 2
    allow = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": arn("logs", "log-group:/aws/events/*:*"),
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    logs.put_resource_policy(policyName="events", policyDocument=document)
    id = put(world)
    world.kernel.settle()
    lines = world.logs.lines("/aws/events/all")
    assert "at 2026-01-05T09:00:00Z" in lines
    assert [json.loads(line)["id"] for line in lines if line.startswith("{")] == [id]


def test_a_trace_goes_on(world: World) -> None:
    q = queue(world, "q")
    rule(world, "r", {"source": ["shop"]}, {"Arn": q})
    entry = {
        "Source": "shop",
        "DetailType": "d",
        "Detail": "{}",
        "TraceHeader": "Root=1-6789abcd-000000000000000000000001;Parent=53995c3f42cd8ad8;Sampled=1",
    }
    world.client("events").put_events(Entries=[entry])
    world.kernel.settle()
    root = "1-6789abcd-000000000000000000000001"
    for what in ("events.event", "events.delivery", "api.sqs.SendMessage"):
        assert next(world.journal.select(what)).trace == root, what


def test_metrics(world: World) -> None:
    q = queue(world, "q")
    world.client("sqs").create_queue(QueueName="closed")
    world.client("events").create_event_bus(Name="orders")
    rule(world, "good", {"source": ["shop"]}, {"Arn": q}, bus="orders")
    rule(world, "bad", {"source": ["shop"]}, {"Arn": arn("sqs", "closed")}, bus="orders")
    for _ in range(3):
        put(world, bus="orders")
    put(world, source="none", bus="orders")
    world.kernel.settle()

    def total(metric: str, **dimensions: str) -> float:
        answer = world.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/Events",
            MetricName=metric,
            Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
            StartTime=world.datetime(world.started),
            EndTime=world.datetime(world.started + 3600 * SECOND),
            Period=3600,
            Statistics=["Sum"],
        )
        return sum(point["Sum"] for point in answer["Datapoints"])

    good, bad = {"EventBusName": "orders", "RuleName": "good"}, {"EventBusName": "orders", "RuleName": "bad"}
    assert total("TriggeredRules", **good) == total("MatchedEvents", **good) == 3
    assert total("Invocations", **good) == total("SuccessfulInvocationAttempts", **good) == 3
    assert total("FailedInvocations", **bad) == 3
    assert total("FailedInvocations", **good) == 0
    assert total("InvocationsCreated") == total("TriggeredRules") == 6
    assert total("MatchedEvents") == 3
    assert total("PutEventsApproximateCallCount") == total("PutEventsEntriesCount") == 4


def test_the_same_seed_gives_the_same_journal() -> None:
    def run(seed: int) -> str:
        world = World(seed=seed)
        rule(world, "r", {"source": ["shop"]}, {"Arn": queue(world, "q")})
        for n in range(5):
            put(world, {"n": n})
        world.kernel.settle()
        found = world.journal.fingerprint()
        world.close()
        return found

    assert run(1) == run(1) != run(2)


def test_at_least_once(world: World) -> None:
    """The fault ``duplicate`` delivers an event to a target twice, with the same id."""
    made = rule(world, "r", {"source": ["shop"]}, {"Arn": queue(world, "q")})
    with world.faults(made, duplicate=1.0):
        id = put(world)
        world.kernel.settle()
    assert [event["id"] for event in received(world, "q")] == [id, id]


def test_a_topic_a_stream_and_a_state_machine(world: World) -> None:
    topic = world.client("sns").create_topic(Name="t")["TopicArn"]
    allow = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": topic,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    sns = world.client("sns")
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)
    kinesis = world.client("kinesis")
    kinesis.create_stream(StreamName="s", ShardCount=1)
    world.kernel.settle()
    machines = world.client("stepfunctions")
    definition = json.dumps({"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}})
    allowed = role(world, "allowed", "kinesis:PutRecord", "states:StartExecution")
    machine = machines.create_state_machine(name="m", definition=definition, roleArn=allowed)[
        "stateMachineArn"
    ]
    rule(
        world,
        "r",
        {"source": ["shop"]},
        {"Arn": topic},
        {
            "Arn": arn("kinesis", "stream/s"),
            "RoleArn": allowed,
            "KinesisParameters": {"PartitionKeyPath": "$.detail.customer"},
        },
        {"Arn": machine, "RoleArn": allowed, "InputPath": "$.detail"},
    )
    id = put(world, {"customer": "ada"})
    world.kernel.settle()
    assert sorted(outcome for _, _, outcome in deliveries(world)) == ["ok", "ok", "ok"]
    (execution,) = machines.list_executions(stateMachineArn=machine)["executions"]
    assert execution["name"].startswith(f"{id}_")
    described = machines.describe_execution(executionArn=execution["executionArn"])
    assert json.loads(described["output"]) == {"customer": "ada"}
    shard = kinesis.list_shards(StreamName="s")["Shards"][0]["ShardId"]
    iterator = kinesis.get_shard_iterator(StreamName="s", ShardId=shard, ShardIteratorType="TRIM_HORIZON")[
        "ShardIterator"
    ]
    (record,) = kinesis.get_records(ShardIterator=iterator)["Records"]
    assert (record["PartitionKey"], json.loads(record["Data"])["id"]) == ("ada", id)


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 1000), st.floats(0.1, 0.8), st.integers(0, 4))
def test_nothing_is_lost(seed: int, rate: float, retries: int) -> None:
    """Whatever fails: an event reaches its target or, after its retries, the dead-letter queue."""
    world = World(seed=seed)
    q, dead = queue(world, "q"), queue(world, "dead")
    target = {"Arn": q, "RetryPolicy": {"MaximumRetryAttempts": retries}, "DeadLetterConfig": {"Arn": dead}}
    rule(world, "r", {"source": ["shop"]}, target)

    with world.faults("https://sqs.us-east-1.amazonaws.com/123456789012/q", error=rate):
        ids = [put(world, {"n": n}) for n in range(8)]
        world.kernel.settle()
    arrived = [event["id"] for event in received(world, "q")]
    buried = [event["id"] for event in received(world, "dead")]
    world.close()
    assert sorted(arrived + buried) == sorted(ids)
    assert all(attempt <= retries + 1 for _, attempt, _ in deliveries(world))
