"""A trace id that remembers what the X-Ray tracing header says besides: lineage, parent, sampling decision.

The lineage is which functions it went through: what Lambda's recursion detection counts. SQS, SNS, S3 and
Lambda carry the header on to the next invocation, with its ``Lineage``; other services do not, so a loop
through EventBridge or a table goes on for ever, as on AWS.
https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader

The text of a ``Trace`` is the journal's id of the whole story. X-Ray begins a new trace where a queue's batch
or a stream's is processed, so its ``Root`` may be another.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import lru_cache
from typing import Self

LIMIT = 16
"""So often may a function be invoked in one chain of requests; Lambda stops the next invocation."""

CARRIED_BY = frozenset({"api", "async", "lambda", "s3", "sns", "sqs"})
"""Who invokes a function with the lineage of the event's origin (``Request.invoked_by``)."""

BEGINS_ANEW = frozenset({"dynamodb", "kinesis", "pipes", "sqs"})
"""Who invokes a function in a trace of its own: the records of a batch come from many traces."""

MOST_LINKS = 20
"""Traces that one segment can be linked to.
https://docs.aws.amazon.com/xray/latest/devguide/xray-tracelinking.html"""

_DECISIONS = {"0": False, "1": True}


Link = tuple[str, str]
"""Of another trace: its root, and the segment in it that is meant."""


class Trace(str):
    """An X-Ray trace id. ``lineage``: a function's mark -> how often it ran in this chain of requests.

    ``parent``   the segment or subsegment that the next one hangs under, or ""
    ``sampled``  what X-Ray decided where the trace began; None: nobody has decided yet
    ``links``    the traces of the messages in a batch that is on its way to a function
    """

    __slots__ = ("lineage", "links", "own_root", "parent", "plain", "sampled")
    lineage: dict[str, int]
    plain: str
    own_root: str
    parent: str
    sampled: bool | None
    links: tuple[Link, ...]

    @classmethod
    def of(
        cls,
        trace: str,
        lineage: dict[str, int],
        *,
        root: str = "",
        parent: str = "",
        sampled: bool | None = None,
        links: tuple[Link, ...] = (),
    ) -> Self:
        made = cls(trace)
        made.lineage = lineage
        made.plain = str(trace)
        made.own_root = root if root != made.plain else ""
        made.parent = parent
        made.sampled = sampled
        made.links = links
        return made

    @property
    def root(self) -> str:
        """X-Ray's id of the trace."""
        return self.own_root or self.plain

    def __str__(self) -> str:
        """The id alone, and the same object each time: a journal of a hundred thousand entries is smaller."""
        return self.plain

    @property
    def header(self) -> str:
        """The X-Ray tracing header, as an SDK inside a function sends it."""
        text = f"Root={self.root}"
        if self.parent:
            text += f";Parent={self.parent}"
        if self.sampled is not None:
            text += f";Sampled={int(self.sampled)}"
        if self.lineage:
            text += ";Lineage=" + "|".join(f"{name}:{count}" for name, count in self.lineage.items())
        if not self.own_root:
            return text
        made = Header(text)
        made.trace = self
        return made


class Header(str):
    """A tracing header whose root is not the journal's id: ``trace`` still knows that one."""

    __slots__ = ("trace",)
    trace: Trace


def parse_header(header: str) -> str:
    """The trace of a header: a ``Trace`` if it says more than the root, else the plain id of that."""
    if isinstance(header, Header):
        return header.trace
    if ";" not in header:
        return header.removeprefix("Root=")
    fields = dict(part.strip().partition("=")[::2] for part in header.split(";"))
    trace = fields.get("Root", header)
    lineage, sampled = fields.get("Lineage", ""), fields.get("Sampled", "")
    if not (lineage or sampled in _DECISIONS or "Parent" in fields):
        return trace
    counts = (part.rpartition(":") for part in lineage.split("|"))
    return Trace.of(
        trace,
        {name: int(count) for name, _, count in counts if count.isdigit()},
        parent=fields.get("Parent", ""),
        sampled=_DECISIONS.get(sampled),
    )


def joined(trace: str, header: str) -> str:
    """The trace of a call that was made in ``trace`` and names a tracing header itself."""
    if "Root=" not in header:
        return trace
    named = parse_header(header)
    if root(trace) != root(named):
        return named
    if not isinstance(named, Trace):
        return trace
    known = trace.sampled if isinstance(trace, Trace) else None
    return under(trace, named.parent, known if named.sampled is None else named.sampled)


def root(trace: str) -> str:
    """X-Ray's id of the trace."""
    return trace.root if isinstance(trace, Trace) else trace


def under(trace: str, parent: str, sampled: bool | None, root: str = "") -> Trace:
    """The same trace, seen from inside the segment ``parent``."""
    known = trace if isinstance(trace, Trace) else Trace.of(trace, {})
    return Trace.of(known.plain, known.lineage, root=root or known.own_root, parent=parent, sampled=sampled)


def runs(trace: str, function_arn: str) -> int:
    """How often the function ran in the chain of requests that this trace belongs to."""
    return trace.lineage.get(mark(function_arn), 0) if isinstance(trace, Trace) else 0


def rounds(trace: str) -> int:
    """The most that any function ran in this chain: 0 for a chain that has just begun."""
    return max(trace.lineage.values(), default=0) if isinstance(trace, Trace) else 0


def extended(trace: str, function_arn: str, invoked_by: str) -> str:
    """The trace inside an invocation of the function; a chain begins anew behind who does not carry it."""
    if not trace:
        return trace
    name = mark(function_arn)
    if not isinstance(trace, Trace):
        return Trace.of(trace, {name: 1})
    before = trace.lineage if invoked_by in CARRIED_BY else {}
    lineage = {**before, name: before.get(name, 0) + 1}
    if invoked_by in BEGINS_ANEW:
        return Trace.of(trace.plain, lineage, links=trace.links)
    return Trace.of(
        trace.plain,
        lineage,
        root=trace.own_root,
        parent=trace.parent,
        sampled=trace.sampled,
        links=trace.links,
    )


def linked(trace: str, others: Iterable[str]) -> str:
    """The trace of a batch, with the recorded ones among those that its messages were sent in."""
    links = dict.fromkeys(
        (other.root, other.parent) for other in others if isinstance(other, Trace) and other.sampled
    )
    if not links:
        return trace
    known = trace if isinstance(trace, Trace) else Trace.of(trace, {})
    return Trace.of(known.plain, known.lineage, links=tuple(links)[:MOST_LINKS])


@lru_cache(maxsize=1024)
def mark(function_arn: str) -> str:
    """A function's name in a lineage: eight hexadecimal digits."""
    return hashlib.sha256(function_arn.encode()).hexdigest()[:8]
