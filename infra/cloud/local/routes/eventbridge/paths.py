"""The subset of JSONPath that EventBridge accepts: ``$.detail.items[0].name``, ``$.detail['a b']``, ``[*]``.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html: dot notation, dashes,
underscores, alphanumeric characters, forward slashes, array indices and wildcards.
"""

from __future__ import annotations

import functools
import re
from typing import Any, Final

_STEP = re.compile(
    r"""\.(?P<name>[\w/$@:-]+)|\.(?P<all>\*)|\[(?P<index>\d+)\]|\[(?P<every>\*)\]
        |\[(?P<quote>['"])(?P<key>.+?)(?P=quote)\]""",
    re.VERBOSE,
)


class Missing:
    """Nothing stands at the path."""


MISSING: Final = Missing()

_EVERY: Final = None

Path = tuple[str | int | None, ...]
"""Names, indices, and None for a wildcard."""


class InvalidPath(ValueError):
    """The text is not a path that EventBridge accepts."""


@functools.lru_cache(maxsize=1024)
def parse(text: str) -> Path:
    """Read a path once. Raises InvalidPath."""
    if not text.startswith("$"):
        raise InvalidPath(f"a path begins with $: {text}")
    steps: list[str | int | None] = []
    at = 1
    while at < len(text):
        step = _STEP.match(text, at)
        if step is None:
            raise InvalidPath(f"cannot read {text[at:]!r} in {text}")
        if step["index"] is not None:
            steps.append(int(step["index"]))
        elif step["all"] or step["every"]:
            steps.append(_EVERY)
        else:
            steps.append(step["name"] or step["key"])
        at = step.end()
    return tuple(steps)


def select(path: Path, value: Any) -> Any:
    """What stands at the path; MISSING if nothing does. A wildcard gives the list of all that match."""
    for position, step in enumerate(path):
        if step is _EVERY:
            inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
            found = [select(path[position + 1 :], one) for one in inner]
            return [one for one in found if one is not MISSING]
        if isinstance(step, int):
            if not isinstance(value, list) or step >= len(value):
                return MISSING
            value = value[step]
        elif isinstance(value, dict) and step in value:
            value = value[step]
        else:
            return MISSING
    return value
