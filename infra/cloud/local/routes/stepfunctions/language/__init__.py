"""The Amazon States Language, where the interpreter differs from AWS.

``patches(world)`` lists what ``interpreter.py`` installs for as long as a world uses the interpreter:
(object, attribute, value). What a definition means is in pure modules (paths, intrinsic functions, JSONata,
comparisons, validation); the modules ``patch_…`` hand them to moto's classes and say what moto gets wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ....world import World


def patches(world: World) -> list[tuple[Any, str, Any]]:
    """Everything that differs. Imports the interpreter, so it waits until a state machine is made."""
    from . import patch_choices, patch_errors, patch_expressions, patch_maps, patch_parsing, patch_states

    return [
        *patch_parsing.patches(),
        *patch_expressions.patches(world),
        *patch_choices.patches(),
        *patch_errors.patches(),
        *patch_states.patches(world),
        *patch_maps.patches(world),
    ]
