"""A CloudWatch dashboard as it would look in the console, drawn from what the API says.

    draw_dashboard(cloud, app["DashboardName"], last="1h")

It reads the dashboard, its metrics, alarms and queries through boto3, so it works on either target. What a
widget shows that cannot be drawn here is said in its place.
"""

from __future__ import annotations

from typing import Any

from infra.cloud.interface import Cloud

from .dashboard_bodies import COLUMNS, read
from .dashboard_drawing import Box, draw_panel
from .dashboard_panels import panel
from .figures import Plot, style

_WIDTH = 11.0
_COLUMN = _WIDTH / COLUMNS
_ROW = 0.42
_GAP = 0.06
_HEADER = 0.5


def draw_dashboard(cloud: Cloud, name: str, *, last: Any = None, finding: str = "") -> Plot:
    """Draw a dashboard, and give its numbers as text.

    ``last`` is a duration (``"30 min"``): shown is that long until now, instead of the dashboard's own time
    range (3 hours if it names none). ``finding`` says what is to be seen, and becomes the title. Raises
    ClientError if there is no such dashboard.
    """
    from matplotlib.figure import Figure

    body = cloud.client("cloudwatch").get_dashboard(DashboardName=name)["DashboardBody"]
    board = read(name, body, cloud.now, last)
    panels = [panel(cloud, board, widget) for widget in board.widgets]
    rows = max((widget.y + widget.height for widget in board.widgets), default=1)
    when = f"{board.start:%Y-%m-%d %H:%M} to {board.end:%H:%M} UTC"
    if board.start.date() != board.end.date():
        when = f"{board.start:%Y-%m-%d %H:%M} to {board.end:%Y-%m-%d %H:%M} UTC"
    with style():
        figure = Figure(figsize=(_WIDTH, _HEADER + rows * _ROW))
        height = figure.get_size_inches()[1]
        title = finding or f"Dashboard {name}"
        top = 1 - 0.1 / height
        figure.text(0.008, top, title, size=12, weight="bold", va="top", parse_math=False)
        figure.text(0.992, top, when, size=8, va="top", ha="right", color="#595959")
        for widget, shown in zip(board.widgets, panels, strict=True):
            place = Box(
                widget.x * _COLUMN + _GAP / 2,
                _HEADER + widget.y * _ROW + _GAP / 2,
                widget.width * _COLUMN - _GAP,
                widget.height * _ROW - _GAP,
            )
            draw_panel(figure, place, shown, board)
    numbers = "\n\n".join(shown.as_text() for shown in panels) or "the dashboard has no widgets"
    return Plot(figure, title, f"{when}\n\n{numbers}")
