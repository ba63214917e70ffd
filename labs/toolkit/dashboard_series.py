"""A metric widget's lines over time: stacked or not, on two axes, with annotations."""

from __future__ import annotations

import datetime
import math
from typing import TYPE_CHECKING, Any

from .dashboard_bodies import Board
from .dashboard_metrics import Line
from .dashboard_panels import Panel
from .figures import COLOURS, LINES, ORANGE_RED, grouped

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_GREY = "#595959"


def draw_time_series(axis: Axes, panel: Panel, board: Board) -> list[Any]:
    """Draw the lines and annotations; returns a legend's handle for each line."""
    properties = panel.properties
    scales = properties.get("yAxis") or {}
    right = _second(axis) if any(line.right for line in panel.lines) else None
    if properties.get("stacked"):
        handles = _stacked(axis, panel.lines)
    else:
        handles = []
        for index, line in enumerate(panel.lines):
            on = right if line.right and right is not None else axis
            times, values = _with_gaps(line)
            (drawn,) = on.plot(
                times, values, color=line.colour or COLOURS[index % len(COLOURS)],
                linestyle=LINES[index % len(LINES)], linewidth=1.4, marker="." if _sparse(values) else None,
            )  # fmt: skip
            handles.append(drawn)
    axis.set_xlim(_days(board.start), _days(board.end))
    for side, scaled in (("left", axis), ("right", right)):
        if scaled is not None:
            of_side = [line for line in panel.lines if line.right == (side == "right")]
            _scale(scaled, scales.get(side) or {}, of_side)
            _horizontal(scaled, properties, side)
    _vertical(axis, properties)
    _threshold(axis, panel)
    _date_axis(axis, board)
    return handles


def _second(axis: Axes) -> Axes:
    """An axis on the right, without lines of its own across the plot."""
    right: Any = axis.twinx()
    right.grid(visible=False)
    right.spines["right"].set_visible(True)
    made: Axes = right
    return made


def _days(time: datetime.datetime) -> float:
    """Days since 1970, which matplotlib takes for a date."""
    return time.timestamp() / 86_400


def _date_axis(axis: Axes, board: Board) -> None:
    import matplotlib.dates

    dates: Any = matplotlib.dates
    long = board.end - board.start > datetime.timedelta(days=1)
    axis.xaxis.set_major_locator(dates.AutoDateLocator(minticks=2, maxticks=5, tz=datetime.UTC))
    axis.xaxis.set_major_formatter(dates.DateFormatter("%d %b" if long else "%H:%M", tz=datetime.UTC))


def _stacked(axis: Axes, lines: list[Line]) -> list[Any]:
    """Areas on top of each other; a period without a value counts as nothing."""
    times = sorted({time for line in lines for time in line.times})
    if not times:
        return []
    known = [dict(zip(line.times, line.values, strict=True)) for line in lines]
    layers = [[values.get(time, 0.0) for time in times] for values in known]
    colours = [line.colour or COLOURS[index % len(COLOURS)] for index, line in enumerate(lines)]
    return list(
        axis.stackplot([_days(time) for time in times], layers, colors=colours, alpha=0.85, linewidth=0)
    )


def _with_gaps(line: Line) -> tuple[list[float], list[float]]:
    """Where a period has no value the line has a gap. Times are in days."""
    times: list[float] = []
    values: list[float] = []
    step = line.period / 86_400
    for time, value in zip(map(_days, line.times), line.values, strict=True):
        if times and time - times[-1] > 1.01 * step:
            times.append(times[-1] + step)
            values.append(math.nan)
        times.append(time)
        values.append(value)
    return times, values


def _sparse(values: list[float]) -> bool:
    """Whether a point has no neighbour, and would not be seen as part of a line."""
    padded = [math.nan, *values, math.nan]
    return any(
        not math.isnan(here) and math.isnan(before) and math.isnan(after)
        for before, here, after in zip(padded, padded[1:], padded[2:], strict=False)
    )


def _scale(axis: Axes, scale: dict[str, Any], lines: list[Line]) -> None:
    from matplotlib.ticker import MaxNLocator

    least = min((value for line in lines for value in line.values), default=0.0)
    if "min" in scale:
        axis.set_ylim(bottom=scale["min"])
    elif least >= 0:
        axis.set_ylim(bottom=0)
    if "max" in scale:
        axis.set_ylim(top=scale["max"])
    axis.yaxis.set_major_locator(MaxNLocator(4))
    axis.yaxis.set_major_formatter(grouped)
    if scale.get("label"):
        axis.set_ylabel(scale["label"], fontsize=7, parse_math=False)


def _horizontal(axis: Axes, properties: Any, side: str) -> None:
    for line in (properties.get("annotations") or {}).get("horizontal") or ():
        pair = line if isinstance(line, list) else [line]
        if pair[0].get("visible", True) is False or pair[0].get("yAxis", "left") != side:
            continue
        colour, values = pair[0].get("color", ORANGE_RED), [one["value"] for one in pair]
        if len(pair) == 2:
            axis.axhspan(min(values), max(values), color=colour, alpha=0.12, linewidth=0)
        fill = pair[0].get("fill", "none")
        low, high = axis.get_ylim()
        if fill == "above":
            axis.axhspan(values[0], max(high, values[0]), color=colour, alpha=0.12, linewidth=0)
        elif fill == "below":
            axis.axhspan(min(low, values[0]), values[0], color=colour, alpha=0.12, linewidth=0)
        for one in pair:
            axis.axhline(one["value"], color=colour, linewidth=1, linestyle="--")
            if one.get("label"):
                axis.annotate(
                    one["label"], (0.01, one["value"]), xycoords=("axes fraction", "data"), xytext=(0, 2),
                    textcoords="offset points", fontsize=7, color=colour, parse_math=False,
                )  # fmt: skip


def _vertical(axis: Axes, properties: Any) -> None:
    for line in (properties.get("annotations") or {}).get("vertical") or ():
        pair = line if isinstance(line, list) else [line]
        if pair[0].get("visible", True) is False:
            continue
        times = [_days(datetime.datetime.fromisoformat(one["value"])) for one in pair]
        colour = pair[0].get("color", _GREY)
        if len(times) == 2:
            axis.axvspan(times[0], times[1], color=colour, alpha=0.12, linewidth=0)
        for time, one in zip(times, pair, strict=True):
            axis.axvline(time, color=colour, linewidth=1, linestyle=":")
            if one.get("label"):
                axis.annotate(
                    one["label"], (time, 1), xycoords=("data", "axes fraction"), xytext=(2, -8),
                    textcoords="offset points", fontsize=7, color=colour, parse_math=False,
                )  # fmt: skip


def _threshold(axis: Axes, panel: Panel) -> None:
    """An alarm's threshold, with its rule in words."""
    for alarm in panel.alarms:
        if "Threshold" in alarm:
            axis.axhline(alarm["Threshold"], color=ORANGE_RED, linewidth=1, linestyle="--")
            top = axis.get_ylim()[1]
            axis.set_ylim(top=max(top, alarm["Threshold"] * 1.1))
