"""The bill of topics, buses, schedules, streams and workflows, line by line."""

from __future__ import annotations

import json

from infra.cloud.local.kernel import SECOND
from infra.cloud.local.telemetry.cost import cost
from infra.cloud.local.world import World

HOUR = 3600 * SECOND


def lines(world: World) -> dict[str, float]:
    bill = cost(world.journal, world.started, world.kernel.now)
    return {f"{line.service} {line.item}": round(line.quantity, 3) for line in bill.lines}


def test_a_batch_of_messages_is_one_request_for_each_64_kb(world: World) -> None:
    sns = world.client("sns")
    topic = sns.create_topic(Name="orders")["TopicArn"]
    entries = [{"Id": str(n), "Message": "x" * 10_000} for n in range(10)]
    sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries)
    sns.publish(TopicArn=topic, Message="small")
    assert lines(world)["SNS requests"] == 3.0


def test_events_that_were_refused_cost_nothing(world: World) -> None:
    good = {"Source": "shop", "DetailType": "Order", "Detail": "{}"}
    world.client("events").put_events(Entries=[good, good, {**good, "Source": "aws.s3"}])
    assert lines(world)["EventBridge events put"] == 2.0


def test_a_stream_costs_by_the_hour_until_it_is_deleted(world: World) -> None:
    kinesis = world.client("kinesis")
    kinesis.create_stream(StreamName="clicks", ShardCount=2)
    world.kernel.advance(HOUR)
    kinesis.put_record(StreamName="clicks", Data=b"x" * 30_000, PartitionKey="a")
    kinesis.delete_stream(StreamName="clicks")
    world.kernel.advance(10 * HOUR)
    found = lines(world)
    assert found["Kinesis PUT payload units"] == 2.0
    assert round(found["Kinesis shard hours"], 1) == 2.0


def test_each_step_of_a_workflow_is_a_transition(world: World) -> None:
    definition = {
        "StartAt": "First",
        "States": {
            "First": {"Type": "Pass", "Next": "Second"},
            "Second": {"Type": "Wait", "Seconds": 1, "Next": "Third"},
            "Third": {"Type": "Succeed"},
        },
    }
    role = world.client("iam").create_role(
        RoleName="states",
        AssumeRolePolicyDocument=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": "states.amazonaws.com"},
                        "Action": "sts:AssumeRole",
                    }
                ],
            }
        ),
    )["Role"]["Arn"]
    states = world.client("stepfunctions")
    machine = states.create_state_machine(name="m", definition=json.dumps(definition), roleArn=role)
    states.start_execution(stateMachineArn=machine["stateMachineArn"])
    world.kernel.settle()
    assert lines(world)["Step Functions state transitions"] == 3.0
