"""The Amazon States Language, where the interpreter differs from AWS.

``patches(world)`` lists what ``interpreter.py`` installs for as long as a world uses the interpreter:
(object, attribute, value).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ....world import World


def patches(world: World) -> list[tuple[Any, str, Any]]:
    return []
