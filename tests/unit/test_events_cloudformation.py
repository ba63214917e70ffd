"""AWS::Events in templates: references, updates in place, replacements, what is refused, deletion."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError, WaiterError

from infra.cloud.local.world import World

from .events_tools import arn


def template(**changes: Any) -> str:
    """Every type of EventBridge; ``changes`` sets properties: ``LogicalId__Property`` (None removes it)."""
    resources: dict[str, Any] = {
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "q"}},
        "Bus": {"Type": "AWS::Events::EventBus", "Properties": {"Name": "orders", "Description": "all"}},
        "Policy": {
            "Type": "AWS::Events::EventBusPolicy",
            "Properties": {
                "EventBusName": {"Ref": "Bus"},
                "StatementId": "partner",
                "Action": "events:PutEvents",
                "Principal": "111122223333",
            },
        },
        "Rule": {
            "Type": "AWS::Events::Rule",
            "Properties": {
                "EventBusName": {"Ref": "Bus"},
                "EventPattern": {"source": ["shop"]},
                "Targets": [
                    {"Id": "one", "Arn": {"Fn::GetAtt": ["Queue", "Arn"]}},
                    {"Id": "two", "Arn": {"Fn::GetAtt": ["Queue", "Arn"]}, "InputPath": "$.detail"},
                ],
            },
        },
        "Tick": {
            "Type": "AWS::Events::Rule",
            "Properties": {"Name": "tick", "ScheduleExpression": "rate(1 hour)", "State": "DISABLED"},
        },
        "Archive": {
            "Type": "AWS::Events::Archive",
            "Properties": {"SourceArn": {"Fn::GetAtt": ["Bus", "Arn"]}, "RetentionDays": 7},
        },
        "Connection": {
            "Type": "AWS::Events::Connection",
            "Properties": {
                "AuthorizationType": "BASIC",
                "AuthParameters": {"BasicAuthParameters": {"Username": "ada", "Password": "pw"}},
            },
        },
        "Destination": {
            "Type": "AWS::Events::ApiDestination",
            "Properties": {
                "Name": "shipping",
                "ConnectionArn": {"Fn::GetAtt": ["Connection", "Arn"]},
                "HttpMethod": "POST",
                "InvocationEndpoint": "https://api.example.com/",
                "InvocationRateLimitPerSecond": 5,
            },
        },
    }
    for path, value in changes.items():
        logical_id, name = path.split("__")
        resources[logical_id]["Properties"][name] = value
        if value is None:
            del resources[logical_id]["Properties"][name]
    outputs = {
        "BusRef": {"Ref": "Bus"},
        "BusArn": {"Fn::GetAtt": ["Bus", "Arn"]},
        "RuleRef": {"Ref": "Rule"},
        "RuleArn": {"Fn::GetAtt": ["Rule", "Arn"]},
        "TickRef": {"Ref": "Tick"},
        "ArchiveRef": {"Ref": "Archive"},
        "ArchiveArn": {"Fn::GetAtt": ["Archive", "Arn"]},
        "DestinationRef": {"Ref": "Destination"},
        "DestinationArn": {"Fn::GetAtt": ["Destination", "ArnForPolicy"]},
    }
    return json.dumps(
        {"Resources": resources, "Outputs": {name: {"Value": value} for name, value in outputs.items()}}
    )


def outputs(world: World) -> dict[str, str]:
    stack = world.client("cloudformation").describe_stacks(StackName="s")["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def update(world: World, **changes: Any) -> dict[str, str]:
    formation = world.client("cloudformation")
    formation.update_stack(StackName="s", TemplateBody=template(**changes))
    formation.get_waiter("stack_update_complete").wait(StackName="s")
    return outputs(world)


def test_from_creation_to_deletion(world: World) -> None:
    formation, events = world.client("cloudformation"), world.client("events")
    formation.create_stack(StackName="s", TemplateBody=template())
    formation.get_waiter("stack_create_complete").wait(StackName="s")
    made = outputs(world)
    rule_name = made["RuleRef"].removeprefix("orders|")
    assert made["BusRef"] == "orders"
    assert made["BusArn"] == arn("events", "event-bus/orders")
    assert made["RuleArn"] == arn("events", f"rule/orders/{rule_name}")
    assert made["TickRef"] == "tick"
    assert made["ArchiveArn"] == arn("events", f"archive/{made['ArchiveRef']}")
    assert made["DestinationRef"] == "shipping"
    assert made["DestinationArn"] == arn("events", "api-destination/shipping")
    assert events.describe_rule(Name="tick")["State"] == "DISABLED"
    policy = json.loads(events.describe_event_bus(Name="orders")["Policy"])
    assert [statement["Sid"] for statement in policy["Statement"]] == ["partner"]

    kept = update(
        world,
        Bus__Description="some",
        Rule__EventPattern={"source": ["web"]},
        Rule__Targets=[{"Id": "two", "Arn": {"Fn::GetAtt": ["Queue", "Arn"]}}],
        Archive__RetentionDays=None,
        Archive__EventPattern={"source": ["web"]},
        Destination__InvocationRateLimitPerSecond=9,
        Policy__Principal="444455556666",
    )
    assert kept == made
    assert events.describe_event_bus(Name="orders")["Description"] == "some"
    rule = events.describe_rule(Name=rule_name, EventBusName="orders")
    assert json.loads(rule["EventPattern"]) == {"source": ["web"]}
    targets = events.list_targets_by_rule(Rule=rule_name, EventBusName="orders")["Targets"]
    assert targets == [{"Id": "two", "Arn": arn("sqs", "q")}]
    archive = events.describe_archive(ArchiveName=made["ArchiveRef"])
    assert (archive["RetentionDays"], json.loads(archive["EventPattern"])) == (0, {"source": ["web"]})
    assert events.describe_api_destination(Name="shipping")["InvocationRateLimitPerSecond"] == 9
    policy = json.loads(events.describe_event_bus(Name="orders")["Policy"])
    assert [statement["Principal"] for statement in policy["Statement"]] == [
        {"AWS": "arn:aws:iam::444455556666:root"}
    ]

    replaced = update(world, Rule__Name="shop", Tick__Name="tock")
    assert (replaced["RuleRef"], replaced["TickRef"]) == ("orders|shop", "tock")
    rules = events.list_rules(EventBusName="orders")["Rules"]
    assert [rule["Name"] for rule in rules if "ManagedBy" not in rule] == ["shop"]
    assert [rule["Name"] for rule in events.list_rules()["Rules"]] == ["tock"]

    formation.delete_stack(StackName="s")
    formation.get_waiter("stack_delete_complete").wait(StackName="s")
    assert [bus["Name"] for bus in events.list_event_buses()["EventBuses"]] == ["default"]
    assert events.list_rules()["Rules"] == events.list_archives()["Archives"] == []
    assert events.list_connections()["Connections"] == []
    assert events.list_api_destinations()["ApiDestinations"] == []


def test_a_bad_pattern_rolls_back(world: World) -> None:
    formation = world.client("cloudformation")
    body = template(Rule__EventPattern={"source": [{"starts-with": "shop"}]})
    formation.create_stack(StackName="s", TemplateBody=body)
    with pytest.raises(WaiterError):
        formation.get_waiter("stack_create_complete").wait(StackName="s")
    reasons = [event.get("ResourceStatusReason", "") for event in
               formation.describe_stack_events(StackName="s")["StackEvents"]]  # fmt: skip
    assert any("Unrecognized match type starts-with" in reason for reason in reasons)
    assert [bus["Name"] for bus in world.client("events").list_event_buses()["EventBuses"]] == ["default"]


def test_what_is_not_simulated_is_refused_by_name(world: World) -> None:
    target = {"Id": "e", "Arn": arn("ecs", "cluster/c"), "EcsParameters": {"TaskDefinitionArn": "t"}}
    with pytest.raises((ClientError, NotImplementedError), match=r"Targets\.EcsParameters"):
        world.client("cloudformation").create_stack(
            StackName="s", TemplateBody=template(Rule__Targets=[target])
        )
