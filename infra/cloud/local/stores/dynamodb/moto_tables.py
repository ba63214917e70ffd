"""What moto's tables do differently here: streams, time to live, transactions, capacity and its cost.

moto's classes are changed once in a process; they ask the open world's ``DynamoDBStreams`` (the ``owner``).
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from moto.core.responses import ActionResult
from moto.dynamodb import responses
from moto.dynamodb.exceptions import (
    MockValidationException,
    ResourceNotFoundException,
)
from moto.dynamodb.models import DynamoDBBackend, dynamodb_backends
from moto.dynamodb.models import table as tables
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import Table
from moto.dynamodb.responses import DynamoHandler

from . import expressions, kinesis_destination
from .batches import batch_got, batch_written, replayed, transacted, transactionally_got
from .items import get_item, make_item, measured
from .metering import got, paged, written
from .partiql import stated, stated_together
from .partitions import PAGE, all_items, keep_in_order, query_by, scan_by
from .settings import create_table, described, update_table
from .table_requests import TABLES, checked_table
from .transactions import digest, transact_write_items
from .validation import checked
from .values import added, subtracted

if TYPE_CHECKING:
    from .streams import DynamoDBStreams

_ITEMS = (
    ("batch_get_item", "BatchGetItem"),
    ("batch_write_item", "BatchWriteItem"),
    ("delete_item", "DeleteItem"),
    ("get_item", "GetItem"),
    ("put_item", "PutItem"),
    ("query", "Query"),
    ("scan", "Scan"),
    ("transact_get_items", "TransactGetItems"),
    ("transact_write_items", "TransactWriteItems"),
    ("update_item", "UpdateItem"),
)
"""Operations on items: moto's method and DynamoDB's name."""

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

    put_item = Table.put_item

    def put(table: Any, *args: Any, **kwargs: Any) -> Any:
        table._written = item = put_item(table, *args, **kwargs)
        return item

    def updated(backend: Any, table_name: str, *args: Any, **kwargs: Any) -> Any:
        """moto inserts an item before it updates it: hold its messages until the update is done."""
        table = backend.get_table(table_name)
        capture = table.stream_shard
        if capture is None or not capture.hold():
            return measured(table, update_item(backend, table_name, *args, **kwargs))
        try:
            item = update_item(backend, table_name, *args, **kwargs)
        except BaseException:
            for old, new in capture.discard():
                if old is None:
                    capture.table.delete_item(new.hash_key, new.range_key)
            raise
        capture.release()
        return measured(table, item)

    def table_deleted(backend: Any, name: str) -> Any:
        table = delete_table(backend, name)
        owner().deleted(table)
        return table

    charged = transacted(transact, owner)

    def once(handler: Any) -> ActionResult:
        """By its token, a transaction happens once."""
        items, token = handler.body["TransactItems"], handler.body.get("ClientRequestToken")
        tokens = owner().tokens
        request = digest(items) if token else b""
        if token and tokens.used(token, request):
            return replayed(handler, owner)
        result = charged(handler)
        answer: Any = result.result
        answer.pop("ItemCollectionMetrics", None)
        if token:
            tokens.use(token, request)
        return result

    replaced: tuple[tuple[Any, str, Any], ...] = (
        (Item, "__init__", make_item),
        (Table, "__init__", begun),
        (Table, "get_item", get_item),
        (Table, "put_item", put),
        (Table, "query", query_by(Table.query)),
        (Table, "scan", scan_by(Table.scan)),
        (Table, "all_items", all_items),
        (Table, "set_stream_specification", _set_stream),
        (Table, "describe", described(describe, owner)),
        (DynamoDBBackend, "update_table_streams", _update_stream),
        (DynamoDBBackend, "update_item", updated),
        (DynamoDBBackend, "delete_table", table_deleted),
        (DynamoDBBackend, "update_time_to_live", _update_time_to_live),
        (DynamoDBBackend, "describe_time_to_live", _describe_time_to_live),
        (DynamoDBBackend, "transact_write_items", transact_write_items),
        (DynamoHandler, "dynamodb_backend", property(_backend)),
        (DynamoHandler, "create_table", create_table(DynamoHandler.create_table, owner)),
        (DynamoHandler, "update_table", update_table(DynamoHandler.update_table, owner)),
        (DynamoHandler, "transact_write_items", once),
        (
            DynamoHandler,
            "transact_get_items",
            transactionally_got(DynamoHandler.transact_get_items, owner),
        ),
        (
            DynamoHandler,
            "batch_write_item",
            _only_what_was_asked(batch_written(DynamoHandler.batch_write_item, owner)),
        ),
        (DynamoHandler, "batch_get_item", batch_got(DynamoHandler.batch_get_item, owner)),
        (DynamoHandler, "put_item", written(_plain(DynamoHandler.put_item), "Put", owner)),
        (
            DynamoHandler,
            "update_item",
            _only_what_was_asked(written(DynamoHandler.update_item, "Update", owner)),
        ),
        (DynamoHandler, "delete_item", written(_plain(DynamoHandler.delete_item), "Delete", owner)),
        (DynamoHandler, "get_item", got(_plain(DynamoHandler.get_item), owner)),
        (DynamoHandler, "query", paged(_plain(DynamoHandler.query), owner)),
        (DynamoHandler, "scan", paged(_plain(DynamoHandler.scan), owner)),
        (DynamoHandler, "execute_statement", stated(DynamoHandler.execute_statement, owner)),
        *(
            (DynamoHandler, method, stated_together(getattr(DynamoHandler, method), owner, name))
            for method, name in (
                ("batch_execute_statement", "BatchExecuteStatement"),
                ("execute_transaction", "ExecuteTransaction"),
            )
        ),
        (DynamoType, "__add__", added),
        (DynamoType, "__sub__", subtracted),
        (DynamoHandler, "enable_kinesis_streaming_destination", kinesis_destination.enable(owner)),
        (DynamoHandler, "disable_kinesis_streaming_destination", kinesis_destination.disable(owner)),
        (DynamoHandler, "describe_kinesis_streaming_destination", kinesis_destination.describe),
        (tables, "RESULT_SIZE_LIMIT", PAGE),
        (responses, "TRANSACTION_MAX_ITEMS", 100),
    )
    for target, name, value in replaced:
        setattr(target, name, value)
    for method, name in _ITEMS:
        setattr(DynamoHandler, method, checked(getattr(DynamoHandler, method), name))
    for method in TABLES:
        setattr(DynamoHandler, method, checked_table(getattr(DynamoHandler, method), method))
    expressions.install()


def _backend(handler: Any) -> Any:
    """moto looks its backend up at each step of a request; it stays the same."""
    found = handler.__dict__.get("_backend")
    if found is None:
        found = handler._backend = dynamodb_backends[handler.current_account][handler.region]
    return found


def _plain(action: Any) -> Callable[[Any], ActionResult]:
    """Without moto's guess of the capacity."""
    inner: Callable[[Any], ActionResult] = action.__wrapped__
    return inner


def _only_what_was_asked(action: Callable[[Any], ActionResult]) -> Callable[[Any], ActionResult]:
    """Collection metrics are answered on request:
    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateItem.html"""

    def acted(handler: Any) -> ActionResult:
        result = action(handler)
        answer: Any = result.result
        if handler.body.get("ReturnItemCollectionMetrics", "NONE") == "NONE":
            answer.pop("ItemCollectionMetrics", None)
        return result

    return acted


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
