"""Who delivered what to whom: an application as a graph, with counts on its arrows."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True)
class Node:
    """Who sends or receives.

    ``kind`` is ``caller`` (the notebook, a service), ``function``, ``queue``, ``topic``, ``bus``, ``rule``,
    ``table``, ``stream``, ``bucket``, ``state machine``, ``pipe``, ``schedule``, ``alarm``, ``log group`` or
    ``endpoint``. ``runs`` and ``failed`` count a function's invocations, and a state machine's executions.
    """

    name: str
    kind: str
    runs: int = 0
    failed: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class Hop:
    """What went from one node to another.

    ``delivered`` arrived, ``failed`` was tried and did not (a retry counts again), ``filtered`` was not
    wanted there. ``dead_letter``: the source gave these up.
    """

    source: str
    target: str
    what: str
    delivered: int = 0
    failed: int = 0
    filtered: int = 0
    dead_letter: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Flow:
    """Nodes in the order in which they first took part, and what went between them."""

    nodes: list[Node]
    hops: list[Hop]

    def delivered(self, source: str, target: str) -> int:
        """How much arrived at ``target`` from ``source``; 0 if nothing went that way."""
        return sum(hop.delivered for hop in self._between(source, target))

    def failed(self, source: str, target: str) -> int:
        """How many attempts from ``source`` to ``target`` failed."""
        return sum(hop.failed for hop in self._between(source, target))

    def _between(self, source: str, target: str) -> list[Hop]:
        known = [node.name for node in self.nodes]
        for name in (source, target):
            if name not in known:
                raise ValueError(f"nobody is called {name!r} here; there is: {', '.join(known) or 'nobody'}")
        return [hop for hop in self.hops if (hop.source, hop.target) == (source, target)]
