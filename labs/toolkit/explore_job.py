"""What ``explore`` sends to its processes and what comes back: plain facts, the same on both sides."""

from __future__ import annotations

import dataclasses
from typing import Any


class ExploreError(Exception):
    """An exploration could not be made; the message says what to do about it."""


@dataclasses.dataclass(frozen=True)
class Job:
    """One experiment. Functions are ``module:name``, ``arguments`` a pickled dict.

    ``tell``: send the story of each seed too.
    """

    scenario: str
    invariant: str
    arguments: bytes
    faults: tuple[dict[str, Any], ...] = ()
    moment: str = ""
    tell: bool = False


@dataclasses.dataclass(frozen=True)
class Judged:
    """What a seed came to. ``broken``: the invariant's sentence, or ""."""

    seed: int
    broken: str = ""
    steps: tuple[dict[str, Any], ...] = ()
    """The story, if it was asked for: the fields of each step."""
    moment: int | None = None
    """The index of the step at which it went wrong."""
