"""GetShardIterator, GetRecords, ListShards.

https://docs.aws.amazon.com/kinesis/latest/APIReference/API_GetRecords.html: up to 10,000 records and 10 MB; a
shard answers five calls and 2 MB per second.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

from ...constraints import constraint
from ...service import Call, ServiceError
from ..stream import Record
from . import errors, iterators, sequence
from .base import Streams, micros
from .data_stream import DataStream
from .shard import KinesisRecord, KinesisShard

MAX_RECORDS = 10_000
MAX_BYTES = 10 * 1024 * 1024


class Reading(Streams):
    def GetShardIterator(self, call: Call) -> dict[str, Any]:
        params = call.params
        shard_id = self._shard_id(params["ShardId"], _stream_name(params))
        try:
            stream = self._readable(call)
        except ServiceError as problem:
            if problem.code == "ResourceNotFoundException":
                raise errors.no_shard(shard_id, _stream_name(params), self.world.account) from None
            raise
        shard = self._shard(stream, shard_id)
        position = self._position(
            stream,
            shard,
            params["ShardIteratorType"],
            params.get("StartingSequenceNumber"),
            params.get("Timestamp"),
        )
        return {"ShardIterator": iterators.encode(stream.arn, shard.id, position, self.kernel.now)}

    def _position(
        self, stream: DataStream, shard: KinesisShard, kind: str, given: str | None, timestamp: Any
    ) -> int:
        """Where reading starts, by the kind of position and what goes with it."""
        value = 0
        if kind in ("AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"):
            if given is None:
                raise errors.invalid(
                    f"Must either specify (1) AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER and "
                    f"StartingSequenceNumber or (2) TRIM_HORIZON or LATEST and no StartingSequenceNumber. "
                    f"Request specified {kind} and no StartingSequenceNumber."
                )
            value = self._sequence(given, shard, stream)
        elif given is not None:
            raise errors.invalid(
                f"Must either specify (1) AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER and "
                f"StartingSequenceNumber or (2) TRIM_HORIZON or LATEST and no StartingSequenceNumber. "
                f"Request specified {kind} and also a StartingSequenceNumber."
            )
        elif kind == "AT_TIMESTAMP":
            if timestamp is None:
                raise errors.invalid(
                    "Must specify timestampInMillis parameter for iterator of type AT_TIMESTAMP."
                )
            value = micros(timestamp)
            if value > self.kernel.now:
                raise errors.invalid(
                    f"The timestampInMillis parameter cannot be greater than the currentTimestampInMillis. "
                    f"timestampInMillis: {value // 1000}, currentTimestampInMillis: {self.kernel.now // 1000}"
                )
        return shard.position(kind, value)

    def _sequence(self, given: str, shard: KinesisShard, stream: DataStream) -> int:
        """A StartingSequenceNumber; it says of which shard it is (mhart/kinesalite, test/getShardIterator.js,
        recorded from AWS)."""
        used = f"used in GetShardIterator on shard {shard.id} in stream {stream.name} under account"
        used = f"{used} {self.world.account} is invalid"
        value = int(given) if given.isdigit() else -1
        try:
            of_shard, _, shown = sequence.read(value)
        except ValueError:
            raise errors.invalid(f"StartingSequenceNumber {given} {used}.") from None
        if of_shard != shard.id:
            raise errors.invalid(
                f"Invalid StartingSequenceNumber. It encodes {of_shard}, while it was used in a call to a "
                f"shard with {shard.id}"
            )
        last = shard.ending if shard.ending is not None else shard.sequence.last(self.kernel.now)
        if not shard.sequence.first <= value <= last:
            raise errors.invalid(
                f"StartingSequenceNumber {shown} {used} because it did not come from this stream."
            )
        return value

    def GetRecords(self, call: Call) -> dict[str, Any]:
        params, now = call.params, self.kernel.now
        limit = params.get("Limit")
        if limit is not None and not 1 <= limit <= MAX_RECORDS:
            bound = f"less than or equal to {MAX_RECORDS}" if limit > 1 else "greater than or equal to 1"
            raise constraint(limit, "limit", f"have value {bound}")
        stream_arn, shard_id, position = iterators.decode(params["ShardIterator"], now)
        stream = self.streams.get(stream_arn)
        if stream is None or stream.deleted:
            raise errors.no_stream(stream_arn.rpartition("/")[2], self.world.account)
        shard = self._shard(stream, shard_id)
        if not shard.reads.has(1, now) or shard.read_bytes.wait(now):
            shard.note_read([], call.caller.name, throttled=True, trace=call.caller.trace)
            raise errors.rate_exceeded(shard.id, stream.name, self.world.account)
        shard.reads.take(1)
        records, after = shard.read(position, limit or MAX_RECORDS, MAX_BYTES)
        if stream.encryption and records:
            self.unlock(stream, call.caller, "kms:Decrypt")
        shard.read_bytes.take(sum(record.size for record in records))
        following = shard.peek(after)
        behind = 0 if following is None else (now - following.arrived) // 1000
        shard.note_read(records, call.caller.name, trace=call.caller.trace)
        answer: dict[str, Any] = {
            "Records": self._records_shown(stream, records),
            "MillisBehindLatest": behind,
        }
        if not shard.exhausted(after):
            answer["NextShardIterator"] = iterators.encode(stream.arn, shard.id, after, now)
        else:
            answer["ChildShards"] = children(stream, shard)
        return answer

    def _records_shown(self, stream: DataStream, records: list[Record]) -> list[dict[str, Any]]:
        encryption = {"EncryptionType": "KMS"} if stream.encryption else {}
        return [
            {
                "SequenceNumber": str(record.sequence),
                "ApproximateArrivalTimestamp": self.world.datetime(record.arrived // 1000 * 1000),
                "Data": record.data,
                "PartitionKey": record.key,
                **encryption,
            }
            for record in records
            if isinstance(record, KinesisRecord)
        ]

    def ListShards(self, call: Call) -> dict[str, Any]:
        """https://docs.aws.amazon.com/kinesis/latest/APIReference/API_ListShards.html"""
        params = call.params
        self._refuse(params, "StreamCreationTimestamp")
        size = params.get("MaxResults") or 1000
        after = params.get("ExclusiveStartShardId")
        kind = (params.get("ShardFilter") or {}).get("Type")
        if params.get("NextToken"):
            if params.get("StreamName") or after:
                raise errors.invalid(
                    "NextToken and StreamName cannot be provided together."
                    if params.get("StreamName")
                    else "NextToken and ExclusiveStartShardId cannot be provided together."
                )
            arn, after, kind = _decoded(params["NextToken"])
            stream = self.streams.get(arn)
            if stream is None:
                raise errors.no_stream(arn.rpartition("/")[2], self.world.account)
        else:
            stream = self._stream(call)
        shards = stream.listed()
        if kind:
            shards = self._filtered(shards, kind, params.get("ShardFilter") or {})
        if after:
            shards = [shard for shard in shards if shard.id > after]
        answer: dict[str, Any] = {"Shards": [shard.shown() for shard in shards[:size]]}
        if len(shards) > size:
            token = "\n".join((stream.arn, shards[size - 1].id, kind or ""))
            answer["NextToken"] = base64.b64encode(token.encode()).decode()
        return answer

    def _filtered(self, shards: list[KinesisShard], kind: str, given: dict[str, Any]) -> list[KinesisShard]:
        if kind == "AT_LATEST":
            return [shard for shard in shards if shard.closed is None]
        if kind == "AFTER_SHARD_ID":
            return [shard for shard in shards if shard.id > given.get("ShardId", "")]
        if kind in ("AT_TIMESTAMP", "FROM_TIMESTAMP"):
            if given.get("Timestamp") is None:
                raise errors.invalid("Timestamp must be provided in the shard filter.")
            at = micros(given["Timestamp"])
            alive = [shard for shard in shards if shard.closed is None or shard.closed >= at]
            return [shard for shard in alive if shard.created <= at] if kind == "AT_TIMESTAMP" else alive
        if kind == "AT_TRIM_HORIZON":
            oldest = min((shard.created for shard in shards), default=0)
            at = max(oldest, self.kernel.now - (shards[0].stream.retention if shards else 0))
            return [shard for shard in shards if shard.created <= at]
        return shards  # FROM_TRIM_HORIZON: all that are retained

    def _readable(self, call: Call) -> DataStream:
        stream = self._stream(call)
        if stream.status not in ("ACTIVE", "UPDATING"):
            raise errors.no_stream(stream.name, self.world.account)
        return stream


def _stream_name(params: dict[str, Any]) -> str:
    """As a refusal names the stream, whether it exists or not."""
    return str(params.get("StreamName") or params.get("StreamARN", "").rpartition("/")[2])


def children(stream: DataStream, shard: KinesisShard) -> list[dict[str, Any]]:
    """What a reader is told at the end of a closed shard."""
    return [
        {
            "ShardId": child.id,
            "ParentShards": list(child.parents),
            "HashKeyRange": {"StartingHashKey": str(child.low), "EndingHashKey": str(child.high)},
        }
        for child in stream.listed()
        if shard.id in child.parents
    ]


def _decoded(token: str) -> tuple[str, str, str]:
    try:
        arn, after, kind = base64.b64decode(token, validate=True).decode().split("\n")
    except (binascii.Error, ValueError):
        raise errors.invalid("Invalid NextToken.") from None
    return arn, after, kind
