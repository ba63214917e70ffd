"""Streams as event sources: what a mapping needs of the stream and of the role.

https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-create.html and
https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-eventsourcemapping.html (permissions)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ...functions.names import invalid
from ...service import Caller, ServiceError
from ..filters import Filters
from ..mapping import Mapping
from . import settings
from .fleet import GONE, StreamFleet

if TYPE_CHECKING:
    from ...stores.stream import Stream
    from ...world import World


class Streams:
    """``service`` is kinesis or dynamodb."""

    transition_reason = "User action"

    def __init__(self, world: World, service: str) -> None:
        self._world = world
        self._service = service
        self.payload_key = "data" if service == "kinesis" else ""

    def check(self, arn: str, params: dict[str, Any], *, creating: bool) -> None:
        settings.check(arn, params, creating=creating)

    def settings(self, arn: str, before: Any, params: dict[str, Any]) -> settings.StreamSettings:
        return settings.applied(before, params)

    def resolve(self, mapping: Mapping, role: str, timeout_s: int) -> None:
        world, arn = self._world, mapping.source_arn
        stream = self._stream(arn)
        if stream is None:
            raise invalid(f"Stream not found: {arn}")
        if self._service == "kinesis":
            api, name = "kinesis", "StreamARN"
            operations = ["GetRecords", "GetShardIterator", "DescribeStream", "ListShards"]
            actions = "GetRecords, GetShardIterator, DescribeStream, ListShards, and ListStreams"
        else:
            api, name = "dynamodbstreams", "StreamArn"
            operations = ["GetRecords", "GetShardIterator", "DescribeStream"]
            actions = "GetRecords, GetShardIterator, DescribeStream, and ListStreams"
        asked = {name: stream.arn}
        if "/consumer/" in arn:
            operations, actions, asked = ["SubscribeToShard"], "SubscribeToShard", {"ConsumerARN": arn}
        for operation in operations:
            try:
                caller = Caller("service", "lambda", role)
                world.identity.check(caller, api, operation, asked, world.region, world.account)
            except ServiceError as error:
                raise invalid(
                    f"Cannot access stream {arn}. Please ensure the role can perform the {actions} Actions "
                    "on your stream in IAM."
                ) from error

    def conflict(self, mapping: Mapping, other: Mapping) -> str:
        return (
            f'The event source arn (" {mapping.source_arn} ") and function (" {mapping.function_name} ") '
            "provided mapping already exists. Please update or delete the existing mapping with UUID "
            f"{other.uuid}"
        )

    def fleet(self, mapping: Mapping, role: Callable[[], str | None]) -> StreamFleet | None:
        stream = self._stream(mapping.source_arn)
        if stream is None:
            mapping.last_result = GONE
            return None
        return StreamFleet(self._world, mapping, stream, Filters(mapping.criteria, self.payload_key), role)

    def shown(self, mapping: Mapping) -> dict[str, Any]:
        wanted: settings.StreamSettings = mapping.settings
        timestamp = None if wanted.timestamp is None else self._world.datetime(wanted.timestamp)
        return {**settings.shown(wanted, timestamp), "LastProcessingResult": mapping.last_result}

    def _stream(self, arn: str) -> Stream | None:
        world = self._world
        if self._service == "dynamodb":
            return world.dynamodb_streams.stream(arn)
        if "/consumer/" in arn and world.kinesis.consumer(arn) is None:
            return None
        return world.kinesis.stream(arn)
