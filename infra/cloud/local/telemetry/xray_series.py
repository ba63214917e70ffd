"""Statistics of a service, or of the calls between two, in periods of time.

https://docs.aws.amazon.com/xray/latest/api/API_GetTimeSeriesServiceStatistics.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from .xray_documents import Document
from .xray_filters import Selector
from .xray_graph import Tally, histogram, moment
from .xray_traces import TraceView

PERIODS = (60, 300)
"""Seconds that a period may have."""


def series(traces: Iterable[TraceView], selector: Selector | None, period: int) -> list[dict[str, Any]]:
    """One entry for each period in which something was selected; without a selector, clients' requests."""
    tallies: dict[int, Tally] = {}
    for trace in traces:
        for segment in _selected(trace, selector):
            at = int(segment["start_time"]) // period * period
            tallies.setdefault(at, Tally()).add(segment)
    of_service = selector is not None and selector[0] == "service"
    member = "ServiceSummaryStatistics" if of_service else "EdgeSummaryStatistics"
    return [
        {
            "Timestamp": moment(at),
            member: tally.statistics(),
            "ResponseTimeHistogram": histogram(tally.times),
        }
        for at, tally in sorted(tallies.items())
    ]


def _selected(trace: TraceView, selector: Selector | None) -> Iterator[Document]:
    if selector is None:
        yield from trace.roots
        return
    kind, first, second = selector
    found = trace.services(*first) if kind == "service" else trace.edges(first, second)
    for each in found:
        yield from each.segments
