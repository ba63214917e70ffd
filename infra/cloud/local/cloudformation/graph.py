"""In which order resources are made: what depends on what, and work done along those arrows.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-dependson.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from ..kernel import Kernel
from .intrinsics import Evaluator
from .references import invalid, mentions
from .template import Definition

Graph = dict[str, tuple[str, ...]]
"""Of each resource, the ones that must exist before it."""


def dependencies(definitions: Mapping[str, Definition], evaluator: Evaluator) -> Graph:
    """From Ref, Fn::GetAtt, Fn::Sub (of the branches that Fn::If takes) and DependsOn."""
    graph: Graph = {}
    for name, definition in definitions.items():
        needed = dict.fromkeys(
            used.name
            for used in mentions(definition.expressions, holds=evaluator.holds)
            if used.kind in ("ref", "attribute") and used.name in definitions
        )
        needed.update(dict.fromkeys(each for each in definition.depends_on if each in definitions))
        graph[name] = tuple(needed)
    return graph


def order(graph: Mapping[str, Sequence[str]]) -> list[str]:
    """Every node after the ones it depends on; raise AWS's error if that cannot be."""
    remaining = {name: len(needed) for name, needed in graph.items()}
    dependents = reverse(graph)
    ready = [name for name, count in remaining.items() if not count]
    for name in ready:  # grows while it is walked
        for dependent in dependents[name]:
            remaining[dependent] -= 1
            if not remaining[dependent]:
                ready.append(dependent)
    if len(ready) < len(graph):
        done = dict.fromkeys(ready)
        circle = _trim({name: tuple(graph[name]) for name in graph if name not in done})
        raise invalid(f"Circular dependency between resources: [{', '.join(circle)}]")
    return ready


def reverse(graph: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Of each node, the ones that depend on it: the order of deleting."""
    dependents: dict[str, list[str]] = {name: [] for name in graph}
    for name, needed in graph.items():
        for each in needed:
            if each in dependents:
                dependents[each].append(name)
    return dependents


def _trim(graph: dict[str, tuple[str, ...]]) -> list[str]:
    """Only the nodes on a circle, without those that merely wait for one."""
    while True:
        needed = {each for needs in graph.values() for each in needs}
        leaves = [name for name in graph if name not in needed]
        if not leaves:
            return list(graph)
        for name in leaves:
            del graph[name]


class Walk:
    """Does work on every node, each in a task of its own as soon as the nodes it depends on are done.

    Independent nodes are worked on concurrently. After the first failure nothing new is started; what runs
    is waited for. ``work`` returns whether it succeeded, and must not raise.
    """

    def __init__(
        self, kernel: Kernel, graph: Mapping[str, Sequence[str]], work: Callable[[str], bool], name: str
    ) -> None:
        self._kernel = kernel
        self._work = work
        self._name = name
        self._waits = {node: sum(each in graph for each in needed) for node, needed in graph.items()}
        self._dependents = reverse(graph)
        self._done = kernel.event(f"the last resource of {name}")
        self._left = len(graph)
        self.running: dict[str, None] = {}
        self.at_work: dict[str, None] = {}
        """The running ones whose turn has come: at one instant, a failure can come before it."""
        self.failed: list[str] = []

    def run(self, *, go_on: bool = False) -> list[str]:
        """Walk the whole graph; return the nodes that failed.

        ``go_on``: a failure keeps only its dependents from being started.
        """
        self._go_on = go_on
        self._start([node for node, count in self._waits.items() if not count])
        if self.running:
            self._done.wait()
        return self.failed

    def _start(self, nodes: Iterable[str]) -> None:
        for node in nodes:
            self.running[node] = None
            self._kernel.spawn(self._run, node, name=f"{self._name}/{node}")

    def _run(self, node: str) -> None:
        succeeded = False
        skipped = bool(self.failed) and not self._go_on
        try:
            if not skipped:
                self.at_work[node] = None
                succeeded = self._work(node)
        finally:  # also when the task is killed: the others must not wait for it for ever
            del self.running[node]
            self.at_work.pop(node, None)
            if skipped:
                pass
            elif not succeeded:
                self.failed.append(node)
            else:
                ready = []
                for dependent in self._dependents[node]:
                    self._waits[dependent] -= 1
                    if not self._waits[dependent]:
                        ready.append(dependent)
                if self._go_on or not self.failed:
                    self._start(ready)
            if not self.running:
                self._done.set()
