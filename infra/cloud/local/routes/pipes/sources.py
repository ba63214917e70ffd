"""What reads a pipe's source: the readers of event source mappings, with the pipe as their sink.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-event-source.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...kernel import SECOND
from ...sources.mapping import Mapping
from ...sources.sqs import Fleet, Settings
from ...sources.streams.fleet import StreamFleet
from ...sources.streams.settings import StreamSettings
from ...stores.kinesis.base import micros
from .flow import Flow
from .model import Pipe, Readers

if TYPE_CHECKING:
    from ...world import World


def readers(world: World, pipe: Pipe) -> Readers | None:
    """Readers for the pipe as it is now; None if its source does not exist."""
    return _queue_readers(world, pipe) if pipe.source_service == "sqs" else _stream_readers(world, pipe)


def _queue_readers(world: World, pipe: Pipe) -> Readers | None:
    arn = pipe.request["Source"]
    if arn not in world.sqs.queues:
        return None
    settings = Settings(
        uuid=pipe.arn,
        function=pipe.name,
        function_name=pipe.name,
        queue_arn=arn,
        batch_size=pipe.batch_size,
        window=(pipe.source_parameters.get("MaximumBatchingWindowInSeconds") or 0) * SECOND,
        report_failures=True,
        filters=pipe.filters(),
        maximum=None,
    )
    role = pipe.request["RoleArn"]
    return Fleet(world, settings, lambda: role, Flow(world, pipe))


def _stream_readers(world: World, pipe: Pipe) -> Readers | None:
    """How far the pipe has come in each shard stays with the pipe, from one start to the next."""
    arn = pipe.request["Source"]
    streams = world.kinesis if pipe.source_service == "kinesis" else world.dynamodb_streams
    stream = streams.stream(arn)
    if stream is None:
        return None
    given = pipe.source_parameters
    timestamp = given.get("StartingPositionTimestamp")
    settings = StreamSettings(
        position=given["StartingPosition"],
        timestamp=None if timestamp is None else micros(timestamp),
        batch_size=pipe.batch_size,
        window_s=given.get("MaximumBatchingWindowInSeconds") or 0,
        parallel=given.get("ParallelizationFactor") or 1,
        bisect=given.get("OnPartialBatchItemFailure") == "AUTOMATIC_BISECT",
        retries=given.get("MaximumRetryAttempts", -1),
        max_age_s=given.get("MaximumRecordAgeInSeconds", -1),
        destination=(given.get("DeadLetterConfig") or {}).get("Arn") or "",
    )
    if pipe.mapping is None:
        pipe.mapping = Mapping(
            pipe.arn, pipe.arn, pipe.arn, pipe.name, arn, pipe.created, report_failures=True
        )
    pipe.mapping.settings = settings
    role = pipe.request["RoleArn"]
    return StreamFleet(world, pipe.mapping, stream, pipe.filters(), lambda: role, Flow(world, pipe))
