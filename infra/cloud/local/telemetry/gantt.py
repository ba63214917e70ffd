"""Execution environments over time: which ran when, initializing or working; how many at once; how much got
done.

Plain functions over a journal. Times in: virtual microseconds. Times out: seconds since ``start``.
"""

from __future__ import annotations

from infra.cloud.views.environments import Environment, Kind, Span, Steps

from ..journal import Journal
from .lambda_metrics import busy_steps


def environments(journal: Journal, start: int, end: int, function: str | None = None) -> list[Environment]:
    """Environments that did anything in [start, end], in the order in which they were started."""
    names: dict[str, str] = {}
    began: dict[str, int] = {}
    ended: dict[str, int] = {}
    spans: dict[str, list[Span]] = {}
    for entry in journal.entries:
        if not entry.what.startswith("lambda.") or function not in (None, entry.resource):
            continue
        if entry.what == "lambda.environment.started":
            began[entry.data["environment"]] = entry.time
        elif entry.what == "lambda.environment.ended":
            ended[entry.data["environment"]] = entry.time
        elif entry.what in ("lambda.init", "lambda.invocation"):
            ok: Kind = "init" if entry.what == "lambda.init" else "busy"
            environment = entry.data["environment"]
            names[environment] = entry.resource
            began.setdefault(environment, entry.start)
            if entry.time >= start and entry.start <= end:
                kind: Kind = ok if entry.outcome == "ok" else "error"
                request = entry.data.get("request_id") or ""
                span = Span((entry.start - start) / 1e6, (entry.time - start) / 1e6, kind, request)
                spans.setdefault(environment, []).append(span)
    found = [
        Environment(
            name,
            names[name],
            (began[name] - start) / 1e6,
            (ended[name] - start) / 1e6 if name in ended else None,
            sorted(spans[name], key=lambda span: (span.start, span.end)),
        )
        for name in spans
    ]
    return sorted(found, key=lambda environment: environment.started)


def concurrency(journal: Journal, start: int, end: int, function: str | None = None) -> Steps:
    """How many environments worked at the same time (their init phases included): exact steps."""
    intervals = []
    for entry in journal.select("lambda.invocation", resource=function):
        began = entry.start - int(entry.data["init_us"])
        if entry.time >= start and began <= end:
            intervals.append((max(began, start), min(entry.time, end)))
    steps = Steps([0.0], [0])
    for time, level in busy_steps(intervals):
        if time == start:
            steps.values[0] = level
        else:
            steps.times.append((time - start) / 1e6)
            steps.values.append(level)
    if steps.times[-1] < (end - start) / 1e6:
        steps.times.append((end - start) / 1e6)
        steps.values.append(steps.values[-1])
    return steps
