"""The metrics of AWS/ApiGateway that HTTP APIs have: of an API, of its stages, and of routes where a stage
has detailed metrics.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-metrics.html
"""

from __future__ import annotations

from collections.abc import Callable

from ...journal import Entry
from ..series import Dimensions
from . import Row, at_end

KIND = "httpapi.request"


def _dimensions(entry: Entry) -> list[Dimensions]:
    data = entry.data
    api, stage = ("ApiId", str(data["api"])), ("Stage", str(data["stage"]))
    found: list[Dimensions] = [(api,), (api, stage)]
    if data.get("detailed") and data["route"]:
        found.append((api, ("Route", str(data["route"])), stage))
    return found


def _row(name: str, value: Callable[[Entry], float | None], unit: str = "Count") -> Row:
    return Row("AWS/ApiGateway", name, unit, KIND, value, at_end, _dimensions)


def _integration(entry: Entry) -> float | None:
    took = entry.data.get("integration_us")
    return None if took is None else took / 1000


ROWS: tuple[Row, ...] = (
    _row("Count", lambda entry: 1),
    _row("4xx", lambda entry: int(400 <= entry.data["status"] < 500)),
    _row("5xx", lambda entry: int(entry.data["status"] >= 500)),
    _row("DataProcessed", lambda entry: entry.data["bytes"], "Bytes"),
    _row("IntegrationLatency", _integration, "Milliseconds"),
    _row("Latency", lambda entry: entry.duration / 1000, "Milliseconds"),
)
