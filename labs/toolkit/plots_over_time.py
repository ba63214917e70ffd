"""Plots over time: a queue and its throughput, latency, execution environments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from . import measure, tables
from .figures import (
    BLUE,
    COLOURS,
    GREEN,
    LINES,
    ORANGE_RED,
    SKY,
    Plot,
    TimeUnit,
    bin_width,
    canvas,
    facts,
    grouped,
    legend,
    style,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PHASES = {"init": "#E69F00", "busy": BLUE, "error": ORANGE_RED, "idle": "#D9D9D9"}
"""What an execution environment can be doing, and its colour. ``error``: it failed."""

Spans = Sequence[tuple[float, float, str]]
"""What one environment did: (start, end, one of PHASES), in seconds."""


class Depth(Protocol):
    """What ``cloud.queue_depth()`` gives: steps, and the age of the oldest message as a line."""

    @property
    def times(self) -> Sequence[float]: ...
    @property
    def visible(self) -> Sequence[int]: ...
    @property
    def in_flight(self) -> Sequence[int]: ...
    @property
    def delayed(self) -> Sequence[int]: ...
    def age(self) -> tuple[Sequence[float], Sequence[float]]: ...


class Environment(Protocol):
    """What ``cloud.environments()`` gives; its spans have ``start``, ``end`` and ``kind``."""

    @property
    def id(self) -> str: ...
    @property
    def started(self) -> float: ...
    @property
    def ended(self) -> float | None: ...
    @property
    def spans(self) -> Sequence[Any]: ...


def timeline(
    finding: str,
    *,
    sent: Sequence[float],
    done: Sequence[float],
    queue: Depth | None = None,
    end: float | None = None,
    bin: float | None = None,
) -> Plot:
    """Throughput, the messages in the queue and the age of the oldest, on one time axis.

    ``sent`` and ``done`` are the times of each message; ``queue`` is ``cloud.queue_depth(…)``. All count from
    the same moment. ``end`` and ``bin`` (seconds) are chosen to fit if they are not given.
    """
    measure.numeric(sent)
    measure.numeric(done)
    ages = list(zip(*queue.age(), strict=True)) if queue else []
    last = end if end is not None else max([*sent, *done, *(time for time, _ in ages)], default=0.0)
    width = bin or bin_width(last or 1)
    unit = TimeUnit(last)
    with style():
        figure, axes = canvas(finding, 3 if queue else 1, height=5.7 if queue else 2.7, sharex=True)
        for label, times, colour, line in (
            ("sent", sent, "#595959", LINES[1]),
            ("processed", done, BLUE, LINES[0]),
        ):
            bins = measure.throughput(times, width, end=max(last, width))
            axes[0].step(
                unit([start for start, _ in bins]),
                [rate for _, rate in bins],
                where="post",
                color=colour,
                linestyle=line,
                label=label,
            )
        axes[0].set_ylabel("messages/s")
        if queue:
            _depth(axes[1], queue, unit, last)
            scale = TimeUnit(max((age for _, age in ages), default=0.0))
            line_of = (unit([time for time, _ in ages]), [age / scale.seconds for _, age in ages])
            axes[2].fill_between(*line_of, color=ORANGE_RED, alpha=0.2, linewidth=0)
            axes[2].plot(*line_of, color=ORANGE_RED)
            axes[2].set_ylabel(f"age of the\noldest ({scale.name})")
        for panel in axes:
            panel.set_ylim(bottom=0)
            panel.yaxis.set_major_formatter(grouped)
        axes[-1].set_xlim(0, unit([last])[0] or 1)
        axes[-1].set_xlabel(f"time ({unit.name})")
        legend(figure, 4)
    rows: list[tuple[str, Any]] = [
        ("sent", f"{len(sent):,} messages, at most {_peak(sent, width)}"),
        ("processed", f"{len(done):,} times, at most {_peak(done, width)}"),
    ]
    if done:
        rows.append(("last processed", f"at {tables.seconds(max(done))}"))
    if queue:
        totals = [sum(parts) for parts in zip(queue.visible, queue.in_flight, queue.delayed, strict=True)]
        deepest = max(range(len(totals)), key=totals.__getitem__)
        rows.append(
            ("deepest queue", f"{totals[deepest]:,} messages, at {tables.seconds(queue.times[deepest])}")
        )
        when, age = max(ages, key=lambda step: step[1])
        rows.append(("oldest message", f"{tables.seconds(age)}, at {tables.seconds(when)}"))
    return Plot(figure, finding, facts(rows))


def latency_over_time(
    finding: str,
    samples: Sequence[tuple[float, float]],
    *,
    points: Sequence[float] = (50, 95, 99),
    bin: float | None = None,
    log: bool = False,
) -> Plot:
    """Percentiles of latency in each bin of time. ``samples`` is (second, latency in seconds).

    Bins are as wide as it takes for the highest percentile that the samples support in six bins or more
    (``bin`` sets the seconds yourself); where a bin has too few for a percentile, its line has a gap.
    """
    measure.numeric([value for sample in samples for value in sample])
    last = max((time for time, _ in samples), default=0.0)
    width = bin or _bin_for(len(samples), last or 1.0, points)
    undrawn: list[str] = []
    bins: dict[int, list[float]] = {}
    for time, latency in samples:
        bins.setdefault(int(time // width), []).append(latency)
    unit = TimeUnit(last)
    scale = TimeUnit(max((latency for _, latency in samples), default=0.0))
    with style():
        figure, (axis,) = canvas(finding)
        for index, point in enumerate(points):
            found = [
                measure.percentiles(bins.get(number, []), [point])[point]
                for number in range(int(last // width) + 1)
            ]
            if all(value is None for value in found):
                undrawn.append(f"p{point:g}")
                continue
            axis.plot(
                unit([(number + 0.5) * width for number in range(len(found))]),
                [float("nan") if value is None else value / scale.seconds for value in found],
                label=f"p{point:g}",
                color=COLOURS[index % len(COLOURS)],
                linestyle=LINES[index % len(LINES)],
                marker=".",
            )
        if log:
            axis.set_yscale("log")
        else:
            axis.set_ylim(bottom=0)
        axis.set_xlabel(f"time ({unit.name}), in bins of {tables.seconds(width)}")
        axis.set_ylabel(f"latency ({scale.name})")
        legend(figure, len(points))
    numbers = measure.percentile_table({"all": [latency for _, latency in samples]}, points)
    if undrawn:
        numbers += f"\nnot drawn: {', '.join(undrawn)}, too few samples in {tables.seconds(width)}"
    return Plot(figure, finding, numbers)


def gantt(
    finding: str,
    environments: Sequence[Environment] | Mapping[str, Spans],
    *,
    most: int = 40,
    end: float | None = None,
) -> Plot:
    """One row per execution environment, with what it did when; the first ``most`` of them.

    ``environments`` is ``cloud.environments(…)``, or maps a name to spans (start, end, ``init`` | ``busy`` |
    ``error`` | ``idle``) in seconds. The numbers count all environments. ``end`` (seconds) cuts the picture.
    """
    rows = environments if isinstance(environments, Mapping) else lives(environments, end)
    phases = [phase for spans in rows.values() for phase in spans]
    unknown = sorted({kind for _, _, kind in phases} - PHASES.keys())
    if unknown:
        raise ValueError(f"an environment cannot be {unknown[0]!r}; it is one of: {', '.join(PHASES)}")
    last = end if end is not None else max((until for _, until, _ in phases), default=0.0)
    unit = TimeUnit(last)
    shown = list(rows.values())[:most]
    with style():
        from matplotlib.ticker import MaxNLocator

        figure, (axis,) = canvas(finding, height=min(1.6 + 0.14 * len(shown), 6))
        for kind, colour in PHASES.items():
            for row, spans in enumerate(shown):
                bars = [
                    (start / unit.seconds, (until - start) / unit.seconds)
                    for start, until, what in spans
                    if what == kind
                ]
                if bars:
                    axis.broken_barh(bars, (row + 0.6, 0.8), facecolors=colour)
            if any(what == kind for _, _, what in phases):
                axis.broken_barh([], (0, 0), facecolors=colour, label=kind)
        axis.set_ylim(len(shown) + 0.6, 0.4)
        axis.set_xlim(0, unit([last])[0] or 1)
        axis.yaxis.set_major_locator(MaxNLocator(integer=True))
        axis.grid(axis="y", visible=False)
        axis.set_xlabel(f"time ({unit.name})")
        of = f"\n(first {most} of {len(rows):,})" if len(rows) > most else ""
        axis.set_ylabel(f"execution environment{of}")
        legend(figure, len(PHASES))
    working = [(start, until) for start, until, kind in phases if kind in ("busy", "error")]
    busy = sum(until - start for start, until in working)
    lived = sum(until - start for start, until, _ in phases)
    return Plot(
        figure,
        finding,
        facts(
            [
                ("environments", f"{len(rows):,}"),
                ("cold starts", f"{sum(kind == 'init' for _, _, kind in phases):,}"),
                ("most busy at once", f"{_most_at_once(working):,}"),
                ("busy", f"{100 * busy / lived:.0f} % of their time" if lived else None),
            ]
        ),
    )


def lives(environments: Sequence[Environment], end: float | None = None) -> dict[str, Spans]:
    """Each environment's spans, with the time between them as ``idle``, until it ended or until ``end``.

    Without an ``end``, one that is still alive is shown until the last thing that any of them did.
    """
    until = end
    if until is None:
        until = max((span.end for environment in environments for span in environment.spans), default=0.0)
    rows: dict[str, Spans] = {}
    for environment in environments:
        row: list[tuple[float, float, str]] = []
        at = max(environment.started, 0.0)
        for span in environment.spans:
            if span.start > at:
                row.append((at, span.start, "idle"))
            row.append((max(span.start, 0.0), span.end, span.kind))
            at = max(at, span.end)
        left = until if environment.ended is None else min(environment.ended, until)
        if left > at:
            row.append((at, left, "idle"))
        rows[environment.id] = row
    return rows


def _depth(axis: Axes, queue: Depth, unit: TimeUnit, last: float) -> None:
    """In flight at the bottom, waiting on top of it: together all messages in the queue."""
    times = unit([*queue.times, max(last, queue.times[-1])])
    in_flight = [*queue.in_flight, queue.in_flight[-1]]
    waiting = [seen + hidden for seen, hidden in zip(queue.visible, queue.delayed, strict=True)]
    total = [low + high for low, high in zip(in_flight, [*waiting, waiting[-1]], strict=True)]
    axis.fill_between(times, in_flight, step="post", color=SKY, linewidth=0, label="in flight")
    axis.fill_between(times, in_flight, total, step="post", color=GREEN, linewidth=0, label="waiting")
    axis.set_ylabel("messages in\nthe queue")


def _bin_for(count: int, span: float, points: Sequence[float]) -> float:
    """The width of bins that hold enough samples for the highest of the percentiles that can be had."""
    for point in sorted(points, reverse=True):
        needed = 1.3 * measure.samples_needed(point)  # some more, since bins are not equally full
        width = bin_width(span, needed * span / max(count, 1))
        if span / width >= 6:
            return width
    return bin_width(span)


def _peak(times: Sequence[float], width: float) -> str:
    rates = [rate for _, rate in measure.throughput(times, width)]
    return f"{tables.number(max(rates, default=0.0))} per second (bins of {tables.seconds(width)})"


def _most_at_once(spans: Sequence[tuple[float, float]]) -> int:
    """The largest number of spans that hold one instant; one that ends as another begins does not count."""
    running = most = 0
    for _, change in sorted([*((start, 1) for start, _ in spans), *((end, -1) for _, end in spans)]):
        running += change
        most = max(most, running)
    return most
