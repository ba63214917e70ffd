"""Variants of a design over the same time axis: throughput, backlog, concurrency."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from . import measure, tables
from .figures import COLOURS, LINES, ORANGE_RED, Plot, TimeUnit, bin_width, canvas, grouped, legend, style
from .plots_over_time import Depth, Environment

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Steps = Sequence[tuple[float, float]]
"""(second, value from then on)."""
MOST_STEPS = 300
"""So many a reader can tell apart in one picture."""


def compare_throughput(
    finding: str,
    groups: Mapping[str, Sequence[float]],
    *,
    what: str = "messages",
    end: float | None = None,
    bin: float | None = None,
) -> Plot:
    """How much got done per second, for each variant. ``groups`` maps a name to the times of completion, each
    in seconds from the start of its own run. ``end`` and ``bin`` (seconds) are chosen to fit if not given.
    """
    known = {name: measure.numeric(times) for name, times in groups.items()}
    if not any(known.values()):
        raise ValueError("nothing was completed in any group: there is no throughput to compare")
    last = end if end is not None else max(max(times, default=0.0) for times in known.values())
    width = bin or bin_width(last or 1)
    series: dict[str, Steps] = {
        name: measure.throughput(times, width, end=max(last, width)) for name, times in known.items()
    }
    figure = _steps(finding, series, last, f"{what}/s")
    rows = [
        [
            name,
            len(known[name]),
            f"{tables.number(max(rate for _, rate in steps))} per second",
            tables.seconds(max(known[name])) if known[name] else None,
        ]
        for name, steps in series.items()
    ]
    highest = f"at most (bins of {tables.seconds(width)})"
    return Plot(figure, finding, tables.table(["", what, highest, "last after"], rows))


def compare_backlog(
    finding: str, queues: Mapping[str, Depth], *, end: float | None = None, log: bool = False
) -> Plot:
    """The messages in a queue (waiting, in flight and delayed together) for each variant. ``queues`` maps a
    name to ``cloud.queue_depth(…, since)``, each in seconds from the start of its own run.
    """
    if not queues:
        raise ValueError("give at least one queue: a mapping of names to cloud.queue_depth(…)")
    series: dict[str, Steps] = {
        name: [
            (time, float(seen + busy + later))
            for time, seen, busy, later in zip(
                queue.times, queue.visible, queue.in_flight, queue.delayed, strict=True
            )
        ]
        for name, queue in queues.items()
    }
    last = end if end is not None else max(steps[-1][0] for steps in series.values())
    figure = _steps(finding, series, last, "messages in the queue", log=log)
    rows = []
    for name, steps in series.items():
        deepest = max(steps, key=lambda step: step[1])
        empty = next((time for time, value in reversed(steps) if value > 0), None)
        after = [time for time, value in steps if value == 0 and empty is not None and time > empty]
        rows.append(
            [
                name,
                int(deepest[1]),
                tables.seconds(deepest[0]),
                tables.seconds(after[0]) if after else "not emptied" if empty is not None else "never filled",
            ]
        )
    return Plot(figure, finding, tables.table(["", "deepest", "at", "empty at"], rows))


def concurrency(
    finding: str,
    functions: Mapping[str, Sequence[Environment]],
    *,
    limit: float | None = None,
    end: float | None = None,
) -> Plot:
    """How many execution environments worked at once (cold starts included), for each function or variant.

    ``functions`` maps a name to ``cloud.environments(…, since)``. ``limit`` draws a reserved or account
    concurrency.
    """
    if not functions:
        raise ValueError("give at least one function: a mapping of names to cloud.environments(…)")
    series = {name: busy_at_once(environments) for name, environments in functions.items()}
    last = end if end is not None else max(steps[-1][0] for steps in series.values())
    figure = _steps(finding, series, last, "environments at work", limit=limit)
    rows = [
        [
            name,
            int(max(value for _, value in series[name])),
            len(environments),
            sum(span.kind == "init" for environment in environments for span in environment.spans),
            tables.seconds(
                sum(span.end - span.start for environment in environments for span in environment.spans)
            ),
        ]
        for name, environments in functions.items()
    ]
    table = tables.table(["", "most at once", "environments", "cold starts", "time at work"], rows)
    if limit is not None:
        table += f"\nlimit: {tables.number(limit)}"
    return Plot(figure, finding, table)


def busy_at_once(environments: Sequence[Environment]) -> Steps:
    """How many of the environments work, as steps from 0 s on."""
    changes: dict[float, int] = {0.0: 0}
    for environment in environments:
        for span in environment.spans:
            start = max(span.start, 0.0)
            if span.end > start:
                changes[start] = changes.get(start, 0) + 1
                changes[span.end] = changes.get(span.end, 0) - 1
    steps: list[tuple[float, float]] = []
    level = 0
    for time in sorted(changes):
        level += changes[time]
        steps.append((time, float(level)))
    return steps


def _steps(
    finding: str,
    series: Mapping[str, Steps],
    last: float,
    quantity: str,
    *,
    limit: float | None = None,
    log: bool = False,
) -> Figure:
    """Each variant as steps, in its own colour and line style."""
    unit = TimeUnit(last)
    with style():
        figure, (axis,) = canvas(finding)
        thin = {name: _thinned(steps, last) for name, steps in series.items()}
        for index, (name, steps) in enumerate(thin.items()):
            times = [time for time, _ in steps]
            values = [value for _, value in steps]
            axis.step(
                unit([*times, max(last, times[-1])]),
                [*values, values[-1]],
                where="post",
                label=name,
                color=COLOURS[index % len(COLOURS)],
                linestyle=LINES[index % len(LINES)],
            )
        if limit is not None:
            axis.axhline(limit, color=ORANGE_RED, linewidth=1, linestyle=":", label="limit")
        if log:
            axis.set_yscale("symlog", linthresh=1)
        axis.set_ylim(bottom=0)
        axis.set_xlim(0, unit([last])[0] or 1)
        axis.yaxis.set_major_formatter(grouped)
        axis.set_xlabel(f"time ({unit.name})")
        bins = "" if thin == dict(series) else f"\n(most in each {tables.seconds(bin_width(last))})"
        axis.set_ylabel(f"{quantity}{bins}")
        legend(figure, 4)
    return figure


def _thinned(steps: Steps, last: float) -> Steps:
    """Steps that can be told apart in a picture: of many, the highest in each bin of time."""
    if len(steps) <= MOST_STEPS:
        return steps
    width = bin_width(last)
    highest: dict[int, float] = {}
    before = 0.0
    for time, value in steps:
        at = int(time // width)
        for between in range(max(highest, default=-1) + 1, at + 1):
            highest[between] = before  # the level that the bin begins with
        highest[at] = max(highest[at], value)
        before = value
    return [*((number * width, value) for number, value in sorted(highest.items())), steps[-1]]
