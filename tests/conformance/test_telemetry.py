"""Runs ``telemetry.json``: lines in embedded metric format, bodies of dashboards, composite alarms' rules.

``emf``: a line of the log group ``g`` at 2026-01-05 09:00 UTC and its metrics as [namespace, name,
dimensions, unit, values], or the metric of AWS/Logs that counts it. ``dashboard``: a body and its problems as
[path, message]. ``rule``: a rule, the states of its alarms, and whether it holds.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from infra.cloud.local.journal import Entry
from infra.cloud.local.telemetry.composite_rules import parse_rule
from infra.cloud.local.telemetry.dashboard_bodies import problems
from infra.cloud.local.telemetry.embedded import embedded_metrics

CASES = json.loads(Path(__file__).with_name("telemetry.json").read_text(encoding="utf-8"))
NINE = 1_767_603_600_000_000


def of_kind(kind: str) -> list[Any]:
    return [pytest.param(case, id=case["name"]) for case in CASES if case["kind"] == kind]


@pytest.mark.parametrize("case", of_kind("emf"))
def test_embedded_metric_format(case: dict[str, Any]) -> None:
    entry = Entry(NINE, "logs.event", "f", "g", 0, "ok", "", {"stream": "s", "message": case["line"]})
    found = [
        [metric.namespace, metric.name, dict(metric.dimensions), unit, values]
        for metric, unit, _, values in embedded_metrics(entry)
    ]
    expected = case["metrics"]
    if isinstance(expected, str):
        expected = [["AWS/Logs", expected, {"LogGroupName": "g"}, "None", [1.0]]]
    assert found == expected


@pytest.mark.parametrize("case", of_kind("dashboard"))
def test_dashboard(case: dict[str, Any]) -> None:
    assert [list(problem) for problem in problems(case["body"])] == case["problems"]


@pytest.mark.parametrize("case", of_kind("rule"))
def test_rule(case: dict[str, Any]) -> None:
    assert parse_rule(case["text"]).holds(case["states"].__getitem__) is case["holds"]
