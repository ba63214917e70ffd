"""What a lesson will cost in a real account, said before the first deploy.

``estimates.toml`` holds, for each lesson, the bill of the simulation for one run from top to bottom. It is
written by ``workshop estimate``, never by hand.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .standing import hourly

FILE = Path(__file__).with_name("estimates.toml")


def estimates(path: Path = FILE) -> dict[str, float]:
    """Lesson -> USD for one run with its defaults."""
    return {name: float(usd) for name, usd in tomllib.loads(path.read_text("utf-8")).items()}


def estimate(lesson: str, templates: list[Mapping[str, Any]]) -> str:
    """A sentence for a learner: what a run of this lesson costs, and what its stacks cost as they stand."""
    known = estimates().get(lesson)
    run = (
        f"One run of lesson {lesson} costs {_money(known)}"
        if known is not None
        else f"What a run of {lesson} costs is not known, since it is not a lesson of the workshop"
    )
    standing = sum(hourly(template) for template in templates)
    return (
        f"{run}, and {_money(standing)} for each hour that its stack stands: an estimate, at list prices in "
        "us-east-1, without free tiers. close() deletes it."
    )


def _money(usd: float) -> str:
    return f"about ${usd:.2f}" if usd >= 0.01 else "less than $0.01"


def write(found: Mapping[str, float], path: Path = FILE) -> None:
    """Write the file anew."""
    lines = [
        "# USD that one run of a lesson costs at list prices: the simulation's own bill (scale 1, seed 0).",
        "# Written by `workshop estimate`.",
        *(f"{name} = {usd:.6f}" for name, usd in sorted(found.items())),
    ]
    path.write_text("\n".join(lines) + "\n", "utf-8")
