"""What happened, when, to whom: the one record that metrics, logs, traces, cost and plots are read from.

An entry is a fact, written once, at the virtual time it became true. Nothing else keeps a second account:
if a number is wanted later, the fact it comes from belongs here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .kernel import Kernel


class Entry:
    """One fact.

    ``time``      virtual microseconds since the epoch: when it became true (what took time: its end)
    ``what``      its kind, ``service.fact``: ``sqs.sent``, ``lambda.invocation``, ``api.dynamodb.PutItem``
    ``actor``     who did it: ``notebook``, a function's name, a service
    ``resource``  what it happened to: a name or ARN
    ``duration``  microseconds it took, ending at ``time``
    ``outcome``   ``ok``, or the error code
    ``trace``     the X-Ray trace it belongs to, or ""
    ``data``      the rest: plain values only (numbers, strings, lists, dicts of these)
    """

    __slots__ = ("actor", "data", "duration", "outcome", "resource", "time", "trace", "what")

    def __init__(
        self,
        time: int,
        what: str,
        actor: str,
        resource: str,
        duration: int,
        outcome: str,
        trace: str,
        data: dict[str, Any],
    ) -> None:
        self.time = time
        self.what = what
        self.actor = actor
        self.resource = resource
        self.duration = duration
        self.outcome = outcome
        self.trace = trace
        self.data = data

    @property
    def start(self) -> int:
        return self.time - self.duration

    def as_tuple(self) -> tuple[Any, ...]:
        return (
            self.time,
            self.what,
            self.actor,
            self.resource,
            self.duration,
            self.outcome,
            self.trace,
            self.data,
        )

    def __repr__(self) -> str:
        details = "".join(f" {key}={value!r}" for key, value in self.data.items())
        return f"<{self.time} {self.what} {self.resource} by {self.actor} {self.outcome}{details}>"


NOTHING: dict[str, Any] = {}


class Journal:
    """Append-only list of entries, with an index by ``what``."""

    def __init__(self, kernel: Kernel) -> None:
        self.entries: list[Entry] = []
        self._kernel = kernel
        self._by_what: dict[str, list[Entry]] = {}
        self._listeners: dict[str, list[Callable[[Entry], None]]] = {}

    def record(
        self,
        what: str,
        resource: str = "",
        *,
        actor: str = "",
        duration: int = 0,
        outcome: str = "ok",
        trace: str = "",
        data: dict[str, Any] = NOTHING,
    ) -> Entry:
        """Write one fact at the present instant."""
        if type(trace) is not str:
            trace = str(trace)  # a trace with a lineage (lineage.py): entries hold plain values
        entry = Entry(self._kernel.now, what, actor, resource, duration, outcome, trace, data)
        self.entries.append(entry)
        known = self._by_what.get(what)
        if known is None:
            known = self._by_what[what] = []
        known.append(entry)
        listeners = self._listeners.get(what)
        if listeners:
            for listener in listeners:
                listener(entry)
        return entry

    def listen(self, what: str, listener: Callable[[Entry], None]) -> None:
        """Call ``listener`` at each new entry of that kind. It must not wait and must not write."""
        self._listeners.setdefault(what, []).append(listener)

    def select(self, *kinds: str, resource: str | None = None, since: int = 0) -> Iterator[Entry]:
        """Entries of these kinds, of one resource if named, from a time on, in the order of writing."""
        if len(kinds) == 1:
            source = self._by_what.get(kinds[0], [])
        else:
            source = [entry for entry in self.entries if entry.what in kinds]
        for entry in source:
            if (resource is None or entry.resource == resource) and entry.time >= since:
                yield entry

    def fingerprint(self) -> str:
        """A hash of everything that happened: equal for equal runs, on any machine."""
        digest = hashlib.sha256()
        for entry in self.entries:
            digest.update(json.dumps(entry.as_tuple(), sort_keys=True, default=str).encode())
            digest.update(b"\n")
        return digest.hexdigest()[:16]
