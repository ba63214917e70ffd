"""AWS::Kinesis in stacks: created, updated in place or replaced as documented, deleted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from infra.cloud.local.world import World


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    yield world
    world.close()


def apply(world: World, verb: str, **stream: Any) -> dict[str, str]:
    """Create or update the stack; returns its outputs."""
    template = {
        "Resources": {
            "Orders": {"Type": "AWS::Kinesis::Stream", "Properties": stream},
            "Fast": {
                "Type": "AWS::Kinesis::StreamConsumer",
                "Properties": {"ConsumerName": "fast", "StreamARN": {"Fn::GetAtt": ["Orders", "Arn"]}},
            },
            "Policy": {
                "Type": "AWS::Kinesis::ResourcePolicy",
                "Properties": {
                    "ResourceArn": {"Fn::GetAtt": ["Orders", "Arn"]},
                    "ResourcePolicy": {"Version": "2012-10-17", "Statement": []},
                },
            },
        },
        "Outputs": {
            "Name": {"Value": {"Ref": "Orders"}},
            "Consumer": {"Value": {"Ref": "Fast"}},
            "Status": {"Value": {"Fn::GetAtt": ["Fast", "ConsumerStatus"]}},
        },
    }
    cloudformation = world.client("cloudformation")
    getattr(cloudformation, f"{verb}_stack")(StackName="app", TemplateBody=json.dumps(template))
    cloudformation.get_waiter(f"stack_{verb}_complete").wait(StackName="app")
    [stack] = cloudformation.describe_stacks(StackName="app")["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def test_a_stream_and_its_consumer_live_and_die_with_the_stack(world: World) -> None:
    kinesis = world.client("kinesis")
    made = apply(
        world,
        "create",
        ShardCount=2,
        RetentionPeriodHours=48,
        StreamEncryption={"EncryptionType": "KMS", "KeyId": "alias/aws/kinesis"},
    )
    assert made["Name"].startswith("app-Orders-")
    assert (made["Status"], "/consumer/fast:" in made["Consumer"]) == ("ACTIVE", True)

    def shown(name: str) -> tuple[Any, ...]:
        found = kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
        return (
            found["OpenShardCount"],
            found["RetentionPeriodHours"],
            found["EncryptionType"],
            found["StreamModeDetails"]["StreamMode"],
            found["EnhancedMonitoring"][0]["ShardLevelMetrics"],
        )

    assert shown(made["Name"]) == (2, 48, "KMS", "PROVISIONED", [])
    same = apply(world, "update", ShardCount=4, DesiredShardLevelMetrics=["IncomingBytes"])
    assert same == made
    assert shown(made["Name"]) == (4, 24, "NONE", "PROVISIONED", ["IncomingBytes"])
    same = apply(world, "update", StreamModeDetails={"StreamMode": "ON_DEMAND"})
    assert shown(same["Name"]) == (4, 24, "NONE", "ON_DEMAND", [])
    other = apply(world, "update", Name="orders", ShardCount=1)
    assert other["Name"] == "orders"
    assert other["Consumer"] != made["Consumer"]
    world.kernel.settle()
    assert kinesis.list_streams()["StreamNames"] == ["orders"]
    world.client("cloudformation").delete_stack(StackName="app")
    world.kernel.settle()
    assert kinesis.list_streams()["StreamNames"] == []


def test_without_a_number_of_shards_a_stream_is_on_demand(world: World) -> None:
    made = apply(world, "create")
    found = world.client("kinesis").describe_stream_summary(StreamName=made["Name"])
    assert found["StreamDescriptionSummary"]["OpenShardCount"] == 4
