"""Runs the cases of EventBridge: what AWS does, as plain data, each with where that is known from.

``transformer.json``: an input template, its paths, an event's detail, and what the target gets (or that it
is no JSON). ``put_events.json``: entries and PutEvents' answer, "ok" for an entry that is accepted, or how
the request is refused. ``event_failures.json``: a target's error and what EventBridge makes of it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.cloud.local.routes.eventbridge.entries import envelope
from infra.cloud.local.routes.eventbridge.retries import failure
from infra.cloud.local.routes.eventbridge.transformer import NotJson, Transformer
from infra.cloud.local.service import ServiceError
from infra.cloud.local.world import World


def _cases(name: str) -> list[Any]:
    path = Path(__file__).parent / f"{name}.json"
    return [pytest.param(case, id=case["name"]) for case in json.loads(path.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("case", _cases("transformer"))
def test_transformer(case: dict[str, Any]) -> None:
    event = envelope(
        id="1",
        detail_type="order",
        source="shop",
        account="123456789012",
        time="2026-01-05T09:00:00Z",
        region="us-east-1",
        resources=[],
        detail=case["detail"],
    )
    transformer = Transformer.of(case["paths"], case["template"])
    assert transformer.unknown() == []
    rule = ("arn:aws:events:us-east-1:123456789012:rule/bus/rule", "rule", "2026-01-05T09:00:01Z")
    if "output" in case:
        assert transformer.apply(event, *rule) == case["output"]
    else:
        with pytest.raises(NotJson):
            transformer.apply(event, *rule)


@pytest.mark.parametrize("case", _cases("put_events"))
def test_put_events(case: dict[str, Any], world: World) -> None:
    events = world.client("events")
    if "refused" in case:
        with pytest.raises(ClientError) as error:
            events.put_events(Entries=case["entries"])
        shown = error.value.response["Error"]
        assert [shown["Code"], shown["Message"]] == case["refused"]
        return
    answer = events.put_events(Entries=case["entries"])
    found = ["ok" if set(one) == {"EventId"} else one for one in answer["Entries"]]
    assert found == case["answers"]
    assert answer["FailedEntryCount"] == sum(one != "ok" for one in case["answers"])


@pytest.mark.parametrize("case", _cases("event_failures"))
def test_failure(case: dict[str, Any]) -> None:
    code, status = case["error"]
    found = failure(ServiceError(code, "it says why", status))
    assert (found.code, found.message, found.retried) == (case["code"], "it says why", case["retried"])
