"""The metrics of AWS/DynamoDB, but those of provisioned capacity (``dynamodb_capacity.py``).

What a table with provisioned capacity or a maximum consumes is exact (``dynamodb.consumed``); of other tables
on demand, items of up to 1 KB (written) and 4 KB (read) are counted. OnlineIndexThrottleEvents has no data:
an index is filled at once here. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html
"""

from __future__ import annotations

from collections.abc import Callable

from ...journal import Entry
from ..capacity import READS, WRITES
from ..series import Dimensions
from . import Row, at_end

OPERATIONS = ("ExecuteStatement", *WRITES, *READS)

CONDITION = "ConditionalCheckFailedException"
THROTTLES = ("ProvisionedThroughputExceededException", "RequestLimitExceeded", "ThrottlingException")
SERVER_ERRORS = ("InternalServerError", "ServiceUnavailable", "500", "503")

Value = Callable[[Entry], float | list[float] | None]


def _tables(entry: Entry) -> list[str]:
    return [entry.resource] if entry.resource else [*entry.data.get("tables", ())]


def of_table(entry: Entry) -> list[Dimensions]:
    return [(("TableName", table),) for table in _tables(entry)]


def of_operation(entry: Entry) -> list[Dimensions]:
    operation = ("Operation", entry.what.rpartition(".")[2])
    return [(operation, ("TableName", table)) for table in _tables(entry)]


def of_account(entry: Entry) -> list[Dimensions]:
    return [()]


def of_stream(entry: Entry) -> list[Dimensions]:
    label = ("StreamLabel", str(entry.data["label"]))
    return [(("Operation", "GetRecords"), label, ("TableName", entry.resource))]


def of_resource(entry: Entry) -> list[Dimensions]:
    """A table, or an index of it."""
    table, index = ("TableName", entry.resource), entry.data["index"]
    return [(("GlobalSecondaryIndexName", index), table) if index else (table,)]


def _row(
    name: str, kind: str, value: Value, dimensions: Callable[[Entry], list[Dimensions]], unit: str
) -> Row:
    return Row("AWS/DynamoDB", name, unit, kind, value, at_end, dimensions)


def _units(units: float) -> Value:
    """A conditional write that fails consumes capacity too. An entry for several tables counts evenly."""

    def value(entry: Entry) -> float | None:
        if entry.outcome not in ("ok", CONDITION) or entry.data.get("metered"):
            return None
        items = entry.data.get("items", 1) / max(len(entry.data.get("tables", ())), 1)
        return float(items * units * (2 if entry.data.get("consistent") else 1))

    return value


def _latency(entry: Entry) -> float | None:
    return entry.duration / 1000 if entry.outcome == "ok" else None


def _user_error(entry: Entry) -> float | None:
    """HTTP 400, but neither throttling nor a failed condition."""
    code = entry.outcome
    return None if code in ("ok", CONDITION, *THROTTLES, *SERVER_ERRORS) else 1


def _rows_of(operation: str) -> list[Row]:
    kind = f"api.dynamodb.{operation}"
    rows = [
        _row("SuccessfulRequestLatency", kind, _latency, of_operation, "Milliseconds"),
        _row(
            "ThrottledRequests",
            kind,
            lambda entry: 1 if entry.outcome in THROTTLES else None,
            of_operation,
            "Count",
        ),
        _row(
            "SystemErrors",
            kind,
            lambda entry: 1 if entry.outcome in SERVER_ERRORS else None,
            of_operation,
            "Count",
        ),
        _row("UserErrors", kind, _user_error, of_account, "Count"),
    ]
    if operation in WRITES:
        rows += [
            _row("ConsumedWriteCapacityUnits", kind, _units(WRITES[operation]), of_table, "Count"),
            _row(
                "ConditionalCheckFailedRequests",
                kind,
                lambda entry: 1 if entry.outcome == CONDITION else None,
                of_table,
                "Count",
            ),
        ]
    if operation in READS:
        rows.append(_row("ConsumedReadCapacityUnits", kind, _units(READS[operation]), of_table, "Count"))
    if operation in ("Query", "Scan"):
        rows.append(
            _row("ReturnedItemCount", kind, lambda entry: entry.data.get("returned"), of_operation, "Count")
        )
    return rows


def _consumed(direction: str) -> Value:
    return lambda entry: entry.data[direction] or None


def _throttled(operation: str, limit: str = "") -> Value:
    def value(entry: Entry) -> float | None:
        data = entry.data
        return 1 if data["operation"] == operation and limit in ("", data["limit"]) else None

    return value


LIMITS = (
    "AccountLimitExceeded",
    "KeyRangeThroughputExceeded",
    "MaxOnDemandThroughputExceeded",
    "ProvisionedThroughputExceeded",
)
_CAPACITY: tuple[Row, ...] = (
    *(
        _row(
            f"Consumed{operation}CapacityUnits",
            "dynamodb.consumed",
            _consumed(operation.lower()),
            of_resource,
            "Count",
        )
        for operation in ("Read", "Write")
    ),
    *(
        _row(
            f"{operation}{limit.removesuffix('Exceeded')}ThrottleEvents",
            "dynamodb.throttled",
            _throttled(operation, limit),
            of_resource,
            "Count",
        )
        for operation in ("Read", "Write")
        for limit in ("", *LIMITS)
    ),
)

ROWS: tuple[Row, ...] = (
    *_CAPACITY,
    *(row for operation in OPERATIONS for row in _rows_of(operation)),
    _row("TimeToLiveDeletedItemCount", "dynamodb.ttl_deletion", lambda entry: 1, of_table, "Count"),
    _row(
        "ReturnedRecordsCount",
        "dynamodb.records_read",
        lambda entry: entry.data["records"],
        of_stream,
        "Count",
    ),
)
