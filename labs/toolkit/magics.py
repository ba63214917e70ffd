"""The cell magic ``%%exercise <lab>.<name>``. Importing ``labs.toolkit`` in a notebook registers it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .exercises import ExerciseError, exercise

if TYPE_CHECKING:
    from infra.cloud.interface import Cloud


def exercise_cell(line: str, cell: str) -> None:
    """Save the cell as the answer to the exercise that the line names, and check it."""
    name = line.strip()
    if not name:
        known = ", ".join(exercise.names())
        raise ExerciseError(f"name the exercise: %%exercise <lab>.<name>; there is: {known}")
    exercise.attempt(name, cell, current_cloud)


def current_cloud() -> Cloud:
    """The cloud that the notebook connected to last."""
    from infra.cloud import current

    return current()


def register(shell: Any) -> None:
    """Make the magic known to an IPython shell; doing it again changes nothing."""
    shell.register_magic_function(exercise_cell, magic_kind="cell", magic_name="exercise")
