"""The operations of EventBridge Pipes: states in virtual time, what is kept, what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.cloud.local.service import NotSimulated
from tests.unit.pipes_world import ACCOUNT, IN, OUT, PipesWorld


@pytest.fixture
def cloud() -> Iterator[PipesWorld]:
    world = PipesWorld()
    yield world
    world.close()


def state(cloud: PipesWorld) -> str:
    return str(cloud.pipes.describe_pipe(Name="p")["CurrentState"])


def test_states_in_virtual_time(cloud: PipesWorld) -> None:
    made = cloud.pipes.create_pipe(Name="p", Source=IN, Target=OUT, RoleArn=cloud.role)
    seen = [made["CurrentState"]]
    for change in (cloud.pipes.stop_pipe, cloud.pipes.start_pipe, cloud.pipes.delete_pipe):
        cloud.kernel.settle()
        seen.append(state(cloud))
        seen.append(change(Name="p")["CurrentState"])
    cloud.kernel.settle()
    assert seen == ["CREATING", "RUNNING", "STOPPING", "STOPPED", "STARTING", "RUNNING", "DELETING"]
    with pytest.raises(cloud.pipes.exceptions.NotFoundException, match="p does not exist"):
        state(cloud)


def test_a_stopped_pipe_reads_nothing(cloud: PipesWorld) -> None:
    cloud.pipe(DesiredState="STOPPED")
    assert state(cloud) == "STOPPED"
    cloud.send("one")
    cloud.kernel.settle()
    assert cloud.left() == 1
    cloud.pipes.start_pipe(Name="p")
    cloud.kernel.settle()
    assert (cloud.left(), len(cloud.delivered())) == (0, 1)


def test_an_update_changes_what_it_names(cloud: PipesWorld) -> None:
    cloud.pipe(Description="old", SourceParameters={"SqsQueueParameters": {"BatchSize": 5}})
    cloud.pipes.update_pipe(
        Name="p",
        RoleArn=cloud.role,
        TargetParameters={"InputTemplate": "<$.body>"},
        SourceParameters={"FilterCriteria": {"Filters": [{"Pattern": '{"body": {"a": [1]}}'}]}},
    )
    assert state(cloud) == "UPDATING"
    cloud.kernel.settle()
    found = cloud.pipes.describe_pipe(Name="p")
    assert found["Description"] == "old"
    assert found["SourceParameters"] == {
        "SqsQueueParameters": {"BatchSize": 5},
        "FilterCriteria": {"Filters": [{"Pattern": '{"body": {"a": [1]}}'}]},
    }
    cloud.send({"a": 1}, {"a": 2})
    cloud.kernel.settle()
    assert cloud.delivered() == [{"a": 1}]


def test_a_role_that_does_not_trust_pipes_fails_the_creation(cloud: PipesWorld) -> None:
    cloud.role = f"arn:aws:iam::{ACCOUNT}:role/nobody"
    cloud.pipe()
    found = cloud.pipes.describe_pipe(Name="p")
    assert found["CurrentState"] == "CREATE_FAILED"
    assert "could not assume the role" in found["StateReason"]


def test_lists_and_tags(cloud: PipesWorld) -> None:
    arn = cloud.pipe(Tags={"team": "a"})
    (listed,) = cloud.pipes.list_pipes(NamePrefix="p", CurrentState="RUNNING")["Pipes"]
    assert (listed["Name"], listed["Source"], listed["Target"]) == ("p", IN, OUT)
    assert cloud.pipes.list_pipes(TargetPrefix="arn:aws:sns")["Pipes"] == []
    cloud.pipes.tag_resource(resourceArn=arn, tags={"more": "b"})
    cloud.pipes.untag_resource(resourceArn=arn, tagKeys=["team"])
    assert cloud.pipes.list_tags_for_resource(resourceArn=arn)["tags"] == {"more": "b"}
    with pytest.raises(cloud.pipes.exceptions.ConflictException):
        cloud.pipe()


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"Name": "a b"}, "'name' failed to satisfy constraint"),
        ({"SourceParameters": {"SqsQueueParameters": {"BatchSize": 11}}}, "larger than the pipe's target"),
        (
            {"SourceParameters": {"FilterCriteria": {"Filters": [{"Pattern": "{}"}] * 6}}},
            "length less than or equal to 5",
        ),
        (
            {"SourceParameters": {"FilterCriteria": {"Filters": [{"Pattern": '{"a": 1}'}]}}},
            "Invalid filter pattern definition",
        ),
        ({"TargetParameters": {"KinesisStreamParameters": {"PartitionKey": "k"}}}, "not valid for this pipe"),
        ({"TargetParameters": {"InputTemplate": "<$..a>"}}, "InputTemplate"),
        ({"DesiredState": "DELETED"}, "desiredState"),
        ({"Target": "banana"}, "'target' failed to satisfy constraint"),
    ],
)
def test_what_is_refused(cloud: PipesWorld, params: dict[str, Any], message: str) -> None:
    with pytest.raises(ClientError) as error:
        cloud.pipes.create_pipe(**{"Name": "p", "Source": IN, "Target": OUT, "RoleArn": cloud.role, **params})
    assert error.value.response["Error"]["Code"] == "ValidationException"
    assert message in error.value.response["Error"]["Message"]


@pytest.mark.parametrize(
    "params",
    [
        {"Source": f"arn:aws:kafka:us-east-1:{ACCOUNT}:cluster/c/1"},
        {"Source": "smk://broker.example.com:9092"},
        {"Target": f"arn:aws:firehose:us-east-1:{ACCOUNT}:deliverystream/d"},
        {"Target": f"arn:aws:events:us-east-1:{ACCOUNT}:rule/a"},
        {"Enrichment": f"arn:aws:execute-api:us-east-1:{ACCOUNT}:abc/prod/GET/x"},
    ],
)
def test_what_is_not_simulated_is_refused_by_name(cloud: PipesWorld, params: dict[str, str]) -> None:
    with pytest.raises(NotSimulated, match=next(iter(params.values()))):
        cloud.pipes.create_pipe(**{"Name": "p", "Source": IN, "Target": OUT, "RoleArn": cloud.role, **params})
