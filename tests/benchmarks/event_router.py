"""EventBridge: events put in batches of 10; ten rules with a Lambda target each; every event matches one.

Each function appends a line to a file, so that on MiniStack, too, it can be counted what arrived.
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from typing import Any

from . import queue

RULES = 10

HANDLER = """
import os


def handler(event, context):
    with open(os.environ["ARRIVED"], "a") as arrived:
        arrived.write(event["id"] + "\\n")
"""


def build(client: Any, role: str, arrived: Path) -> None:
    """A rule with a function per kind of event."""
    events, lambda_, code = client("events"), client("lambda"), queue.package(HANDLER)
    for n in range(RULES):
        function = lambda_.create_function(
            FunctionName=f"on-{n}",
            Runtime="python3.11",
            Role=role,
            Handler="app.handler",
            Code={"ZipFile": code},
            Environment={"Variables": {"ARRIVED": str(arrived)}},
            MemorySize=256,
        )["FunctionArn"]
        pattern = {
            "source": ["shop"],
            "detail-type": [f"Order{n}"],
            "detail": {"total": [{"numeric": [">", 0]}]},
        }
        rule = events.put_rule(Name=f"rule-{n}", EventPattern=json.dumps(pattern))["RuleArn"]
        lambda_.add_permission(
            FunctionName=f"on-{n}",
            StatementId="rule",
            Action="lambda:InvokeFunction",
            Principal="events.amazonaws.com",
            SourceArn=rule,
        )
        events.put_targets(Rule=f"rule-{n}", Targets=[{"Id": "function", "Arn": function}])


def send(events: Any, count: int) -> None:
    for first in range(0, count, 10):
        entries = [
            {
                "Source": "shop",
                "DetailType": f"Order{n % RULES}",
                "Detail": json.dumps({"id": f"order-{n}", "total": n % 97 + 1, "items": [{"sku": "a"}]}),
            }
            for n in range(first, min(first + 10, count))
        ]
        assert events.put_events(Entries=entries)["FailedEntryCount"] == 0


def lines(arrived: Path) -> int:
    return len(arrived.read_text().splitlines()) if arrived.exists() else 0


def run(count: int, seed: int = 0) -> dict[str, Any]:
    """Wall time from the first put until every function has run."""
    from infra.cloud import connect

    with tempfile.TemporaryDirectory() as folder:
        arrived = Path(folder) / "arrived"
        cloud = connect("local", seed=seed)
        build(cloud.client, queue.role(cloud.client("iam")), arrived)
        virtual = cloud.elapsed
        started = time.perf_counter()
        send(cloud.client("events"), count)
        cloud.settle()
        wall = time.perf_counter() - started
        found = lines(arrived)
    assert found == count, f"{found} of {count} events arrived"
    virtual = cloud.elapsed - virtual
    fingerprint = cloud.fingerprint()  # type: ignore[attr-defined]
    cloud.close()
    return {
        "benchmark": "event_router",
        "events": count,
        "wall_s": round(wall, 3),
        "events_per_s": round(count / wall),
        "virtual_s": round(virtual, 3),
        "peak_rss_mb": queue.peak_rss_mb(),
        "fingerprint": fingerprint,
    }


def run_ministack(count: int) -> dict[str, Any]:
    """The same on MiniStack, until every event has arrived or none does for two minutes."""
    from tests.ministack import server

    with tempfile.TemporaryDirectory() as folder, server() as client:
        arrived = Path(folder) / "arrived"
        build(client, queue.role(client("iam")), arrived)
        started = last = time.perf_counter()
        send(client("events"), count)
        found = 0
        while found < count and time.perf_counter() - last < 120:
            now = lines(arrived)
            if now != found:
                found, last = now, time.perf_counter()
            time.sleep(0.1)
    assert found, "no event arrived"
    return {"ministack_events_per_s": round(found / (last - started), 1), "ministack_arrived": found}
