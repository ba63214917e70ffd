"""Plots that compare: distributions of latency, outcomes, costs, anything over anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

from . import measure, tables
from .figures import COLOURS, HATCHES, LINES, Plot, TimeUnit, canvas, grouped, legend, style

OUTCOMES = {
    "processed once": "#0072B2",
    "processed more than once": "#E69F00",
    "in the DLQ": "#CC79A7",
    "lost": "#D55E00",
    "still waiting": "#B0B0B0",
}
"""What can become of a message, in the order of the bars, and its colour."""


class Bill(Protocol):
    """What ``cloud.cost()`` gives."""

    def by_service(self) -> Mapping[str, float]: ...


def compare_latency(
    finding: str, groups: Mapping[str, Sequence[float]], *, points: Sequence[float] = (50, 95, 99)
) -> Plot:
    """Latency distributions on the same axes: the share of requests that took at most so long.

    ``groups`` maps a name ("before", "after") to latencies in seconds. The latency axis is logarithmic.
    """
    known = {name: measure.numeric(values) for name, values in groups.items()}
    if not known or not all(known.values()):
        empty = [name for name, values in known.items() if not values]
        raise ValueError(f"no latencies to compare for {', '.join(empty) or 'any group'}")
    scale = TimeUnit(max(max(values) for values in known.values()))
    with style():
        figure, (axis,) = canvas(finding)
        for index, (name, values) in enumerate(known.items()):
            xs, ys = measure.ecdf(values)
            axis.step(
                [max(x, 1e-6) / scale.seconds for x in [xs[0], *xs]],
                [0, *(100 * y for y in ys)],
                where="post",
                label=f"{name} ({len(values):,})",
                color=COLOURS[index % len(COLOURS)],
                linestyle=LINES[index % len(LINES)],
            )
        axis.set_xscale("log")
        axis.xaxis.set_major_formatter(grouped)
        axis.set_ylim(0, 101)
        axis.set_xlabel(f"latency ({scale.name}), logarithmic")
        axis.set_ylabel("share that took\nat most so long (%)")
        axis.legend(loc="best")
    return Plot(figure, finding, measure.percentile_table(known, points))


def outcomes(finding: str, variants: Mapping[str, Mapping[str, int]], *, what: str = "messages") -> Plot:
    """What became of the messages, or of ``what`` there is instead, one bar for each variant of the design.

    ``variants`` maps a name ("naive") to counts: ``processed once``, ``processed more than once``,
    ``in the DLQ``, ``lost``, ``still waiting``. What is 0 everywhere is left out of the legend only.
    """
    unknown = sorted({kind for counts in variants.values() for kind in counts} - OUTCOMES.keys())
    if unknown:
        raise ValueError(f"a message cannot be {unknown[0]!r}; it is one of: {', '.join(OUTCOMES)}")
    kinds = [kind for kind in OUTCOMES if any(kind in counts for counts in variants.values())]
    names = list(variants)
    hatches = dict(zip(OUTCOMES, HATCHES, strict=True))
    with style():
        figure, (axis,) = canvas(finding, height=1.7 + 0.5 * len(names), named_rows=True)
        before = [0] * len(names)
        for kind in kinds:
            counts = [variants[name].get(kind, 0) for name in names]
            if any(counts):
                axis.barh(
                    names,
                    counts,
                    left=before,
                    height=0.6,
                    color=OUTCOMES[kind],
                    label=kind,
                    hatch=hatches[kind],
                    edgecolor="white",
                    linewidth=0.5,
                )
            before = [low + count for low, count in zip(before, counts, strict=True)]
        axis.invert_yaxis()
        axis.grid(axis="y", visible=False)
        axis.xaxis.set_major_formatter(grouped)
        axis.set_xlabel(what)
        legend(figure, 5)
    rows = [[name, *(variants[name].get(kind, 0) for kind in kinds)] for name in names]
    return Plot(figure, finding, tables.table(["", *kinds], rows))


def cost(finding: str, bills: Mapping[str, Bill | Mapping[str, float]], *, per: str = "") -> Plot:
    """What it costs, in US dollars, one stacked bar for each variant. ``per`` says for what ("per month").

    ``bills`` maps a name to a bill (``cloud.cost()``), or to the cost of each part:
    ``{"today": {"Lambda": 0.21, "SQS": 0.40}}``.
    """
    variants = {
        name: bill if isinstance(bill, Mapping) else bill.by_service() for name, bill in bills.items()
    }
    parts = list(dict.fromkeys(part for costs in variants.values() for part in costs))
    measure.numeric([value for costs in variants.values() for value in costs.values()])
    names = list(variants)
    with style():
        figure, (axis,) = canvas(finding, height=1.7 + 0.5 * len(names), named_rows=True)
        before = [0.0] * len(names)
        for index, part in enumerate(parts):
            amounts = [variants[name].get(part, 0.0) for name in names]
            colour = COLOURS[index % len(COLOURS)]
            axis.barh(names, amounts, left=before, height=0.6, color=colour, label=part, edgecolor="white")
            before = [low + amount for low, amount in zip(before, amounts, strict=True)]
        for name, total in zip(names, before, strict=True):
            axis.annotate(
                tables.usd(total), (total, name), xytext=(4, 0), textcoords="offset points", va="center"
            )
        axis.margins(x=0.12)
        axis.invert_yaxis()
        axis.grid(axis="y", visible=False)
        axis.set_xlabel(f"cost (US dollars{' ' + per if per else ''})")
        legend(figure, 5)
    rows = [
        [name, *(tables.usd(variants[name].get(part, 0.0)) for part in parts), tables.usd(total)]
        for name, total in zip(names, before, strict=True)
    ]
    return Plot(figure, finding, tables.table([f"US dollars {per}".rstrip(), *parts, "total"], rows))


def lines(
    finding: str,
    series: Mapping[str, Sequence[tuple[float, float]]],
    *,
    x: str,
    y: str,
    kind: Literal["line", "steps", "points"] = "line",
    log: bool = False,
) -> Plot:
    """Any quantities over another: named series of (x, y), and the two axes' labels with their units."""
    measure.numeric([value for points in series.values() for point in points for value in point])
    with style():
        figure, (axis,) = canvas(finding)
        for index, (name, points) in enumerate(series.items()):
            axis.plot(
                [first for first, _ in points],
                [second for _, second in points],
                label=name,
                color=COLOURS[index % len(COLOURS)],
                linestyle="" if kind == "points" else LINES[index % len(LINES)],
                marker="." if kind == "points" else None,
                drawstyle="steps-post" if kind == "steps" else "default",
            )
        if log:
            axis.set_yscale("log")
        axis.set_xlabel(x)
        axis.set_ylabel(y)
        if len(series) > 1:
            axis.legend(loc="best")
    rows = [
        [
            name,
            len(points),
            *(
                [min(b for _, b in points), max(b for _, b in points), points[-1][1]]
                if points
                else [None] * 3
            ),
        ]
        for name, points in series.items()
    ]
    return Plot(figure, finding, tables.table([y, "points", "least", "most", "last"], rows))
