"""Time lines: one request over all services, and one execution of a state machine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from . import executions, tables
from .figures import BLUE, GREEN, ORANGE, ORANGE_RED, PURPLE, SKY, Plot, TimeUnit, canvas, legend, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

KINDS = {
    "call": ("API call", "#8C8C8C"),
    "deliver": ("delivery", PURPLE),
    "wait": ("waiting", "#D9D9D9"),
    "init": ("cold start", ORANGE),
    "run": ("function", BLUE),
    "execution": ("execution", SKY),
    "state": ("state", GREEN),
    "lost": ("given up", ORANGE_RED),
}
"""A segment's kind: how the legend calls it, and its colour."""
FAILED = ORANGE_RED
Bar = tuple[float, float, str, str]
"""(start, end in seconds, the legend's word, colour)."""


class Segment(Protocol):
    @property
    def start(self) -> float: ...
    @property
    def end(self) -> float: ...
    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def what(self) -> str: ...
    @property
    def outcome(self) -> str: ...


class Trace(Protocol):
    """What ``cloud.trace()`` gives."""

    @property
    def segments(self) -> Sequence[Segment]: ...
    @property
    def seconds(self) -> float: ...


def trace(finding: str, found: Trace, *, most: int = 30, end: float | None = None) -> Plot:
    """What one request set off, from its beginning; the first ``most`` segments. ``found`` is
    ``cloud.trace(id)``. ``end`` (seconds) cuts the picture.
    """
    if not found.segments:
        raise ValueError("this trace has no segments: nothing that it set off took place")
    shown = list(found.segments)[:most]
    rows: list[tuple[str, list[Bar]]] = []
    for segment in shown:
        word, colour = KINDS[segment.kind]
        if segment.outcome != "ok" and segment.kind != "lost":
            word, colour = "failed", FAILED
        rows.append((f"{segment.name}: {segment.what}", [(segment.start, segment.end, word, colour)]))
    last = end if end is not None else max(segment.end for segment in shown)
    figure = _chart(finding, rows, last, "since the request")
    cells = [
        [
            segment.name,
            segment.what,
            tables.seconds(segment.start),
            tables.seconds(segment.end - segment.start),
            segment.outcome,
        ]
        for segment in shown
    ]
    table = tables.table(["who", "what", "began after", "took", "outcome"], cells)
    left = len(found.segments) - len(shown)
    if left:
        table += f"\nand {left:,} more segments"
    return Plot(figure, finding, table)


def execution(
    finding: str, history: Mapping[str, Any] | Iterable[Mapping[str, Any]], *, most: int = 40
) -> Plot:
    """One execution of a state machine: a row for each state that it passed, with each attempt of a task.

    ``history`` is what ``get_execution_history(executionArn=…)`` answered, or its events (``history(cloud,
    arn)`` fetches all pages).
    """
    found = executions.read(history)
    shown = found.states[:most]
    rows = [("  " * state.depth + state.name, _bars(state)) for state in shown]
    figure = _chart(finding, rows, found.seconds, "since the execution began")
    cells = [
        [
            "  " * state.depth + state.name,
            state.kind,
            tables.seconds(state.start),
            tables.seconds(state.end - state.start),
            len(state.attempts) or None,
            f"{state.outcome}: {state.error}" if state.error else state.outcome,
        ]
        for state in shown
    ]
    table = tables.table(["state", "type", "began after", "took", "attempts", "outcome"], cells)
    left = len(found.states) - len(shown)
    if left:
        table += f"\nand {left:,} more states"
    error = f" with {found.error}" if found.error else ""
    table += f"\nexecution {found.status}{error} after {tables.seconds(found.seconds)}"
    return Plot(figure, finding, table)


def _bars(state: executions.StateRun) -> list[Bar]:
    under = ("contains other states", SKY) if state.kind in ("Parallel", "Map") else ("waiting", "#D9D9D9")
    worked = sum(attempt.end - attempt.start for attempt in state.attempts)
    bars: list[Bar] = []
    if worked < 0.99 * (state.end - state.start):
        bars.append((state.start, state.end, *under))
    bars += [
        (attempt.start, attempt.end, *(("failed", FAILED) if attempt.error else ("task", BLUE)))
        for attempt in state.attempts
    ]
    if state.outcome in ("failed", "aborted") and not state.attempts:
        bars.append((state.start, state.end, state.outcome, FAILED if state.outcome == "failed" else PURPLE))
    return bars


def _chart(finding: str, rows: Sequence[tuple[str, Sequence[Bar]]], last: float, since: str) -> Figure:
    """Rows of bars on one time axis. What is too short to see gets a mark as wide as a line."""
    unit = TimeUnit(last)
    right = unit([last])[0] or 1.0
    words: dict[str, str] = {}
    with style():
        figure, (axis,) = canvas(finding, height=min(1.5 + 0.22 * len(rows), 8), named_rows=True)
        for row, (_, bars) in enumerate(rows):
            for start, end, word, colour in bars:
                words.setdefault(word, colour)
                begin, width = start / unit.seconds, (end - start) / unit.seconds
                axis.broken_barh([(begin, max(width, right / 300))], (row - 0.36, 0.72), facecolors=colour)
        for word, colour in words.items():
            axis.broken_barh([], (0, 0), facecolors=colour, label=word)
        _label_rows(axis, [name for name, _ in rows])
        axis.set_xlim(0, right * 1.005)
        axis.set_xlabel(f"time ({unit.name}) {since}")
        legend(figure, min(len(words), 6))
    return figure


def _label_rows(axis: Axes, names: Sequence[str]) -> None:
    axis.set_ylim(len(names) - 0.4, -0.6)
    axis.set_yticks(range(len(names)), [_shortened(name) for name in names], fontsize=7.5)
    axis.tick_params(axis="y", length=0)
    axis.grid(axis="y", visible=False)


def _shortened(name: str, most: int = 38) -> str:
    return name if len(name) <= most else name[: most - 1] + "…"
