"""A shard of a data stream: its range of hash keys, its limits, its records.

https://docs.aws.amazon.com/streams/latest/dev/key-concepts.html
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from json.encoder import encode_basestring_ascii
from typing import TYPE_CHECKING, Any

from ..stream import Record, Shard
from .limits import READ_BYTES, READS, WRITE_BYTES, WRITE_RECORDS, Bucket
from .sequence import Numbers

if TYPE_CHECKING:
    from .data_stream import DataStream

HASH_KEYS = 1 << 128

_quoted = encode_basestring_ascii


class KinesisRecord(Record):
    """What a producer has put: ``data``, under the partition key ``key``."""

    __slots__ = ("data",)

    def __init__(self, sequence: int, arrived: int, key: str, data: bytes, size: int, trace: str) -> None:
        self.sequence = sequence
        self.arrived = arrived
        self.size = size
        self.key = key
        self.trace = trace
        self.data = data

    def render(self, shard: Shard, role: str) -> str:
        """https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html (the event)"""
        number = str(self.sequence)
        return (
            f'{{"kinesis":{{"kinesisSchemaVersion":"1.0","partitionKey":{_quoted(self.key)},'
            f'"sequenceNumber":"{number}","data":"{base64.b64encode(self.data).decode("ascii")}",'
            f'"approximateArrivalTimestamp":{self.arrived // 1000 / 1000!r}}},'
            f'"eventSource":"aws:kinesis","eventVersion":"1.0","eventID":"{shard.id}:{number}",'
            f'"eventName":"aws:kinesis:record","invokeIdentityArn":"{role}",'
            f'"awsRegion":"{shard.stream.arn.split(":", 4)[3]}","eventSourceARN":"{shard.stream.arn}"}}'
        )

    def filterable(self, shard: Shard, role: str) -> dict[str, Any]:
        """Filter criteria see ``data`` and nothing else of a record.
        https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis-filtering.html"""
        try:
            return {"data": self.data.decode()}
        except UnicodeDecodeError:
            return {"data": None}


class KinesisShard(Shard):
    """``low`` and ``high`` are the ends of its range of hash keys, both included."""

    def __init__(
        self, stream: DataStream, number: int, low: int, high: int, parents: tuple[str, ...] = ()
    ) -> None:
        super().__init__(stream, f"shardId-{number:012d}", parents)
        now = stream.kernel.now
        self.data_stream = stream
        self.low = low
        self.high = high
        self.sequence = Numbers(number, now)
        self.ending: int | None = None
        self._write_records = Bucket(WRITE_RECORDS, now)
        self._write_bytes = Bucket(WRITE_BYTES, now)
        self.read_bytes = Bucket(READ_BYTES, now)
        self.reads = Bucket(READS, now)

    def admits(self, size: int) -> bool:
        """May a record of that size be written now? If so it has been counted."""
        now = self.stream.kernel.now
        if self._write_records.has(1, now) and self._write_bytes.has(size, now):
            self._write_records.take(1)
            self._write_bytes.take(size)
            return True
        return False

    def put(self, key: str, data: bytes, size: int, trace: str) -> KinesisRecord:
        """The next record of this shard; the caller appends it."""
        now = self.stream.kernel.now
        return KinesisRecord(self.sequence.next(now), now, key, data, size, trace)

    def read_delay(self, records: Sequence[Record]) -> int:
        """2 MB per second, shared by all readers without enhanced fan-out."""
        delay = self.read_bytes.wait(self.stream.kernel.now)
        self.read_bytes.take(sum(record.size for record in records))
        return delay

    def note_read(
        self,
        records: Sequence[Record],
        reader: str,
        consumer: str = "",
        *,
        throttled: bool = False,
        trace: str = "",
    ) -> None:
        """One entry per read. ``age_ms`` is the age of the last record, 0 if there are no later ones."""
        stream = self.data_stream
        caught_up = not records or records[-1] is self.last
        data: dict[str, Any] = {
            "shard": self.id,
            "records": len(records),
            "bytes": sum(record.size for record in records),
            "age_ms": 0 if caught_up else (stream.kernel.now - records[-1].arrived) // 1000,
        }
        if consumer:
            data["consumer"] = consumer.rpartition("/")[2].partition(":")[0]
        if stream.shard_metrics:
            shown = {**data, "throttled": int(throttled), "metrics": list(stream.shard_metrics)}
            stream.journal.record("kinesis.shard_get", stream.arn, actor=reader, data=shown)
        stream.journal.record(
            "kinesis.get",
            stream.arn,
            actor=reader,
            outcome="ProvisionedThroughputExceededException" if throttled else "ok",
            trace=trace,
            data=data,
        )

    def close(self) -> None:
        if self.closed is None:
            self.ending = self.sequence.last(self.stream.kernel.now)
        super().close()

    def shown(self) -> dict[str, Any]:
        """As the API shows it."""
        numbers = {"StartingSequenceNumber": str(self.sequence.first)}
        if self.ending is not None:
            numbers["EndingSequenceNumber"] = str(self.ending)
        answer: dict[str, Any] = {"ShardId": self.id}
        if self.parents:
            answer["ParentShardId"] = self.parents[0]
        if len(self.parents) > 1:
            answer["AdjacentParentShardId"] = self.parents[1]
        answer["HashKeyRange"] = {"StartingHashKey": str(self.low), "EndingHashKey": str(self.high)}
        answer["SequenceNumberRange"] = numbers
        return answer
