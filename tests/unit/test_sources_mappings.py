"""The API of event source mappings: what is accepted, what is answered, which states follow."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from typing import Any

import pytest

from infra.cloud.local.kernel import SECOND
from infra.cloud.local.service import NotSimulated, ServiceError
from infra.cloud.local.sources.mapping import Mapping
from infra.cloud.local.sources.mappings import TRANSITION, Sources
from infra.cloud.local.world import World

from .test_sources_sqs import Functions, api, arn, queue

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:worker"


@pytest.fixture
def world() -> Iterator[World]:
    world = World(latency={"*": 0})
    world.functions = Functions(world)
    world.sources = Sources(world)
    queue(world)
    yield world
    world.close()


def create(world: World, **params: Any) -> dict[str, Any]:
    return api(
        world, "CreateEventSourceMapping", **{"FunctionName": "worker", "EventSourceArn": arn(), **params}
    )


def state(world: World, uuid: str) -> str:
    found: str = api(world, "GetEventSourceMapping", UUID=uuid)["State"]
    return found


def test_what_a_new_mapping_looks_like(world: World) -> None:
    made = create(world)
    uuid = made["UUID"]
    assert made == {
        "UUID": uuid,
        "BatchSize": 10,
        "MaximumBatchingWindowInSeconds": 0,
        "EventSourceArn": arn(),
        "FunctionArn": FUNCTION,
        "LastModified": datetime.datetime(2026, 1, 5, 9, 0, tzinfo=datetime.UTC),
        "State": "Creating",
        "StateTransitionReason": "USER_INITIATED",
        "FunctionResponseTypes": [],
        "EventSourceMappingArn": f"arn:aws:lambda:us-east-1:123456789012:event-source-mapping:{uuid}",
        "$status": 202,
    }
    world.kernel.advance(TRANSITION)
    assert state(world, uuid) == "Enabled"


def test_every_setting_is_shown(world: World) -> None:
    criteria = {"Filters": [{"Pattern": json.dumps({"body": {"a": [1]}})}]}
    made = create(
        world,
        FunctionName=f"{FUNCTION}:live",
        BatchSize=10_000,
        MaximumBatchingWindowInSeconds=300,
        FilterCriteria=criteria,
        FunctionResponseTypes=["ReportBatchItemFailures"],
        ScalingConfig={"MaximumConcurrency": 2},
        Enabled=False,
    )
    assert made["FunctionArn"] == f"{FUNCTION}:live"
    assert (made["BatchSize"], made["MaximumBatchingWindowInSeconds"]) == (10_000, 300)
    assert made["FilterCriteria"] == criteria
    assert made["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert made["ScalingConfig"] == {"MaximumConcurrency": 2}
    assert made["State"] == "Disabled"


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    (
        {"EventSourceArn": None},
        "InvalidParameterValueException",
        "Unrecognized event source.",
    ),
    ({"FunctionName": "missing"}, "InvalidParameterValueException", "Function does not exist"),
    (
        {"BatchSize": 11},
        "InvalidParameterValueException",
        "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10",
    ),
    (
        {"BatchSize": 10_001},
        "ValidationException",
        "1 validation error detected: Value '10001' at 'batchSize' failed to satisfy constraint: "
        "Member must have value less than or equal to 10000",
    ),
    (
        {"BatchSize": 0},
        "ValidationException",
        "1 validation error detected: Value '0' at 'batchSize' failed to satisfy constraint: "
        "Member must have value greater than or equal to 1",
    ),
    (
        {"MaximumBatchingWindowInSeconds": 301},
        "ValidationException",
        "1 validation error detected: Value '301' at 'maximumBatchingWindowInSeconds' failed to satisfy "
        "constraint: Member must have value less than or equal to 300",
    ),
    (
        {"ScalingConfig": {"MaximumConcurrency": 1}},
        "ValidationException",
        "1 validation error detected: Value '1' at 'scalingConfig.maximumConcurrency' failed to satisfy "
        "constraint: Member must have value greater than or equal to 2",
    ),
    (
        {"StartingPosition": "LATEST"},
        "InvalidParameterValueException",
        "StartingPosition is not valid for SQS event sources.",
    ),
    (
        {"StartingPosition": "0"},
        "ValidationException",
        "1 validation error detected: Value '0' at 'startingPosition' failed to satisfy constraint: Member "
        "must satisfy enum value set: [LATEST, AT_TIMESTAMP, TRIM_HORIZON]",
    ),
    (
        {"FilterCriteria": {"Filters": [{"Pattern": '{"body": "x"}'}]}},
        "InvalidParameterValueException",
        "Invalid filter pattern definition.",
    ),
    (
        {"EventSourceArn": arn("orders.fifo"), "MaximumBatchingWindowInSeconds": 1},
        "InvalidParameterValueException",
        "Batching window is not supported for FIFO queues",
    ),
    (
        {"EventSourceArn": arn("nothing")},
        "InvalidParameterValueException",
        "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. "
        "SQS Error Message: The specified queue does not exist.",
    ),
]


@pytest.mark.parametrize(("params", "code", "text"), REFUSED)
def test_refused(world: World, params: dict[str, Any], code: str, text: str) -> None:
    with pytest.raises(ServiceError) as error:
        create(world, **params)
    assert (error.value.code, error.value.message) == (code, text)
    assert world.sources.mappings == {}


@pytest.mark.parametrize(
    "params",
    [
        {"EventSourceArn": "arn:aws:kafka:us-east-1:123456789012:cluster/orders/1"},
        {"ProvisionedPollerConfig": {"MinimumPollers": 2}},
    ],
)
def test_not_simulated_by_name(world: World, params: dict[str, Any]) -> None:
    with pytest.raises(NotSimulated, match=r"NotSimulated: .*(kafka|ProvisionedPollerConfig)"):
        create(world, **params)


def test_the_queue_must_hide_messages_as_long_as_the_function_may_take(world: World) -> None:
    world.functions.timeout_s = 60
    with pytest.raises(ServiceError) as error:
        create(world)
    assert error.value.code == "InvalidParameterValueException"
    assert error.value.message == (
        "Queue visibility timeout: 30 seconds is less than Function timeout: 60 seconds"
    )


@pytest.mark.parametrize("missing", ["ReceiveMessage", "DeleteMessage", "GetQueueAttributes"])
def test_the_role_must_be_allowed_to_read_the_queue(
    world: World, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    def check(caller: Any, service: str, operation: str, *rest: Any) -> None:
        if operation == missing:
            raise ServiceError("AccessDenied", "no", 403)

    monkeypatch.setattr(world.identity, "check", check)
    with pytest.raises(ServiceError) as error:
        create(world)
    assert error.value.message == (
        f"The provided execution role does not have permissions to call {missing} on SQS"
    )


def test_one_mapping_per_queue_and_function(world: World) -> None:
    uuid = create(world)["UUID"]
    with pytest.raises(ServiceError) as error:
        create(world)
    assert (error.value.code, error.value.status) == ("ResourceConflictException", 409)
    assert error.value.message == (
        f'An event source mapping with SQS arn (" {arn()} ") and function (" worker ") already exists. '
        f"Please update or delete the existing mapping with UUID {uuid}"
    )
    create(world, FunctionName="worker:live")
    create(world, FunctionName="other")


def test_states(world: World) -> None:
    uuid = create(world)["UUID"]
    seen = []
    for operation, params in [
        ("UpdateEventSourceMapping", {"BatchSize": 5}),
        ("UpdateEventSourceMapping", {"Enabled": False}),
        ("UpdateEventSourceMapping", {"BatchSize": 6}),
        ("UpdateEventSourceMapping", {"Enabled": True}),
        ("DeleteEventSourceMapping", {}),
    ]:
        world.kernel.settle()
        seen += [state(world, uuid), api(world, operation, UUID=uuid, **params)["State"]]
    assert seen == [
        "Enabled",
        "Updating",
        "Enabled",
        "Disabling",
        "Disabled",
        "Updating",
        "Disabled",
        "Enabling",
        "Enabled",
        "Deleting",
    ]
    world.kernel.settle()
    with pytest.raises(ServiceError) as error:
        state(world, uuid)
    assert (error.value.code, error.value.status) == ("ResourceNotFoundException", 404)
    assert error.value.message == "The resource you requested does not exist."
    moments = [
        ((entry.time - world.started) // SECOND, entry.data["to"])
        for entry in world.journal.select("esm.state")
    ]
    assert moments[:3] == [(0, "Creating"), (10, "Enabled"), (10, "Updating")]
    assert moments[-1] == (60, "Deleted")


@pytest.mark.parametrize("verb", ["update", "delete"])
def test_a_mapping_in_transition_is_in_use(world: World, verb: str) -> None:
    uuid = create(world)["UUID"]
    with pytest.raises(ServiceError) as error:
        api(world, f"{verb.capitalize()}EventSourceMapping", UUID=uuid)
    assert error.value.code == "ResourceInUseException"
    assert error.value.message == f"Cannot {verb} the event source mapping because it is in use."


def test_an_update_that_is_refused_changes_nothing(world: World) -> None:
    uuid = create(world)["UUID"]
    world.kernel.settle()
    before = api(world, "GetEventSourceMapping", UUID=uuid)
    with pytest.raises(ServiceError):
        api(world, "UpdateEventSourceMapping", UUID=uuid, BatchSize=11)
    assert api(world, "GetEventSourceMapping", UUID=uuid) == before


def test_empty_values_remove_settings(world: World) -> None:
    uuid = create(
        world,
        FilterCriteria={"Filters": [{"Pattern": '{"body": ["x"]}'}]},
        FunctionResponseTypes=["ReportBatchItemFailures"],
        ScalingConfig={"MaximumConcurrency": 2},
    )["UUID"]
    world.kernel.settle()
    shown = api(
        world,
        "UpdateEventSourceMapping",
        UUID=uuid,
        FilterCriteria={},
        FunctionResponseTypes=[],
        ScalingConfig={},
    )
    assert "FilterCriteria" not in shown
    assert "ScalingConfig" not in shown
    assert shown["FunctionResponseTypes"] == []


def test_an_update_may_name_another_function(world: World) -> None:
    uuid = create(world)["UUID"]
    world.kernel.settle()
    shown = api(world, "UpdateEventSourceMapping", UUID=uuid, FunctionName="worker:2")
    assert shown["FunctionArn"] == f"{FUNCTION}:2"


def test_list(world: World) -> None:
    queue(world, "other")
    first = create(world)["UUID"]
    second = create(world, EventSourceArn=arn("other"))["UUID"]
    third = create(world, FunctionName="clerk")["UUID"]

    def listed(**params: Any) -> list[str]:
        answer = api(world, "ListEventSourceMappings", **params)
        return [mapping["UUID"] for mapping in answer["EventSourceMappings"]]

    assert listed() == [first, second, third]
    assert listed(EventSourceArn=arn()) == [first, third]
    assert listed(FunctionName="worker") == [first, second]
    assert listed(FunctionName="clerk", EventSourceArn=arn("other")) == []
    page = api(world, "ListEventSourceMappings", MaxItems=2)
    assert [mapping["UUID"] for mapping in page["EventSourceMappings"]] == [first, second]
    assert listed(MaxItems=2, Marker=page["NextMarker"]) == [third]


def test_a_mapping_shows_the_function_as_it_was_named(world: World) -> None:
    """Recorded: LocalStack's test_function_name_variations."""
    shown = create(world, FunctionName="worker:$LATEST")
    assert shown["FunctionArn"].endswith(":function:worker:$LATEST")
    listed = api(world, "ListEventSourceMappings", FunctionName="worker")["EventSourceMappings"]
    assert [each["UUID"] for each in listed] == [shown["UUID"]]


def test_a_mapping_has_tags() -> None:
    world = World()
    try:
        name = "0a1b2c3d-0000-4000-8000-000000000000"
        arn = f"arn:aws:lambda:us-east-1:123456789012:event-source-mapping:{name}"
        tagged = world.sources.mappings[name] = Mapping(name, arn, "", "", "", 0)
        client = world.client("lambda")
        client.tag_resource(Resource=tagged.arn, Tags={"team": "blue", "cost": "1"})
        client.untag_resource(Resource=tagged.arn, TagKeys=["cost"])
        assert client.list_tags(Resource=tagged.arn)["Tags"] == {"team": "blue"}
    finally:
        world.close()
