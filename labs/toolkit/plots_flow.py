"""The flow of events through an application: boxes from left to right, arrows with counts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from . import tables
from .figures import BLACK, BLUE, ORANGE_RED, Plot, canvas, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COMPUTES, HOLDS, ROUTES, DECIDES, KEEPS, OTHER = (
    "#F4D38C",
    "#B3DCF4",
    "#E8C2D9",
    "#F5EAF1",
    "#8CD3BF",
    "#E6E6E6",
)
FILLS = {
    "function": COMPUTES,
    "state machine": COMPUTES,
    "queue": HOLDS,
    "stream": HOLDS,
    "topic": ROUTES,
    "bus": ROUTES,
    "pipe": ROUTES,
    "rule": DECIDES,
    "schedule": DECIDES,
    "alarm": DECIDES,
    "table": KEEPS,
    "bucket": KEEPS,
    "log group": KEEPS,
}
"""The colour of a box: Okabe and Ito's, lighter. The rest is grey."""
GREY = "#6E6E6E"

READER = "notebook "
"""The notebook once more, on the right: where it receives."""

WIDTH, HEIGHT = 0.74, 0.62
"""Of a box; one column, and one row, is 1."""


class Node(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def runs(self) -> int: ...
    @property
    def failed(self) -> int: ...


class Hop(Protocol):
    @property
    def source(self) -> str: ...
    @property
    def target(self) -> str: ...
    @property
    def what(self) -> str: ...
    @property
    def delivered(self) -> int: ...
    @property
    def failed(self) -> int: ...
    @property
    def filtered(self) -> int: ...
    @property
    def dead_letter(self) -> bool: ...


class Flow(Protocol):
    """What ``cloud.flow()`` gives."""

    @property
    def nodes(self) -> Sequence[Node]: ...
    @property
    def hops(self) -> Sequence[Hop]: ...


def event_flow(finding: str, flow: Flow) -> Plot:
    """Who delivered what to whom. ``flow`` is ``cloud.flow(since)``.

    An arrow's number is what arrived; red, after a ×: attempts that failed; grey, after a –: filtered out.
    What was given up goes along a dashed arrow.
    """
    if not flow.hops:
        raise ValueError("nothing was delivered to anybody in this flow: take it after the load has run")
    arrows = [(hop.source, READER if hop.target == "notebook" else hop.target) for hop in flow.hops]
    names = [node.name for node in flow.nodes]
    columns = layers([*names, READER] if READER in dict(arrows).values() else names, arrows)
    places = {
        name: (float(column), row - (len(names) - 1) / 2)
        for column, names in enumerate(columns)
        for row, name in enumerate(names)
    }
    tallest = max(len(names) for names in columns)
    with style():
        figure, (axis,) = canvas(finding, height=min(1.2 + 0.72 * tallest, 9))
        for hop, (source, target) in zip(flow.hops, arrows, strict=True):
            _arrow(axis, hop, places[source], places[target])
        kinds = {node.name: node.kind for node in flow.nodes}
        for name, place in places.items():
            _box(axis, name.strip(), kinds.get(name, "caller"), place, 18 if len(columns) < 5 else 13)
        axis.set_xlim(-0.5, len(columns) - 0.5)
        axis.set_ylim(tallest / 2 + 0.25, -tallest / 2 - 0.25)
        axis.set_axis_off()
        figure.supxlabel(_key(flow.hops), fontsize=7.5, color=GREY)
    order = {name: index for index, name in enumerate(places)}
    rows = [
        [hop.source, hop.target, hop.what, hop.delivered, hop.failed, hop.filtered]
        for hop in sorted(flow.hops, key=lambda hop: (order[hop.source], order[hop.target]))
    ]
    table = tables.table(["from", "to", "what", "delivered", "failed", "filtered"], rows)
    ran = [[node.name, node.kind, node.runs, node.failed] for node in flow.nodes if node.runs]
    if ran:
        table += "\n\n" + tables.table(["ran", "", "times", "failed"], ran)
    return Plot(figure, finding, table)


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


def _key(hops: Sequence[Hop]) -> str:
    """What the signs on the arrows mean, of those that are there."""
    signs = [
        ("× failed attempts", any(hop.failed for hop in hops)),
        ("– filtered out", any(hop.filtered for hop in hops)),
        ("dashed: given up", any(hop.dead_letter for hop in hops)),
    ]
    return "     ".join(text for text, used in signs if used)


def _wrapped(name: str, width: int) -> list[str]:
    """A name in at most two lines, broken between its words: ``OrderPlaced`` has two."""
    lines = [""]
    for word in re.split(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[-._ ])", name):
        if lines[-1] and len(lines[-1] + word) > width:
            lines.append("")
        lines[-1] += word
    short = [line if len(line) <= width else f"{line[: width - 1]}…" for line in lines[:2]]
    return short if len(lines) <= 2 else [short[0], f"{short[1].rstrip('…')}…"]


def _box(axis: Axes, name: str, kind: str, place: tuple[float, float], width: int) -> None:
    from matplotlib.patches import FancyBboxPatch

    x, y = place
    axis.add_patch(
        FancyBboxPatch(
            (x - WIDTH / 2, y - HEIGHT / 2),
            WIDTH,
            HEIGHT,
            boxstyle="round,pad=0,rounding_size=0.06",
            facecolor=FILLS.get(kind, OTHER),
            edgecolor=BLACK,
            linewidth=0.8,
            zorder=2,
        )
    )
    shown = [*_wrapped(name, width), *([] if kind == "caller" else [kind])]
    axis.annotate(
        "\n".join(shown), (x, y), ha="center", va="center", fontsize=7.5, linespacing=1.15, zorder=4
    )


def _arrow(axis: Axes, hop: Hop, source: tuple[float, float], target: tuple[float, float]) -> None:
    (x0, y0), (x1, y1) = source, target
    colour = ORANGE_RED if hop.dead_letter or (hop.failed and not hop.delivered) else BLUE
    back = x1 <= x0
    if not back:
        start, end, bend = (x0 + WIDTH / 2, y0), (x1 - WIDTH / 2, y1), 0.0
        if x1 - x0 > 1 and y0 == y1:
            bend = -0.25
    elif x1 == x0:
        down = 1 if y1 > y0 else -1
        start, end, bend = (x0, y0 + down * HEIGHT / 2), (x1, y1 - down * HEIGHT / 2), 0.0
    else:
        start, end, bend = (x0, y0 + HEIGHT / 2), (x1, y1 + HEIGHT / 2), -0.25
    axis.annotate(
        "",
        end,
        start,
        arrowprops={
            "arrowstyle": "-|>",
            "color": colour,
            "linestyle": "--" if hop.dead_letter else "-",
            "linewidth": 1.2,
            "shrinkA": 0,
            "shrinkB": 0,
            "connectionstyle": f"arc3,rad={bend}",
        },
        zorder=1,
    )
    middle = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2 + bend * (end[0] - start[0]) / 2)
    lines = [
        (f"{hop.delivered:,}", ORANGE_RED if hop.dead_letter else BLACK, hop.delivered),
        (f"×{hop.failed:,}", ORANGE_RED, hop.failed),
        (f"–{hop.filtered:,}", GREY, hop.filtered),
    ]
    shown = [(text, shade) for text, shade, count in lines if count] or [("0", BLACK)]
    for index, (text, shade) in enumerate(shown):
        axis.annotate(
            text,
            middle,
            xytext=(0, 9 * ((len(shown) - 1) / 2 - index)),
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=7.5,
            color=shade,
            bbox={"boxstyle": "round,pad=0.1", "facecolor": "white", "edgecolor": "none", "alpha": 0.85},
            zorder=3,
        )
