"""Does this event match that pattern, and why not? EventBridge's event patterns, as pure functions.

The same language filters event source mappings, pipes and rules:
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html,
https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html.

The rules that are easy to get wrong, all of them Event Ruler's (which EventBridge runs):

- All fields named by the pattern must match; of a field's list of tests, any.
- An array in the event matches if any element does. Fields of objects in an array must match within one
  and the same element (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns-arrays.html).
- ``exists`` looks at leaves only: an object or an empty array does not "exist".
- Keys are joined by dots, so ``{"a": {"b": …}}`` and ``{"a.b": …}`` are the same, in patterns and events
  (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern.html).
- Numbers are compared as numbers between -5e9 and 5e9, with six decimals: 300, 300.0 and 3.0e2 are equal.
"""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from .pattern_operators import Scalar, Test, comparable, show
from .pattern_syntax import Branch, compile_pattern
from .pattern_tokens import InvalidPattern

__all__ = ["InvalidPattern", "Pattern", "Patterns", "explain", "matches", "parse", "validate"]

Place = dict[int, int]
"""Which element (its index) of which array (a number per array) a value stands in."""

Field = tuple[Scalar, Place]


@dataclasses.dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern, read: alternatives of which one must match, and the paths they look at."""

    branches: tuple[Branch, ...]
    leaves: frozenset[str]
    parents: frozenset[str]

    def matches(self, event: dict[str, Any]) -> bool:
        fields = self._flatten(event)
        return any(_matches(branch, 0, fields, {}) for branch in self.branches)

    def explain(self, event: dict[str, Any]) -> str:
        """``match: …`` or ``no match: …``, with the field, its value and what the pattern wants."""
        fields = self._flatten(event)
        for branch in self.branches:
            if _matches(branch, 0, fields, {}):
                return "match: " + ", ".join(_agreement(path, tests, fields) for path, tests in branch)
        reasons = [_disagreements(branch, fields) for branch in self.branches]
        closest = min(reasons, key=len)  # the alternative with the fewest fields that disagree
        reason = "; ".join(_describe(event, path, tests, fields) for path, tests in closest)
        if not closest:
            names = ", ".join(path for path, _ in self.branches[reasons.index(closest)])
            reason = f"no single array element holds matching values for all of {names}"
        if len(self.branches) > 1:
            reason += f" (the closest of {len(self.branches)} $or alternatives)"
        return "no match: " + reason

    def _flatten(self, event: dict[str, Any]) -> dict[str, list[Field]]:
        fields: dict[str, list[Field]] = {}
        _collect(event, "", {}, fields, self, [0])
        return fields


class Patterns:
    """Several patterns asked of the same events: an event is taken apart once for all of them."""

    __slots__ = ("_paths", "_patterns")

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        self._patterns = patterns
        leaves = frozenset[str]().union(*(pattern.leaves for pattern in patterns))
        parents = frozenset[str]().union(*(pattern.parents for pattern in patterns))
        self._paths = Pattern((), leaves, parents)

    def matching(self, event: dict[str, Any]) -> list[int]:
        """The positions of the patterns that match, in order."""
        fields = self._paths._flatten(event)
        return [
            position
            for position, pattern in enumerate(self._patterns)
            if any(_matches(branch, 0, fields, {}) for branch in pattern.branches)
        ]


def parse(
    pattern: str | dict[str, Any] | Pattern, numbers: Callable[[Scalar], int | None] = comparable
) -> Pattern:
    """Read a pattern once, to match it often. Raises InvalidPattern with AWS's message. ``numbers`` gives a
    number as what numbers are compared by."""
    if isinstance(pattern, Pattern):
        return pattern
    return _parse(pattern if isinstance(pattern, str) else json.dumps(pattern, ensure_ascii=False), numbers)


@functools.lru_cache(maxsize=1024)
def _parse(text: str, numbers: Callable[[Scalar], int | None]) -> Pattern:
    branches = compile_pattern(text, numbers)
    leaves = [path for branch in branches for path, _ in branch]
    parents = [path[:dot] for path in leaves for dot in range(len(path)) if path[dot] == "."]
    return Pattern(branches, frozenset(leaves), frozenset(parents))


def validate(pattern: str | dict[str, Any]) -> None:
    """Raise InvalidPattern ("Event pattern is not valid. Reason: …") if AWS would refuse the pattern."""
    parse(pattern)


def matches(pattern: str | dict[str, Any] | Pattern, event: str | dict[str, Any]) -> bool:
    """Does the event match? Both may be JSON text or dicts."""
    return parse(pattern).matches(_event(event))


def explain(pattern: str | dict[str, Any] | Pattern, event: str | dict[str, Any]) -> str:
    """Why it matches or does not: ``no match: detail.total is 250, the pattern wants > 1000``."""
    return parse(pattern).explain(_event(event))


def _event(event: str | dict[str, Any]) -> dict[str, Any]:
    if isinstance(event, str):
        event = json.loads(event, parse_float=Decimal)
    if not isinstance(event, dict):
        raise ValueError("Event must be a JSON object")
    return event


# -- the event, flat ---------------------------------------------------------------------------------


def _collect(
    value: Any, path: str, place: Place, fields: dict[str, list[Field]], pattern: Pattern, arrays: list[int]
) -> None:
    """Gather the leaves that the pattern looks at. ``arrays`` counts the arrays met, to tell them apart."""
    if isinstance(value, dict):
        for key, inner in value.items():
            inner_path = f"{path}.{key}" if path else key
            if inner_path in pattern.leaves or inner_path in pattern.parents:
                _collect(inner, inner_path, place, fields, pattern, arrays)
    elif isinstance(value, list | tuple):
        array = arrays[0]
        arrays[0] += 1
        for index, element in enumerate(value):
            inside = {**place, array: index} if isinstance(element, dict | list | tuple) else place
            _collect(element, path, inside, fields, pattern, arrays)
    elif path in pattern.leaves:
        fields.setdefault(path, []).append((value, place))


def _joined(one: Place, other: Place) -> Place | None:
    """Both places at once; None if they are different elements of the same array."""
    if not other:
        return one
    if not one:
        return other
    for array, index in other.items():
        if one.get(array, index) != index:
            return None
    return {**one, **other}


def _matches(branch: Branch, start: int, fields: dict[str, list[Field]], place: Place) -> bool:
    """Do the branch's fields from ``start`` on match, given the array elements chosen so far?"""
    for position in range(start, len(branch)):
        path, tests = branch[position]
        present = [
            (value, joined)
            for value, where in fields.get(path, ())
            if (joined := _joined(place, where)) is not None
        ]
        if not present and any(test.absent for test in tests):
            continue
        chosen: list[Place] = []
        for value, joined in present:
            if joined not in chosen and any(test.accepts(value) for test in tests):
                chosen.append(joined)
        if not chosen:
            return False
        if len(chosen) > 1:
            return any(_matches(branch, position + 1, fields, joined) for joined in chosen)
        place = chosen[0]
    return True


# -- reasons -----------------------------------------------------------------------------------------


def _disagreements(branch: Branch, fields: dict[str, list[Field]]) -> list[tuple[str, tuple[Test, ...]]]:
    return [item for item in branch if not _matches((item,), 0, fields, {})]


def _agreement(path: str, tests: tuple[Test, ...], fields: dict[str, list[Field]]) -> str:
    for value, _ in fields.get(path, ()):
        if any(test.accepts(value) for test in tests):
            return f"{path} is {show(value)}"
    return f"{path} is absent"


def _describe(
    event: dict[str, Any], path: str, tests: tuple[Test, ...], fields: dict[str, list[Field]]
) -> str:
    values = [show(value) for value, _ in fields.get(path, ())]
    if values:
        state = f"{path} is {values[0]}" if len(values) == 1 else f"{path} has {', '.join(values[:5])}"
        if len(values) > 5:
            state += f" and {len(values) - 5} more"
    else:
        inner = next(_at(event, path), None)
        if isinstance(inner, dict):
            state = f"{path} is an object, not a value"
        elif isinstance(inner, list):
            state = f"{path} has no values"
        else:
            state = f"{path} is missing"
    return f"{state}, the pattern wants {' or '.join(test.wants for test in tests)}"


def _at(value: Any, path: str) -> Iterator[Any]:
    """What stands at a dotted path, inside arrays too."""
    if not path:
        yield value
    elif isinstance(value, list):
        for element in value:
            yield from _at(element, path)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if path == key or path.startswith(f"{key}."):
                yield from _at(inner, path[len(key) + 1 :])
