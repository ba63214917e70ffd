"""An idle simulated day, and year, with an enabled event source mapping."""

from __future__ import annotations

import time
from typing import Any

from . import queue


def run() -> dict[str, Any]:
    from infra.cloud import connect

    cloud = connect("local")
    _, mapping = queue.build(cloud.client, queue.role(cloud.client("iam")))
    cloud.client("lambda").update_event_source_mapping(UUID=mapping, Enabled=True)
    cloud.settle()
    cloud.advance("1h")
    result: dict[str, Any] = {"benchmark": "idle"}
    for name, duration in (("day", "1 day"), ("year", "365 days")):
        started = time.perf_counter()
        cloud.advance(duration)
        result[f"idle_{name}_ms"] = round((time.perf_counter() - started) * 1000, 3)
    cloud.close()
    return result
