"""The service graph: who calls whom, how often, how long it takes, how it ends.

https://docs.aws.amazon.com/xray/latest/api/API_Service.html
https://docs.aws.amazon.com/xray/latest/api/API_Edge.html
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable
from typing import Any

from .xray_documents import Document
from .xray_traces import Node, TraceView, ended, flags_of, node_of, took

LINK = "link"
"""The type of an edge from a queue to the function that processes its messages in a trace of its own."""


class Tally:
    """What SummaryStatistics and the histogram of response times count."""

    def __init__(self) -> None:
        self.ok = self.throttled = self.errors = self.faults = 0
        self.total = 0.0
        self.times: Counter[float] = Counter()

    def add(self, segment: Document) -> None:
        flags, seconds = flags_of(segment), took(segment)
        if flags["fault"]:
            self.faults += 1
        elif flags["error"] or flags["throttle"]:
            self.errors += 1
            self.throttled += flags["throttle"]
        else:
            self.ok += 1
        self.total += seconds
        self.times[round(seconds, 3)] += 1

    def statistics(self) -> dict[str, Any]:
        return {
            "OkCount": self.ok,
            "ErrorStatistics": {
                "ThrottleCount": self.throttled,
                "OtherCount": self.errors - self.throttled,
                "TotalCount": self.errors,
            },
            "FaultStatistics": {"OtherCount": self.faults, "TotalCount": self.faults},
            "TotalCount": self.ok + self.errors + self.faults,
            "TotalResponseTime": round(self.total, 6),
        }


def histogram(times: Counter[float]) -> list[dict[str, Any]]:
    return [{"Value": value, "Count": times[value]} for value in sorted(times)]


class _Edge:
    def __init__(self, kind: str = "") -> None:
        self.kind = kind
        self.tally = Tally()
        self.ages: Counter[float] = Counter()
        self.span = _Span()


class _Span:
    def __init__(self) -> None:
        self.start, self.end = float("inf"), 0.0

    def add(self, segment: Document) -> None:
        self.start = min(self.start, segment["start_time"])
        self.end = max(self.end, ended(segment))

    def shown(self) -> dict[str, datetime.datetime]:
        return {"StartTime": moment(self.start), "EndTime": moment(self.end)}


class _Service:
    def __init__(self) -> None:
        self.tally = Tally()
        self.durations: Counter[float] = Counter()
        self.edges: dict[Node, _Edge] = {}
        self.span = _Span()
        self.root = False
        self.known = False


CLIENT = "client"


def graph(traces: Iterable[TraceView], account: str) -> list[dict[str, Any]]:
    """The services of some traces with their edges, roots first."""
    services: dict[Node, _Service] = {}
    traces = list(traces)
    for trace in traces:
        for segment in trace.segments:
            service = services.setdefault(node_of(segment), _Service())
            service.tally.add(segment)
            service.durations[round(took(segment), 3)] += 1
            service.span.add(segment)
            service.known = service.known or not segment.get("inferred")
            caller = trace.caller(segment)
            if caller is not None:
                _between(services, node_of(caller), segment)
            elif segment in trace.roots:
                service.root = True
                client = (node_of(segment)[0], CLIENT)
                services.setdefault(client, _Service()).span.add(segment)
                _between(services, client, segment)
    _link(traces, services)
    numbers = {node: number for number, node in enumerate(services)}
    return [_shown(node, service, numbers, account) for node, service in services.items()]


def _between(services: dict[Node, _Service], source: Node, segment: Document, kind: str = "") -> _Edge:
    edges = services.setdefault(source, _Service()).edges
    edge = edges.setdefault(node_of(segment), _Edge(kind))
    edge.tally.add(segment)
    edge.span.add(segment)
    return edge


def _link(traces: list[TraceView], services: dict[Node, _Service]) -> None:
    """Edges from the queues that messages waited in to whoever took them: the messages' traces are linked."""
    sent = {
        (trace.id, each.get("parent_id")): each
        for trace in traces
        for each in trace.segments
        if each.get("inferred")
    }
    for trace in traces:
        for segment in trace.segments:
            for link in segment.get("links") or ():
                queue = sent.get((link["trace_id"], link.get("id")))
                if queue is None:
                    continue
                edge = _between(services, node_of(queue), segment, LINK)
                edge.ages[round(max(segment["start_time"] - queue["start_time"], 0), 3)] += 1


def _shown(node: Node, service: _Service, numbers: dict[Node, int], account: str) -> dict[str, Any]:
    name, type = node
    shown: dict[str, Any] = {"ReferenceId": numbers[node], "Name": name, "Names": [name]}
    if service.root:
        shown["Root"] = True
    if type != CLIENT:
        shown["AccountId"] = account
    if type:
        shown["Type"] = type
    shown["State"] = "active" if service.known else "unknown"
    shown.update(service.span.shown())
    shown["Edges"] = [_edge(numbers[target], edge) for target, edge in service.edges.items()]
    if type != CLIENT:
        shown["SummaryStatistics"] = service.tally.statistics()
        shown["DurationHistogram"] = histogram(service.durations)
        shown["ResponseTimeHistogram"] = histogram(service.tally.times)
    return shown


def _edge(number: int, edge: _Edge) -> dict[str, Any]:
    shown: dict[str, Any] = {"ReferenceId": number, **edge.span.shown()}
    shown["SummaryStatistics"] = edge.tally.statistics()
    shown["ResponseTimeHistogram"] = histogram(edge.tally.times)
    shown["Aliases"] = []
    if edge.kind:
        shown["EdgeType"] = edge.kind
        shown["ReceivedEventAgeHistogram"] = histogram(edge.ages)
    return shown


def moment(seconds: float) -> datetime.datetime:
    """Seconds since the epoch, as boto3 shows a time."""
    return datetime.datetime.fromtimestamp(0, datetime.UTC) + datetime.timedelta(
        microseconds=round(seconds * 1_000_000)
    )
