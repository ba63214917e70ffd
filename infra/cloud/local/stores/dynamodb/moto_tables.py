"""What moto's tables do differently here: their streams, their time to live, their transactions.

moto's classes are changed once in a process; they ask the open world's ``DynamoDBStreams`` (the ``owner``).
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from moto.core.responses import ActionResult
from moto.dynamodb import responses
from moto.dynamodb.exceptions import (
    ItemSizeTooLarge,
    MockValidationException,
    ResourceNotFoundException,
)
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict
from moto.dynamodb.models.table import Table
from moto.dynamodb.responses import DynamoHandler

from . import expressions
from .images import size
from .partitions import all_items, keep_in_order, query_by
from .transactions import digest, transact_write_items

if TYPE_CHECKING:
    from .streams import DynamoDBStreams

MAX_ITEM = 405_000
"""moto's measure of an item that is too large (bytes)."""

MAX_BATCH = 25
"""Items of one BatchWriteItem."""

_owner: weakref.ref[DynamoDBStreams] | None = None
_installed = False


def attach(service: DynamoDBStreams) -> None:
    """From now on, moto's tables tell this service."""
    global _owner
    _owner = weakref.ref(service)
    _install()


def owner() -> DynamoDBStreams:
    service = _owner() if _owner is not None else None
    assert service is not None, "moto's tables belong to an open world"
    return service


def _install() -> None:
    global _installed
    if _installed:
        return
    _installed = True
    update_item = DynamoDBBackend.update_item
    delete_table = DynamoDBBackend.delete_table
    transact = DynamoHandler.transact_write_items
    describe = Table.describe
    begin = Table.__init__

    def begun(table: Any, *args: Any, **kwargs: Any) -> None:
        begin(table, *args, **kwargs)
        keep_in_order(table)

    def described(table: Any, base_key: str = "TableDescription") -> dict[str, Any]:
        """As AWS describes a table: with an id, without empty lists."""
        answer = describe(table, base_key)
        shown = answer[base_key]
        shown["TableId"] = owner().table_id(table)
        for name in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes"):
            if not shown[name]:
                del shown[name]
        if shown["BillingModeSummary"]["BillingMode"] != "PAY_PER_REQUEST":
            del shown["BillingModeSummary"]
        return answer

    def updated(backend: Any, table_name: str, *args: Any, **kwargs: Any) -> Any:
        """moto inserts an item before it updates it: hold its messages until the update is done."""
        capture = backend.get_table(table_name).stream_shard
        if capture is None or not capture.hold():
            return update_item(backend, table_name, *args, **kwargs)
        try:
            item = update_item(backend, table_name, *args, **kwargs)
        except BaseException:
            for old, new in capture.discard():
                if old is None:
                    capture.table.delete_item(new.hash_key, new.range_key)
            raise
        capture.release()
        return item

    def table_deleted(backend: Any, name: str) -> Any:
        table = delete_table(backend, name)
        owner().deleted(table)
        return table

    def transacted(handler: Any) -> ActionResult:
        items, token = handler.body["TransactItems"], handler.body.get("ClientRequestToken")
        tokens = owner().tokens
        request = digest(items) if token else b""
        if not token or not tokens.used(token, request):
            transact(handler)
            if token:
                tokens.use(token, request)
        answer: dict[str, Any] = {}
        if handler.body.get("ReturnConsumedCapacity", "NONE") != "NONE":
            answer["ConsumedCapacity"] = _capacity(items)
        return ActionResult(answer)

    replaced: tuple[tuple[Any, str, Any], ...] = (
        (Item, "__init__", _item),
        (Table, "__init__", begun),
        (Table, "query", query_by(Table.query)),
        (Table, "all_items", all_items),
        (Table, "set_stream_specification", _set_stream),
        (Table, "describe", described),
        (DynamoDBBackend, "update_table_streams", _update_stream),
        (DynamoDBBackend, "update_item", updated),
        (DynamoDBBackend, "delete_table", table_deleted),
        (DynamoDBBackend, "update_time_to_live", _update_time_to_live),
        (DynamoDBBackend, "describe_time_to_live", _describe_time_to_live),
        (DynamoDBBackend, "transact_write_items", transact_write_items),
        (DynamoHandler, "transact_write_items", transacted),
        (
            DynamoHandler,
            "batch_write_item",
            _limited(_only_what_was_asked(DynamoHandler.batch_write_item)),
        ),
        (DynamoHandler, "update_item", _only_what_was_asked(DynamoHandler.update_item)),
        (responses, "TRANSACTION_MAX_ITEMS", 100),
    )
    for target, name, value in replaced:
        setattr(target, name, value)
    expressions.install()


def _only_what_was_asked(action: Callable[[Any], ActionResult]) -> Callable[[Any], ActionResult]:
    """Capacity and collection metrics are answered on request:
    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateItem.html"""

    def acted(handler: Any) -> ActionResult:
        result = action(handler)
        answer: Any = result.result
        if handler.body.get("ReturnConsumedCapacity", "NONE") == "NONE":
            answer.pop("ConsumedCapacity", None)
        if handler.body.get("ReturnItemCollectionMetrics", "NONE") == "NONE":
            answer.pop("ItemCollectionMetrics", None)
        return result

    return acted


def _limited(action: Callable[[Any], ActionResult]) -> Callable[[Any], ActionResult]:
    """https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html"""

    def acted(handler: Any) -> ActionResult:
        if sum(map(len, handler.body["RequestItems"].values())) > MAX_BATCH:
            raise MockValidationException("Too many items requested for the BatchWriteItem call")
        return action(handler)

    return acted


def _item(item: Any, hash_key: Any, range_key: Any, attrs: dict[str, Any]) -> None:
    """In place of Item's constructor, which measures the whole item again for each of its attributes."""
    item.hash_key = hash_key
    item.range_key = range_key
    item.attrs = LimitedSizeDict()
    total = 0
    for name, given in attrs.items():
        value = DynamoType(given)
        total += len(name.encode()) + value.size()
        if total > MAX_ITEM:
            raise ItemSizeTooLarge
        dict.__setitem__(item.attrs, name, value)


def _set_stream(table: Any, streams: dict[str, Any] | None) -> None:
    """https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_StreamSpecification.html"""
    if not streams or not streams.get("StreamEnabled"):
        if streams and streams.get("StreamViewType"):
            raise MockValidationException(
                "One or more parameter values were invalid: "
                "StreamViewType cannot be specified when StreamEnabled is false"
            )
        table.stream_specification = {"StreamEnabled": False}
        owner().disable(table)
        return
    if not streams.get("StreamViewType"):
        raise MockValidationException(
            "One or more parameter values were invalid: "
            "StreamViewType must be specified when StreamEnabled is true"
        )
    table.stream_specification = {"StreamEnabled": True, "StreamViewType": streams["StreamViewType"]}
    owner().enable(table, streams["StreamViewType"])


def _update_stream(backend: Any, table: Any, specification: dict[str, Any]) -> None:
    """https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateTable.html"""
    enabled = table.stream_specification["StreamEnabled"]
    if specification.get("StreamEnabled"):
        if enabled:
            raise MockValidationException(f"Table already has an enabled stream: TableName: {table.name}")
    elif not enabled:
        raise MockValidationException(f"Table has no stream to disable: TableName: {table.name}")
    table.set_stream_specification(specification)


def _update_time_to_live(backend: Any, name: str, specification: dict[str, Any]) -> None:
    """https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateTimeToLive.html"""
    table = _existing(backend, name)
    attribute, ttl = specification["AttributeName"], table.ttl
    enabled = ttl["TimeToLiveStatus"] == "ENABLED"
    if enabled and attribute != ttl["AttributeName"]:
        raise MockValidationException(
            "TimeToLive is active on a different AttributeName: current AttributeName is "
            + ttl["AttributeName"]
        )
    if specification["Enabled"] == enabled:
        raise MockValidationException(f"TimeToLive is already {'enabled' if enabled else 'disabled'}")
    if enabled:
        table.ttl = {"TimeToLiveStatus": "DISABLED"}
    else:
        table.ttl = {"TimeToLiveStatus": "ENABLED", "AttributeName": attribute}
    owner().expire(table, None if enabled else attribute)


def _describe_time_to_live(backend: Any, name: str) -> dict[str, Any]:
    answer: dict[str, Any] = _existing(backend, name).ttl
    return answer


def _existing(backend: Any, name: str) -> Any:
    try:
        return backend.get_table(name)
    except ResourceNotFoundException as error:
        raise ResourceNotFoundException(table_name=name) from error


def _capacity(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Two write units per KB and item: a transaction prepares, then commits.
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html"""
    units: dict[str, float] = {}
    for item in items:
        ((_, op),) = item.items()
        written = size(op.get("Item") or op["Key"])
        units[op["TableName"]] = units.get(op["TableName"], 0.0) + 2.0 * max(1, -(-written // 1024))
    return [
        {"TableName": table, "CapacityUnits": number, "WriteCapacityUnits": number}
        for table, number in units.items()
    ]
