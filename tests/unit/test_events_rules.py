"""Buses, rules and targets through boto3: what is kept, listed, refused."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.cloud.local.service import NotSimulated
from infra.cloud.local.world import World

from .events_tools import arn, put, queue, received, rule


def refused(call: Any, **params: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as error:
        call(**params)
    shown = error.value.response["Error"]
    return shown["Code"], shown["Message"]


def test_a_rule_from_put_to_delete(world: World) -> None:
    events = world.client("events")
    pattern = '{"source": ["shop"]}'
    events.create_event_bus(Name="orders")
    made = events.put_rule(Name="all", EventPattern=pattern, EventBusName="orders", Description="every")
    assert made["RuleArn"] == arn("events", "rule/orders/all")
    described = events.describe_rule(Name="all", EventBusName="orders")
    described.pop("ResponseMetadata")
    listed = {
        "Name": "all",
        "Arn": made["RuleArn"],
        "EventPattern": pattern,
        "State": "ENABLED",
        "Description": "every",
        "EventBusName": "orders",
    }
    assert described == {**listed, "CreatedBy": "123456789012"}
    assert events.list_rules(EventBusName=arn("events", "event-bus/orders"))["Rules"] == [listed]
    events.disable_rule(Name="all", EventBusName="orders")
    assert events.describe_rule(Name="all", EventBusName="orders")["State"] == "DISABLED"
    target = {"Id": "q", "Arn": arn("sqs", "q")}
    events.put_targets(Rule="all", EventBusName="orders", Targets=[target])
    assert events.list_targets_by_rule(Rule="all", EventBusName="orders")["Targets"] == [target]
    names = events.list_rule_names_by_target(TargetArn=target["Arn"], EventBusName="orders")
    assert names["RuleNames"] == ["all"]
    assert refused(events.delete_rule, Name="all", EventBusName="orders") == (
        "ValidationException",
        "Rule can't be deleted since it has targets.",
    )
    answer = events.remove_targets(Rule="all", EventBusName="orders", Ids=["q", "x"])
    assert (answer["FailedEntryCount"], answer["FailedEntries"][0]["TargetId"]) == (1, "x")
    events.delete_rule(Name="all", EventBusName="orders")
    assert events.list_rules(EventBusName="orders")["Rules"] == []


def test_refusals(world: World) -> None:
    events = world.client("events")
    events.create_event_bus(Name="orders")
    missing = ("ResourceNotFoundException", "Event bus nowhere does not exist.")
    assert refused(events.put_rule, Name="r", EventPattern="{}", EventBusName="nowhere") == missing
    assert refused(events.describe_event_bus, Name="nowhere") == missing
    assert refused(events.create_event_bus, Name="orders") == (
        "ResourceAlreadyExistsException",
        "Event bus orders already exists.",
    )
    assert refused(events.delete_event_bus, Name="default") == (
        "ValidationException",
        "Cannot delete event bus default.",
    )
    assert refused(events.describe_rule, Name="r") == (
        "ResourceNotFoundException",
        "Rule r does not exist on EventBus default.",
    )
    assert refused(events.put_rule, Name="r") == (
        "ValidationException",
        "Parameter(s) EventPattern or ScheduleExpression must be specified.",
    )
    assert refused(events.put_rule, Name="r", ScheduleExpression="rate(1 minute)", EventBusName="orders") == (
        "ValidationException",
        "ScheduleExpression is supported only on the default event bus.",
    )
    code, message = refused(events.put_rule, Name="r", EventPattern='{"a": 1}')
    assert code == "InvalidEventPatternException"
    assert message.startswith('Event pattern is not valid. Reason: "a" must be an object or an array\n at ')
    assert refused(events.put_rule, Name="a b" * 30, EventPattern="{}", State="ON") == (
        "ValidationException",
        f"3 validation errors detected: Value '{'a b' * 30}' at 'name' failed to satisfy constraint: Member "
        f"must have length less than or equal to 64; Value '{'a b' * 30}' at 'name' failed to satisfy "
        "constraint: Member must satisfy regular expression pattern: [\\.\\-_A-Za-z0-9]+; Value 'ON' at "
        "'state' failed to satisfy constraint: Member must satisfy enum value set: [ENABLED, DISABLED, "
        "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS]",
    )


TARGETS = [
    (
        {"Arn": "queue"},
        "Parameter queue is not valid. Reason: Provided Arn is not in correct format.",
    ),
    (
        {"Arn": arn("sqs", "q"), "Input": "{}", "InputPath": "$.detail"},
        "Only one of Input, InputPath, or InputTransformer must be provided for target t.",
    ),
    (
        {"Arn": arn("sqs", "q"), "InputTransformer": {"InputTemplate": '"<x>"'}},
        "InputTemplate for target t contains invalid placeholder x.",
    ),
    (
        {"Arn": arn("sqs", "q"), "InputTransformer": {"InputTemplate": "Hello <aws.events.rule-name>"}},
        'Invalid InputTemplate for target t : [Source: (String)"Hello null"; line: 1, column: 1].',
    ),
    (
        {"Arn": arn("sqs", "q"), "Input": "{"},
        'JSON syntax error in input for target t : [Source: (String)"{"; line: 1, column: 2].',
    ),
    (
        {"Arn": arn("sqs", "q.fifo")},
        "Parameter(s) SqsParameters must be specified for target: t.",
    ),
    (
        {"Arn": arn("kinesis", "stream/s")},
        f"RoleArn is required for target {arn('kinesis', 'stream/s')}.",
    ),
    (
        {"Arn": arn("events", "event-bus/b"), "Input": "{}"},
        "Modifying the input for target t is not supported.",
    ),
]


@pytest.mark.parametrize(("target", "message"), TARGETS, ids=[message for _, message in TARGETS])
def test_a_target_that_aws_refuses(target: dict[str, Any], message: str, world: World) -> None:
    rule(world, "r", {"source": ["shop"]})
    found = refused(world.client("events").put_targets, Rule="r", Targets=[{"Id": "t", **target}])
    assert found == ("ValidationException", message)
    assert world.client("events").list_targets_by_rule(Rule="r")["Targets"] == []


def test_limits_and_what_is_not_simulated(world: World) -> None:
    events = world.client("events")
    rule(world, "r", {"source": ["shop"]})
    six = [{"Id": str(n), "Arn": arn("sqs", "q")} for n in range(6)]
    assert refused(events.put_targets, Rule="r", Targets=six) == (
        "LimitExceededException",
        "The requested resource exceeds the maximum number allowed.",
    )
    events.put_targets(Rule="r", Targets=six[:5])
    first = events.list_targets_by_rule(Rule="r", Limit=3)
    rest = events.list_targets_by_rule(Rule="r", Limit=3, NextToken=first["NextToken"])
    assert [target["Id"] for target in first["Targets"] + rest["Targets"]] == ["0", "1", "2", "3", "4"]
    assert "NextToken" not in rest
    with pytest.raises(NotSimulated, match="cluster/c as a target of a rule"):
        events.put_targets(Rule="r", Targets=[{"Id": "t", "Arn": arn("ecs", "cluster/c")}])
    with pytest.raises(NotSimulated, match="ListEventSources"):
        events.list_event_sources()
    with pytest.raises(NotSimulated, match="global endpoints"):
        events.put_events(Entries=[{"Source": "s"}], EndpointId="abc.def")


def test_permissions_of_a_bus(world: World) -> None:
    """Statements as AWS writes them (recorded)."""
    events = world.client("events")
    bus = arn("events", "event-bus/default")

    def policy() -> Any:
        found = events.describe_event_bus().get("Policy")
        return found and json.loads(found)["Statement"]

    put_one: Any = {"Action": "events:PutEvents", "Principal": "111122223333", "StatementId": "a"}
    events.put_permission(**put_one)
    events.put_permission(Action="events:PutEvents", Principal="*", StatementId="b")
    base = {"Effect": "Allow", "Action": "events:PutEvents", "Resource": bus}
    one = {"Sid": "a", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, **base}
    assert policy() == [one, {"Sid": "b", "Principal": "*", **base}]
    assert refused(events.remove_permission, StatementId="c") == (
        "ResourceNotFoundException",
        "Statement with the provided id does not exist.",
    )
    events.remove_permission(StatementId="b")
    assert policy() == [one]
    events.remove_permission(RemoveAllPermissions=True)
    assert policy() is None


def test_tags(world: World) -> None:
    events = world.client("events")
    made = events.put_rule(Name="r", EventPattern='{"a": ["b"]}', Tags=[{"Key": "team", "Value": "x"}])
    events.tag_resource(ResourceARN=made["RuleArn"], Tags=[{"Key": "env", "Value": "test"}])
    events.untag_resource(ResourceARN=made["RuleArn"], TagKeys=["team"])
    tags = events.list_tags_for_resource(ResourceARN=made["RuleArn"])["Tags"]
    assert tags == [{"Key": "env", "Value": "test"}]
    assert refused(events.list_tags_for_resource, ResourceARN=arn("events", "rule/none")) == (
        "ResourceNotFoundException",
        "Rule none does not exist on EventBus default.",
    )


def test_event_pattern_can_be_tested(world: World) -> None:
    events = world.client("events")
    event = {
        "id": "1", "account": "1", "source": "shop", "time": "2026-01-05T09:00:00Z", "region": "us-east-1",
        "resources": [], "detail-type": "order", "detail": {"total": 5},
    }  # fmt: skip
    pattern = json.dumps({"detail": {"total": [{"numeric": [">", 4]}]}})
    assert events.test_event_pattern(EventPattern=pattern, Event=json.dumps(event))["Result"] is True
    event["detail"] = {"total": 4}
    assert events.test_event_pattern(EventPattern=pattern, Event=json.dumps(event))["Result"] is False
    assert refused(events.test_event_pattern, EventPattern=pattern, Event="{}") == (
        "ValidationException",
        "Parameter Event is not valid.",
    )
    code, _ = refused(events.test_event_pattern, EventPattern="[]", Event=json.dumps(event))
    assert code == "InvalidEventPatternException"


def test_which_rules_an_event_reaches(world: World) -> None:
    """Rules whose source or detail type is plain are found by it; the others are asked one by one."""
    q = queue(world, "q")
    patterns: dict[str, Any] = {
        "a-plain": {"source": ["shop", "web"]},
        "b-type": {"detail-type": ["order"]},
        "c-other": {"source": ["bank"]},
        "d-prefix": {"source": [{"prefix": "sh"}], "detail": {"total": [5]}},
        "e-or": {"$or": [{"source": ["bank"]}, {"detail-type": ["order"]}]},
        "f-ip": {"source": ["10.0.0.1"]},
    }
    for name, pattern in patterns.items():
        rule(world, name, pattern, {"Arn": q, "Input": json.dumps(name)})
    rule(world, "g-off", {"source": ["shop"]}, {"Arn": q, "Input": '"g-off"'})
    world.client("events").disable_rule(Name="g-off")
    put(world, {"total": 5})
    world.kernel.settle()
    assert sorted(received(world, "q")) == ["a-plain", "b-type", "d-prefix", "e-or"]
    world.client("events").put_rule(Name="c-other", EventPattern='{"source": ["shop"]}')
    put(world, source="shop", kind="other")
    world.kernel.settle()
    assert sorted(received(world, "q")) == ["a-plain", "c-other"]


def test_a_rule_of_another_region_does_not_see_it(world: World) -> None:
    q = queue(world, "q")
    rule(world, "here", {"source": ["aws.s3"]}, {"Arn": q})
    other = world.client("events", region="eu-west-1")
    assert [bus["Arn"] for bus in other.list_event_buses()["EventBuses"]] == [
        arn("events", "event-bus/default", "eu-west-1")
    ]
    world.events.emit("aws.s3", "Object Created", {"bucket": "b"}, region="eu-west-1")
    world.kernel.settle()
    assert received(world, "q") == []
    id = world.events.emit("aws.s3", "Object Created", {"bucket": "b"}, resources=["arn:aws:s3:::b"])
    world.kernel.settle()
    assert received(world, "q") == [
        {
            "version": "0",
            "id": id,
            "detail-type": "Object Created",
            "source": "aws.s3",
            "account": "123456789012",
            "time": "2026-01-05T09:00:00Z",
            "region": "us-east-1",
            "resources": ["arn:aws:s3:::b"],
            "detail": {"bucket": "b"},
        }
    ]


def test_an_event_id_is_a_uuid_of_version_4(world: World) -> None:
    entry = {"Source": "shop", "DetailType": "Order", "Detail": "{}"}
    answer = world.client("events").put_events(Entries=[entry] * 10)
    found = [uuid.UUID(each["EventId"]) for each in answer["Entries"]]
    assert {(each.version, each.variant) for each in found} == {(4, uuid.RFC_4122)}
