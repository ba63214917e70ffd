"""Where the boxes of a flow stand, and which way its arrows go. Pure functions: one column, one row is 1."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

WIDTH, HEIGHT = 0.74, 0.62
"""Of a box."""
LANE = 0.24
"""From one lane to the next: arrows that go round take a lane each, above or below all boxes."""

Point = tuple[float, float]


@dataclasses.dataclass(frozen=True, slots=True)
class Route:
    """An arrow's way through these points, and where its numbers stand."""

    points: list[Point]
    label: Point


def places(columns: Sequence[Sequence[str]]) -> dict[str, Point]:
    """The middle of each box: columns from left to right, around one middle; rows grow downwards."""
    return {
        name: (float(column), row - (len(names) - 1) / 2)
        for column, names in enumerate(columns)
        for row, name in enumerate(names)
    }


def routes(arrows: Sequence[tuple[str, str]], at: dict[str, Point]) -> dict[tuple[str, str], Route]:
    """Straight to the next column, or down to the box below; above all boxes if it leaps over a column, below
    them if it goes back."""
    lowest = max((y for _, y in at.values()), default=0.0) + HEIGHT / 2
    highest = min((y for _, y in at.values()), default=0.0) - HEIGHT / 2
    found: dict[tuple[str, str], Route] = {}
    above = below = 0
    for pair in dict.fromkeys(arrows):
        (x0, y0), (x1, y1) = at[pair[0]], at[pair[1]]
        if x1 - x0 == 1:
            found[pair] = _straight((x0 + WIDTH / 2, y0), (x1 - WIDTH / 2, y1))
        elif x1 == x0 and abs(y1 - y0) == 1:
            half = HEIGHT / 2 * (y1 - y0)
            found[pair] = _straight((x0, y0 + half), (x1, y1 - half))
        elif x1 > x0:
            above += 1
            found[pair] = _around((x0, y0), (x1, y1), highest - LANE * above, above)
        else:
            below += 1
            found[pair] = _around((x0, y0), (x1, y1), lowest + LANE * below, below)
    return found


def _straight(start: Point, end: Point) -> Route:
    return Route([start, end], ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2))


def _around(source: Point, target: Point, lane: float, number: int) -> Route:
    """Out on the right, along the lane, in on the left; a little beside the straight arrows."""
    (x0, y0), (x1, y1) = source, target
    gap = 0.03 + 0.03 * (number % 4)
    beside = HEIGHT / 4 if lane > y0 else -HEIGHT / 4
    right, left = x0 + WIDTH / 2, x1 - WIDTH / 2
    return Route(
        [
            (right, y0 + beside),
            (right + gap, y0 + beside),
            (right + gap, lane),
            (left - gap - 0.04, lane),
            (left - gap - 0.04, y1 + beside),
            (left, y1 + beside),
        ],
        ((right + left) / 2, lane),
    )


def layers(names: Sequence[str], arrows: Sequence[tuple[str, str]]) -> list[list[str]]:
    """The boxes by column: each right of those that send to it, leaving out arrows that close a circle."""
    forward = _without_circles(arrows)
    column = dict.fromkeys(names, 0)
    for _ in names:
        for source, target in forward:
            column[target] = max(column[target], column[source] + 1)
    reached = {target for _, target in forward}
    for name in names:  # what nobody sends to stands just before the first that it sends to
        after = [column[target] for source, target in forward if source == name]
        if after and name not in reached:
            column[name] = min(after) - 1
    found = [[name for name in names if column[name] == level] for level in range(max(column.values()) + 1)]
    for sweep in range(4):  # each near the middle of its neighbours, so that arrows cross less
        for level in found if sweep % 2 == 0 else found[::-1]:
            rows = {name: row - (len(one) - 1) / 2 for one in found for row, name in enumerate(one)}
            level.sort(key=lambda name, rows=rows: _middle(name, forward, rows))  # type: ignore[misc]
    return found


def _without_circles(arrows: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The arrows that lead on, and none that leads back to where an earlier one came from."""
    known: list[tuple[str, str]] = []

    def leads(start: str, end: str, seen: frozenset[str] = frozenset()) -> bool:
        return start == end or any(
            leads(target, end, seen | {start})
            for source, target in known
            if source == start and target not in seen
        )

    for source, target in sorted(dict.fromkeys(arrows), key=lambda pair: pair[0] != "notebook"):
        if not leads(target, source):
            known.append((source, target))
    return known


def _middle(name: str, arrows: Sequence[tuple[str, str]], rows: dict[str, float]) -> float:
    beside = [rows[b if a == name else a] for a, b in arrows if name in (a, b)]
    return sum(beside) / len(beside) if beside else rows[name]
