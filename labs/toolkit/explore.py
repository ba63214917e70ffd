"""Run one experiment under many seeds: how many break what must hold, the first that does, and its story.

    found = explore(scenario, seeds=200, invariant=charged_once, faults={"duplicate": 0.5, "on": "QueueArn"})
    print(found)          # 200 seeds: 31 break the invariant …
    found.story()         # the smallest failing seed again, as a time line

``scenario(cloud, **arguments) -> result`` deploys a stack and puts load on it; ``invariant(result)`` says
what is wrong with the result in a sentence, or "" if all is well. Both are importable functions, since they
run in processes of their own: the notebook's cloud is not touched. A seed decides everything by chance *after
the first* ``deploy``: latencies, cold starts, arrivals, when faults strike. Simulated only: chance on AWS has
no seed.
"""

from __future__ import annotations

import dataclasses
import functools
import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from . import explore_pool, explore_story, tables
from .explore_job import ExploreError, Job, Judged
from .explore_story import Story

__all__ = ["Exploration", "ExploreError", "Story", "explore"]


def explore(
    scenario: Callable[..., Any],
    *,
    invariant: Callable[[Any], str],
    seeds: int = 200,
    faults: Mapping[str, Any] | Sequence[Mapping[str, Any]] = (),
    moment: Callable[[list[Any]], int | None] | None = None,
    processes: int | None = None,
    **arguments: Any,
) -> Exploration:
    """Run the scenario once for each seed from 0 on, with these arguments, and ask the invariant.

    ``faults`` are on from the moment the scenario's first ``deploy`` has returned: a mapping as the arguments
    of ``cloud.faults``, or several; ``on`` may be the name of a stack's output. ``moment(steps)`` finds the
    index of the step of a story at which it went wrong. ``processes``: how many at once, as many as there are
    cores if not given. Raises ExploreError if the scenario does not come as far as its deployment.
    """
    if isinstance(seeds, bool) or not isinstance(seeds, int) or seeds < 1:
        raise ValueError(f"seeds={seeds!r}: give how many seeds to try, a whole number from 1 on")
    together = [faults] if isinstance(faults, Mapping) else list(faults)
    for block in together:
        if not isinstance(block, Mapping) or not set(block) - {"on", "rate"}:
            raise TypeError(
                f"faults={block!r}: give a mapping such as {{'duplicate': 0.5, 'on': 'QueueArn'}}"
            )
    job = Job(
        scenario=_reference(scenario, "scenario"),
        invariant=_reference(invariant, "invariant"),
        arguments=_packed(arguments),
        faults=tuple(dict(block) for block in together),
        moment=_reference(moment, "moment") if moment is not None else "",
    )
    outcomes = explore_pool.run(job, range(seeds), processes)
    return Exploration(job, sorted(outcomes, key=lambda judged: judged.seed), processes)


class Exploration:
    """What came out for each seed. ``broken``: seed -> the invariant's sentence, the smallest seed first."""

    def __init__(self, job: Job, outcomes: list[Judged], processes: int | None = None) -> None:
        self.outcomes = outcomes
        self.broken = {judged.seed: judged.broken for judged in outcomes if judged.broken}
        self._job = job
        self._processes = processes

    @property
    def seeds(self) -> int:
        """How many were tried."""
        return len(self.outcomes)

    @property
    def smallest(self) -> int | None:
        """The smallest seed that breaks the invariant; None if none does."""
        return next(iter(self.broken), None)

    @property
    def share(self) -> float:
        """The share of the seeds that break it, from 0 to 1."""
        return len(self.broken) / self.seeds

    def story(self, seed: int | None = None) -> Story:
        """Run one seed again, the smallest failing one if not given, and tell what happened."""
        chosen = self.smallest if seed is None else seed
        if chosen is None:
            raise LookupError(f"none of the {self.seeds} seeds breaks it: name the seed whose story to tell")
        if not 0 <= chosen < self.seeds:
            raise ValueError(f"seed={chosen!r} was not explored; those from 0 to {self.seeds - 1} were")
        told = explore_pool.run(dataclasses.replace(self._job, tell=True), [chosen], 1)[0]
        if told.broken != self.outcomes[chosen].broken:
            raise ExploreError(
                f"seed {chosen} does not repeat: {told.broken or 'all is well'!r}, where it was "
                f"{self.outcomes[chosen].broken or 'all is well'!r}. Does the scenario use the real clock or "
                "chance that is not the cloud's?"
            )
        return explore_story.made(told)

    def __iter__(self) -> Iterator[Judged]:
        return iter(self.outcomes)

    def __str__(self) -> str:
        count = f"{self.seeds:,} seed{'s' if self.seeds != 1 else ''}"
        if not self.broken:
            return f"✔ {count}: none breaks the invariant"
        verb = "break" if len(self.broken) != 1 else "breaks"
        return (
            f"✘ {count}: {len(self.broken):,} {verb} the invariant ({tables.number(100 * self.share)} %)\n"
            f"  the smallest is seed {self.smallest}: {self.broken[next(iter(self.broken))]}"
        )

    __repr__ = __str__


def _reference(function: Callable[..., Any], role: str) -> str:
    """``module:name`` of an importable function."""
    if isinstance(function, functools.partial):
        raise TypeError(f"the {role} is a partial: give the function itself, and its arguments to explore()")
    module, name = getattr(function, "__module__", None), getattr(function, "__qualname__", "")
    if not callable(function) or module in (None, "__main__") or "<" in name:
        raise TypeError(
            f"the {role} {getattr(function, '__name__', function)!r} cannot be imported by another process: "
            "put it in a file of labs/ and import it (what it deploys may well be a cell of yours)"
        )
    return f"{module}:{name}"


def _packed(arguments: dict[str, Any]) -> bytes:
    for name, value in arguments.items():
        try:
            pickle.dumps(value)
        except Exception as error:  # noqa: BLE001 - a value may raise anything when it is packed
            raise TypeError(
                f"{name}={value!r} cannot be sent to another process ({error}): give numbers, text, paths or "
                "objects of the toolkit"
            ) from None
    return pickle.dumps(arguments)
