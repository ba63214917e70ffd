"""SubscribeToShard: records are pushed to a consumer with enhanced fan-out, for five minutes per call.

https://docs.aws.amazon.com/kinesis/latest/APIReference/API_SubscribeToShard.html. Events come when there are
records; AWS sends empty ones as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...kernel import SECOND
from ...service import Call
from . import errors
from .consumers import Consumers
from .data_stream import Consumer, DataStream
from .reading import Reading, children
from .shard import KinesisShard

LASTS = 300 * SECOND
AGAIN_AFTER = 5 * SECOND
"""A second call for the same consumer and shard is refused within this time of a successful one."""

MAX_RECORDS = 10_000
MAX_BYTES = 2 * 1024 * 1024


class Subscribing(Reading, Consumers):
    def SubscribeToShard(self, call: Call) -> dict[str, Any]:
        params = call.params
        self._refuse(params, "DryRun")
        consumer = self.consumer(params["ConsumerARN"])
        stream = self.stream(params["ConsumerARN"])
        if consumer is None or stream is None:
            raise errors.no_consumer(params["ConsumerARN"], self.world.account)
        if consumer.status != "ACTIVE":
            raise errors.in_use(f"Consumer {consumer.arn} is not active: it is in state {consumer.status}.")
        shard = self._shard(stream, params["ShardId"])
        before = consumer.subscribed.get(shard.id)
        if before is not None and self.kernel.now < before + AGAIN_AFTER:
            raise errors.in_use(
                f"Another active subscription exists for this consumer: {self.world.account}:{stream.name}:"
                f"{shard.id}:{consumer.name}"
            )
        start = params["StartingPosition"]
        position = self._position(
            stream, shard, start["Type"], start.get("SequenceNumber"), start.get("Timestamp")
        )
        if stream.encryption:
            self.unlock(stream, call.caller, "kms:Decrypt")
        consumer.subscribed[shard.id] = self.kernel.now
        return {"EventStream": Subscription(self, stream, shard, consumer, position)}

    def event(
        self, stream: DataStream, shard: KinesisShard, consumer: Consumer, position: int, end: int
    ) -> tuple[dict[str, Any], int] | None:
        """The next event and the position after it, in a task; None when the subscription is over."""
        while not stream.deleted and self.kernel.now < end:
            records, after = shard.read(position, MAX_RECORDS, MAX_BYTES)
            if records or shard.exhausted(after):
                break
            if shard.wait(after, end - self.kernel.now):
                self.kernel.sleep(self.world.latency.sample("kinesis.fan_out"))
        else:
            return None
        shard.note_read(records, consumer.name, consumer.arn)
        following = shard.peek(after)
        last = records[-1].sequence if records else shard.sequence.first
        event: dict[str, Any] = {
            "Records": self._records_shown(stream, records),
            "ContinuationSequenceNumber": str(last),
            "MillisBehindLatest": 0 if following is None else (self.kernel.now - following.arrived) // 1000,
        }
        if shard.exhausted(after):
            event["ChildShards"] = children(stream, shard)
        return {"SubscribeToShardEvent": event}, after


class Subscription:
    """What boto3 shows as ``EventStream``: to be iterated over, from a cell or from a handler."""

    def __init__(
        self,
        service: Subscribing,
        stream: DataStream,
        shard: KinesisShard,
        consumer: Consumer,
        position: int,
    ) -> None:
        self._service = service
        self._subject = (stream, shard, consumer)
        self._position = position
        self._end = service.kernel.now + LASTS
        self._open = True

    def __iter__(self) -> Iterator[dict[str, Any]]:
        kernel = self._service.kernel
        while self._open:
            found = kernel.call(
                self._service.event, *self._subject, self._position, self._end, name="subscription"
            )
            if found is None:
                self._open = False
                return
            event, self._position = found
            self._open = "ChildShards" not in event["SubscribeToShardEvent"]
            yield event

    def close(self) -> None:
        self._open = False
