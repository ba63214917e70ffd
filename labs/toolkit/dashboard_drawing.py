"""The panels of a dashboard drawn into their places, in the workshop's style.

Sizes are in inches, since text does not grow with a panel. Colours follow the house's order unless a widget
names its own, and lines differ in their style, too.
"""

from __future__ import annotations

import dataclasses
import textwrap
from typing import TYPE_CHECKING

from . import tables
from .dashboard_bodies import Board
from .dashboard_panels import Panel
from .dashboard_series import draw_time_series
from .figures import COLOURS, GREEN, ORANGE_RED

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STATE_COLOURS = {"ALARM": ORANGE_RED, "OK": GREEN, "INSUFFICIENT_DATA": "#737373"}
SMALL, USUAL, LARGE = 7.0, 8.0, 9.0
"""Font sizes in points."""
_GREY, _DARK = "#D0D0D0", "#262626"
_PAD = 0.08
_LINE = 0.16
"""Height of a line of small text."""
_CHARACTER = 0.068
"""Width of a character of usual text, on average."""
_CELL = 0.06
"""Width of a character of small text, with room for digits."""


@dataclasses.dataclass(frozen=True)
class Box:
    """A place on a figure: inches from its left and its top."""

    left: float
    top: float
    width: float
    height: float

    def inner(self, left: float = 0, top: float = 0, right: float = 0, bottom: float = 0) -> Box:
        width, height = self.width - left - right, self.height - top - bottom
        return Box(self.left + left, self.top + top, max(width, 0.1), max(height, 0.1))

    def on(self, figure: Figure) -> tuple[float, float, float, float]:
        """Left, bottom, width and height as matplotlib wants them."""
        width, height = figure.get_size_inches()
        return (
            self.left / width,
            1 - (self.top + self.height) / height,
            self.width / width,
            self.height / height,
        )


def draw_panel(figure: Figure, box: Box, panel: Panel, board: Board) -> None:
    """A frame, the title, and what the panel shows."""
    from matplotlib.patches import Rectangle

    left, bottom, width, height = box.on(figure)
    plain = panel.kind == "text" and panel.properties.get("background") == "transparent"
    if not plain:
        frame = Rectangle(
            (left, bottom),
            width,
            height,
            transform=figure.transFigure,
            fill=False,
            edgecolor=_GREY,
            linewidth=0.8,
        )
        figure.add_artist(frame)
    inside = box.inner(_PAD, _PAD, _PAD, _PAD)
    if panel.title:
        _write(figure, inside, _short(panel.title, inside.width, LARGE), size=LARGE, weight="bold")
        inside = inside.inner(top=0.24)
    view = str(panel.properties.get("view", "timeSeries"))
    if panel.kind == "nothing":
        _paragraph(figure, inside, f"not drawn: {panel.text}")
    elif panel.kind == "text":
        _markdown(figure, inside, panel.text)
    elif panel.kind == "alarms":
        _alarms(figure, inside, panel)
    elif panel.kind == "table":
        _table(figure, inside, panel.headers, panel.rows)
    elif view == "singleValue":
        _single_values(figure, inside, panel)
    elif view in ("bar", "pie", "gauge"):
        _bars(figure, inside, panel)
    elif view == "table":
        rows = [[line.label, _last(line.values)] for line in panel.lines]
        _table(figure, inside, ["metric", "last value"], rows)
    else:
        _series(figure, inside, panel, board)


def _series(figure: Figure, box: Box, panel: Panel, board: Board) -> None:
    labels = [line.label for line in panel.lines]
    position = (panel.properties.get("legend") or {}).get("position", "bottom")
    columns = max(1, min(len(labels), int(box.width / 1.6)))
    rows = 0 if position == "hidden" else -(-len(labels) // columns)
    right = any(line.right for line in panel.lines)
    place = box.inner(left=0.42, top=0.12, right=0.45 if right else 0.1, bottom=0.24 + rows * _LINE)
    axis = figure.add_axes(place.on(figure))
    handles = draw_time_series(axis, panel, board)
    for one in (axis, *axis.figure.axes[-1:]):
        one.tick_params(labelsize=SMALL)
    if rows and handles:
        shown = [_short(label, box.width / columns, SMALL) for label in labels]
        below = -0.3 / place.height
        axis.legend(
            handles, shown, loc="upper left", bbox_to_anchor=(-0.05, below), ncols=columns, fontsize=SMALL,
            borderaxespad=0, handlelength=1.6, columnspacing=1.0, labelspacing=0.25,
        )  # fmt: skip


def _single_values(figure: Figure, box: Box, panel: Panel) -> None:
    if not panel.lines:
        _paragraph(figure, box, "no metrics")
    width = box.width / max(len(panel.lines), 1)
    for index, line in enumerate(panel.lines):
        place = Box(box.left + index * width, box.top, width, box.height)
        size = max(10.0, min(26.0, box.height * 22, width / (len(_last(line.values)) + 1) * 110))
        _write(figure, place, _last(line.values), size=size)
        below = place.inner(top=size / 72 + 0.1)
        _write(figure, below, _short(line.label, width, USUAL), size=USUAL, color="#595959")


def _bars(figure: Figure, box: Box, panel: Panel) -> None:
    """Bars, also for pies and gauges: lengths are compared more exactly than angles."""
    names = [_short(line.label, box.width * 0.45, SMALL) for line in panel.lines]
    values = [line.values[-1] if line.values else 0.0 for line in panel.lines]
    axis = figure.add_axes(box.inner(left=box.width * 0.45, top=0.05, right=0.4, bottom=0.22).on(figure))
    colours = [line.colour or COLOURS[index % len(COLOURS)] for index, line in enumerate(panel.lines)]
    axis.barh(range(len(names)), values, color=colours, height=0.7)
    for place, (line, value) in enumerate(zip(panel.lines, values, strict=True)):
        axis.annotate(
            _last(line.values), (value, place), xytext=(3, 0), textcoords="offset points", va="center",
            fontsize=SMALL,
        )  # fmt: skip
    axis.set_yticks(range(len(names)), names)
    axis.set_ylim(max(len(names), 3) - 0.4, -0.6)
    axis.grid(axis="y", visible=False)
    scale = (panel.properties.get("yAxis") or {}).get("left") or {}
    axis.set_xlim(scale.get("min", min(0.0, *values, 0.0)), scale.get("max"))
    axis.tick_params(labelsize=SMALL)


def _alarms(figure: Figure, box: Box, panel: Panel) -> None:
    """Each alarm in a field of its state's colour, with the state in words."""
    from matplotlib.patches import Rectangle

    columns = max(1, int(box.width / 1.7))
    width, height, gap = box.width / columns, 0.42, 0.06
    if -(-len(panel.alarms) // columns) * (height + gap) > box.height + gap:
        height, gap = 0.2, 0.04  # the state beside the name
    fit = max(1, int((box.height + gap) / (height + gap))) * columns
    shown = panel.alarms if len(panel.alarms) <= fit else panel.alarms[: fit - 1]
    for index, found in enumerate(shown):
        top = box.top + index // columns * (height + gap)
        place = Box(box.left + index % columns * width, top, width - gap, height)
        corner, colour = place.on(figure), STATE_COLOURS[found["StateValue"]]
        field = Rectangle(corner[:2], *corner[2:], transform=figure.transFigure, facecolor=colour)
        figure.add_artist(field)
        text, name = place.inner(left=0.05, top=0.04), found["AlarmName"]
        state = found["StateValue"].replace("_", " ").lower()
        if height < 0.3:
            room = place.width - 0.1 - _CHARACTER * (len(state) + 2)
            line = f"{_short(name, room, USUAL)}: {state}"
            _write(figure, text, line, size=USUAL, color="white", weight="bold")
        else:
            line = _short(name, place.width - 0.1, USUAL)
            _write(figure, text, line, size=USUAL, color="white", weight="bold")
            _write(figure, text.inner(top=0.17), state, size=SMALL, color="white")
    if len(shown) < len(panel.alarms):
        more = f"… and {len(panel.alarms) - len(shown)} more"
        place = Box(box.left, box.top + len(shown) // columns * (height + gap), box.width, height)
        _write(figure, place, more, size=USUAL)
    if not panel.alarms:
        _paragraph(figure, box, "no alarms in these states")


def _table(figure: Figure, box: Box, headers: list[str], rows: list[list[str]]) -> None:
    """As many rows as there is room for. Columns are as wide as what they hold, the widest gives way."""
    if not rows:
        _paragraph(figure, box, "no results")
        return
    fit = max(1, int(box.height / _LINE) - 1)
    shown = rows if len(rows) <= fit else rows[: fit - 1]
    widths = [max(len(header), *(len(row[column]) for row in shown)) for column, header in enumerate(headers)]
    room = int(box.width / (_CELL)) - len(headers)
    while sum(widths) > room and max(widths) > 4:
        widths[widths.index(max(widths))] -= 1
    at = box.left
    for column, header in enumerate(headers):
        cells = [header, *(row[column] for row in shown)]
        for number, cell in enumerate(cells):
            text = textwrap.shorten(cell, widths[column], placeholder="…") if " " in cell else cell
            place = Box(at, box.top + number * _LINE, box.width, _LINE)
            weight = "normal" if number else "bold"
            _write(figure, place, _cut(text, widths[column]), size=SMALL, weight=weight)
        at += (widths[column] + 1) * _CELL
    if len(shown) < len(rows):
        place = Box(box.left, box.top + (len(shown) + 1) * _LINE, box.width, _LINE)
        _write(figure, place, f"… and {len(rows) - len(shown):,} more", size=SMALL, color="#595959")


def _markdown(figure: Figure, box: Box, text: str) -> None:
    """Headings, lists and paragraphs; links as their text, emphasis without its signs."""
    at, bottom = box.top, box.top + box.height
    for raw in text.strip().splitlines():
        line = tables.unmarked(raw)
        level = len(raw) - len(raw.lstrip("#")) if raw.startswith("#") else 0
        size = {1: 13.0, 2: 11.0, 3: LARGE}.get(level, USUAL)
        weight = "bold" if level else "normal"
        for part in textwrap.wrap(line, max(8, int(box.width / (_CHARACTER * size / USUAL)))) or [""]:
            if at + size / 60 > bottom + 0.05:
                return
            _write(figure, Box(box.left, at, box.width, 0.2), part, size=size, weight=weight)
            at += size / 50


def _paragraph(figure: Figure, box: Box, text: str) -> None:
    lines = textwrap.wrap(text, max(8, int(box.width / _CHARACTER)))
    for number, line in enumerate(lines[: max(1, int(box.height / _LINE))]):
        place = Box(box.left, box.top + number * _LINE, box.width, _LINE)
        _write(figure, place, line, size=USUAL, color="#595959")


def _write(
    figure: Figure, box: Box, text: str, *, size: float, weight: str = "normal", color: str = _DARK
) -> None:
    left, bottom, _, height = box.on(figure)
    figure.text(
        left,
        bottom + height,
        text,
        size=size,
        weight=weight,
        color=color,
        va="top",
        ha="left",
        parse_math=False,
    )


def _short(text: str, width: float, size: float) -> str:
    """The text, cut to what fits into so many inches."""
    return _cut(text, max(4, int(width / (_CHARACTER * size / USUAL))))


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _last(values: list[float]) -> str:
    return tables.number(values[-1]) if values else tables.NONE
