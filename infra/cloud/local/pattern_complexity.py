"""Is a field's list of wildcard patterns too complex for EventBridge?

Event Ruler (https://github.com/aws/event-ruler, ``MachineComplexityEvaluator``) counts, for the worst value
that an event could have, at how many places of the patterns a reader of that value would be at once:
asterisks after which the same characters repeat multiply them. EventBridge refuses a rule above a limit
that it does not publish
(https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html, "Wildcards and
event pattern complexity").
"""

from __future__ import annotations

from collections.abc import Sequence

LIMIT = 11
"""The smallest complexity that is refused. An estimate between what AWS was seen to do: three
``*:stack/NAME/*`` in one field (9) were accepted, four (12) were not
(https://github.com/vals-ai/Valkyrie/pull/278), nor is ``*:*:*:*:*:event-bus/*`` (11)."""

_READINGS = 2000
"""How many different situations are looked at before a list of patterns counts as simple enough."""

Places = frozenset[tuple[int, int]]
"""Pattern and element of it (a character or an asterisk) that the last character was read as."""


def too_complex(patterns: Sequence[Sequence[str]]) -> bool:
    """Each pattern is given by the literal pieces between its asterisks."""
    elements = [_elements(pieces) for pieces in patterns]
    letters = [*sorted({letter for pattern in elements for letter in pattern if letter}), "\0"]
    start: Places = frozenset((number, -1) for number in range(len(elements)))
    seen = {start}
    waiting = [start]
    while waiting and len(seen) < _READINGS:
        places = waiting.pop(0)
        for letter in letters:
            after = _read(elements, places, letter)
            if len(after | _asterisks_next(elements, after)) >= LIMIT:
                return True
            if after and after not in seen:
                seen.add(after)
                waiting.append(after)
    return False


def _elements(pieces: Sequence[str]) -> list[str]:
    """Characters, and an empty string for each asterisk."""
    elements: list[str] = list(pieces[0])
    for piece in pieces[1:]:
        elements += ["", *piece]
    return elements


def _read(elements: list[list[str]], places: Places, letter: str) -> Places:
    """Where the reader may be after one more character."""
    after = []
    for number, place in places:
        pattern = elements[number]
        if place >= 0 and not pattern[place]:
            after.append((number, place))  # the asterisk takes this character too
        following = place + 1
        if following < len(pattern) and not pattern[following]:
            after.append((number, following))
            following += 1  # or nothing
        if following < len(pattern) and pattern[following] == letter:
            after.append((number, following))
    return frozenset(after)


def _asterisks_next(elements: list[list[str]], places: Places) -> Places:
    return frozenset(
        (number, place + 1)
        for number, place in places
        if place + 1 < len(elements[number]) and not elements[number][place + 1]
    )
