"""The live view of ``cloud.watch()``: queues, dead-letter queues and functions at work, redrawn over time.

It shows what it is given, and knows no cloud. In a notebook it is one output that is redrawn, in a terminal a
few lines that are.
"""

from __future__ import annotations

import dataclasses
import html
import sys
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from .audience import in_notebook

SAMPLES = 150
"""Values that a line shows: the latest."""
WIDTH = 450
"""Of a line, in pixels."""
COLOURS = {"queue": "#0072B2", "dead-letter queue": "#D55E00", "function": "#E69F00"}
STEPS = "▁▂▃▄▅▆▇█"


@dataclasses.dataclass(frozen=True, slots=True)
class Gauge:
    """One number to show, and words. ``kind``: ``queue``, ``dead-letter queue`` or ``function``."""

    name: str
    kind: str
    value: int
    note: str = ""


class LiveView:
    """Redraws itself at each ``show``. ``write`` is where a terminal's lines go."""

    def __init__(self, write: Callable[[str], Any] | None = None) -> None:
        self._write = write or sys.stdout.write
        self._gauges: list[Gauge] = []
        self._past: dict[str, deque[int]] = {}
        self._at = ""
        self._lines = 0
        self._display: Any = None

    def show(self, at: str, gauges: Sequence[Gauge]) -> None:
        """Draw the values of one moment; ``at`` says which."""
        self._at, self._gauges = at, list(gauges)
        for gauge in gauges:
            self._past.setdefault(gauge.name, deque(maxlen=SAMPLES)).append(gauge.value)
        if in_notebook():
            self._redraw()
            return
        lines = repr(self).splitlines()
        up = f"\x1b[{self._lines}A" if self._lines else ""
        self._write(up + "".join(f"\x1b[2K{line}\n" for line in lines))
        sys.stdout.flush()
        self._lines = len(lines)

    def _redraw(self) -> None:
        from IPython.display import display

        if self._display is None:
            self._display = display(self, display_id=True)  # type: ignore[no-untyped-call]
        else:
            self._display.update(self)

    def __repr__(self) -> str:
        width = max((len(gauge.name) for gauge in self._gauges), default=0)
        rows = [
            f"{gauge.name.ljust(width)}  {gauge.value:>7,} {gauge.note:<20} {self._spark(gauge.name)}"
            for gauge in self._gauges
        ]
        return "\n".join([self._at, *(row.rstrip() for row in rows)])

    def _spark(self, name: str) -> str:
        values = list(self._past[name])[-40:]
        highest = max(values)
        if not highest:
            return ""
        return "".join(STEPS[(len(STEPS) - 1) * value // highest] for value in values)

    def _repr_html_(self) -> str:
        rows = "".join(
            f'<tr><td style="text-align:left">{html.escape(gauge.name)}<br><small>{gauge.kind}</small></td>'
            f"<td>{self._line(gauge)}</td>"
            f'<td style="text-align:right;font-size:1.6em;color:{COLOURS[gauge.kind]}">{gauge.value:,}</td>'
            f'<td style="text-align:left">{html.escape(gauge.note)}</td></tr>'
            for gauge in self._gauges
        )
        return f"<p><b>{html.escape(self._at)}</b></p><table>{rows}</table>"

    def _line(self, gauge: Gauge) -> str:
        """The value over the latest frames, as an SVG picture."""
        values = self._past[gauge.name]
        highest = max(max(values), 1)
        step = WIDTH / max(len(values) - 1, 1)
        points = " ".join(
            f"{step * index:.0f},{44 - 40 * value / highest:.1f}" for index, value in enumerate(values)
        )
        colour = COLOURS[gauge.kind]
        return (
            f'<svg width="{WIDTH + 40}" height="46" role="img" aria-label="{html.escape(gauge.name)}: '
            f'{gauge.value}, at most {highest}"><polyline points="{points}" fill="none" stroke="{colour}" '
            f'stroke-width="2"/><text x="{WIDTH + 4}" y="12" font-size="10" '
            f'fill="#6E6E6E">{highest:,}</text></svg>'
        )
