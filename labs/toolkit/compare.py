"""``workshop compare``: one experiment, simulated and measured, on the same axes.

A lab says what is compared by ``compare(cloud, scale)`` in its ``scenario.py``: it returns something with
``sent``, ``done`` (s), ``latencies`` (s) and ``environments``, as ``labs/queue_processing`` does.
"""

from __future__ import annotations

import importlib
import statistics
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from . import measure, notebooks, paths, tables
from .figures import COLOURS, LINES, Plot, canvas, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WAYS = ("simulated", "measured")


class Compared(Protocol):
    """What an experiment gives. Times in seconds since its first request."""

    @property
    def sent(self) -> Sequence[float]: ...
    @property
    def done(self) -> Sequence[float]: ...
    @property
    def latencies(self) -> Sequence[float]: ...
    @property
    def environments(self) -> Sequence[Any]: ...


def experiment(lesson: notebooks.Lesson) -> Callable[..., Compared]:
    """The lab's ``compare``; LessonError with the lessons that have one."""
    found = _of(lesson.name)
    if found is None:
        having = [each.number for each in notebooks.lessons() if _of(each.name) is not None]
        raise notebooks.LessonError(
            f"lesson {lesson.path.stem} has nothing to compare: labs/{lesson.name}/scenario.py defines no "
            f"compare(cloud, scale). These have: {', '.join(having) or 'none'}"
        )
    return found


def compare(lesson: notebooks.Lesson, scale: float, seed: int, latency: str | None = None) -> Iterator[str]:
    """Run both halves; yields what to print. The picture and the table go to ``build/compare``."""
    from infra.cloud import connect
    from infra.cloud.aws.account import open_account

    run = experiment(lesson)
    if not scale > 0:
        raise notebooks.LessonError(f"--scale {scale:g}: give a number above 0")
    open_account(None)  # refuses here what it would refuse after the simulated half
    yield "simulated …"
    with connect("local", seed=seed, latency=latency) as cloud:
        simulated = run(cloud, scale)
    yield "measured, in real time …"
    with connect("aws", seed=seed) as cloud:
        measured = run(cloud, scale)
    plot = picture(simulated, measured)
    target = plot.save(paths.BUILD / "compare" / f"{lesson.number}.png")
    report = target.with_suffix(".md")
    report.write_text(_markdown(lesson, plot, target), encoding="utf-8")
    yield plot.table
    yield f"written: {paths.relative(target)} and {paths.relative(report)}"


def picture(simulated: Compared, measured: Compared) -> Plot:
    """Throughput, latency and cold starts of both, and their numbers."""
    both = dict(zip(WAYS, (simulated, measured), strict=True))
    half = [measure.percentile(run.latencies, 50) for run in both.values()]
    finding = f"Half of it was done in {1000 * half[0]:.0f} ms simulated, {1000 * half[1]:.0f} ms measured"
    with style():
        figure, axes = canvas(finding, rows=3, height=8.4)
        for axis, draw in zip(axes, (_throughput, _latency, _cold_starts), strict=True):
            for index, (name, run) in enumerate(both.items()):
                draw(axis, run, {"label": name, "color": COLOURS[index], "linestyle": LINES[index]})
            axis.legend(loc="best")
    return Plot(figure, finding, tables.table(["", *both, "measured / simulated"], _rows(both)))


def _throughput(axis: Axes, run: Compared, look: dict[str, Any]) -> None:
    start = min(run.sent, default=0.0)
    times = sorted(time - start for time in run.done)
    axis.step([0, *times], range(len(times) + 1), where="post", **look)
    axis.set_xlabel("time since the first was sent (s)")
    axis.set_ylabel("done")


def _latency(axis: Axes, run: Compared, look: dict[str, Any]) -> None:
    xs, ys = measure.ecdf(run.latencies)
    axis.step(xs, [100 * y for y in ys], where="post", **look)
    axis.set_xscale("log")
    axis.set_xlabel("latency (s), logarithmic")
    axis.set_ylabel("share that took\nat most so long (%)")


def _cold_starts(axis: Axes, run: Compared, look: dict[str, Any]) -> None:
    inits = sorted(1000 * seconds for seconds in _inits(run))
    shares = [100 * (index + 1) / len(inits) for index in range(len(inits))]
    axis.step(inits, shares, where="post", **look)
    axis.set_xlabel("init phase of a cold start (ms)")
    axis.set_ylabel("share that took\nat most so long (%)")


def _inits(run: Compared) -> list[float]:
    return [span.end - span.start for each in run.environments for span in each.spans if span.kind == "init"]


def _rows(both: dict[str, Compared]) -> list[list[Any]]:
    def of(run: Compared) -> dict[str, float]:
        span = max(run.done, default=0.0) - min(run.sent, default=0.0)
        found = {
            "sent": float(len(run.sent)),
            "done": float(len(run.done)),
            "done per second": len(run.done) / span if span > 0 else 0.0,
        }
        for point in (50, 95, 99):
            if len(run.latencies) >= measure.samples_needed(point):
                found[f"latency p{point} (ms)"] = 1000 * measure.percentile(run.latencies, point)
        inits = _inits(run)
        found["cold starts"] = float(len(inits))
        if inits:
            found["init, median (ms)"] = 1000 * statistics.median(inits)
        return found

    simulated, measured = (of(run) for run in both.values())
    return [
        [
            name,
            tables.number(value),
            tables.number(measured[name]),
            tables.number(measured[name] / value) if value else "",
        ]
        for name, value in simulated.items()
        if name in measured
    ]


def _markdown(lesson: notebooks.Lesson, plot: Plot, picture_file: Path) -> str:
    return (
        f"# {lesson.path.stem}: simulated and measured\n\n![{plot.finding}]({picture_file.name})\n\n"
        f"```\n{plot.table}\n```\n"
    )


def _of(lab: str) -> Callable[..., Compared] | None:
    try:
        found = getattr(importlib.import_module(f"labs.{lab}.scenario"), "compare", None)
    except ModuleNotFoundError as error:
        if error.name not in (f"labs.{lab}", f"labs.{lab}.scenario"):  # one that a scenario needs
            raise
        return None
    return found if callable(found) else None
