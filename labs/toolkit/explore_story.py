"""What one seed did, told so that a person can follow it: a time line in words, and in lanes.

The time line of the naive handler reads like this; the arrow is the moment at which it went wrong:

      0.312 s  Charger 1    GetItem Marks (paymentId=payment-1): finds nothing
      0.330 s  Charger 2    GetItem Marks (paymentId=payment-1): finds nothing
      0.802 s  Provider 1   PutItem Charges (paymentId=payment-1)
    ▶ 0.811 s  Provider 2   PutItem Charges (paymentId=payment-1)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from infra.cloud.views.story import Step

from . import tables
from .explore_job import Judged


class Story:
    """Shows itself as text. ``broken``: what is wrong in the end, or "". ``moment``: the step that did it."""

    def __init__(self, seed: int, broken: str, steps: Sequence[Step], moment: Step | None = None) -> None:
        self.seed = seed
        self.broken = broken
        self.steps = list(steps)
        self.moment = moment

    def about(self, *words: str) -> Self:
        """The same story with only what concerns these words: steps that say one of them, and the invocations
        in which one is said."""
        runs = {step.run for step in self.steps if step.run and _says(step, words)}
        kept = [step for step in self.steps if step.run in runs or _says(step, words) or step is self.moment]
        return type(self)(self.seed, self.broken, kept, self.moment)

    def since(self, words: str) -> Self:
        """The same story from the first step on that says this."""
        first = next((index for index, step in enumerate(self.steps) if words in step.what), None)
        if first is None:
            raise LookupError(f"no step of this story says {words!r}")
        return type(self)(self.seed, self.broken, self.steps[first:], self.moment)

    def without(self, *kinds: str) -> Self:
        """The same story without some kinds of steps, such as ``print``."""
        kept = [step for step in self.steps if step.kind not in kinds or step is self.moment]
        return type(self)(self.seed, self.broken, kept, self.moment)

    @property
    def actors(self) -> list[str]:
        """Who does something in it, in the order of their first step."""
        return list(dict.fromkeys(step.who for step in self.steps))

    def __str__(self) -> str:
        lines = [f"seed {self.seed}: {self.broken or 'all is well'}", ""]
        width = max((len(actor) for actor in self.actors), default=0)
        stamps = [f"{step.time:.3f}" for step in self.steps]
        column = max(map(len, stamps), default=0)
        for step, stamp in zip(self.steps, stamps, strict=True):
            mark = "▶" if step is self.moment else " "
            lines.append(f"{mark} {stamp.rjust(column)} s  {step.who.ljust(width)}  {step.what}")
        if self.moment is not None:
            lines += ["", f"▶ is where it went wrong, {tables.seconds(self.moment.time)} after the start"]
        return "\n".join(lines)

    __repr__ = __str__


def made(told: Judged) -> Story:
    """The story that a process sent."""
    steps = [Step(**step) for step in told.steps]
    moment = None if told.moment is None else steps[told.moment]
    return Story(told.seed, told.broken, steps, moment)


def _says(step: Step, words: Sequence[str]) -> bool:
    return any(word in step.what for word in words)
