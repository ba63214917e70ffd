"""What reads a pipe's source: the readers of event source mappings, with the pipe as their sink.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-event-source.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...kernel import SECOND
from ...service import NotSimulated
from ...sources.sqs import Fleet, Settings
from .flow import Flow
from .model import Pipe, Readers

if TYPE_CHECKING:
    from ...world import World


def check_source(world: World, arn: str, service: str) -> None:
    """Raises NotSimulated for a kind of source that nobody reads yet."""
    if service != "sqs":
        raise NotSimulated(f"NotSimulated: {arn} as the source of a pipe")


def readers(world: World, pipe: Pipe) -> Readers | None:
    """Readers for the pipe as it is now; None if its source does not exist."""
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
    return Fleet(world, settings, lambda: pipe.request["RoleArn"], Flow(world, pipe))
