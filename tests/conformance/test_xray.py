"""Runs ``xray.json``: traces as AWS answered them, made again from the documents that were sent.

``segments`` is the whole answer of BatchGetTraces. What X-Ray inferred from calls is left out when the
documents are sent, and has to come back, under whatever id; ``ordered`` answers are compared by member.
"""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import pytest

from infra.cloud.local.world import World

_CASES = json.loads((Path(__file__).parent / "xray.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", _CASES, ids=lambda case: case["name"])
def test_a_recorded_trace(case: dict[str, Any]) -> None:
    recorded = case["segments"]
    first = min(each["start_time"] for each in recorded)
    begin = datetime.datetime.fromtimestamp(int(first), datetime.UTC)
    world = World(start=begin + datetime.timedelta(minutes=1))
    try:
        xray = world.client("xray")
        sent = [json.dumps(each) for each in recorded if not each.get("inferred")]
        assert xray.put_trace_segments(TraceSegmentDocuments=sent)["UnprocessedTraceSegments"] == []
        (trace,) = xray.batch_get_traces(TraceIds=[recorded[0]["trace_id"]])["Traces"]
        found = [json.loads(each["Document"]) for each in trace["Segments"]]
        window = {"StartTime": begin, "EndTime": begin + datetime.timedelta(minutes=1)}
        (summary,) = xray.get_trace_summaries(**window)["TraceSummaries"]
    finally:
        world.close()
    assert _known(found) == _known(recorded)
    if case.get("ordered"):
        assert {each["name"]: list(each) for each in found} == {each["name"]: list(each) for each in recorded}
    assert {name: summary[name] for name in case["summary"]} == case["summary"]
    values = {
        key: [each["AnnotationValue"]["StringValue"] for each in values]
        for key, values in summary["Annotations"].items()
    }
    assert values == case["annotations"]
    assert [each["UserName"] for each in summary["Users"]] == case["users"]


def _known(documents: list[dict[str, Any]]) -> list[str]:
    """The documents in one order, those that were inferred without their ids."""
    shown = [
        {key: value for key, value in each.items() if key != "id" or not each.get("inferred")}
        for each in documents
    ]
    return sorted(json.dumps(each, sort_keys=True) for each in shown)
