"""What the widgets of a dashboard show, each with its numbers as text, before anything is drawn."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from infra.cloud.interface import Cloud

from . import tables
from .dashboard_bodies import Board, Widget
from .dashboard_metrics import Line, NotDrawn, alarm, alarms, lines

STATES = ("ALARM", "OK", "INSUFFICIENT_DATA")
MOST_LOG_ROWS = 1000
MOST_ROWS_AS_TEXT = 10
_SOURCE = re.compile(
    r"\s*SOURCE\s+(?P<names>(?:'[^']*'|\"[^\"]*\"|\S+)(?:\s*,\s*'[^']*')*)\s*\|", re.IGNORECASE
)
_POLL = 0.5
"""Seconds between two looks at a query that runs."""


@dataclasses.dataclass(frozen=True)
class Panel:
    """What a widget shows. Which members hold something follows from its kind."""

    kind: str
    """``metric``, ``alarms``, ``text``, ``table`` or ``nothing``."""
    title: str
    properties: Mapping[str, Any]
    lines: list[Line] = dataclasses.field(default_factory=list)
    alarms: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    text: str = ""
    headers: list[str] = dataclasses.field(default_factory=list)
    rows: list[list[str]] = dataclasses.field(default_factory=list)

    def as_text(self) -> str:
        """Its numbers, under its title."""
        return "\n".join(part for part in (self.title, self._content()) if part)

    def _content(self) -> str:
        if self.kind == "nothing":
            return f"not drawn: {self.text}"
        if self.kind == "text":
            return "\n".join(tables.unmarked(line) for line in self.text.strip().splitlines())
        if self.kind == "alarms":
            states = [[one["AlarmName"], one["StateValue"]] for one in self.alarms]
            return tables.table(["alarm", "state"], states)
        if self.kind == "table":
            more = len(self.rows) - MOST_ROWS_AS_TEXT
            known = tables.table(self.headers, self.rows[:MOST_ROWS_AS_TEXT]) if self.rows else "no results"
            return f"{known}\n… and {more:,} more" if more > 0 else known
        told = [f"alarm {one['AlarmName']}: {one['StateValue']}" for one in self.alarms]
        headers = ["metric", "points", "last", "least", "most"]
        return "\n".join([*told, tables.table(headers, [_numbers(line) for line in self.lines])])


def panel(cloud: Cloud, board: Board, widget: Widget) -> Panel:
    """Read what a widget shows. One that cannot be drawn says so in its place."""
    made = {"metric": _metric, "alarm": _alarm, "text": _text, "log": _log}.get(widget.kind)
    title = str(widget.properties.get("title", ""))
    try:
        if made is None:
            raise NotDrawn(f"{widget.kind} widgets")
        return made(cloud, board, widget.properties)
    except (NotDrawn, NotImplementedError) as reason:
        return Panel("nothing", title, widget.properties, text=str(reason))
    except ClientError as error:
        return Panel("nothing", title, widget.properties, text=error.response["Error"]["Message"])


def _metric(cloud: Cloud, board: Board, properties: Mapping[str, Any]) -> Panel:
    title = str(properties.get("title", ""))
    watched = (properties.get("annotations") or {}).get("alarms")
    if not watched:
        return Panel("metric", title, properties, lines=lines(cloud, board, properties))
    found, series = alarm(cloud, board, watched[0])
    kind = "alarms" if "AlarmRule" in found else "metric"
    return Panel(kind, title or found["AlarmName"], properties, lines=series, alarms=[found])


def _alarm(cloud: Cloud, board: Board, properties: Mapping[str, Any]) -> Panel:
    found = [
        one
        for one in alarms(cloud, properties["alarms"])
        if one["StateValue"] in (properties.get("states") or STATES)
    ]
    order = properties.get("sortBy", "default")
    if order == "default":
        found.sort(key=lambda one: (STATES.index(one["StateValue"]), one["AlarmName"]))
    else:
        found.sort(key=lambda one: one["StateUpdatedTimestamp"], reverse=True)
    return Panel("alarms", str(properties.get("title", "")), properties, alarms=found)


def _text(cloud: Cloud, board: Board, properties: Mapping[str, Any]) -> Panel:
    return Panel("text", "", properties, text=str(properties["markdown"]))


def _log(cloud: Cloud, board: Board, properties: Mapping[str, Any]) -> Panel:
    if properties.get("region", cloud.region) != cloud.region:
        raise NotDrawn(f"logs of Region {properties['region']}")
    query, groups = str(properties["query"]), []
    while (match := _SOURCE.match(query)) is not None:
        groups += list(_names(match["names"]))
        query = query[match.end() :]
    if not groups:
        raise NotDrawn("a query that names no log group (SOURCE 'name' | …)")
    client = cloud.client("logs")
    started = client.start_query(
        logGroupNames=groups,
        startTime=int(board.start.timestamp()),
        endTime=int(board.end.timestamp()),
        queryString=query.strip(),
        limit=MOST_LOG_ROWS,
    )["queryId"]
    answer = client.get_query_results(queryId=started)
    while answer["status"] in ("Scheduled", "Running"):
        cloud.sleep(_POLL)
        answer = client.get_query_results(queryId=started)
    records = [
        {field["field"]: field["value"] for field in record if field["field"] != "@ptr"}
        for record in answer["results"]
    ]
    headers = list(dict.fromkeys(name for record in records for name in record))
    rows = [[" ".join(record.get(name, "").split()) for name in headers] for record in records]
    return Panel("table", str(properties.get("title", "")), properties, headers=headers, rows=rows)


def _names(text: str) -> Iterator[str]:
    for name in re.findall(r"'[^']*'|\"[^\"]*\"|[^\s,]+", text):
        yield name.strip("'\"")


def _numbers(line: Line) -> list[Any]:
    if not line.values:
        return [line.label, 0, None, None, None]
    return [line.label, len(line.values), line.values[-1], min(line.values), max(line.values)]
