"""A trace id that remembers which functions it went through: what Lambda's recursion detection counts.

SQS, SNS, S3 and Lambda carry the X-Ray header on to the next invocation, with its ``Lineage``; other services
do not, so a loop through EventBridge or a table goes on for ever, as on AWS.
https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Self

LIMIT = 16
"""So often may a function be invoked in one chain of requests; Lambda stops the next invocation."""

CARRIED_BY = frozenset({"api", "async", "lambda", "s3", "sns", "sqs"})
"""Who invokes a function with the lineage of the event's origin (``Request.invoked_by``)."""


class Trace(str):
    """An X-Ray trace id. ``lineage``: a function's mark -> how often it ran in this chain of requests."""

    __slots__ = ("lineage", "plain")
    lineage: dict[str, int]
    plain: str

    @classmethod
    def of(cls, trace: str, lineage: dict[str, int]) -> Self:
        made = cls(trace)
        made.lineage = lineage
        made.plain = str(trace)
        return made

    def __str__(self) -> str:
        """The id alone, and the same object each time: a journal of a hundred thousand entries is smaller."""
        return self.plain

    @property
    def header(self) -> str:
        """The X-Ray tracing header, as an SDK inside a function sends it."""
        parts = "|".join(f"{name}:{count}" for name, count in self.lineage.items())
        return f"Root={self!s};Lineage={parts}"


def parse_header(header: str) -> str:
    """The trace of a header: a ``Trace`` if it has a lineage, else the plain id of its root."""
    trace, lineage = header, ""
    for part in header.split(";"):
        if part.startswith("Root="):
            trace = part[5:]
        elif part.startswith("Lineage="):
            lineage = part[8:]
    if not lineage:
        return trace
    counts = (part.rpartition(":") for part in lineage.split("|"))
    return Trace.of(trace, {name: int(count) for name, _, count in counts if count.isdigit()})


def runs(trace: str, function_arn: str) -> int:
    """How often the function ran in the chain of requests that this trace belongs to."""
    return trace.lineage.get(mark(function_arn), 0) if isinstance(trace, Trace) else 0


def rounds(trace: str) -> int:
    """The most that any function ran in this chain: 0 for a chain that has just begun."""
    return max(trace.lineage.values()) if isinstance(trace, Trace) else 0


def extended(trace: str, function_arn: str, invoked_by: str) -> str:
    """The trace inside an invocation of the function; a chain begins anew behind who does not carry it."""
    if not trace:
        return trace
    before = trace.lineage if isinstance(trace, Trace) and invoked_by in CARRIED_BY else {}
    name = mark(function_arn)
    return Trace.of(str(trace), {**before, name: before.get(name, 0) + 1})


@lru_cache(maxsize=1024)
def mark(function_arn: str) -> str:
    """A function's name in a lineage: eight hexadecimal digits."""
    return hashlib.sha256(function_arn.encode()).hexdigest()[:8]
