"""How a plot of the workshop is made and shown: one style, one picture, and the numbers it shows as text.

A strict comparison of outputs does not look at pictures, and neither can everybody who reads a lesson: so a
plot always carries its key numbers, and prints them under the picture.
"""

from __future__ import annotations

import contextlib
import io
import logging
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra.cloud.audience import in_notebook

from . import display, tables
from .measure import positive

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

STYLE = Path(__file__).with_name("workshop.mplstyle")

BLUE, ORANGE_RED, GREEN, PURPLE, ORANGE, SKY, BLACK = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#E69F00",
    "#56B4E9",
    "#000000",
)
COLOURS = (BLUE, ORANGE_RED, GREEN, PURPLE, ORANGE, SKY, BLACK)
"""Okabe and Ito's colours, in the order of the style."""
LINES = ("-", "--", "-.", ":")
"""Line styles along with the colours, so that a print without colour can be read."""

HATCHES = ("", "//", "..", "xx", "\\\\")
"""Patterns of bars, for the same reason."""


class Plot:
    """A figure and its numbers. As the last line of a cell it shows itself; elsewhere call ``show()``."""

    def __init__(self, figure: Figure, finding: str, table: str) -> None:
        self.figure = figure
        self.finding = finding
        self.table = table
        """The numbers that the picture shows, as text."""
        self._png: bytes | None = None

    def __repr__(self) -> str:
        return f"<Plot: {self.finding}>"

    def show(self) -> None:
        """One picture (in a notebook), then its numbers."""
        if in_notebook():
            width = round(self.figure.get_figwidth() * 100)
            display.publish(
                {"image/png": self.png(), "text/plain": f"Plot: {self.finding}\n{self.table}"},
                {"image/png": {"width": width, "alt": self.finding}},
            )
        else:
            print(f"Plot: {self.finding}")
        print(self.table)

    def _ipython_display_(self) -> None:
        self.show()

    def png(self) -> bytes:
        """The picture. It is drawn once, since the layout moves a little each time it is computed."""
        from PIL import Image

        if self._png is not None:
            return self._png
        drawn = io.BytesIO()
        with style():
            self.figure.savefig(drawn, format="png", metadata={"Software": None})
        # A plot has few colours: a palette makes the file a third of the size.
        packed = io.BytesIO()
        picture = Image.open(drawn).convert("RGB")
        picture.quantize(colors=256, dither=Image.Dither.NONE).save(packed, format="PNG", optimize=True)
        self._png = packed.getvalue()
        return self._png

    def save(self, path: str | Path) -> Path:
        """Write the picture as PNG or SVG, by the ending of the name."""
        target = Path(path)
        if target.suffix not in (".png", ".svg"):
            raise ValueError(f"a plot is saved as .png or .svg, not as {target.name!r}")
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.suffix == ".png":
            target.write_bytes(self.png())
        else:
            with style():
                self.figure.savefig(target, format="svg", metadata={"Date": None, "Creator": None})
        return target


@contextlib.contextmanager
def style() -> Iterator[None]:
    """The workshop's style, whatever the user's own settings of matplotlib are."""
    # A first run builds the font cache, and says so on stderr: that would be an output of the lesson.
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    import matplotlib.style

    with matplotlib.style.context(["default", str(STYLE)]):
        yield


def canvas(
    finding: str, rows: int = 1, height: float = 3.6, *, named_rows: bool = False, **grid: Any
) -> tuple[Figure, list[Axes]]:
    """A figure titled with its finding, and its axes from top to bottom. Call it inside ``style()``.

    ``named_rows``: names stand left of the axis, and the title begins above them: it has the whole width.
    The figure never becomes one of pyplot's, so nothing else shows it a second time.
    """
    from matplotlib.figure import Figure

    if not isinstance(finding, str) or not finding.strip():
        raise ValueError("say what the plot shows: its first argument is the finding, and becomes its title")
    figure = Figure(figsize=(7.6, height), layout="constrained")
    axes = figure.subplots(rows, 1, squeeze=False, **grid)[:, 0].tolist()
    title = "\n".join(textwrap.wrap(finding, 66))
    if named_rows:
        font = axes[0].title
        weight = font.get_fontweight()
        figure.suptitle(title, x=0.01, ha="left", size=font.get_fontsize(), weight=weight, parse_math=False)
    else:
        axes[0].set_title(title, parse_math=False)  # two amounts in dollars are not a formula
    return figure, axes


def legend(figure: Figure, columns: int) -> None:
    """The legend, below the plot where it hides nothing; none if there is nothing to explain."""
    if any(axis.get_legend_handles_labels()[0] for axis in figure.axes):
        figure.legend(loc="outside lower center", ncols=columns)


class TimeUnit:
    """The unit that suits a span of time, for an axis."""

    def __init__(self, longest: float) -> None:
        self.name, self.seconds = next(
            (name, size)
            for name, size, upto in (
                ("ms", 0.001, 1.0),
                ("s", 1.0, 600.0),
                ("min", 60.0, 14_400.0),
                ("h", 3600.0, 259_200.0),
                ("days", 86_400.0, float("inf")),
            )
            if longest <= upto
        )

    def __call__(self, values: Sequence[float]) -> list[float]:
        return [value / self.seconds for value in values]


WIDTHS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200)
"""Widths of bins that people read easily, in seconds."""


def bin_width(span: float, at_least: float = 0.0) -> float:
    """Seconds per bin: the smallest round width that cuts the span into at most 100 bins."""
    narrowest = max(positive("the time shown", span) / 100, at_least)
    return float(next((width for width in WIDTHS if width >= narrowest), 86_400))


def grouped(value: float, _: object = None) -> str:
    """A tick's label with its thousands separated."""
    return tables.number(round(value, 6))


def facts(rows: Sequence[tuple[str, Any]]) -> str:
    """Names and values as text, one a line."""
    width = max(len(name) for name, _ in rows)
    return "\n".join(
        f"{name.ljust(width)}  {tables.NONE if value is None else value}" for name, value in rows
    )
