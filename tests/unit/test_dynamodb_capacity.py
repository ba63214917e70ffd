"""Provisioned capacity: what an operation costs, bursts, throttling, hot partitions, changes of capacity."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from infra.cloud.local.world import World

KEY = [{"AttributeName": "id", "KeyType": "HASH"}]
ATTRIBUTES = [{"AttributeName": "id", "AttributeType": "S"}]
ARN = "arn:aws:dynamodb:us-east-1:123456789012:table/t"


@pytest.fixture
def world() -> Iterator[World]:
    world = World(latency={"*": 0})
    yield world
    world.close()


def make(world: World, read: int = 5, write: int = 5, **more: Any) -> Any:
    """Table ``t`` and a client that does not retry."""
    if "BillingMode" not in more:
        more["ProvisionedThroughput"] = {"ReadCapacityUnits": read, "WriteCapacityUnits": write}
    more.setdefault("AttributeDefinitions", ATTRIBUTES)
    world.client("dynamodb").create_table(TableName="t", KeySchema=KEY, **more)
    return world.session.client("dynamodb", config=Config(retries={"max_attempts": 0}))


def index(name: str, attribute: str, write: int | None = None, **projection: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "IndexName": name,
        "KeySchema": [{"AttributeName": attribute, "KeyType": "HASH"}],
        "Projection": projection or {"ProjectionType": "ALL"},
    }
    if write is not None:
        made["ProvisionedThroughput"] = {"ReadCapacityUnits": 5, "WriteCapacityUnits": write}
    return made


def put(table: Any, key: str, size: int = 1, **more: Any) -> Any:
    """An item of about ``size`` KB."""
    return table.put_item(
        TableName="t", Item={"id": {"S": key}, "data": {"S": "x" * (size * 1024 - 100)}}, **more
    )


def refused(call: Any, *args: Any, **kwargs: Any) -> tuple[str, str, Any]:
    with pytest.raises(ClientError) as raised:
        call(*args, **kwargs)
    answer: dict[str, Any] = dict(raised.value.response)
    reasons = answer.get("ThrottlingReasons") or answer.get("throttlingReasons")
    return answer["Error"]["Code"], answer["Error"]["Message"], reasons


def until_refused(call: Any, most: int = 20_000) -> int:
    for count in range(most):
        try:
            call(count)
        except ClientError:
            return count
    raise AssertionError("never refused")


def total(world: World, name: str, **dimensions: str) -> float | None:
    start = world.datetime() - datetime.timedelta(hours=1)
    answer: dict[str, Any] = world.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/DynamoDB",
        MetricName=name,
        Dimensions=[{"Name": key, "Value": value} for key, value in {"TableName": "t", **dimensions}.items()],
        StartTime=start,
        EndTime=start + datetime.timedelta(hours=2),
        Period=7200,
        Statistics=["Sum"],
    )
    return answer["Datapoints"][0]["Sum"] if answer["Datapoints"] else None


def test_five_minutes_of_capacity_can_be_spent_at_once(world: World) -> None:
    table = make(world, write=5)
    assert until_refused(lambda n: put(table, str(n))) == 1500
    code, message, reasons = refused(put, table, "x")
    assert (code, message) == (
        "ProvisionedThroughputExceededException",
        "The level of configured provisioned throughput for the table was exceeded. Consider increasing your "
        "provisioning level with the UpdateTable API.",
    )
    assert reasons == [{"reason": "TableWriteProvisionedThroughputExceeded", "resource": ARN}]
    world.kernel.advance(2_000_000)
    assert until_refused(lambda n: put(table, str(n))) == 10
    assert total(world, "ConsumedWriteCapacityUnits") == 1510
    assert total(world, "WriteThrottleEvents") == 3
    assert total(world, "WriteProvisionedThroughputThrottleEvents") == 3
    assert total(world, "ThrottledRequests", Operation="PutItem") == 3
    assert total(world, "ReadThrottleEvents") is None


def test_what_operations_cost(world: World) -> None:
    table = make(world, read=100, write=100)
    asked = {"ReturnConsumedCapacity": "TOTAL"}

    def cost(answer: Any) -> float:
        consumed = answer["ConsumedCapacity"]
        return float((consumed[0] if isinstance(consumed, list) else consumed)["CapacityUnits"])

    key = {"TableName": "t", "Key": {"id": {"S": "a"}}}
    assert cost(put(table, "a", 9, **asked)) == 9
    assert cost(put(table, "a", 1, **asked)) == 9  # the larger of the two
    assert cost(put(table, "a", 5, **asked)) == 5
    assert cost(table.get_item(**key, **asked)) == 1  # 5 KB, eventually consistent
    assert cost(table.get_item(**key, ConsistentRead=True, **asked)) == 2
    assert cost(table.get_item(TableName="t", Key={"id": {"S": "none"}}, **asked)) == 0.5
    update = {"UpdateExpression": "SET n = :n", "ExpressionAttributeValues": {":n": {"N": "1"}}}
    assert cost(table.update_item(**key, **update, **asked)) == 5
    assert cost(table.scan(TableName="t", **asked)) == 1
    assert cost(table.scan(TableName="t", ConsistentRead=True, **asked)) == 2
    got = table.transact_get_items(TransactItems=[{"Get": key}], **asked)
    assert got["ConsumedCapacity"] == [{"TableName": "t", "CapacityUnits": 4, "ReadCapacityUnits": 4}]
    done = table.transact_write_items(TransactItems=[{"Update": {**key, **update}}], **asked)
    assert done["ConsumedCapacity"] == [{"TableName": "t", "CapacityUnits": 10, "WriteCapacityUnits": 10}]
    wrong = {"ConditionExpression": "n = :w", "ExpressionAttributeValues": {":w": {"N": "7"}}}
    assert refused(table.delete_item, **key, **wrong)[0] == "ConditionalCheckFailedException"
    assert cost(table.delete_item(**key, **asked)) == 5
    assert total(world, "ConsumedWriteCapacityUnits") == 9 + 9 + 5 + 5 + 10 + 5 + 5
    assert total(world, "ConsumedReadCapacityUnits") == 1 + 2 + 0.5 + 1 + 2 + 4


def test_an_index_pays_for_itself_and_holds_up_its_table(world: World) -> None:
    attributes = [*ATTRIBUTES, {"AttributeName": "g", "AttributeType": "S"}]
    table = make(
        world,
        write=100,
        AttributeDefinitions=attributes,
        GlobalSecondaryIndexes=[index("by-g", "g", 1, ProjectionType="KEYS_ONLY")],
    )

    def write(group: str | None, note: str = "") -> Any:
        item = {"id": {"S": "a"}, "note": {"S": note}} | ({"g": {"S": group}} if group else {})
        answer = table.put_item(TableName="t", Item=item, ReturnConsumedCapacity="INDEXES")
        found = answer["ConsumedCapacity"].get("GlobalSecondaryIndexes", {})
        return answer["ConsumedCapacity"]["Table"]["CapacityUnits"], found.get("by-g", {}).get(
            "CapacityUnits"
        )

    assert write("x") == (1, 1)
    assert write("x", "not projected") == (1, None)
    assert write("y") == (1, 2)
    assert write(None) == (1, 1)
    assert write(None, "not in the index") == (1, None)
    until_refused(lambda n: write("x" if n % 2 else "y"))
    code, message, reasons = refused(write, "x")
    assert code == "ProvisionedThroughputExceededException"
    assert "one or more global secondary indexes" in message
    assert reasons == [{"reason": "IndexWriteProvisionedThroughputExceeded", "resource": f"{ARN}/index/by-g"}]
    assert total(world, "WriteThrottleEvents", GlobalSecondaryIndexName="by-g") == 2
    assert total(world, "WriteThrottleEvents") is None
    query = {"IndexName": "by-g", "KeyConditionExpression": "g = :g", "ReturnConsumedCapacity": "INDEXES"}
    answer = table.query(TableName="t", **query, ExpressionAttributeValues={":g": {"S": "y"}})
    assert answer["ConsumedCapacity"] == {
        "TableName": "t",
        "CapacityUnits": 0.5,
        "Table": {"CapacityUnits": 0},
        "GlobalSecondaryIndexes": {"by-g": {"CapacityUnits": 0.5}},
    }


def test_a_hot_partition_throttles_while_its_table_has_capacity(world: World) -> None:
    table = make(world, write=5000)
    assert until_refused(lambda n: put(table, "hot")) == 1000
    reasons = [{"reason": "TableWriteKeyRangeThroughputExceeded", "resource": ARN}]
    assert refused(put, table, "hot")[::2] == ("ProvisionedThroughputExceededException", reasons)
    for n in range(1500):
        put(table, str(n))
    world.kernel.advance(500_000)
    assert until_refused(lambda n: put(table, "hot")) == 500
    assert total(world, "WriteKeyRangeThroughputThrottleEvents") == 3


def test_a_batch_returns_what_found_no_capacity(world: World) -> None:
    table = make(world, write=1, read=1)
    puts = [{"PutRequest": {"Item": {"id": {"S": str(n)}, "data": {"S": "x" * 20_000}}}} for n in range(25)]
    answer = table.batch_write_item(RequestItems={"t": puts}, ReturnConsumedCapacity="TOTAL")
    assert answer["UnprocessedItems"] == {"t": puts[15:]}  # 20 units each: the last one overdraws
    assert answer["ConsumedCapacity"] == [{"TableName": "t", "CapacityUnits": 300}]
    code, _, reasons = refused(table.batch_write_item, RequestItems={"t": puts[15:]})
    assert (code, reasons[0]["reason"]) == (
        "ProvisionedThroughputExceededException",
        "TableWriteProvisionedThroughputExceeded",
    )
    assert total(world, "WriteThrottleEvents") == 20
    assert total(world, "ThrottledRequests", Operation="BatchWriteItem") == 1
    keys = [{"id": {"S": str(n)}} for n in range(17)]  # 15 items of 5 units, two that are not there
    for _ in range(4):
        got = table.batch_get_item(RequestItems={"t": {"Keys": keys, "ConsistentRead": True}})
    assert len(got["Responses"]["t"]) == 14
    assert got["UnprocessedKeys"] == {"t": {"Keys": keys[14:], "ConsistentRead": True}}


def test_a_page_is_charged_for_what_it_looked_at(world: World) -> None:
    table = make(world, read=1000, write=1000)
    for n in range(30):
        put(table, str(n), 40)
    nothing = {"FilterExpression": "attribute_exists(absent)", "ReturnConsumedCapacity": "TOTAL"}
    first = table.scan(TableName="t", **nothing)
    assert (first["Count"], first["ScannedCount"]) == (0, 25)  # a page ends before it exceeds 1 MB
    assert first["ConsumedCapacity"]["CapacityUnits"] == 125
    second = table.scan(TableName="t", ExclusiveStartKey=first["LastEvaluatedKey"], **nothing)
    assert (second["ScannedCount"], second["ConsumedCapacity"]["CapacityUnits"]) == (5, 25)


@pytest.mark.parametrize("mode", ["legacy", "standard", "adaptive"])
def test_the_sdk_waits_in_virtual_time(world: World, mode: str) -> None:
    table = make(world, write=1)
    until_refused(lambda n: put(table, str(n)))
    patient = world.session.client("dynamodb", config=Config(retries={"mode": mode, "max_attempts": 8}))
    before = world.kernel.now
    answers = [put(patient, str(n)) for n in range(5)]
    assert sum(answer["ResponseMetadata"]["RetryAttempts"] for answer in answers) >= 1
    assert 3_000_000 < world.kernel.now - before < 60_000_000


def test_a_new_table_on_demand_serves_4000_writes_a_second(world: World) -> None:
    table = make(world, BillingMode="PAY_PER_REQUEST")
    counted = until_refused(lambda n: put(table, str(n), 4))
    assert counted == 1000
    code, message, reasons = refused(put, table, "x")
    assert code == "ThrottlingException"
    assert message.startswith("Throughput exceeds the current capacity of your table or index. DynamoDB is")
    assert reasons == [{"reason": "TableWriteKeyRangeThroughputExceeded", "resource": ARN}]
    world.kernel.advance(31 * 60_000_000)
    assert until_refused(lambda n: put(table, str(n), 4)) == 1000
    world.kernel.advance(31 * 60_000_000)
    assert until_refused(lambda n: put(table, str(n), 4)) == 2000  # twice the previous peak


def test_a_maximum_on_demand(world: World) -> None:
    table = make(world, BillingMode="PAY_PER_REQUEST", OnDemandThroughput={"MaxWriteRequestUnits": 1})
    shown = table.describe_table(TableName="t")["Table"]
    assert shown["OnDemandThroughput"] == {"MaxWriteRequestUnits": 1}
    assert until_refused(lambda n: put(table, str(n))) == 300
    code, message, reasons = refused(put, table, "x")
    assert code == "ThrottlingException"
    assert message == "Throughput exceeds the maximum OnDemandThroughput configured on table or index"
    assert reasons == [{"reason": "TableWriteMaxOnDemandThroughputExceeded", "resource": ARN}]
    assert total(world, "ConsumedWriteCapacityUnits") == 300
    table.update_table(TableName="t", OnDemandThroughput={"MaxWriteRequestUnits": -1})
    put(table, "x")
    assert "OnDemandThroughput" not in table.describe_table(TableName="t")["Table"]


def test_capacity_is_changed_after_a_while(world: World) -> None:
    world = World(latency={"*": 0, "dynamodb.throughput_update": 30_000})
    table = make(world, write=5)

    def change(read: int, write: int) -> Any:
        units = {"ReadCapacityUnits": read, "WriteCapacityUnits": write}
        return table.update_table(TableName="t", ProvisionedThroughput=units)["TableDescription"]

    shown = change(5, 10)
    assert (shown["TableStatus"], shown["ProvisionedThroughput"]["WriteCapacityUnits"]) == ("UPDATING", 5)
    assert refused(change, 5, 11)[0] == "ResourceInUseException"
    world.kernel.advance(30_000_000)
    shown = table.describe_table(TableName="t")["Table"]
    assert (shown["TableStatus"], shown["ProvisionedThroughput"]["WriteCapacityUnits"]) == ("ACTIVE", 10)
    assert shown["ProvisionedThroughput"]["LastIncreaseDateTime"] == world.datetime()
    code, message, _ = refused(change, 5, 10)
    assert code == "ValidationException"
    assert message.startswith("The provisioned throughput for the table will not change. The requested value")
    for write in (9, 8, 7, 6):
        change(5, write)
        world.kernel.advance(30_000_000)
    code, message, _ = refused(change, 4, 11)
    assert (code, message) == (
        "LimitExceededException",
        "Subscriber limit exceeded: Provisioned throughput decreases are limited within a given UTC day. "
        "After the first 4 decreases, each subsequent decrease in the same UTC day can be performed at most "
        "once every 3600 seconds. Number of decreases today: 4. Last decrease at Monday, January 5, 2026 at "
        "9:02:30 AM Coordinated Universal Time. Next decrease can be made at Monday, January 5, 2026 at "
        "10:02:30 AM Coordinated Universal Time.",
    )
    change(6, 7)
    world.kernel.advance(3_600_000_000)
    change(5, 5)
    world.kernel.advance(30_000_000)
    shown = table.describe_table(TableName="t")["Table"]["ProvisionedThroughput"]
    assert (shown["WriteCapacityUnits"], shown["NumberOfDecreasesToday"]) == (5, 5)
    start = world.datetime() - datetime.timedelta(hours=2)
    points = world.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/DynamoDB", MetricName="ProvisionedWriteCapacityUnits",
        Dimensions=[{"Name": "TableName", "Value": "t"}], Period=300, Statistics=["Average"],
        StartTime=start, EndTime=world.datetime(),
    )["Datapoints"]  # fmt: skip
    assert [point["Average"] for point in points] == [5.0, 7.0] + [7.0] * 11
    world.close()


def test_modes_are_switched(world: World) -> None:
    table = make(world, write=1)
    until_refused(lambda n: put(table, str(n)))
    for _ in range(4):
        table.update_table(TableName="t", BillingMode="PAY_PER_REQUEST")
        put(table, "x")
        units = {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}
        table.update_table(TableName="t", BillingMode="PROVISIONED", ProvisionedThroughput=units)
    shown = table.describe_table(TableName="t")["Table"]
    assert shown["BillingModeSummary"] == {
        "BillingMode": "PROVISIONED",
        "LastUpdateToPayPerRequestDateTime": world.datetime(),
    }
    code, message, _ = refused(table.update_table, TableName="t", BillingMode="PAY_PER_REQUEST")
    assert code == "LimitExceededException"
    code, message, _ = refused(table.update_table, TableName="t", BillingMode="PROVISIONED")
    assert message.endswith("ProvisionedThroughput must be specified when BillingMode is PROVISIONED")


def test_statements_use_capacity(world: World) -> None:
    table = make(world, write=1, read=1)
    insert = """INSERT INTO "t" VALUE {'id': 'a', 'data': 'b'}"""
    table.execute_statement(Statement=insert)
    select = """SELECT * FROM "t" WHERE id = 'a'"""
    answer = table.execute_statement(Statement=select, ReturnConsumedCapacity="TOTAL")
    assert answer["ConsumedCapacity"] == {"TableName": "t", "CapacityUnits": 0.5}
    until_refused(lambda n: put(table, str(n)))
    code, _, reasons = refused(table.execute_statement, Statement=insert.replace("'a'", "'c'"))
    assert (code, reasons[0]["reason"]) == (
        "ProvisionedThroughputExceededException",
        "TableWriteProvisionedThroughputExceeded",
    )
    assert (total(world, "ConsumedWriteCapacityUnits"), total(world, "ConsumedReadCapacityUnits")) == (
        300,
        0.5,
    )
    with pytest.raises(NotImplementedError, match="BatchExecuteStatement on a table with limited capacity"):
        table.batch_execute_statement(Statements=[{"Statement": insert}])
