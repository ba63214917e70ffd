"""Consumers with enhanced fan-out.

https://docs.aws.amazon.com/streams/latest/dev/enhanced-consumers.html: at most 20 per stream. A mapping reads
as a consumer when its event source is the consumer's ARN.
"""

from __future__ import annotations

from typing import Any

from ...kernel import SECOND
from ...service import Call
from . import errors
from .base import Streams
from .data_stream import Consumer, DataStream

MAX_CONSUMERS = 20
REGISTRATION = 10 * SECOND
"""How long CREATING and DELETING last. An estimate."""


class Consumers(Streams):
    def RegisterStreamConsumer(self, call: Call) -> dict[str, Any]:
        stream = self._active(call)
        name = call.params["ConsumerName"]
        if name in stream.consumers:
            raise errors.in_use(
                f"Consumer {name} under stream {stream.name} already exists for account {self.world.account}."
            )
        if len(stream.consumers) >= MAX_CONSUMERS:
            raise errors.limit_exceeded(
                f"Maximum number of consumers for stream {stream.name} under account {self.world.account} "
                f"reached. Limit: {MAX_CONSUMERS}."
            )
        now = self.kernel.now
        consumer = Consumer(name, f"{stream.arn}/consumer/{name}:{now // SECOND}", now)
        consumer.tags = dict(call.params.get("Tags") or {})
        stream.consumers[name] = consumer

        def ready() -> None:
            if consumer.status == "CREATING":
                consumer.status = "ACTIVE"

        self.kernel.call_later(REGISTRATION, ready)
        return {"Consumer": self._consumer_shown(consumer)}

    def DescribeStreamConsumer(self, call: Call) -> dict[str, Any]:
        stream, consumer = self._consumer(call)
        return {"ConsumerDescription": {**self._consumer_shown(consumer), "StreamARN": stream.arn}}

    def ListStreamConsumers(self, call: Call) -> dict[str, Any]:
        params = call.params
        stream = self._stream(call)
        found = list(stream.consumers.values())
        start, size = int(params.get("NextToken") or 0), params.get("MaxResults") or 100
        answer: dict[str, Any] = {
            "Consumers": [self._consumer_shown(one) for one in found[start : start + size]]
        }
        if len(found) > start + size:
            answer["NextToken"] = str(start + size)
        return answer

    def DeregisterStreamConsumer(self, call: Call) -> dict[str, Any]:
        stream, consumer = self._consumer(call)
        consumer.status = "DELETING"
        self.kernel.call_later(REGISTRATION, stream.consumers.pop, consumer.name, None)
        return {}

    def consumer(self, arn: str) -> Consumer | None:
        """The consumer of that ARN."""
        stream = self.streams.get(arn.partition("/consumer/")[0])
        if stream is not None:
            for consumer in stream.consumers.values():
                if consumer.arn == arn:
                    return consumer
        return None

    def _consumer(self, call: Call) -> tuple[DataStream, Consumer]:
        params = call.params
        arn, name = params.get("ConsumerARN"), params.get("ConsumerName")
        if arn:
            stream = self.streams.get(arn.partition("/consumer/")[0])
            consumer = self.consumer(arn)
            if stream is None or consumer is None:
                raise errors.no_consumer(arn, self.world.account)
            return stream, consumer
        if not name or not params.get("StreamARN"):
            raise errors.invalid("Either ConsumerARN or both ConsumerName and StreamARN must be provided.")
        stream = self._stream(call)
        if name not in stream.consumers:
            raise errors.no_consumer(name, self.world.account)
        return stream, stream.consumers[name]

    def _consumer_shown(self, consumer: Consumer) -> dict[str, Any]:
        return {
            "ConsumerName": consumer.name,
            "ConsumerARN": consumer.arn,
            "ConsumerStatus": consumer.status,
            "ConsumerCreationTimestamp": self.world.datetime(consumer.created // SECOND * SECOND),
        }
