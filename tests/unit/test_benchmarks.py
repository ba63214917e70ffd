"""The benchmarks run, say what they measured, and stay within their budgets by a wide margin."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from labs.toolkit import paths


def benchmark(*arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks", *arguments],
        cwd=paths.ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    (line,) = done.stdout.splitlines()
    result: dict[str, Any] = json.loads(line)
    return result


def test_queue() -> None:
    """Against raw moto in the same process, so a slow machine slows both."""
    one, two = (
        benchmark("queue", "--messages", "1000"),
        benchmark("queue", "--messages", "1000", "--seed", "1"),
    )
    assert set(one) >= {"messages", "wall_s", "messages_per_s", "virtual_s", "raw_put_item_s", "peak_rss_mb"}
    assert one["of_raw"] < 0.5
    assert one["peak_rss_mb"] < 400
    assert one["fingerprint"] != two["fingerprint"]


def test_an_idle_day_costs_nothing() -> None:
    assert benchmark("idle")["idle_day_ms"] < 5


def test_a_burst_of_1000_cold_starts() -> None:
    """Target: under 5 s on two cores; the bound allows for a machine that does other work."""
    assert benchmark("burst")["wall_s"] < 15
