"""The wire: virtual latency, both ways, errors, retries, faults, and that nothing ever leaves the process."""

from __future__ import annotations

import gc
import io
import os
import socket
import threading
import weakref
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ParamValidationError

from infra.cloud.local.kernel import KernelError
from infra.cloud.local.service import Caller, NotSimulated
from infra.cloud.local.world import World

TABLE: dict[str, Any] = {
    "TableName": "orders",
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    "BillingMode": "PAY_PER_REQUEST",
}


@pytest.fixture
def table(world: World) -> Any:
    world.client("dynamodb").create_table(**TABLE)
    return boto3.resource("dynamodb").Table("orders")


def test_a_call_from_a_cell_takes_virtual_time_and_is_journaled(world: World, table: Any) -> None:
    before = world.kernel.now
    table.put_item(Item={"id": "1"})
    entry = world.journal.entries[-1]
    assert entry.what == "api.dynamodb.PutItem"
    assert (entry.actor, entry.resource, entry.outcome) == ("notebook", "orders", "ok")
    assert world.kernel.now - before == entry.duration > 0


def test_two_callers_interleave_between_the_halves_of_their_calls(world: World, table: Any) -> None:
    """Both read 0 before either writes: the lost update that a real cloud would show."""
    table.put_item(Item={"id": "stock", "count": 0})

    def increment() -> None:
        count = table.get_item(Key={"id": "stock"})["Item"]["count"]
        table.put_item(Item={"id": "stock", "count": count + 1})

    def both() -> None:
        tasks = [world.kernel.spawn(increment, name=f"client {i}") for i in (1, 2)]
        for task in tasks:
            world.kernel.join(task)

    world.kernel.call(both, name="both")
    assert table.get_item(Key={"id": "stock"})["Item"]["count"] == 1


def test_resources_paginators_and_waiters_work_in_virtual_time(world: World, table: Any) -> None:
    for i in range(5):
        table.put_item(Item={"id": str(i), "price": 3, "photo": b"\x00\xff"})
    pages = (
        world.client("dynamodb")
        .get_paginator("scan")
        .paginate(TableName="orders", PaginationConfig={"PageSize": 2})
    )
    assert sum(len(page["Items"]) for page in pages) == 5
    assert bytes(table.get_item(Key={"id": "1"})["Item"]["photo"]) == b"\x00\xff"
    before = world.kernel.now
    with pytest.raises(Exception, match="Max attempts exceeded"):
        world.client("dynamodb").get_waiter("table_exists").wait(
            TableName="missing", WaiterConfig={"Delay": 20, "MaxAttempts": 3}
        )
    assert 40 <= (world.kernel.now - before) / 1_000_000 < 41


def test_botocore_retries_a_throttled_call_in_virtual_time(world: World, table: Any) -> None:
    with world.faults(on="dynamodb.PutItem", throttle=["0s", "0s"]):
        answer = table.put_item(Item={"id": "1"})
    assert answer["ResponseMetadata"]["RetryAttempts"] == 2
    puts = [entry for entry in world.journal.entries if entry.what == "api.dynamodb.PutItem"]
    code = "ProvisionedThroughputExceededException"
    assert [(entry.outcome, entry.data.get("attempt", 1)) for entry in puts] == [
        (code, 1),
        (code, 2),
        ("ok", 3),
    ]


@pytest.mark.parametrize("mode", ["legacy", "standard"])
def test_a_call_that_is_throttled_for_ever_fails_with_the_services_error(world: World, mode: str) -> None:
    client = boto3.client("dynamodb", config=Config(retries={"mode": mode, "total_max_attempts": 3}))
    client.create_table(**TABLE)
    with world.faults(on="orders", throttle=1.0), pytest.raises(ClientError) as raised:
        client.put_item(TableName="orders", Item={"id": {"S": "1"}})
    assert raised.value.response["Error"]["Code"] == "ProvisionedThroughputExceededException"
    assert raised.value.response["ResponseMetadata"]["RetryAttempts"] == 2


def test_added_latency_and_server_errors(world: World, table: Any) -> None:
    before = world.kernel.now
    with world.faults(on="dynamodb", latency="500ms"):
        table.put_item(Item={"id": "1"})
    assert world.kernel.now - before > 500_000
    with world.faults(on="s3", error=["0s"]):
        answer = world.client("s3").create_bucket(Bucket="parcel-photos")
    assert answer["ResponseMetadata"]["RetryAttempts"] == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"explode": 0.1}, "there is no fault 'explode'"),
        ({"throttle": 1.5}, "give a rate from 0 to 1"),
        ({"throttle": "soon"}, "give a duration such as"),
        ({"latency": "fast"}, "latency='fast'"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused_by_name(
    world: World, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        world.faults(**arguments)


def test_parameters_are_validated_as_botocore_does(world: World) -> None:
    with pytest.raises(ParamValidationError, match="Missing required parameter in input"):
        world.client("dynamodb").put_item(TableName="orders")
    with pytest.raises(ParamValidationError, match="Unknown parameter"):
        world.client("dynamodb").get_item(TableName="orders", Key={}, Typo=1)


def test_what_is_not_simulated_says_so_by_name(world: World) -> None:
    with pytest.raises(NotSimulated, match="appsync:ListGraphqlApis"):
        world.client("appsync").list_graphql_apis()
    with pytest.raises(NotSimulated, match="dynamodb:ListContributorInsights"):
        world.client("dynamodb").list_contributor_insights()


def test_files_go_to_s3_without_threads(world: World) -> None:
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="parcel-photos")
    s3.upload_fileobj(io.BytesIO(b"x" * 20_000_000), "parcel-photos", "big")
    assert s3.head_object(Bucket="parcel-photos", Key="big")["ContentLength"] == 20_000_000


def test_a_call_from_a_thread_is_refused_with_the_way_out(world: World) -> None:
    errors: list[BaseException] = []

    def call() -> None:
        try:
            world.client("dynamodb").list_tables()
        except KernelError as error:
            errors.append(error)

    world.client("dynamodb")
    thread = threading.Thread(target=call)
    thread.start()
    thread.join()
    assert "cloud.spawn" in str(errors[0])


def test_nothing_ever_leaves_the_process(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whatever the environment holds: keys, a profile, endpoints, a proxy, the metadata service."""
    world.close()
    config = tmp_path / "config"
    config.write_text(
        "[default]\nregion = eu-west-1\nendpoint_url = https://example.com\n"
        "[profile work]\nrole_arn = arn:aws:iam::111111111111:role/admin\nsource_profile = default\n"
    )
    for name, value in {
        "AWS_PROFILE": "work",
        "AWS_CONFIG_FILE": str(config),
        "AWS_SHARED_CREDENTIALS_FILE": str(config),
        "AWS_ACCESS_KEY_ID": "AKIAREALREALREALREAL",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_SESSION_TOKEN": "token",
        "AWS_ENDPOINT_URL": "https://example.com",
        "AWS_ENDPOINT_URL_SQS": "https://example.com",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.2/x",
        "AWS_WEB_IDENTITY_TOKEN_FILE": str(config),
        "HTTPS_PROXY": "http://localhost:9",
    }.items():
        monkeypatch.setenv(name, value)

    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError(f"a connection was opened: {args}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    before = dict(os.environ)
    inside = World()
    try:
        boto3.client("dynamodb").list_tables()
        boto3.client("sqs", endpoint_url="https://sqs.us-east-1.amazonaws.com").list_queues()
        boto3.client("s3", endpoint_url="https://example.com").list_buckets()
        assert boto3.client("sts").get_caller_identity()["Account"] == "123456789012"
        boto3.Session(aws_access_key_id="AKIAOTHER", aws_secret_access_key="x").client("s3").list_buckets()
        with pytest.raises(NotSimulated):
            boto3.client("bedrock-runtime").invoke_model(modelId="m", body=b"{}")
        hooked = boto3.client("dynamodb")
        hooked.meta.events.register("before-send", lambda **_: None)
        hooked.list_tables()
    finally:
        inside.close()
    assert dict(os.environ) == before


def test_a_hook_on_a_client_takes_the_long_way_and_sees_the_request(world: World, table: Any) -> None:
    client = boto3.client("dynamodb")
    client.put_item(TableName="orders", Item={"id": {"S": "1"}})
    seen = []
    client.meta.events.register(
        "before-send.dynamodb.GetItem", lambda request, **_: seen.append(request.body)
    )
    assert client.get_item(TableName="orders", Key={"id": {"S": "1"}})["Item"] == {"id": {"S": "1"}}
    assert b'"TableName"' in seen[0]


def test_a_service_calls_as_its_caller(world: World, table: Any) -> None:
    caller = Caller("service", "lambda", trace="t")
    world.kernel.call(
        lambda: world.call(
            "dynamodb", "PutItem", {"TableName": "orders", "Item": {"id": {"S": "1"}}}, caller
        ),
        name="poller",
    )
    assert [(entry.actor, entry.trace) for entry in world.journal.select("api.dynamodb.PutItem")] == [
        ("lambda", "t")
    ]


def test_opening_a_second_world_closes_the_first_and_closing_twice_is_harmless() -> None:
    first = World()
    second = World()
    assert (first.closed, second.closed) == (True, False)
    first.close()
    second.close()
    second.close()


def test_a_closed_world_leaves_nothing_in_memory() -> None:
    """Exploring 200 seeds opens 200 worlds in one process."""
    world = World()
    world.client("dynamodb").create_table(**TABLE)
    boto3.client("sqs").create_queue(QueueName="orders")
    gone = weakref.ref(world)
    world.close()
    del world
    gc.collect()
    assert gone() is None
