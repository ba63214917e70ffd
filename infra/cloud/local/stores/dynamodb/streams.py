"""Amazon DynamoDB Streams: what a table's writes leave behind, and the API that reads it.

A table has one stream at a time; enabling it again makes a new one, with a new ARN. A stream has one shard
(AWS splits by traffic and rolls a shard over after some hours; readers follow both alike). Records are kept
for 24 hours, a disabled stream as long.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from ...constraints import constraint
from ...ids import uuid4
from ...kernel import SECOND
from ...service import Call, Service, ServiceError
from ..stream import Record, Shard
from . import moto_tables
from .capture import DAY, Capture, TableRecord, TableStream
from .expiry import Expiries
from .images import with_bytes
from .settings import deleted
from .transactions import Tokens

if TYPE_CHECKING:
    from ...world import World
    from .kinesis_destination import Destination

ITERATOR_LIFE = 15 * 60 * SECOND
"""https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_GetShardIterator.html (µs)"""

MAX_RECORDS, MAX_BYTES = 1000, 1 << 20
"""https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_GetRecords.html"""

_BEHIND = "The operation attempted to read past the oldest stream record in a shard"
_POSITIONS = ("AT_SEQUENCE_NUMBER", "LATEST", "AFTER_SEQUENCE_NUMBER", "TRIM_HORIZON")


class DynamoDBStreams(Service):
    """The service ``dynamodbstreams``."""

    name = "dynamodbstreams"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._streams: dict[str, TableStream] = {}
        self.tokens = Tokens(world.kernel)
        self.metered = False
        """Whether the last request wrote down what it consumed (``dynamodb.consumed``)."""
        moto_tables.attach(self)

    def stream(self, arn: str) -> TableStream | None:
        """The stream of that ARN, while it can be read."""
        return self._streams.get(arn)

    def note(self, what: str, table: str, data: dict[str, Any]) -> None:
        """Write down what a request did to a table, as its caller."""
        caller = self.kernel.current.context if self.kernel.current is not None else None
        self.journal.record(what, table, actor=caller.name if caller is not None else "dynamodb", data=data)

    # -- what happens to tables ------------------------------------------------------------------------

    def enable(self, table: Any, view: str) -> None:
        """The table gets a new stream."""
        label = self.world.datetime().strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
        table.latest_stream_label = label
        arn = f"{table.table_arn}/stream/{label}"
        stream = TableStream(self.kernel, table.name, arn, label, view, table.schema)
        self._streams[arn] = stream
        self._capture(table).stream = stream

    def disable(self, table: Any) -> None:
        """No more records; what is there can be read for 24 hours."""
        capture = table.stream_shard
        if capture is None or capture.stream is None:
            return
        stream, capture.stream = capture.stream, None
        stream.shard.close()
        self.kernel.call_later(DAY, self._forget, stream, background=True)
        self._detach(table)

    def expire(self, table: Any, attribute: str | None) -> None:
        """Time to live begins, by this attribute, also for the items that are there; None: it ends."""
        capture = self._capture(table)
        if capture.expiries is not None:
            capture.expiries.stop()
            capture.expiries = None
        if attribute is not None:
            capture.expiries = Expiries(self.world, attribute)
            for item in table.all_items():
                capture.expiries.watch(capture, item)
        self._detach(table)

    def send_to(self, table: Any, destination: Destination | None) -> None:
        """The table's changes go to a data stream from now on; None: no more."""
        self._capture(table).destination = destination
        self._detach(table)

    def table_id(self, table: Any) -> str:
        known: str | None = table.__dict__.get("_table_id")
        if known is None:
            known = table._table_id = uuid4(self.kernel.rng("dynamodb.table_ids"))
        return known

    def deleted(self, table: Any) -> None:
        """The table is gone."""
        self.disable(table)
        if table.stream_shard is not None:
            table.stream_shard.destination = None
            self.expire(table, None)
        deleted(self, table)

    def _capture(self, table: Any) -> Capture:
        if table.stream_shard is None:
            table.stream_shard = Capture(self, table)
        capture: Capture = table.stream_shard
        return capture

    @staticmethod
    def _detach(table: Any) -> None:
        capture = table.stream_shard
        if capture.stream is None and capture.expiries is None and capture.destination is None:
            table.stream_shard = None

    def _forget(self, stream: TableStream) -> None:
        self._streams.pop(stream.arn, None)
        stream.delete()

    # -- the API ---------------------------------------------------------------------------------------

    def ListStreams(self, call: Call) -> dict[str, Any]:
        params = call.params
        found = [
            stream
            for stream in self._streams.values()
            if stream.region == call.region and params.get("TableName", stream.table) == stream.table
        ]
        arns = [stream.arn for stream in found]
        start = params.get("ExclusiveStartStreamArn")
        first = arns.index(start) + 1 if start in arns else 0
        page = found[first : first + params.get("Limit", 100)]
        answer: dict[str, Any] = {
            "Streams": [
                {"StreamArn": each.arn, "TableName": each.table, "StreamLabel": each.label} for each in page
            ]
        }
        if first + len(page) < len(found):
            answer["LastEvaluatedStreamArn"] = page[-1].arn
        return answer

    def DescribeStream(self, call: Call) -> dict[str, Any]:
        stream = self._existing(call.params["StreamArn"])
        shard = stream.shard
        numbers = {"StartingSequenceNumber": str(stream.first)}
        if not stream.enabled:
            numbers["EndingSequenceNumber"] = str(stream.sequence)
        shards = [{"ShardId": shard.id, "SequenceNumberRange": numbers}]
        if call.params.get("ExclusiveStartShardId") == shard.id:
            shards = []
        return {
            "StreamDescription": {
                "StreamArn": stream.arn,
                "StreamLabel": stream.label,
                "StreamStatus": "ENABLED" if stream.enabled else "DISABLED",
                "StreamViewType": stream.view,
                "CreationRequestDateTime": self.world.datetime(stream.created),
                "TableName": stream.table,
                "KeySchema": stream.keys,
                "Shards": shards,
            }
        }

    def GetShardIterator(self, call: Call) -> dict[str, Any]:
        params = call.params
        stream = self._existing(params["StreamArn"])
        shard, kind = stream.shard, params["ShardIteratorType"]
        if kind not in _POSITIONS:
            known = ", ".join(_POSITIONS)
            raise constraint(kind, "shardIteratorType", f"satisfy enum value set: [{known}]")
        if params["ShardId"] != shard.id:
            raise ServiceError(
                "ResourceNotFoundException",
                f"Requested resource not found: Shard: {params['ShardId']} in Stream: {stream.arn} not found",
            )
        number = 0
        if kind.endswith("SEQUENCE_NUMBER"):
            if "SequenceNumber" not in params:
                raise ServiceError(
                    "ValidationException",
                    "SequenceNumber must be provided when ShardIteratorType is AT_SEQUENCE_NUMBER or "
                    "AFTER_SEQUENCE_NUMBER",
                )
            number = int(params["SequenceNumber"])
            wanted = number if kind.startswith("AT") else number + 1
            if shard.horizon and wanted <= stream.first + shard.horizon:
                raise ServiceError("TrimmedDataAccessException", f"{_BEHIND}: {number}")
        return {"ShardIterator": self._iterator(stream, shard.position(kind, number))}

    def GetRecords(self, call: Call) -> dict[str, Any]:
        limit = call.params.get("Limit", MAX_RECORDS)
        if limit > MAX_RECORDS:
            raise constraint(limit, "limit", f"have value less than or equal to {MAX_RECORDS}")
        stream, position = self._position(call.params["ShardIterator"])
        shard = stream.shard
        if position < shard.horizon:
            raise ServiceError("TrimmedDataAccessException", _BEHIND)
        records, after = shard.read(position, limit, MAX_BYTES)
        self.journal.record(
            "dynamodb.records_read",
            stream.table,
            actor=call.caller.name,
            data={"records": len(records), "label": stream.label},
        )
        answer: dict[str, Any] = {"Records": [self._shown(shard, record) for record in records]}
        if not shard.exhausted(after):
            answer["NextShardIterator"] = self._iterator(stream, after)
        return answer

    def _existing(self, arn: str) -> TableStream:
        stream = self._streams.get(arn)
        if stream is None:
            raise ServiceError(
                "ResourceNotFoundException", f"Requested resource not found: Stream: {arn} not found"
            )
        return stream

    def _iterator(self, stream: TableStream, position: int) -> str:
        inner = base64.b64encode(json.dumps([position, self.kernel.now]).encode()).decode()
        return f"{stream.arn}|1|{inner}"

    def _position(self, iterator: str) -> tuple[TableStream, int]:
        try:
            arn, _, inner = iterator.split("|")
            position, issued = json.loads(base64.b64decode(inner))
        except ValueError as error:
            raise ServiceError("ValidationException", "Invalid ShardIterator") from error
        stream = self._existing(arn)
        if self.kernel.now - issued > ITERATOR_LIFE:
            raise ServiceError(
                "ExpiredIteratorException",
                "Iterator expired. The iterator was created more than 15 minutes ago.",
            )
        return stream, position

    def _shown(self, shard: Shard, record: Record) -> dict[str, Any]:
        """A record as GetRecords answers it through boto3: times as datetime, binary values as bytes."""
        assert isinstance(record, TableRecord)
        shown = record.filterable(shard, "")
        del shown["eventSourceARN"]
        change = shown["dynamodb"]
        change["ApproximateCreationDateTime"] = self.world.datetime(record.arrived // SECOND * SECOND)
        for image in ("Keys", "NewImage", "OldImage"):
            if image in change:
                change[image] = with_bytes(change[image])
        if "userIdentity" in shown:
            identity = shown.pop("userIdentity")
            shown["userIdentity"] = {"PrincipalId": identity["principalId"], "Type": identity["type"]}
        return shown
