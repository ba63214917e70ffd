"""Schedules, groups and pipes in templates: created, changed in place or replaced, deleted."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.unit.pipes_world import IN, OUT, PipesWorld
from tests.unit.scheduler_world import QUEUE, SchedulerWorld


def template(**resources: dict[str, Any]) -> str:
    return json.dumps({"Resources": resources})


def schedule(role: str, **properties: Any) -> dict[str, Any]:
    return {
        "Type": "AWS::Scheduler::Schedule",
        "Properties": {
            "ScheduleExpression": "rate(1 hour)",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "GroupName": {"Ref": "Group"},
            "Target": {"Arn": QUEUE, "RoleArn": role, "Input": "go"},
            **properties,
        },
    }


def test_a_schedule_is_changed_in_place_and_renamed_by_replacement() -> None:
    cloud = SchedulerWorld()
    stacks = cloud.world.client("cloudformation")
    group = {"Type": "AWS::Scheduler::ScheduleGroup", "Properties": {"Name": "night", "Tags": []}}
    seen = []
    for step, properties in enumerate(
        (
            {"Name": "a", "StartDate": "2026-01-06T00:00:00Z"},
            {"Name": "a", "ScheduleExpression": "rate(2 hours)"},
            {"Name": "b", "State": "DISABLED"},
        )
    ):
        call = stacks.update_stack if step else stacks.create_stack
        call(StackName="s", TemplateBody=template(Group=group, Job=schedule(cloud.role, **properties)))
        cloud.kernel.settle()
        listed = cloud.api.list_schedules(GroupName="night")["Schedules"]
        found = [cloud.api.get_schedule(Name=item["Name"], GroupName="night") for item in listed]
        seen.append([(item["Name"], item["ScheduleExpression"], item["State"]) for item in found])
    stacks.delete_stack(StackName="s")
    cloud.kernel.settle()
    groups = [item["Name"] for item in cloud.api.list_schedule_groups()["ScheduleGroups"]]
    cloud.close()
    assert seen == [
        [("a", "rate(1 hour)", "ENABLED")],
        [("a", "rate(2 hours)", "ENABLED")],
        [("b", "rate(1 hour)", "DISABLED")],
    ]
    assert groups == ["default"]


def test_what_is_not_simulated_is_refused_before_anything_is_created() -> None:
    cloud = SchedulerWorld()
    target = {"Arn": QUEUE, "RoleArn": cloud.role, "EcsParameters": {"TaskDefinitionArn": "x"}}
    body = template(Group={"Type": "AWS::Scheduler::ScheduleGroup"}, Job=schedule(cloud.role, Target=target))
    with pytest.raises((ClientError, NotImplementedError), match="EcsParameters"):
        cloud.world.client("cloudformation").create_stack(StackName="s", TemplateBody=body)
    cloud.close()


def test_a_pipe_is_changed_and_deleted() -> None:
    cloud = PipesWorld()
    stacks = cloud.world.client("cloudformation")

    def pipe(**properties: Any) -> str:
        base = {"RoleArn": cloud.role, "Source": IN, "Target": OUT, **properties}
        return template(Pipe={"Type": "AWS::Pipes::Pipe", "Properties": base})

    stacks.create_stack(
        StackName="s",
        TemplateBody=pipe(TargetParameters={"InputTemplate": '{"v": 1}'}, DesiredState="STOPPED"),
    )
    cloud.kernel.settle()
    (made,) = cloud.pipes.list_pipes()["Pipes"]
    cloud.send("one")
    stacks.update_stack(StackName="s", TemplateBody=pipe(TargetParameters={"InputTemplate": '{"v": 2}'}))
    cloud.kernel.settle()
    (changed,) = cloud.pipes.list_pipes()["Pipes"]
    delivered = cloud.delivered()
    stacks.delete_stack(StackName="s")
    cloud.kernel.settle()
    left = cloud.pipes.list_pipes()["Pipes"]
    cloud.close()
    assert (made["CurrentState"], changed["CurrentState"]) == ("STOPPED", "RUNNING")
    assert made["Name"] == changed["Name"]
    assert delivered == [{"v": 2}]
    assert left == []
