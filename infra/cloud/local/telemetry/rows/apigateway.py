"""The metrics of AWS/ApiGateway: of an API, of its stages, and of methods whose settings ask for it.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html: errors
are 0 or 1 for each request, so their average is the error rate.
"""

from __future__ import annotations

from collections.abc import Callable

from ...journal import Entry
from ..series import Dimensions
from . import Row, at_end

KIND = "apigateway.request"


def _dimensions(entry: Entry) -> list[Dimensions]:
    """A request that found no stage belongs to no API."""
    data = entry.data
    if data.get("error") == "Forbidden":
        return []
    api, stage = ("ApiName", str(data["name"])), ("Stage", str(data["stage"]))
    found: list[Dimensions] = [(api,), (api, stage)]
    if data.get("canary"):
        found.append((api, ("Stage", f"{data['stage']}/Canary")))
    if data.get("detailed"):
        found.append((api, ("Method", data["method"]), ("Resource", data["resource"]), stage))
    return found


def _row(name: str, value: Callable[[Entry], float | None], unit: str = "Count") -> Row:
    return Row("AWS/ApiGateway", name, unit, KIND, value, at_end, _dimensions)


def _integration(entry: Entry) -> float | None:
    took = entry.data.get("integration_us")
    return None if took is None else took / 1000


def _cached(hit: bool) -> Callable[[Entry], float | None]:
    """0 or 1 for each request to a method whose responses are kept."""
    return lambda entry: int(entry.data["cached"] is hit) if "cached" in entry.data else None


ROWS: tuple[Row, ...] = (
    _row("Count", lambda entry: 1),
    _row("4XXError", lambda entry: int(400 <= entry.data["status"] < 500)),
    _row("5XXError", lambda entry: int(entry.data["status"] >= 500)),
    _row("Latency", lambda entry: entry.duration / 1000, "Milliseconds"),
    _row("IntegrationLatency", _integration, "Milliseconds"),
    _row("CacheHitCount", _cached(True)),
    _row("CacheMissCount", _cached(False)),
)
