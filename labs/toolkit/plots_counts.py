"""Bars for counts and amounts, one group for each variant of a design."""

from __future__ import annotations

from collections.abc import Mapping

from . import measure, tables
from .figures import BLUE, COLOURS, HATCHES, Plot, canvas, grouped, legend, style


def bars(
    finding: str,
    counts: Mapping[str, float] | Mapping[str, Mapping[str, float]],
    *,
    what: str,
    log: bool = False,
) -> Plot:
    """Counts side by side. ``what`` says of what, with its unit: ``"orders charged twice"``, ``"delay (s)"``.

    ``counts`` maps a name to a number, or, for a group of bars each, to several:
    ``{"naive": {"charged": 100, "shipped": 90}, "saga": {…}}``. What is 0 everywhere is in the table only.
    """
    if not counts:
        raise ValueError("give at least one number to draw: a mapping of names to numbers")
    groups = {
        name: dict(value) if isinstance(value, Mapping) else {"": value} for name, value in counts.items()
    }
    kinds = list(dict.fromkeys(kind for group in groups.values() for kind in group))
    measure.numeric([value for group in groups.values() for value in group.values()])
    drawn = [kind for kind in kinds if any(group.get(kind) for group in groups.values())] or kinds
    thick = 0.8 / len(drawn)
    with style():
        figure, (axis,) = canvas(
            finding, height=1.5 + len(groups) * (0.25 + 0.22 * len(drawn)), named_rows=True
        )
        for index, kind in enumerate(drawn):
            for row, group in enumerate(groups.values()):
                if kind not in group:
                    continue
                place = row - 0.4 + (index + 0.5) * thick
                axis.barh(
                    place,
                    group[kind],
                    height=thick * 0.92,
                    color=COLOURS[index % len(COLOURS)] if kind else BLUE,
                    hatch=HATCHES[index % len(HATCHES)],
                    edgecolor="white",
                    linewidth=0.5,
                    label=kind if row == _first(groups, kind) else None,
                )
                axis.annotate(
                    tables.number(group[kind]),
                    (group[kind], place),
                    xytext=(4, 0),
                    textcoords="offset points",
                    va="center",
                    fontsize=9,
                )
        if log:
            axis.set_xscale("symlog", linthresh=1)
        axis.margins(x=0.12)
        axis.set_xlim(left=min(0, *(value for group in groups.values() for value in group.values())))
        axis.set_ylim(len(groups) - 0.45, -0.55)
        axis.set_yticks(range(len(groups)), list(groups))
        axis.grid(axis="y", visible=False)
        axis.xaxis.set_major_formatter(grouped)
        axis.set_xlabel(what)
        if any(kinds):
            legend(figure, 5)
    rows = [[name, *(group.get(kind) for kind in kinds)] for name, group in groups.items()]
    headers = ["", *kinds] if any(kinds) else ["", what]
    return Plot(figure, finding, tables.table(headers, rows))


def _first(groups: Mapping[str, Mapping[str, float]], kind: str) -> int:
    """The first group that has such a bar: the one that the legend takes."""
    return next(row for row, group in enumerate(groups.values()) if kind in group)
