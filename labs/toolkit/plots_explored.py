"""What explore found: the seeds that break a design, and the story of one of them in lanes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from infra.cloud.views.story import Step

from . import figures, tables
from .explore import Exploration
from .explore_story import Story
from .figures import BLACK, BLUE, GREEN, ORANGE, ORANGE_RED, PURPLE, Plot, canvas, legend, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MARKS = (("o", BLUE), ("s", GREEN), ("D", PURPLE), ("^", ORANGE), ("v", BLACK), ("P", ORANGE_RED))
"""How calls look, one look for each operation on each resource."""
BARS = {"returned": "#BFDDF0", "killed, or failed": "#F2B48C"}
"""How an invocation ended, and its colour."""
PAUSE = 1.0
"""Seconds in which nothing happens, from which on a story's time axis is cut."""
WIDTH, HEIGHT = 0.012, 0.6
"""A mark's share of the axis, and of a lane how much those that would cover one another are spread over."""


def explored(finding: str, variants: Mapping[str, Exploration]) -> Plot:
    """One row for each variant of a design, one stroke for each seed that breaks it."""
    if not variants:
        raise ValueError('give at least one exploration to draw: {"naive": explore(…)}')
    most = max(found.seeds for found in variants.values())
    with style():
        figure, (axis,) = canvas(finding, height=1.4 + 0.5 * len(variants))
        for row, found in enumerate(variants.values()):
            axis.broken_barh([(-0.5, found.seeds)], (row - 0.36, 0.72), facecolors="#E3EEF6")
            axis.vlines(
                list(found.broken), row - 0.36, row + 0.36, colors=ORANGE_RED, linewidth=max(1.2, 300 / most)
            )
            axis.annotate(
                f"{len(found.broken):,} of {found.seeds:,}",
                (most, row),
                xytext=(6, 0),
                textcoords="offset points",
                va="center",
                annotation_clip=False,
            )
        axis.set_xlim(-0.5, most - 0.5)
        axis.set_ylim(len(variants) - 0.4, -0.6)
        axis.set_yticks(range(len(variants)), list(variants))
        axis.tick_params(axis="y", length=0)
        axis.grid(visible=False)
        axis.set_xlabel("seed; a stroke is a seed that breaks the invariant")
    rows = [
        [name, found.seeds, len(found.broken), found.smallest, next(iter(found.broken.values()), None)]
        for name, found in variants.items()
    ]
    return Plot(
        figure, finding, tables.table(["", "seeds", "broken", "smallest", "what that one came to"], rows)
    )


def story(finding: str, told: Story) -> Plot:
    """A story in lanes, one for each who did something: bars are invocations, marks are calls.

    A time in which nothing happens is cut out, and the cut is labelled with its length.
    """
    rows = _lanes(told.steps)
    if not rows:
        raise ValueError("this story has no invocation: there is nothing to draw in lanes")
    scale = _Cut([step.time for step in told.steps if step.run or step is told.moment])
    calls = [step for step in told.steps if step.kind == "call"]
    looks = list(dict.fromkeys(_named(step) for step in calls))[: len(MARKS)]
    with style():
        figure, (axis,) = canvas(finding, height=min(1.7 + 0.36 * len(rows), 7))
        for who, start, end, ok in _runs(told.steps):
            colour = BARS["returned" if ok else "killed, or failed"]
            axis.broken_barh(
                [(scale(start), scale(end) - scale(start))], (rows[who] - 0.3, 0.6), facecolors=colour
            )
        if not all(ok for *_, ok in _runs(told.steps)):
            for word, colour in BARS.items():
                axis.broken_barh([], (0, 0), facecolors=colour, label=word)
        heights = apart([(rows[step.who], scale(step.time)) for step in calls], scale.width * WIDTH)
        for look, (marker, colour) in zip(looks, MARKS, strict=False):
            of_it = [index for index, step in enumerate(calls) if _named(step) == look]
            axis.plot(
                [scale(calls[index].time) for index in of_it],
                [heights[index] for index in of_it],
                linestyle="",
                zorder=3,
                marker=marker,
                color=colour,
                label=look,
            )
        refused = [index for index, step in enumerate(calls) if not step.ok]
        if refused:
            axis.plot(
                [scale(calls[index].time) for index in refused],
                [heights[index] for index in refused],
                linestyle="",
                marker="x",
                markersize=11,
                color=ORANGE_RED,
                label="refused",
            )
        if told.moment is not None:
            axis.axvline(
                scale(told.moment.time), color=ORANGE_RED, linestyle="--", label="it goes wrong here"
            )
        _axes(axis, rows, scale)
        legend(figure, 3)
    ends = [step for step in told.steps if step.kind == "end"]
    facts = [
        ("seed", told.seed),
        ("in the end", told.broken or "all is well"),
        ("invocations", f"{len(ends)}, {sum(not step.ok for step in ends)} of them failed"),
        ("calls", f"{len(calls)}, {len(refused)} of them refused"),
        ("went wrong", f"{tables.seconds(told.moment.time)} after the start" if told.moment else None),
    ]
    return Plot(figure, finding, figures.facts(facts))


def apart(marks: Sequence[tuple[int, float]], width: float) -> list[float]:
    """How high each mark (lane, place) stands: in the middle of its lane, or, where several would cover one
    another, one below the other in the order of their places."""
    crowds: list[list[int]] = []
    for index in sorted(range(len(marks)), key=lambda index: marks[index]):
        lane, place = marks[crowds[-1][-1]] if crowds else (None, 0.0)
        if marks[index][0] == lane and marks[index][1] - place < width:
            crowds[-1].append(index)
        else:
            crowds.append([index])
    heights = [float(lane) for lane, _ in marks]
    for crowd in crowds:
        for number, index in enumerate(crowd):
            heights[index] += HEIGHT * ((number + 0.5) / len(crowd) - 0.5)
    return heights


def _lanes(steps: Sequence[Step]) -> dict[str, int]:
    """Each environment's row: those of one function together, by their numbers."""
    names = dict.fromkeys(step.who for step in steps if step.run)
    functions = list(dict.fromkeys(name.rpartition(" ")[0] for name in names))

    def place(name: str) -> tuple[int, int]:
        function, _, number = name.rpartition(" ")
        return functions.index(function), int(number) if number.isdigit() else 0

    return {name: row for row, name in enumerate(sorted(names, key=place))}


def _runs(steps: Sequence[Step]) -> list[tuple[str, float, float, bool]]:
    """Each invocation: who, from when to when, and whether it went well."""
    begun = {step.run: step.time for step in steps if step.kind == "start"}
    return [
        (step.who, begun.get(step.run, step.time - step.seconds), step.time, step.ok)
        for step in steps
        if step.kind == "end"
    ]


def _named(step: Step) -> str:
    return f"{step.call.partition('.')[2]} {step.on}".strip()


def _axes(axis: Axes, rows: Mapping[str, int], scale: _Cut) -> None:
    axis.set_ylim(len(rows) - 0.4, -0.6)
    axis.set_yticks(list(rows.values()), list(rows))
    axis.tick_params(axis="y", length=0)
    axis.grid(axis="y", visible=False)
    ticks = scale.ticks()
    axis.set_xticks([place for place, _ in ticks], [label for _, label in ticks])
    for place, length in scale.cuts:
        axis.axvspan(place - scale.gap / 2, place + scale.gap / 2, color="#EEEEEE", zorder=0)
        axis.annotate(
            f"{tables.seconds(length)} later",
            (place, 0.5),
            xycoords=("data", "axes fraction"),
            rotation=90,
            ha="center",
            va="center",
            fontsize=8,
            color="#606060",
        )
    axis.set_xlabel("time (s)")


class _Cut:
    """A time axis without the pauses: seconds of the story to places on the axis."""

    def __init__(self, times: Sequence[float]) -> None:
        self._times = sorted(times)
        self._spans: list[tuple[float, float]] = []
        for time in self._times:
            if self._spans and time - self._spans[-1][1] <= PAUSE:
                self._spans[-1] = (self._spans[-1][0], time)
            else:
                self._spans.append((time, time))
        shown = sum(end - start for start, end in self._spans)
        self.gap = max(shown, 0.1) * 0.08
        self.cuts: list[tuple[float, float]] = []
        self._places: list[float] = []
        place = 0.0
        for number, (start, end) in enumerate(self._spans):
            if number:
                self.cuts.append((place + self.gap / 2, start - self._spans[number - 1][1]))
                place += self.gap
            self._places.append(place)
            place += end - start
        self.width = place
        """Of the whole axis."""

    def __call__(self, time: float) -> float:
        for (start, end), place in zip(reversed(self._spans), reversed(self._places), strict=True):
            if time >= start:
                return place + min(time, end) - start
        return self._places[0]

    def ticks(self) -> list[tuple[float, str]]:
        """Places and labels: the beginning of each span, and round steps in it."""
        step = next((size for size in (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0) if self.width / size <= 9), 10.0)
        found: list[tuple[float, str]] = []
        for start, end in self._spans:
            number = -(-start // step)
            last = None
            while number * step <= end:
                found.append((self(number * step), f"{number * step:.2f}".rstrip("0").rstrip(".")))
                last = number
                number += 1
            if last is None:
                found.append((self(start), f"{start:.1f}"))
        return found
