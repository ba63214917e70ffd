"""The flow of events through an application: boxes from left to right, arrows with counts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from . import flow_layout, tables
from .figures import BLACK, BLUE, ORANGE_RED, Plot, canvas, style
from .flow_layout import HEIGHT, WIDTH, Point, Route

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
    "API": ROUTES,
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
    What was given up goes along a dashed arrow. On a box: how many of its runs failed.
    """
    if not flow.hops:
        raise ValueError("nothing was delivered to anybody in this flow: take it after the load has run")
    arrows = [(hop.source, READER if hop.target == "notebook" else hop.target) for hop in flow.hops]
    names = [node.name for node in flow.nodes]
    if any(target == READER for _, target in arrows):
        names.append(READER)
    columns = flow_layout.layers(names, arrows)
    at = flow_layout.places(columns)
    routes = flow_layout.routes(arrows, at)
    rows_of_points = [y for route in routes.values() for _, y in route.points]
    top = min(*rows_of_points, *(y - HEIGHT / 2 for _, y in at.values())) - 0.15
    bottom = max(*rows_of_points, *(y + HEIGHT / 2 for _, y in at.values())) + 0.15
    with style():
        figure, (axis,) = canvas(finding, height=min(0.9 + 0.68 * (bottom - top), 9))
        for pair, route in routes.items():
            between = [hop for hop, arrow in zip(flow.hops, arrows, strict=True) if arrow == pair]
            _arrow(axis, between, route)
        nodes = {node.name: node for node in flow.nodes}
        for name, place in at.items():
            kind = nodes[name].kind if name in nodes else "caller"
            _box(axis, name.strip(), kind, place, 18 if len(columns) < 5 else 13)
            if name in nodes and nodes[name].failed:
                _badge(axis, f"×{nodes[name].failed:,}", place)
        axis.set_xlim(-0.5, len(columns) - 0.5)
        axis.set_ylim(bottom, top)
        axis.set_axis_off()
        figure.supxlabel(_key(flow), fontsize=7.5, color=GREY)
    order = {name: index for index, name in enumerate(at)}
    rows = [
        [hop.source, hop.target, hop.what, hop.delivered, hop.failed, hop.filtered]
        for hop in sorted(flow.hops, key=lambda hop: (order[hop.source], order[hop.target]))
    ]
    table = tables.table(["from", "to", "what", "delivered", "failed", "filtered"], rows)
    ran = [[node.name, node.kind, node.runs, node.failed] for node in flow.nodes if node.runs]
    if ran:
        table += "\n\n" + tables.table(["ran", "", "times", "failed"], ran)
    return Plot(figure, finding, table)


def _key(flow: Flow) -> str:
    """What the signs on arrows and boxes mean, of those that are there."""
    hops = flow.hops
    signs = [
        ("× failed attempts", any([part.failed for part in hops] + [node.failed for node in flow.nodes])),
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


def _box(axis: Axes, name: str, kind: str, place: Point, width: int) -> None:
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


def _badge(axis: Axes, text: str, place: Point) -> None:
    """How often what is in the box failed, on its edge."""
    axis.annotate(
        text,
        (place[0] + WIDTH / 2 - 0.03, place[1] + HEIGHT / 2),
        ha="right",
        va="center",
        fontsize=7.5,
        color=ORANGE_RED,
        bbox={"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": ORANGE_RED, "linewidth": 0.6},
        zorder=5,
    )


def _arrow(axis: Axes, hops: Sequence[Hop], route: Route) -> None:
    """One arrow for all that goes this way, with a line of numbers for each kind of it."""
    dead = all(hop.dead_letter for hop in hops)
    colour = ORANGE_RED if dead or not any(hop.delivered for hop in hops) else BLUE
    line: dict[str, Any] = {"color": colour, "linestyle": "--" if dead else "-", "linewidth": 1.2}
    *before, last = route.points[:-1]
    if before:
        axis.plot(*zip(*before, last, strict=True), zorder=1, solid_joinstyle="round", **line)
    head = {"arrowstyle": "-|>", "shrinkA": 0, "shrinkB": 0, **line}
    axis.annotate("", route.points[-1], last, arrowprops=head, zorder=1)
    shown = [part for hop in hops for part in _numbers(hop, hop.what if len(hops) > 1 else "")]
    for index, (text, shade) in enumerate(shown):
        axis.annotate(
            text,
            route.label,
            xytext=(0, 9 * ((len(shown) - 1) / 2 - index)),
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=7.5,
            color=shade,
            bbox={"boxstyle": "round,pad=0.1", "facecolor": "white", "edgecolor": "none", "alpha": 0.85},
            zorder=3,
        )


def _numbers(hop: Hop, what: str) -> list[tuple[str, str]]:
    """What stands on an arrow: each number that is not 0, and its colour."""
    parts = [
        (f"{hop.delivered:,} {what}".strip(), ORANGE_RED if hop.dead_letter else BLACK, hop.delivered),
        (f"×{hop.failed:,}", ORANGE_RED, hop.failed),
        (f"–{hop.filtered:,}", GREY, hop.filtered),
    ]
    return [(text, shade) for text, shade, count in parts if count] or [("0", BLACK)]
