"""What became of every message of a queue, and how long it took from being sent to being done."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Literal

from .percentile import percentile

Fate = Literal["processed", "dead-lettered", "expired", "purged", "filtered", "waiting"]


@dataclasses.dataclass(frozen=True, slots=True)
class Attempt:
    """An invocation that had the message in its batch; ``end`` in seconds since the start."""

    end: float
    request_id: str
    succeeded: bool


@dataclasses.dataclass(slots=True)
class Message:
    """One message's story. Times in seconds since the start; ``ended`` is None while it is in the queue."""

    id: str
    sent: float
    receives: int = 0
    attempts: list[Attempt] = dataclasses.field(default_factory=list)
    ended: float | None = None
    fate: Fate = "waiting"

    @property
    def successes(self) -> int:
        return sum(attempt.succeeded for attempt in self.attempts)

    @property
    def failures(self) -> int:
        return len(self.attempts) - self.successes


@dataclasses.dataclass(frozen=True, slots=True)
class Fates:
    """How many messages met which fate. The first six add up to ``sent``."""

    sent: int
    processed: int
    dead_lettered: int
    expired: int
    purged: int
    filtered: int
    waiting: int
    processed_once: int
    """In exactly one invocation, which succeeded."""
    retried: int
    """Processed, after at least one invocation with it had failed."""
    succeeded_twice: int
    """In more than one invocation that succeeded: a duplicate that only an idempotent handler survives."""
    attempts: int
    failed_attempts: int


@dataclasses.dataclass(frozen=True, slots=True)
class Latency:
    """``values[i]`` seconds for the message sent at ``sent[i]``, in the order of sending; of those that are
    done."""

    sent: list[float]
    values: list[float]
    unfinished: int

    def percentile(self, percent: float) -> float:
        """In seconds; ValueError if no message is done. A value that occurred (nearest rank)."""
        if not self.values:
            raise ValueError("no message was processed, so there is no latency")
        return percentile([(value, 1.0) for value in sorted(self.values)], percent)

    def percentiles(self, percents: Iterable[float] = (50, 90, 95, 99)) -> dict[float, float]:
        return {percent: self.percentile(percent) for percent in percents}


def fates(stories: Iterable[Message]) -> Fates:
    """Count what became of messages (see ``messages``)."""
    known = list(stories)

    def count(fate: Fate) -> int:
        return sum(message.fate == fate for message in known)

    done = [message for message in known if message.fate == "processed"]
    return Fates(
        sent=len(known),
        processed=len(done),
        dead_lettered=count("dead-lettered"),
        expired=count("expired"),
        purged=count("purged"),
        filtered=count("filtered"),
        waiting=count("waiting"),
        processed_once=sum(len(message.attempts) == 1 and message.successes == 1 for message in done),
        retried=sum(message.failures > 0 for message in done),
        succeeded_twice=sum(message.successes > 1 for message in known),
        attempts=sum(len(message.attempts) for message in known),
        failed_attempts=sum(message.failures for message in known),
    )
