"""Who takes the batches that a source's readers have read: a function (an event source mapping) or a pipe.

The readers of queues and of streams know only this: they hand over an event, ``{"Records": […]}``, and get an
answer of the form of an invocation's. A pipe answers as a function would that reports batch item failures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ..world import World


class Answer(Protocol):
    """``function_error`` is None, or that the whole batch has failed; ``payload`` may name failed items."""

    @property
    def payload(self) -> bytes: ...
    @property
    def function_error(self) -> str | None: ...
    @property
    def error_type(self) -> str: ...
    @property
    def request_id(self) -> str: ...
    @property
    def executed_version(self) -> str: ...


class Sink(Protocol):
    """``actor`` is the service in whose name the journal's entries are written: lambda, pipes."""

    actor: str

    def take(self, payload: bytes, ids: list[str] | None, *, source: str, trace: str, arrived: int) -> Answer:
        """Process one batch, in the reader's task. ``ids`` are a queue's message ids (None for a stream),
        ``source`` is sqs, kinesis or dynamodb. Raises ServiceError; TooManyRequestsException means: the same
        again later.
        """
        ...


class FunctionSink:
    """Invokes a function synchronously. ``function`` is its ARN, qualified or not."""

    actor = "lambda"

    def __init__(self, world: World, function: str) -> None:
        self._world = world
        self._function = function

    def take(self, payload: bytes, ids: list[str] | None, *, source: str, trace: str, arrived: int) -> Answer:
        invoke, function = self._world.functions.invoke, self._function
        if ids is None:
            return invoke(function, payload, invoked_by=source, trace=trace, arrived=arrived)
        return invoke(function, payload, invoked_by=source, trace=trace, arrived=arrived, messages=ids)
