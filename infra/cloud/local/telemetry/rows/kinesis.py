"""The metrics of AWS/Kinesis: of streams always, of shards where enhanced monitoring is on.

https://docs.aws.amazon.com/streams/latest/dev/monitoring-with-cloudwatch.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...journal import Entry
from ..series import Dimensions
from . import Row, at_end

Value = Callable[[Entry], float | list[float] | None]


def _stream(entry: Entry) -> list[Dimensions]:
    return [(("StreamName", entry.resource.rpartition("/")[2]),)]


def _consumer(entry: Entry) -> list[Dimensions]:
    name = entry.resource.rpartition("/")[2]
    return [(("ConsumerName", entry.data["consumer"]), ("StreamName", name))]


def _row(name: str, kind: str, value: Value, unit: str = "Count") -> Row:
    return Row("AWS/Kinesis", name, unit, kind, value, at_end, _stream)


def _put(
    name: str, value: Callable[[dict[str, Any]], float], unit: str = "Count", operation: str = ""
) -> Row:
    """Of a write, by either operation or by one of them."""
    return _row(
        name,
        "kinesis.put",
        lambda entry: value(entry.data) if operation in ("", entry.data["operation"]) else None,
        unit,
    )


def _get(name: str, value: Callable[[dict[str, Any]], float], unit: str = "Count") -> Row:
    """Of a read that shares the shard's throughput and was not refused."""
    return _row(
        name,
        "kinesis.get",
        lambda entry: value(entry.data) if entry.outcome == "ok" and "consumer" not in entry.data else None,
        unit,
    )


def _pushed(name: str, value: Callable[[dict[str, Any]], float], unit: str = "Count") -> Row:
    return Row(
        "AWS/Kinesis",
        name,
        unit,
        "kinesis.get",
        lambda entry: value(entry.data) if "consumer" in entry.data else None,
        at_end,
        _consumer,
    )


def _latency(operation: str) -> Row:
    return _row(
        f"{operation}.Latency",
        f"api.kinesis.{operation}",
        lambda entry: entry.duration / 1000 if entry.resource else None,
        "Milliseconds",
    )


def _shard_dimensions(entry: Entry) -> list[Dimensions]:
    return [(("ShardId", entry.data["shard"]), *_stream(entry)[0])]


def _of_shard(name: str, kind: str, member: str, unit: str = "Count") -> Row:
    """Of a single shard, where enhanced monitoring asks for it."""
    return Row(
        "AWS/Kinesis",
        name,
        unit,
        kind,
        lambda entry: entry.data[member] if name in entry.data["metrics"] else None,
        at_end,
        _shard_dimensions,
    )


def _shared(entry: Entry, value: float) -> float | None:
    return None if "consumer" in entry.data else value


ROWS: tuple[Row, ...] = (
    _put("IncomingBytes", lambda data: data["bytes"], "Bytes"),
    _put("IncomingRecords", lambda data: data["records"]),
    _put("WriteProvisionedThroughputExceeded", lambda data: data["throttled"]),
    _put("PutRecord.Bytes", lambda data: data["bytes"], "Bytes", "PutRecord"),
    _put("PutRecord.Success", lambda data: data["records"], "Count", "PutRecord"),
    _latency("PutRecord"),
    _put("PutRecords.Bytes", lambda data: data["bytes"], "Bytes", "PutRecords"),
    _put("PutRecords.Success", lambda data: int(data["records"] > 0), "Count", "PutRecords"),
    _put("PutRecords.TotalRecords", lambda data: data["records"] + data["throttled"], "Count", "PutRecords"),
    _put("PutRecords.SuccessfulRecords", lambda data: data["records"], "Count", "PutRecords"),
    _put("PutRecords.ThrottledRecords", lambda data: data["throttled"], "Count", "PutRecords"),
    _put("PutRecords.FailedRecords", lambda data: 0, "Count", "PutRecords"),
    _latency("PutRecords"),
    _get("GetRecords.Bytes", lambda data: data["bytes"], "Bytes"),
    _get("GetRecords.Records", lambda data: data["records"]),
    _get("GetRecords.IteratorAgeMilliseconds", lambda data: data["age_ms"], "Milliseconds"),
    _latency("GetRecords"),
    _row("GetRecords.Success", "kinesis.get", lambda entry: _shared(entry, int(entry.outcome == "ok"))),
    _row(
        "ReadProvisionedThroughputExceeded",
        "kinesis.get",
        lambda entry: _shared(entry, int(entry.outcome != "ok")),
    ),
    _pushed("SubscribeToShardEvent.Success", lambda data: 1),
    _pushed("SubscribeToShardEvent.Records", lambda data: data["records"]),
    _pushed("SubscribeToShardEvent.Bytes", lambda data: data["bytes"], "Bytes"),
    _pushed("SubscribeToShardEvent.MillisBehindLatest", lambda data: data["age_ms"], "Milliseconds"),
    _of_shard("IncomingBytes", "kinesis.shard_put", "bytes", "Bytes"),
    _of_shard("IncomingRecords", "kinesis.shard_put", "records"),
    _of_shard("WriteProvisionedThroughputExceeded", "kinesis.shard_put", "throttled"),
    _of_shard("OutgoingBytes", "kinesis.shard_get", "bytes", "Bytes"),
    _of_shard("OutgoingRecords", "kinesis.shard_get", "records"),
    _of_shard("ReadProvisionedThroughputExceeded", "kinesis.shard_get", "throttled"),
    _of_shard("IteratorAgeMilliseconds", "kinesis.shard_get", "age_ms", "Milliseconds"),
)
