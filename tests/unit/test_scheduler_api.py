"""The operations of EventBridge Scheduler: what is kept, listed, grouped and refused."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

from tests.unit.scheduler_world import ACCOUNT, OFF, QUEUE, SchedulerWorld

PREFIX = f"arn:aws:scheduler:us-east-1:{ACCOUNT}:"


@pytest.fixture
def cloud() -> Iterator[SchedulerWorld]:
    world = SchedulerWorld()
    yield world
    world.close()


def test_a_schedule_is_read_back_with_its_defaults(cloud: SchedulerWorld) -> None:
    arn = cloud.create("rate(5 minutes)", Description="every five minutes")
    found = cloud.api.get_schedule(Name="job")
    made = found.pop("CreationDate")
    assert isinstance(made, datetime.datetime)
    assert found.pop("LastModificationDate") == made
    del found["ResponseMetadata"]
    assert found == {
        "Arn": arn,
        "Name": "job",
        "GroupName": "default",
        "Description": "every five minutes",
        "ScheduleExpression": "rate(5 minutes)",
        "ScheduleExpressionTimezone": "UTC",
        "State": "ENABLED",
        "FlexibleTimeWindow": OFF,
        "ActionAfterCompletion": "NONE",
        "Target": {
            **cloud.target,
            "RetryPolicy": {"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 185},
        },
    }
    assert arn == f"{PREFIX}schedule/default/job"


def test_an_update_replaces_everything(cloud: SchedulerWorld) -> None:
    cloud.create("rate(5 minutes)", Description="old", State="DISABLED")
    cloud.api.update_schedule(
        Name="job", ScheduleExpression="rate(1 hour)", FlexibleTimeWindow=OFF, Target=cloud.target
    )
    found = cloud.api.get_schedule(Name="job")
    assert (found["ScheduleExpression"], found["State"]) == ("rate(1 hour)", "ENABLED")
    assert "Description" not in found


def test_the_same_token_makes_one_schedule(cloud: SchedulerWorld) -> None:
    first = cloud.create("rate(5 minutes)", ClientToken="once")
    assert cloud.create("rate(5 minutes)", ClientToken="once") == first
    with pytest.raises(cloud.api.exceptions.ConflictException, match="Schedule job already exists"):
        cloud.create("rate(5 minutes)", ClientToken="twice")


def test_groups_hold_schedules_of_the_same_name(cloud: SchedulerWorld) -> None:
    group = cloud.api.create_schedule_group(Name="night", Tags=[{"Key": "a", "Value": "b"}])
    assert group["ScheduleGroupArn"] == f"{PREFIX}schedule-group/night"
    cloud.create("rate(1 hour)")
    cloud.create("rate(1 hour)", GroupName="night")
    cloud.create("rate(1 hour)", "other", GroupName="night", State="DISABLED")
    listed = [
        [found["Arn"] for found in cloud.api.list_schedules(**which)["Schedules"]]
        for which in (
            {},
            {"GroupName": "night"},
            {"NamePrefix": "oth"},
            {"State": "ENABLED", "GroupName": "night"},
        )
    ]
    default, job, other = (f"{PREFIX}schedule/{name}" for name in ("default/job", "night/job", "night/other"))
    assert listed == [[default, job, other], [job, other], [other], [job]]
    names = [found["Name"] for found in cloud.api.list_schedule_groups()["ScheduleGroups"]]
    assert names == ["default", "night"]
    cloud.api.delete_schedule_group(Name="night")
    assert [found["Arn"] for found in cloud.api.list_schedules()["Schedules"]] == [default]


def test_lists_have_pages(cloud: SchedulerWorld) -> None:
    for name in "abc":
        cloud.create("rate(1 hour)", name)
    pages = cloud.api.get_paginator("list_schedules").paginate(PaginationConfig={"PageSize": 2})
    assert [[found["Name"] for found in page["Schedules"]] for page in pages] == [["a", "b"], ["c"]]


def test_tags_of_a_group(cloud: SchedulerWorld) -> None:
    arn = cloud.api.create_schedule_group(Name="night")["ScheduleGroupArn"]
    cloud.api.tag_resource(ResourceArn=arn, Tags=[{"Key": "TagKey", "Value": "TagValue"}])
    assert cloud.api.list_tags_for_resource(ResourceArn=arn)["Tags"] == [
        {"Key": "TagKey", "Value": "TagValue"}
    ]
    cloud.api.untag_resource(ResourceArn=arn, TagKeys=["TagKey"])
    assert cloud.api.list_tags_for_resource(ResourceArn=arn)["Tags"] == []


@pytest.mark.parametrize(
    ("operation", "params", "message"),
    [
        ("get_schedule", {"Name": "no"}, "Schedule no does not exist."),
        ("delete_schedule", {"Name": "no"}, "Schedule no does not exist."),
        ("get_schedule", {"Name": "no", "GroupName": "none"}, "Schedule group none does not exist."),
        ("get_schedule_group", {"Name": "none"}, "Schedule group none does not exist."),
        ("list_schedules", {"GroupName": "none"}, "Schedule group none does not exist."),
    ],
)
def test_what_is_not_there(
    cloud: SchedulerWorld, operation: str, params: dict[str, str], message: str
) -> None:
    with pytest.raises(cloud.api.exceptions.ResourceNotFoundException) as error:
        getattr(cloud.api, operation)(**params)
    assert error.value.response["Error"]["Message"] == message


NOW = datetime.datetime(2026, 1, 5, 9, tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"ScheduleExpression": "rate(1 week)"}, "Invalid Schedule Expression rate(1 week)."),
        (
            {"StartDate": NOW - datetime.timedelta(hours=1)},
            "The StartDate you specify cannot be earlier than 5 minutes ago.",
        ),
        ({"Target": {"Arn": "banana"}}, "Provided Arn is not in correct format."),
        (
            {"Target": {"Arn": f"arn:aws:events:us-east-1:{ACCOUNT}:api-destination/a/1"}},
            "Provided Arn is not in correct format.",  # seen on AWS
        ),
        ({"Name": "a b"}, "1 validation error detected: Value 'a b' at 'name' failed to satisfy"),
        ({"Target": {"RetryPolicy": {"MaximumRetryAttempts": 186}}}, "less than or equal to 185"),
        ({"FlexibleTimeWindow": {"Mode": "FLEXIBLE"}}, "MaximumWindowInMinutes"),
        ({"Target": {"Arn": "arn:aws:scheduler:::aws-sdk:sqs:receiveMessage"}}, "read-only"),
        ({"Target": {"Arn": "arn:aws:scheduler:::aws-sdk:sqs:bake"}}, "bake"),
        ({"Target": {"Arn": QUEUE + ".fifo"}}, "MessageGroupId"),
        (
            {"Target": {"Arn": f"arn:aws:kinesis:us-east-1:{ACCOUNT}:stream/s"}},
            "KinesisParameters",
        ),
        ({"Target": {"Arn": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:f", "Input": "{"}}, "JSON"),
        ({"Target": {"DeadLetterConfig": {"Arn": QUEUE + ".fifo"}}}, "target.deadLetterConfig.arn"),
        ({"ScheduleExpressionTimezone": "Mars/Base"}, "Mars/Base"),
    ],
)
def test_what_is_refused(cloud: SchedulerWorld, params: dict[str, object], message: str) -> None:
    merged = {"Name": "job", "ScheduleExpression": "rate(1 hour)", "FlexibleTimeWindow": OFF, **params}
    merged["Target"] = {**cloud.target, **merged.get("Target", {})}  # type: ignore[dict-item]
    with pytest.raises(ClientError) as error:
        cloud.api.create_schedule(**merged)
    assert error.value.response["Error"]["Code"] == "ValidationException"
    assert message in error.value.response["Error"]["Message"]
