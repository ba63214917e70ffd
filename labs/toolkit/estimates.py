"""``workshop estimate``: what each lesson would cost in a real account, from the simulation's own bills."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from . import notebooks

VARIABLE = "WORKSHOP_BILLS"


def bill(file: Path) -> float:
    """USD of all the bills in a file."""
    return sum(map(float, file.read_text("utf-8").split())) if file.exists() else 0.0


def measured(lesson: notebooks.Lesson) -> float:
    """Run a lesson with its defaults, simulated; USD of all that it did."""
    with tempfile.TemporaryDirectory() as folder, _set(VARIABLE, str(Path(folder) / "bills")) as file:
        ran = notebooks.run(lesson, {"target": "local"}, Path(folder) / lesson.path.name)
        if ran.error:
            raise notebooks.LessonError(f"{lesson.path.stem}: {ran.error}")
        return bill(Path(file))


@contextmanager
def _set(name: str, value: str) -> Iterator[str]:
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield value
    finally:
        os.environ.pop(name) if before is None else os.environ.update({name: before})
