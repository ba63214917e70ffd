"""A dashboard's body read: its widgets, where they stand, and the time that it shows.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
"""

from __future__ import annotations

import dataclasses
import datetime
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from infra.cloud.durations import microseconds

COLUMNS = 24
USUAL_RANGE = datetime.timedelta(hours=3)
"""What the console shows of a dashboard that does not say."""
MOST_POINTS = 360
"""Of one line, where the dashboard lets periods follow the time that is shown."""

_RELATIVE = re.compile(
    r"-P(?:(?P<months>\d+)M)?(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+)S)?)?"
)


@dataclasses.dataclass(frozen=True)
class Widget:
    """Its place is in columns and rows of the grid."""

    kind: str
    x: int
    y: int
    width: int
    height: int
    properties: Mapping[str, Any]


@dataclasses.dataclass(frozen=True)
class Board:
    name: str
    start: datetime.datetime
    end: datetime.datetime
    widgets: list[Widget]
    inherit: bool
    """Whether periods are always those of the widgets."""

    def period(self, asked: int) -> int:
        """The period in seconds for one that is asked for."""
        if self.inherit:
            return asked
        shortest = (self.end - self.start).total_seconds() / MOST_POINTS
        return max(asked, -(-int(shortest) // 60) * 60) if shortest > asked else asked


def read(name: str, text: str, now: datetime.datetime, last: Any = None) -> Board:
    """``last`` is a duration before ``now`` that is shown instead of what the body says."""
    body = json.loads(text)
    for variable in body.get("variables", ()):
        value = _chosen(variable)
        if variable.get("type") == "pattern" and value is not None:
            body = json.loads(json.dumps(body).replace(variable["pattern"], value))
    properties = {
        variable["property"]: _chosen(variable)
        for variable in body.get("variables", ())
        if variable.get("type") == "property"
    }
    end = _moment(body.get("end"), now) or now
    start = _moment(body.get("start"), now) or end - USUAL_RANGE
    if last is not None:
        start, end = now - datetime.timedelta(microseconds=microseconds(last)), now
    widgets = list(_placed(body["widgets"], properties))
    return Board(name, start, end, widgets, body.get("periodOverride") == "inherit")


def _moment(text: str | None, now: datetime.datetime) -> datetime.datetime | None:
    """``-PT6H``, or a time in ISO 8601."""
    if not text:
        return None
    match = _RELATIVE.fullmatch(text)
    if match is None:
        found = datetime.datetime.fromisoformat(text)
        return found if found.tzinfo else found.replace(tzinfo=datetime.UTC)
    parts = {unit: int(value) for unit, value in match.groupdict().items() if value}
    days = parts.pop("months", 0) * 30
    return now - datetime.timedelta(days=days) - datetime.timedelta(**parts)


def _chosen(variable: Mapping[str, Any]) -> str | None:
    """What a variable stands for when a dashboard is opened."""
    values = variable.get("values") or [{}]
    found = variable.get("defaultValue", values[0].get("value"))
    return None if found is None else str(found)


def _placed(widgets: list[dict[str, Any]], variables: Mapping[str, str | None]) -> Iterator[Widget]:
    """A widget without a place gets the first one that is free."""
    taken: set[tuple[int, int]] = set()
    for widget in widgets:
        width, height = min(int(widget.get("width", 6)), COLUMNS), int(widget.get("height", 6))
        x, y = widget.get("x"), widget.get("y")
        if x is None or y is None:
            x, y = _free(taken, width, height)
        taken |= {(column, row) for column in range(x, x + width) for row in range(y, y + height)}
        properties = dict(widget["properties"])
        if properties.get("metrics") and variables:
            properties["metrics"] = [_varied(row, variables) for row in properties["metrics"]]
        yield Widget(widget["type"], x, y, width, height, properties)


def _free(taken: set[tuple[int, int]], width: int, height: int) -> tuple[int, int]:
    row = 0
    while True:
        for column in range(COLUMNS - width + 1):
            cells = ((column + dx, row + dy) for dx in range(width) for dy in range(height))
            if not any(cell in taken for cell in cells):
                return column, row
        row += 1


def _varied(row: list[Any], variables: Mapping[str, str | None]) -> list[Any]:
    """A metric's row with the values of the dimensions that variables stand for."""
    varied = list(row)
    for index in range(2, len(row) - 1, 2):
        value = variables.get(row[index]) if isinstance(row[index], str) else None
        if value is not None and isinstance(row[index + 1], str):
            varied[index + 1] = value
    return varied
